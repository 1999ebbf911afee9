//! Holds the arithmetic of this processor to sums in `f64`: dense layers of many sizes, forward and back, gradient descent, square roots. On a
//! Cortex-M with floating point these are written in assembly, which no computer can test. And the stack of recurrent layers to its bound.
#![no_std]
#![no_main]

use constnet::layer::{Differentiable, Gradient, Layer};
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::{Optimizer, Sgd};
use constnet::scalar::Scalar;
use constnet::shape::{Shape, TensorOf};
use constnet::train::{NotFinite, Trainer};
use constnet::{Bidirectional, ConstZero, Dense, DenseNoBias, Gru, Lstm, Network, Sequence, Vector};
use constnet_firmware::nets::{next, uniform};
use constnet_firmware::text::Decimals;
use constnet_firmware::{entry, say, stack};
use core::cell::Cell;
use core::hint::black_box;

#[path = "check/convolutions.rs"]
mod convolutions;

/// Samples of a batch.
const ROWS: usize = 3;

/// Runs a function for some sizes of layers: for each number of inputs each number of outputs.
macro_rules! sizes {
    ($f:ident, $found:ident, [$($inputs:literal)+] to $outputs:tt) => { $(sizes!(@$f, $found, $inputs, $outputs);)+ };
    (@$f:ident, $found:ident, $inputs:literal, [$($outputs:literal)+]) => { $(
        $f::<$inputs, $outputs>(&mut $found);
        $found.tell(concat!(stringify!($f), " of ", $inputs, " to ", $outputs));
    )+ };
}

static GRU: Network<Sequence<4, 6>, Gru<4, 24>> = Network::ZERO;
static BOTH: Network<Sequence<4, 6>, Bidirectional<Lstm<4, 16>>> = Network::ZERO;

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
    #[cfg(not(soft_float))]
    sizes!(descent, found, [1 3 15 16 31 33] to [1 3]);
    #[cfg(soft_float)]
    sizes!(descent, found, [16] to [3]);
    say!["gradient descent, ", found.numbers, " numbers with the ones above; infinite gradients: ", found.infinities];
    convolutions::check(&mut found);
    found.tell("convolutions");
    say!["convolutions, ", found.numbers, " numbers with the ones above"];
    let roots = wrong_roots();
    say!["square roots: ", roots, " of 20000 are not the nearest"];
    let fits = fits_the_stack("Gru<4, 24>", &GRU) & fits_the_stack("Bidirectional<Lstm<4, 16>>", &BOTH);
    !found.has_failed && found.numbers > 0 && roots == 0 && fits
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
    say!["stack of ", name, ": ", bytes, " bytes, of ", bound, " for tensors and ", stack::CODE_BYTES, " for code"];
    bytes <= bound + stack::CODE_BYTES
}

/// What has been found.
struct Found {
    layers: u32,
    numbers: u32,
    /// An error, as a part of its bound.
    largest: f32,
    /// Gradients that were to be found infinite.
    infinities: u32,
    holds: bool,
    has_failed: bool,
    noise: u32,
}

impl Default for Found {
    fn default() -> Self {
        Self { layers: 0, numbers: 0, largest: 0.0, infinities: 0, holds: true, has_failed: false, noise: 1 }
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

    /// Says what does not hold.
    #[inline(never)]
    fn tell(&mut self, what: &str) {
        if !core::mem::replace(&mut self.holds, true) {
            self.has_failed = true;
            say!["wrong: ", what];
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
    let adding = Gradient::adding(&mut gradient.value);
    Differentiable::<Vector<IN>>::backward(&layer, &x, &y.value, &mut (), &dy, adding, Some(&mut dx.value));
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

    // Overwritten: what was there is in no sum.
    let known_finite = Cell::new(0);
    let overwriting = Gradient::overwriting(&mut gradient.value, &known_finite);
    Differentiable::<Vector<IN>>::backward(&layer, &x, &y.value, &mut (), &dy, overwriting, None);
    for (i, column) in gradient.value.weight.as_slice().chunks_exact(OUT).enumerate() {
        for (o, &gradient) in column.iter().enumerate() {
            let terms = rows().filter_map(|(x, dy)| Some((*x.as_slice().get(i)?, *dy.as_slice().get(o)?)));
            found.expect(gradient, 0.0, terms);
        }
    }
    for (o, &gradient) in gradient.value.bias.iter().enumerate() {
        found.expect(gradient, 0.0, rows().filter_map(|(_, dy)| Some((1.0, *dy.as_slice().get(o)?))));
    }
    found.holds &= gradient.is_whole();
    found.layers += 1;
}

/// Steps of stochastic gradient descent: on numbers as they are usual, on large ones, and with an infinite one.
#[inline(never)]
fn descent<const IN: usize, const OUT: usize>(found: &mut Found) {
    const RATE: f32 = 0.25;
    for (decay, scale) in [(0.0, 1.0), (0.125, 1.0), (0.0, 1e30), (0.125, 1e30)] {
        let Ok(rule) = const { Sgd::const_new(RATE as f64) }.with_weight_decay(f64::from(decay)) else {
            found.holds = false;
            return;
        };
        let mut first = Dense::<IN, OUT>::ZERO;
        found.draw(first.weight.as_mut_slice());
        found.draw(first.bias.as_mut_slice());
        first.weight.iter_mut().for_each(|p| *p *= scale);
        for infinite in (0..IN * OUT).step_by(5).map(Some).chain([None]) {
            let mut after = Guarded::<Dense<IN, OUT>>::NEW;
            let mut gradient = Guarded::<Dense<IN, OUT>>::NEW;
            after.value.clone_from(&first);
            found.draw(gradient.value.weight.as_mut_slice());
            found.draw(gradient.value.bias.as_mut_slice());
            if let Some(g) = infinite.and_then(|at| gradient.value.weight.as_mut_slice().get_mut(at)) {
                *g = f32::INFINITY;
                found.infinities += 1;
            }
            let given = gradient.value.clone();
            let is_finite = Optimizer::<f32>::update(&rule, &mut (), &mut after.value, &mut gradient.value, 1.0);
            found.holds &= is_finite == infinite.is_none() && after.is_whole() && gradient.is_whole();
            // The square of the largest is not finite, so they are taken one by one.
            for ((new, old), g) in numbers(&after.value).zip(numbers(&first)).zip(numbers(&given)) {
                if g.is_finite() {
                    found.expect(new, old, [(-RATE, g), (-RATE * decay, old)].into_iter());
                } else {
                    found.holds &= new.to_bits() == old.to_bits();
                }
            }
            found.holds &= numbers(&gradient.value).map(f32::to_bits).eq(numbers(&given).map(f32::to_bits));
        }
    }
    gradients::<IN, OUT>(found);
}

/// All parameters of a layer.
fn numbers<const IN: usize, const OUT: usize>(layer: &Dense<IN, OUT>) -> impl Iterator<Item = f32> {
    layer.weight.iter().chain(&layer.bias).copied()
}

/// A trainer finds each gradient that is not finite, and lets large ones pass.
fn gradients<const IN: usize, const OUT: usize>(found: &mut Found) {
    let mut trainer =
        Trainer::<Network<Vector<IN>, Dense<IN, OUT>>, _, _, 1>::new(const { Sgd::const_new(1e-30) }, Mse);
    let target = [SVector::<f32, OUT>::from_element(1e10)];
    for (value, expected) in [(1e30, Err(NotFinite::Gradient)), (1e15, Ok(()))] {
        for at in 0..IN {
            let mut net = Network::ZERO;
            let mut x = SVector::<f32, IN>::ZERO;
            if let Some(x) = x.as_mut_slice().get_mut(at) {
                *x = value;
            }
            let loss = trainer.accumulate(&mut net, &[x], &target);
            found.holds &= loss.is_finite() && trainer.apply(&mut net) == expected;
            found.infinities += u32::from(expected.is_err());
            // Nothing is taken of an infinite gradient, and all of a finite one.
            let taken = net.layers.weight.iter().filter(|&&p| p != 0.0).count();
            found.holds &= taken == if expected.is_ok() { OUT } else { 0 };
        }
    }
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
