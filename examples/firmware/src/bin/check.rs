//! Holds the arithmetic of this processor to sums in `f64`: dense layers of many sizes, forward and back, and square roots. On a
//! Cortex-M with floating point these are written in assembly, which no computer can test. And the stack of recurrent layers to its bound.
#![no_std]
#![no_main]

use constnet::layer::{Differentiable, Layer};
use constnet::nalgebra::SVector;
use constnet::scalar::Scalar;
use constnet::shape::{Shape, TensorOf};
use constnet::{Bidirectional, ConstZero, Dense, DenseNoBias, Gru, Lstm, Network, Sequence, Vector};
use constnet_firmware::nets::{next, uniform};
use constnet_firmware::text::Decimals;
use constnet_firmware::{entry, say, stack};
use core::hint::black_box;

/// Samples of a batch.
const ROWS: usize = 3;

/// Runs a function for some sizes of layers: for each number of outputs each number of inputs.
macro_rules! sizes {
    ($f:ident, $found:ident, [$($inputs:literal)+] to $outputs:tt) => { $(sizes!(@$f, $found, $inputs, $outputs);)+ };
    (@$f:ident, $found:ident, $inputs:literal, [$($outputs:literal)+]) => { $($f::<$inputs, $outputs>(&mut $found);)+ };
}

entry!(main);

fn main() -> bool {
    let mut found = Found::default();
    // Each remainder of a tile, with an odd and an even number of columns; more than one tile; a sum of each remainder.
    #[cfg(not(soft_float))]
    {
        sizes!(layer, found, [33] to [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33]);
        sizes!(layer, found, [2 3 5 34] to [1 4 7 10 15 16 35]);
        sizes!(layer, found, [1 32 35 36 37 38 39 40 47] to [1 2 35]);
    }
    // Without assembly; the flash of the micro:bit holds no more.
    #[cfg(soft_float)]
    sizes!(layer, found, [2 33] to [1 7 16]);
    say![found.layers, " dense layers: outputs, gradients of inputs, weights and biases, ", found.numbers, " numbers"];
    say!["the largest error is ", Decimals::<3>(found.largest), " of the bound"];
    let roots = wrong_roots();
    say!["square roots: ", roots, " of 20000 are not the nearest"];
    static GRU: Network<Sequence<4, 6>, Gru<4, 24>> = Network::ZERO;
    static BOTH: Network<Sequence<4, 6>, Bidirectional<Lstm<4, 16>>> = Network::ZERO;
    let fits = fits_the_stack("Gru<4, 24>", &GRU) & fits_the_stack("Bidirectional<Lstm<4, 16>>", &BOTH);
    found.holds && found.numbers > 0 && roots == 0 && fits
}

/// Whether a prediction stays within its bound.
#[inline(never)]
fn fits_the_stack<In: Shape, L: Layer<In>>(name: &str, net: &Network<In, L>) -> bool {
    let x = TensorOf::<In, f32>::ZERO;
    let (net, x) = black_box((net, &x));
    let ((), bytes) = stack::high_water(|| {
        let mut y = TensorOf::<L::Out, f32>::ZERO;
        net.forward(x, &mut y);
        black_box(&y);
    });
    let bound = Network::<In, L>::FORWARD_BYTES;
    say!["stack of ", name, ": ", bytes, " bytes, ", bound, " of them tensors"];
    bytes <= bound + stack::CODE_BYTES
}

/// What has been found.
struct Found {
    layers: u32,
    numbers: u32,
    /// An error, as a part of its bound.
    largest: f32,
    holds: bool,
    noise: u32,
}

impl Default for Found {
    fn default() -> Self {
        Self { layers: 0, numbers: 0, largest: 0.0, holds: true, noise: 1 }
    }
}

impl Found {
    /// Holds `y` to `start` plus the sum of the products, within `(n + 1) * 2^-24` of the sum of their magnitudes: the bound of
    /// `f32`, whatever the order, whether a multiplication and an addition round once or twice.
    fn expect(&mut self, y: f32, start: f32, terms: impl Iterator<Item = (f32, f32)>) {
        let (mut sum, mut magnitude, mut roundings) = (f64::from(start), f64::from(start.abs()), 1.0);
        for (a, b) in terms {
            let product = f64::from(a) * f64::from(b);
            sum += product;
            magnitude += product.abs();
            roundings += 1.0;
        }
        let error = (f64::from(y) - sum).abs();
        let bound = magnitude * roundings / f64::from(1 << 24);
        self.numbers += 1;
        self.holds &= error <= bound; // Not where it is NaN.
        if bound > 0.0 {
            #[allow(clippy::cast_possible_truncation)] // To be shown.
            let part = (error / bound) as f32;
            self.largest = self.largest.max(part);
        }
    }

    fn draw(&mut self, numbers: &mut [f32]) {
        for number in numbers {
            self.noise = next(self.noise);
            *number = uniform(self.noise);
        }
    }
}

/// A value between numbers that must stay what they are.
#[repr(C)]
struct Guarded<T> {
    before: [u32; 4],
    value: T,
    after: [u32; 4],
}

impl<T: ConstZero> Guarded<T> {
    const NEW: Self = Self { before: [0xA5C3_5A3C; 4], value: T::ZERO, after: [0x3CA5_C35A; 4] };

    fn is_whole(&self) -> bool {
        self.before == Self::NEW.before && self.after == Self::NEW.after
    }
}

/// A batch through a layer and back.
#[inline(never)]
fn layer<const IN: usize, const OUT: usize>(found: &mut Found) {
    let mut layer = Dense::<IN, OUT>::ZERO;
    let mut x = [SVector::<f32, IN>::ZERO; ROWS];
    let mut dy = [SVector::<f32, OUT>::ZERO; ROWS];
    let mut gradient = Guarded::<Dense<IN, OUT>>::NEW;
    found.draw(layer.weight.as_mut_slice());
    found.draw(layer.bias.as_mut_slice());
    found.draw(gradient.value.weight.as_mut_slice());
    for (x, dy) in x.iter_mut().zip(&mut dy) {
        found.draw(x.as_mut_slice());
        found.draw(dy.as_mut_slice());
    }
    let columns = || layer.weight.as_slice().chunks_exact(OUT);

    let mut y = Guarded::<[SVector<f32, OUT>; ROWS]>::NEW;
    Differentiable::<Vector<IN>>::forward_train(&layer, &x, &mut (), &mut y.value);
    for (x, y) in x.iter().zip(&y.value) {
        for (o, (&y, &bias)) in y.iter().zip(&layer.bias).enumerate() {
            found.expect(y, bias, columns().filter_map(|column| column.get(o)).copied().zip(x.iter().copied()));
        }
        // One sample by itself: the same bits. Without bias: near.
        let mut alone = Guarded::<SVector<f32, OUT>>::NEW;
        Layer::<Vector<IN>>::forward(&layer, x, &mut alone.value);
        found.holds &= alone.value.iter().zip(y).all(|(a, b)| a.to_bits() == b.to_bits());
        Layer::<Vector<IN>>::forward(&DenseNoBias::new(layer.weight, constnet::NoBias), x, &mut alone.value);
        for (o, &y) in alone.value.iter().enumerate() {
            found.expect(y, 0.0, columns().filter_map(|column| column.get(o)).copied().zip(x.iter().copied()));
        }
        found.holds &= alone.is_whole();
    }

    let mut dx = Guarded::<[SVector<f32, IN>; ROWS]>::NEW;
    let before = gradient.value.clone();
    Differentiable::<Vector<IN>>::backward(&layer, &x, &y.value, &mut (), &dy, &mut gradient.value, &mut dx.value);
    for (dx, dy) in dx.value.iter().zip(&dy) {
        for (&dx, column) in dx.iter().zip(columns()) {
            found.expect(dx, 0.0, column.iter().copied().zip(dy.iter().copied()));
        }
    }
    let rows = || x.iter().zip(&dy);
    let pairs = gradient.value.weight.as_slice().chunks_exact(OUT).zip(before.weight.as_slice().chunks_exact(OUT));
    for (i, (column, before)) in pairs.enumerate() {
        for (o, (&gradient, &before)) in column.iter().zip(before).enumerate() {
            let terms = rows().filter_map(|(x, dy)| Some((*x.as_slice().get(i)?, *dy.as_slice().get(o)?)));
            found.expect(gradient, before, terms);
        }
    }
    for (o, &gradient) in gradient.value.bias.iter().enumerate() {
        found.expect(gradient, 0.0, rows().filter_map(|(_, dy)| Some((1.0, *dy.as_slice().get(o)?))));
    }
    found.holds &= y.is_whole() && dx.is_whole() && gradient.is_whole();
    found.layers += 1;
}

/// How many square roots are not the nearest number to the exact one.
fn wrong_roots() -> u32 {
    let mut wrong = 0;
    let mut bits = 1;
    for _ in 0..20_000 {
        bits = next(bits);
        let x = f32::from_bits(bits & 0x7FFF_FFFF); // The smallest and infinities and NaN are among them.
        wrong += u32::from(!is_root(x, Scalar::sqrt(x)));
    }
    for (x, root) in [(0.0, 0.0), (-0.0, -0.0), (f32::INFINITY, f32::INFINITY), (1e-45, 3.743_392e-23)] {
        wrong += u32::from(Scalar::sqrt(x).to_bits() != f32::to_bits(root));
    }
    wrong + u32::from(!Scalar::sqrt(-1.0_f32).is_nan())
}

/// Whether `x` lies between the squares of the two numbers in the middle between `root` and its neighbours: exact in `f64`.
fn is_root(x: f32, root: f32) -> bool {
    if !x.is_finite() {
        return !root.is_finite();
    }
    let middle = |a: f32, b: f32| f64::midpoint(f64::from(a), f64::from(b));
    let (least, most) = (middle(root, root.next_down()), middle(root, root.next_up()));
    root >= 0.0 && (root == 0.0 || least * least <= f64::from(x)) && f64::from(x) <= most * most
}
