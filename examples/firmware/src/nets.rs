//! The networks of the demos, with their weights in flash.

use constnet::safetensors::File;
use constnet::{Dense, Network, Relu, Sigmoid, Softmax, Tanh, Vector};

/// The classifier of handwritten digits, 8x8 pixels from 0 to 16, that the library's example `export_digits` trains.
pub type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;

/// The file that the compiler reads.
#[derive(Debug)]
pub struct Weights;

impl File for Weights {
    const BYTES: &'static [u8] = include_bytes!("../data/digits.safetensors");
}

/// In flash, since it is neither 0 nor ever written to.
pub static DIGITS: Digits = Digits::from_file::<Weights>();

/// Digits that the network has not seen: 64 pixels and the class, one after the other.
pub static IMAGES: &[u8] = include_bytes!("../data/digits.bin");

/// For each of them what the network gives on a computer: 10 numbers of 4 bytes. `answers_are_golden` below writes it.
pub static LOGITS: &[u8] = include_bytes!("../data/logits.bin");

/// How far a logit may be from the computer's on the Cortex-M4F and M7, where a multiplication and an addition are one instruction, which
/// rounds once, and sums have an order of their own. Elsewhere every bit agrees.
pub const BOUND: f32 = 2e-5;

/// Exclusive or.
pub type Xor = Network<Vector<2>, (Dense<2, 4>, Sigmoid, Dense<4, 1>, Sigmoid)>;

/// The pressure behind a bridge whose reading depends on the temperature as well: both go in.
pub type Sensor = Network<Vector<2>, (Dense<2, 12>, Tanh, Dense<12, 1>)>;

/// A controller: 13 numbers of sensors to 4 of motors.
pub type Policy = Network<Vector<13>, (Dense<13, 64>, Tanh, Dense<64, 64>, Tanh, Dense<64, 4>, Tanh)>;

/// A small classifier.
pub type Small = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>, Softmax)>;

/// A classifier of MNIST's digits.
pub type Mnist = Network<Vector<784>, (Dense<784, 64>, Relu, Dense<64, 64>, Relu, Dense<64, 10>)>;

/// The autoencoder of MLPerf Tiny, whose normalisation is folded into its dense layers.
pub type Autoencoder = Network<
    Vector<640>,
    (
        (
            Dense<640, 128>,
            Relu,
            Dense<128, 128>,
            Relu,
            Dense<128, 128>,
            Relu,
            Dense<128, 128>,
            Relu,
            Dense<128, 8>,
            Relu,
        ),
        (Dense<8, 128>, Relu, Dense<128, 128>, Relu, Dense<128, 128>, Relu, Dense<128, 128>, Relu, Dense<128, 640>),
    ),
>;

/// [`Xor`], drawn.
pub static XOR: Xor = Network::new((drawn(1), Sigmoid, drawn(2), Sigmoid));
/// [`Policy`], drawn.
pub static POLICY: Policy = Network::new((drawn(1), Tanh, drawn(2), Tanh, drawn(3), Tanh));
/// [`Small`], drawn.
pub static SMALL: Small = Network::new((drawn(1), Relu, drawn(2), Softmax));
/// [`Mnist`], drawn.
pub static MNIST: Mnist = Network::new((drawn(1), Relu, drawn(2), Relu, drawn(3)));
/// [`Autoencoder`], drawn.
pub static AUTOENCODER: Autoencoder = Network::new((
    (drawn(1), Relu, drawn(2), Relu, drawn(3), Relu, drawn(4), Relu, drawn(5), Relu),
    (drawn(6), Relu, drawn(7), Relu, drawn(8), Relu, drawn(9), Relu, drawn(10)),
));

/// A layer whose parameters are uniform within `sqrt(3 / IN)`, so that numbers keep their size from layer to layer.
#[allow(clippy::cast_precision_loss)]
const fn drawn<const IN: usize, const OUT: usize>(seed: u32) -> Dense<IN, OUT> {
    let (mut weight, mut bias) = ([[0.0; OUT]; IN], [0.0; OUT]);
    let bound = root(3.0 / IN as f32);
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    let mut i = 0;
    while i < IN {
        let mut o = 0;
        while o < OUT {
            state = next(state);
            weight[i][o] = bound * uniform(state);
            o += 1;
        }
        i += 1;
    }
    let mut o = 0;
    while o < OUT {
        state = next(state);
        bias[o] = 0.1 * uniform(state);
        o += 1;
    }
    Dense::from_columns(weight, bias)
}

/// The next of a row of numbers without a pattern. Marsaglia (2003), "Xorshift RNGs".
#[must_use]
pub const fn next(mut x: u32) -> u32 {
    x ^= x << 13;
    x ^= x >> 17;
    x ^ x << 5
}

/// A number from -1 to 1, from one of the row.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub const fn uniform(x: u32) -> f32 {
    (x >> 8) as f32 / 8_388_608.0 - 1.0
}

/// The square root of a number from 0 to 2, by Newton.
const fn root(x: f32) -> f32 {
    let mut root = 1.0;
    let mut step = 0;
    while step < 12 {
        root = 0.5 * (root + x / root);
        step += 1;
    }
    root
}

/// A digit that the network has not seen.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Its pixels, from 0 to 16, row by row.
    pub pixels: constnet::nalgebra::SVector<f32, 64>,
    /// What it is.
    pub digit: u32,
    /// What the network gives on a computer.
    pub logits: constnet::nalgebra::SVector<f32, 10>,
}

/// The digits that the network has not seen.
#[must_use]
pub fn samples() -> impl ExactSizeIterator<Item = Sample> {
    let images = IMAGES.as_chunks::<65>().0;
    let logits = LOGITS.as_chunks::<4>().0.as_chunks::<10>().0;
    images.iter().zip(logits).map(|([pixels @ .., digit], logits)| Sample {
        pixels: pixels.map(f32::from).into(),
        digit: u32::from(*digit),
        logits: logits.map(f32::from_le_bytes).into(),
    })
}

/// The largest difference between the numbers of two vectors.
#[must_use]
pub fn difference<const N: usize>(
    a: &constnet::nalgebra::SVector<f32, N>,
    b: &constnet::nalgebra::SVector<f32, N>,
) -> f32 {
    a.iter().zip(b).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use constnet::Class;
    use constnet::nalgebra::SVector;
    use std::{env, fs};

    /// The computer's answers are those that the firmware compares its own with, to the bit: the library without `std`, which uses
    /// what the target promises, so neither x86-64 nor RISC-V without F rounds a multiplication and an addition at once.
    ///
    /// `CONSTNET_BLESS=1` writes them anew after the weights have changed.
    #[test]
    fn answers_are_golden() {
        let images = IMAGES.as_chunks::<65>().0;
        let mut logits = Vec::new();
        for [pixels @ .., _] in images {
            let y = DIGITS.predict(&SVector::from(pixels.map(f32::from)));
            logits.extend(y.iter().flat_map(|y| y.to_le_bytes()));
        }
        if env::var_os("CONSTNET_BLESS").is_some() {
            fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/data/logits.bin"), &logits).expect("writable");
            return;
        }
        assert_eq!(logits.len(), LOGITS.len());
        if cfg!(any(target_arch = "x86_64", target_arch = "x86")) && !cfg!(target_feature = "fma") {
            assert!(logits == LOGITS, "data/logits.bin is out of date: CONSTNET_BLESS=1 cargo test --lib writes it");
        }
        for (ours, golden) in logits.as_chunks().0.iter().zip(LOGITS.as_chunks().0) {
            let (ours, golden) = (f32::from_le_bytes(*ours), f32::from_le_bytes(*golden));
            assert!((ours - golden).abs() <= BOUND, "{ours} is not {golden}");
        }
    }

    /// Would catch: weights, images and classes of different runs.
    #[test]
    fn most_are_right() {
        let answer = |pixels: &SVector<f32, 64>| Class::argmax(&DIGITS.predict(pixels)).map(Class::index);
        let right = samples().filter(|sample| answer(&sample.pixels) == Some(sample.digit as usize)).count();
        assert!(right * 100 >= samples().len() * 97, "{right} of {}", samples().len());
    }
}
