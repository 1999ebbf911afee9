//! Dense layers and convolutions of every size from 1 to 40 (inputs, outputs, batch, stride, padding), forward and both gradients, against
//! plain loops in `f64`.
//!
//! Would catch: a tile, a strip or a rest that a kernel leaves out, takes twice or reads beside its row, at a size that no network here has.

use constnet::layer::{Differentiable, Gradient, Parameters};
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::{ConstZero, Conv1d, Conv2d, Dense, Image, Pad, Sequence, Stride, Vector};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::cell::Cell;

/// Of the sum of the sizes of what is added up: some thousand terms, each rounded.
const BOUND: f64 = 1e-5;

/// A direction of a window: length, window, stride, zeros in front and behind.
#[derive(Clone, Copy)]
struct Axis(usize, usize, usize, usize);

/// The direction that a signal does not have.
const FLAT: Axis = Axis(1, 1, 1, 0);

impl Axis {
    fn outputs(self) -> usize {
        let Self(len, window, stride, padding) = self;
        (len + 2 * padding - window) / stride + 1
    }

    /// Where place `k` of the window for output `o` lies, unless on the padding.
    fn place(self, o: usize, k: usize) -> Option<usize> {
        let Self(len, _, stride, padding) = self;
        (o * stride + k).checked_sub(padding).filter(|&i| i < len)
    }
}

/// A sum, and that of the sizes of its terms.
#[derive(Clone, Copy, Default)]
struct Total {
    sum: f64,
    size: f64,
}

impl Total {
    fn add(&mut self, term: f64) {
        self.sum += term;
        self.size += term.abs();
    }
}

fn compare(what: &str, numbers: &[f32], expected: &[Total]) {
    assert_eq!(numbers.len(), expected.len(), "{what}");
    for (i, (&x, expected)) in numbers.iter().zip(expected).enumerate() {
        let error = (f64::from(x) - expected.sum).abs();
        assert!(error <= BOUND * expected.size, "{what}, number {i}: {x}, not {}", expected.sum);
    }
}

/// The tensors of a layer, in the order of PyTorch's.
fn tensors<L: Parameters<f32>>(layer: &L) -> Vec<Vec<f32>> {
    let mut all = Vec::new();
    layer.visit(&mut |parameter, values| {
        let stride = |axis: usize| parameter.shape[axis + 1..].iter().product::<usize>();
        let mut tensor = vec![0.0; values.len()];
        for (i, &value) in values.iter().enumerate() {
            let (mut rest, mut place) = (i, 0);
            for &axis in parameter.order.iter().rev() {
                place += rest % parameter.shape[axis] * stride(axis);
                rest /= parameter.shape[axis];
            }
            tensor[place] = value;
        }
        all.push(tensor);
    });
    all
}

fn drawn<S: Shape>(rng: &mut StdRng) -> TensorOf<S, f32> {
    let mut x = TensorOf::<S, f32>::ZERO;
    x.as_mut_slice().fill_with(|| rng.random::<f32>() * 2.0 - 1.0);
    x
}

/// A layer with a weight `[outputs, inputs, window down, window across]` and a bias, on a batch.
#[allow(clippy::many_single_char_names, clippy::type_complexity)] // The names of the formula; each type is used once.
fn check<In: Shape, L: Differentiable<In>, const B: usize>(inputs: usize, outputs: usize, down: Axis, across: Axis) {
    let name = std::any::type_name::<L>();
    let rng = &mut StdRng::seed_from_u64((inputs + 41 * outputs) as u64);
    let mut layer = Box::new(L::ZERO);
    L::zip([&mut *layer], &mut |_, [values]| values.fill_with(|| rng.random::<f32>() * 2.0 - 1.0));
    let x: Box<[_; B]> = Box::new([(); B].map(|()| drawn::<In>(rng)));
    let dy: Box<[_; B]> = Box::new([(); B].map(|()| drawn::<L::Out>(rng)));
    let nan = |tensor: &mut [f32]| tensor.fill(f32::NAN);

    let (mut y, mut dx): (Box<[TensorOf<L::Out, f32>; B]>, Box<[TensorOf<In, f32>; B]>) =
        (Box::new(ConstZero::ZERO), Box::new(ConstZero::ZERO));
    let (mut cache, mut gradient) = (Box::new(L::Cache::<B>::ZERO), Box::new(L::ZERO));
    y.iter_mut().for_each(|y| nan(y.as_mut_slice()));
    dx.iter_mut().for_each(|dx| nan(dx.as_mut_slice()));
    layer.forward_train(&x, &mut cache, &mut y);
    for (x, y) in x.iter().zip(y.iter()) {
        let mut alone = TensorOf::<L::Out, f32>::ZERO;
        layer.forward(x, &mut alone);
        assert_eq!(alone.as_slice(), y.as_slice(), "{name}: a sample alone and in its batch");
    }
    layer.backward(&x, &y, &mut cache, &dy, Gradient::adding(&mut gradient), Some(&mut dx));

    let [weight, bias]: [Vec<f32>; 2] = tensors(&*layer).try_into().expect("a weight and a bias");
    let wide = |numbers: &[f32]| numbers.iter().copied().map(f64::from).collect::<Vec<f64>>();
    let (weight, bias) = (wide(&weight), wide(&bias));
    let (height, width) = (down.outputs(), across.outputs());
    let (mut d_weight, mut d_bias) = (vec![Total::default(); weight.len()], vec![Total::default(); bias.len()]);
    for sample in 0..B {
        let (x, dy) = (wide(x[sample].as_slice()), wide(dy[sample].as_slice()));
        let (mut y_sums, mut dx_sums) = (vec![Total::default(); dy.len()], vec![Total::default(); x.len()]);
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            for o in 0..outputs {
                let at = (row * width + column) * outputs + o;
                y_sums[at].add(bias[o]);
                d_bias[o].add(dy[at]);
                for (k, l) in (0..down.1).flat_map(|k| (0..across.1).map(move |l| (k, l))) {
                    let (Some(i), Some(j)) = (down.place(row, k), across.place(column, l)) else { continue };
                    for c in 0..inputs {
                        let (from, w) =
                            ((i * across.0 + j) * inputs + c, ((o * inputs + c) * down.1 + k) * across.1 + l);
                        y_sums[at].add(weight[w] * x[from]);
                        d_weight[w].add(dy[at] * x[from]);
                        dx_sums[from].add(dy[at] * weight[w]);
                    }
                }
            }
        }
        compare(&format!("{name}, output of sample {sample} of {B}"), y[sample].as_slice(), &y_sums);
        compare(&format!("{name}, input gradient of sample {sample} of {B}"), dx[sample].as_slice(), &dx_sums);
    }
    let [of_weight, of_bias]: [Vec<f32>; 2] = tensors(&*gradient).try_into().expect("a weight and a bias");
    compare(&format!("{name}, weight gradient of a batch of {B}"), &of_weight, &d_weight);
    compare(&format!("{name}, bias gradient of a batch of {B}"), &of_bias, &d_bias);

    // The same where the gradient is overwritten, and without that of the inputs.
    let mut again = Box::new(L::ZERO);
    L::zip([&mut *again], &mut |_, [values]| nan(values));
    layer.forward_train(&x, &mut cache, &mut y);
    layer.backward(&x, &y, &mut cache, &dy, Gradient::overwriting(&mut again, &Cell::new(0)), None);
    let [of_weight, of_bias]: [Vec<f32>; 2] = tensors(&*again).try_into().expect("a weight and a bias");
    compare(&format!("{name}, overwritten weight gradient of a batch of {B}"), &of_weight, &d_weight);
    compare(&format!("{name}, overwritten bias gradient of a batch of {B}"), &of_bias, &d_bias);
}

fn dense<const IN: usize, const OUT: usize, const B: usize>() {
    check::<Vector<IN>, Dense<IN, OUT>, B>(IN, OUT, FLAT, FLAT);
}

/// Products modulo 41, a prime: each goes through all sizes from 1 to 40, each in another order.
macro_rules! every_size {
    ($($k:literal)+) => {
        /// All dense layers and all signals.
        pub(crate) fn all() {
            $(
                dense::<{ $k * 3 % 41 }, { $k * 7 % 41 }, { $k * 11 % 41 }>();
                check::<
                    Sequence<{ $k * 3 % 41 }, 24>,
                    Conv1d<{ $k * 3 % 41 }, { $k * 7 % 41 }, { 1 + $k % 9 }, Stride<{ $k * 13 % 41 }>, Pad<{ $k * 17 % 41 }>>,
                    { $k * 11 % 41 },
                >($k * 3 % 41, $k * 7 % 41, FLAT, Axis(24, 1 + $k % 9, $k * 13 % 41, $k * 17 % 41));
            )+
            pictures();
        }
    };
}
every_size!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40);

/// Products modulo 11: sizes from 1 to 10, and windows that are no squares.
macro_rules! pictures {
    ($($k:literal)+) => {
        fn pictures() {
            $(
                check::<
                    Image<{ $k * 3 % 11 }, 9, 7>,
                    Conv2d<{ $k * 3 % 11 }, { $k * 7 % 11 }, { 1 + $k % 3 }, { 1 + $k % 5 }, Stride<{ $k * 2 % 11 }>, Pad<{ $k * 4 % 11 }>>,
                    { $k * 5 % 11 },
                >(
                    $k * 3 % 11,
                    $k * 7 % 11,
                    Axis(9, 1 + $k % 3, $k * 2 % 11, $k * 4 % 11),
                    Axis(7, 1 + $k % 5, $k * 2 % 11, $k * 4 % 11),
                );
            )+
        }
    };
}
pictures!(1 2 3 4 5 6 7 8 9 10);
