//! Is a backward pass right? Compares it with central differences of the forward pass, in `f64`.
//!
//! ```
//! use constnet::nalgebra::{SMatrix, SVector};
//! use constnet::{Dense, Tanh, Vector, gradcheck};
//!
//! let mut layers = (Dense::new(SMatrix::<f64, 3, 2>::from_element(0.3), SVector::from([0.1, 0.2, 0.3])), Tanh);
//! let inputs = [SVector::from([0.5, -1.0]), SVector::from([2.0, 0.25])];
//! let report = gradcheck::layer::<Vector<2>, _, 2>(&mut layers, &inputs);
//! assert!(report.max_relative_error < 1e-6, "{report}");
//! ```
//!
//! # Method
//! For each parameter and each input `p`, `(f(p + h) - f(p - h)) / 2h` with `h = 1e-5 * max(1, |p|)`, where `f` is the sum of
//! the outputs, each times a fixed pseudo-random weight between -1 and 1. The relative error is `|a - n| / max(|a|, |n|, 1e-3)`
//! for the analytic `a` and the numeric `n`. A backward pass that overwrites the parameters' gradient instead of adding to it, or
//! adds to that of the inputs instead of overwriting it, is wrong as well, and found; where a gradient is to be overwritten, NaN was
//! there before. Points where a derivative jumps, such as 0 for [`Relu`](crate::Relu), are not fit to
//! check at.
//!
//! # Cost
//! Two forward passes for each parameter and each number of the inputs. Everything is on the stack: meant for small layers.

use crate::layer::{Differentiable, Gradient, Parameters};
use crate::loss::Loss;
use crate::scalar::ConstZero;
use crate::shape::argument::TensorFor;
use crate::shape::{Shape, Tensor, TensorOf};
use core::cell::Cell;
use core::fmt;

/// The largest difference that a check has found.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The largest relative error; NaN where a gradient is.
    pub max_relative_error: f64,
    /// Where it is.
    pub at: Place,
    /// The gradient that the backward pass gives there.
    pub analytic: f64,
    /// The gradient that the forward pass shows there.
    pub numeric: f64,
    /// How many gradients were compared.
    pub compared: usize,
}

/// A number that a gradient is taken with respect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A parameter, counted in the order of [`Parameters::visit`].
    Parameter(usize),
    /// The same, in a backward pass without the gradient of the inputs.
    ParameterWithoutInputs(usize),
    /// The same as [`Parameter`](Place::Parameter), where the gradient is to be overwritten.
    ParameterOverwritten(usize),
    /// The same, without the gradient of the inputs.
    ParameterOverwrittenWithoutInputs(usize),
    /// A parameter whose gradient is not finite, where [`Gradient::mark_finite`] says that all are.
    ParameterCalledFinite(usize),
    /// A number of an input, or of an output where a loss is checked.
    Input {
        /// The sample in the batch.
        sample: usize,
        /// The number, in memory order.
        number: usize,
    },
    /// A number of an input, where the gradient of the parameters is to be overwritten.
    InputBesideOverwritten {
        /// The sample in the batch.
        sample: usize,
        /// The number, in memory order.
        number: usize,
    },
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_relative_error, at, analytic, numeric, compared } = self;
        write!(
            f,
            "largest relative error {max_relative_error:e} of {compared}, at {at:?}: backward gives {analytic}, differences give {numeric}"
        )
    }
}

impl Report {
    const NONE: Self =
        Self { max_relative_error: 0.0, at: Place::Parameter(0), analytic: 0.0, numeric: 0.0, compared: 0 };

    fn add(&mut self, at: Place, analytic: f64, numeric: f64) {
        let error = (analytic - numeric).abs() / analytic.abs().max(numeric.abs()).max(1e-3);
        self.compared += 1;
        // A NaN wins, and stays.
        if !self.max_relative_error.is_nan() && (error > self.max_relative_error || error.is_nan()) {
            *self = Self { max_relative_error: error, at, analytic, numeric, compared: self.compared };
        }
    }
}

/// Checks a layer, with respect to its parameters and its inputs, on a batch.
///
/// The layer is changed while the check runs and then has its parameters back. A layer with dropout is checked with one mask.
pub fn layer<In: Shape, L: Differentiable<In, f64>, const B: usize>(
    layer: &mut L,
    inputs: &[impl TensorFor<In, f64>; B],
) -> Report {
    let mut x = TensorFor::tensors(inputs).clone();
    let mut y: [TensorOf<L::Out, f64>; B] = ConstZero::ZERO;
    let mut dy: [TensorOf<L::Out, f64>; B] = ConstZero::ZERO;
    let mut cache = L::Cache::<B>::ZERO;
    prepare(layer, &mut cache);
    let mut state = 1;
    for dy in dy.iter_mut().flat_map(Tensor::as_mut_slice) {
        *dy = weight(&mut state);
    }
    // A gradient that is there before is added to, or overwritten, with `dx` or without; what is in `dx` is overwritten.
    let [mut added, mut added_alone, mut overwritten, mut overwritten_alone] = [const { L::ZERO }; 4];
    let [mut dx, mut dx_beside_overwritten] = [const { <[In::Tensor<f64>; B]>::ZERO }; 2];
    L::zip([&mut added, &mut added_alone, &mut overwritten, &mut overwritten_alone], &mut |_, [a, b, c, d]| {
        a.fill(BEFORE);
        b.fill(BEFORE);
        c.fill(f64::NAN);
        d.fill(f64::NAN);
    });
    for dx in dx.iter_mut().chain(&mut dx_beside_overwritten) {
        dx.as_mut_slice().fill(BEFORE);
    }
    let known = Cell::new(0);
    layer.forward_train(&x, &mut cache, &mut y);
    layer.backward(&x, &y, &mut cache, &dy, Gradient::adding(&mut added), Some(&mut dx));
    layer.forward_train(&x, &mut cache, &mut y);
    layer.backward(&x, &y, &mut cache, &dy, Gradient::adding(&mut added_alone), None);
    layer.forward_train(&x, &mut cache, &mut y);
    let gradient = Gradient::overwriting(&mut overwritten, &known);
    layer.backward(&x, &y, &mut cache, &dy, gradient, Some(&mut dx_beside_overwritten));
    layer.forward_train(&x, &mut cache, &mut y);
    layer.backward(&x, &y, &mut cache, &dy, Gradient::overwriting(&mut overwritten_alone, &known), None);

    let mut report = Report::NONE;
    let (mut infinite, mut beyond) = (dy.clone(), L::ZERO);
    for dy in &mut infinite {
        dy.as_mut_slice().fill(f64::INFINITY);
    }
    known.set(0);
    layer.forward_train(&x, &mut cache, &mut y);
    layer.backward(&x, &y, &mut cache, &infinite, Gradient::overwriting(&mut beyond, &known), None);
    if known.get() >= L::COUNT
        && let Some(i) = (0..L::COUNT).find(|&i| !get(&beyond, i).is_finite())
    {
        report.add(Place::ParameterCalledFinite(i), f64::NAN, f64::INFINITY);
    }
    let mut f = |layer: &L, x: &[In::Tensor<f64>; B]| {
        layer.forward_train(x, &mut cache, &mut y);
        let outputs = y.iter().flat_map(Tensor::as_slice);
        outputs.zip(dy.iter().flat_map(Tensor::as_slice)).map(|(y, dy)| y * dy).sum::<f64>()
    };
    for i in 0..L::COUNT {
        let numeric = difference(get(layer, i), |p| {
            set(layer, i, p);
            f(layer, &x)
        });
        report.add(Place::Parameter(i), get(&added, i) - BEFORE, numeric);
        report.add(Place::ParameterWithoutInputs(i), get(&added_alone, i) - BEFORE, numeric);
        report.add(Place::ParameterOverwritten(i), get(&overwritten, i), numeric);
        report.add(Place::ParameterOverwrittenWithoutInputs(i), get(&overwritten_alone, i), numeric);
    }
    for sample in 0..B {
        for number in 0..In::LEN {
            let numeric = difference(x[sample].as_slice()[number], |p| {
                x[sample].as_mut_slice()[number] = p;
                f(layer, &x)
            });
            report.add(Place::Input { sample, number }, dx[sample].as_slice()[number], numeric);
            let beside = dx_beside_overwritten[sample].as_slice()[number];
            report.add(Place::InputBesideOverwritten { sample, number }, beside, numeric);
        }
    }
    report
}

/// Checks a loss with respect to the output of one sample.
pub fn loss<Out: Shape, L: Loss<Out, Y, f64>, Y>(loss: &L, output: &impl TensorFor<Out, f64>, target: &Y) -> Report {
    let mut y = output.tensor().clone();
    let mut dy = Out::Tensor::<f64>::ZERO;
    let mut report = Report::NONE;
    let value = loss.gradient(&y, target, 1.0, &mut dy);
    for number in 0..Out::LEN {
        let numeric = difference(y.as_slice()[number], |p| {
            y.as_mut_slice()[number] = p;
            loss.loss(&y, target)
        });
        report.add(Place::Input { sample: 0, number }, dy.as_slice()[number], numeric);
    }
    // The loss that comes with the gradient is the loss.
    if (value - loss.loss(&y, target)).abs() > 1e-12 * value.abs().max(1.0) {
        report.max_relative_error = f64::NAN;
    }
    report
}

/// Checks a whole network with its loss: the gradient of the mean loss over a batch with respect to every parameter, as
/// [`Trainer::step`](crate::train::Trainer::step) computes it.
pub fn network<In: Shape, N: Differentiable<In, f64>, L: Loss<N::Out, Y, f64>, Y, const B: usize>(
    net: &mut N,
    loss: &L,
    inputs: &[impl TensorFor<In, f64>; B],
    targets: &[Y; B],
) -> Report {
    let x: &[In::Tensor<f64>; B] = TensorFor::tensors(inputs);
    let mut y: [TensorOf<N::Out, f64>; B] = ConstZero::ZERO;
    let mut dy: [TensorOf<N::Out, f64>; B] = ConstZero::ZERO;
    let mut cache = N::Cache::<B>::ZERO;
    let (mut overwritten, mut added_to) = (N::ZERO, N::ZERO);
    N::zip([&mut overwritten, &mut added_to], &mut |_, [overwritten, added_to]| {
        overwritten.fill(f64::NAN);
        added_to.fill(BEFORE);
    });
    prepare(net, &mut cache);
    #[allow(clippy::cast_precision_loss)]
    let scale = 1.0 / B as f64;
    net.forward_train(x, &mut cache, &mut y);
    for ((y, target), dy) in y.iter().zip(targets).zip(&mut dy) {
        loss.gradient(y, target, scale, dy);
    }
    net.forward_train(x, &mut cache, &mut y);
    net.backward(x, &y, &mut cache, &dy, Gradient::overwriting(&mut overwritten, &Cell::new(0)), None);
    // Over what that has left in the cache.
    net.forward_train(x, &mut cache, &mut y);
    net.backward(x, &y, &mut cache, &dy, Gradient::adding(&mut added_to), None);
    let mut f = |net: &N| {
        net.forward_train(x, &mut cache, &mut y);
        y.iter().zip(targets).map(|(y, target)| scale * loss.loss(y, target)).sum::<f64>()
    };
    let mut report = Report::NONE;
    for i in 0..N::COUNT {
        let numeric = difference(get(net, i), |p| {
            set(net, i, p);
            f(net)
        });
        report.add(Place::ParameterOverwrittenWithoutInputs(i), get(&overwritten, i), numeric);
        report.add(Place::ParameterWithoutInputs(i), get(&added_to, i) - BEFORE, numeric);
    }
    report
}

/// Draws a layer's dropout from a fixed seed.
#[cfg_attr(not(feature = "rand"), allow(unused_variables))]
fn prepare<In: Shape, L: Differentiable<In, f64>, const B: usize>(layer: &L, cache: &mut L::Cache<B>) {
    #[cfg(feature = "rand")]
    {
        use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};
        layer.sample(cache, &mut Xoshiro128PlusPlus::seed_from_u64(0));
    }
}

/// What stands in gradients before the check of a layer.
const BEFORE: f64 = 1.0;

/// The `i`-th parameter.
fn get<P: Parameters<f64>>(parameters: &P, i: usize) -> f64 {
    let (mut before, mut result) = (0, 0.0);
    parameters.visit(&mut |_, values| {
        if let Some(value) = i.checked_sub(before).and_then(|i| values.get(i)) {
            result = *value;
        }
        before += values.len();
    });
    result
}

/// Sets the `i`-th parameter.
fn set<P: Parameters<f64>>(parameters: &mut P, i: usize, new: f64) {
    let mut before = 0;
    P::zip([parameters], &mut |_, [values]| {
        if let Some(value) = i.checked_sub(before).and_then(|i| values.get_mut(i)) {
            *value = new;
        }
        before += values.len();
    });
}

/// The central difference of `f` at `p`.
fn difference(p: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    let h = 1e-5 * p.abs().max(1.0);
    let (above, below) = (p + h, p - h);
    let rise = f(above) - f(below);
    f(p);
    rise / (above - below)
}

/// A fixed sequence of weights between -1 and 1.
#[allow(clippy::cast_precision_loss)]
fn weight(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}
