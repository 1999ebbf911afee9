//! Loops over nested arrays, without any library: what one writes who knows the sizes. Dense layers lie row by row (a sum for each
//! output, whose order the compiler must keep) or column by column (a sum over whole columns, which it can put into vectors), and
//! a third takes a rational function for tanh instead of libm's.

mod conv;
mod dense;
mod recurrent;

use crate::nets::{Batch, Loss, Net, Weight};
use crate::peer::Peer;
use conv::{Convolution, Flat, FromVector, Pool};
use dense::{ByColumn, ByRow};

/// Layers by hand. One calls the next while it trains, so that what lies between them stays where it is: no cache.
pub(super) trait Layer<X> {
    type Y;

    fn predict(&self, x: &X) -> Self::Y;

    /// Hands the output to `next`, which returns the gradient of it and what else it found; adds to the gradients of the
    /// parameters, and returns the gradient of `x`.
    fn train<R>(&mut self, x: &X, next: impl FnOnce(&Self::Y) -> (Self::Y, R)) -> (X, R);

    /// The same without the gradient of `x`, for the first layer.
    fn train_first<R>(&mut self, x: &X, next: impl FnOnce(&Self::Y) -> (Self::Y, R)) -> R {
        self.train(x, next).1
    }

    /// Takes as many tensors as it has.
    fn load(&mut self, _: &mut dyn Iterator<Item = Weight>) {}

    /// Updates the parameters, and sets the gradients to 0.
    fn update(&mut self, _: &Adam) {}
}

impl<X, A: Layer<X>, B: Layer<A::Y>> Layer<X> for (A, B) {
    type Y = B::Y;

    #[inline(always)]
    fn predict(&self, x: &X) -> B::Y {
        self.1.predict(&self.0.predict(x))
    }

    #[inline(always)]
    fn train<R>(&mut self, x: &X, next: impl FnOnce(&B::Y) -> (B::Y, R)) -> (X, R) {
        let (first, second) = self;
        first.train(x, |y| second.train(y, next))
    }

    #[inline(always)]
    fn train_first<R>(&mut self, x: &X, next: impl FnOnce(&B::Y) -> (B::Y, R)) -> R {
        let (first, second) = self;
        first.train_first(x, |y| second.train(y, next))
    }

    fn load(&mut self, weights: &mut dyn Iterator<Item = Weight>) {
        self.0.load(weights);
        self.1.load(weights);
    }

    fn update(&mut self, adam: &Adam) {
        self.0.update(adam);
        self.1.update(adam);
    }
}

/// Adam with PyTorch's defaults; counts its steps.
#[derive(Debug, Clone)]
pub(super) struct Adam {
    rate: f64,
    powers: [f64; 2],
    scale: f32,
    root: f32,
}

impl Adam {
    pub(super) fn new(rate: f64) -> Self {
        Self { rate, powers: [1.0; 2], scale: 0.0, root: 0.0 }
    }

    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn tick(&mut self) {
        self.powers[0] *= 0.9;
        self.powers[1] *= 0.999;
        self.scale = (self.rate / (1.0 - self.powers[0])) as f32;
        self.root = (1.0 / (1.0 - self.powers[1]).sqrt()) as f32;
    }

    #[inline(always)]
    pub(super) fn update(&self, p: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        for (((p, &g), m), v) in p.iter_mut().zip(gradient).zip(first).zip(second) {
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.999 * *v + 0.001 * g * g;
            *p -= self.scale * *m / (v.sqrt() * self.root + 1e-8);
        }
    }
}

/// A tensor of parameters, its gradient, and what Adam remembers of it.
#[derive(Clone)]
struct Learned<T> {
    value: T,
    gradient: T,
    first: T,
    second: T,
}

/// Nested arrays as the numbers that they are.
trait Numbers: Copy {
    const ZERO: Self;
    fn numbers(&self) -> &[f32];
    fn numbers_mut(&mut self) -> &mut [f32];
}

impl<const N: usize> Numbers for [f32; N] {
    const ZERO: Self = [0.0; N];
    fn numbers(&self) -> &[f32] {
        self
    }
    fn numbers_mut(&mut self) -> &mut [f32] {
        self
    }
}

impl<const N: usize, const M: usize> Numbers for [[f32; N]; M] {
    const ZERO: Self = [[0.0; N]; M];
    fn numbers(&self) -> &[f32] {
        self.as_flattened()
    }
    fn numbers_mut(&mut self) -> &mut [f32] {
        self.as_flattened_mut()
    }
}

impl<const N: usize, const M: usize, const L: usize, const K: usize> Numbers for [[[[f32; N]; M]; L]; K] {
    const ZERO: Self = [[[[0.0; N]; M]; L]; K];
    fn numbers(&self) -> &[f32] {
        self.as_flattened().as_flattened().as_flattened()
    }
    fn numbers_mut(&mut self) -> &mut [f32] {
        self.as_flattened_mut().as_flattened_mut().as_flattened_mut()
    }
}

impl<T: Numbers> Learned<T> {
    const ZERO: Self = Self { value: T::ZERO, gradient: T::ZERO, first: T::ZERO, second: T::ZERO };

    /// The next tensor, as it lies in the file.
    fn load(&mut self, weights: &mut dyn Iterator<Item = Weight>) {
        self.value.numbers_mut().copy_from_slice(&weights.next().expect("a tensor").values);
    }

    fn update(&mut self, adam: &Adam) {
        let Self { value, gradient, first, second } = self;
        adam.update(value.numbers_mut(), gradient.numbers(), first.numbers_mut(), second.numbers_mut());
        gradient.numbers_mut().fill(0.0);
    }
}

/// An activation, and its derivative from the output.
pub(super) trait Function {
    fn value(x: f32) -> f32;
    fn slope(y: f32) -> f32;
}

pub(super) struct Sigmoid;
pub(super) struct Tanh;
pub(super) struct RationalTanh;
pub(super) struct Relu;

impl Function for Sigmoid {
    #[inline(always)]
    fn value(x: f32) -> f32 {
        1.0 / (1.0 + (-x).exp())
    }
    #[inline(always)]
    fn slope(y: f32) -> f32 {
        y * (1.0 - y)
    }
}

impl Function for Tanh {
    #[inline(always)]
    fn value(x: f32) -> f32 {
        x.tanh()
    }
    #[inline(always)]
    fn slope(y: f32) -> f32 {
        1.0 - y * y
    }
}

/// `x p(x^2) / q(x^2)` with the coefficients of Eigen: no branch, so that it vectorises, and off by some 1e-7.
#[inline(always)]
fn rational_tanh(x: f32) -> f32 {
    const P: [f32; 7] = [
        -2.760_768_5e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297_2e-8,
        1.485_722_4e-5,
        6.372_619_3e-4,
        4.893_524_6e-3,
    ];
    const Q: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3];
    let x = x.clamp(-7.905_311, 7.905_311);
    let square = x * x;
    let polynomial = |c: &[f32]| c.iter().fold(0.0, |sum, c| sum * square + c);
    x * polynomial(&P) / polynomial(&Q)
}

impl Function for RationalTanh {
    #[inline(always)]
    fn value(x: f32) -> f32 {
        rational_tanh(x)
    }
    #[inline(always)]
    fn slope(y: f32) -> f32 {
        1.0 - y * y
    }
}

impl Function for Relu {
    #[inline(always)]
    fn value(x: f32) -> f32 {
        x.max(0.0)
    }
    #[inline(always)]
    fn slope(y: f32) -> f32 {
        if y > 0.0 { 1.0 } else { 0.0 }
    }
}

impl<const N: usize, F: Function> Layer<[f32; N]> for F {
    type Y = [f32; N];

    #[inline(always)]
    fn predict(&self, x: &[f32; N]) -> [f32; N] {
        let mut y = *x;
        for y in &mut y {
            *y = F::value(*y);
        }
        y
    }

    #[inline(always)]
    fn train<R>(&mut self, x: &[f32; N], next: impl FnOnce(&[f32; N]) -> ([f32; N], R)) -> ([f32; N], R) {
        let y = Layer::<[f32; N]>::predict(self, x);
        let (mut dx, found) = next(&y);
        dx.iter_mut().zip(y).for_each(|(dx, y)| *dx *= F::slope(y));
        (dx, found)
    }
}

#[inline(always)]
fn softmax<const N: usize>(x: &mut [f32; N]) {
    let greatest = x.iter().fold(f32::MIN, |a, &b| a.max(b));
    for x in x.iter_mut() {
        *x = (*x - greatest).exp();
    }
    let scale = 1.0 / x.iter().sum::<f32>();
    for x in x.iter_mut() {
        *x *= scale;
    }
}

/// The gradient of the loss of one of `batch` samples, and the loss, each divided by `batch`.
#[inline(always)]
fn loss<const N: usize>(loss: Loss, y: &[f32; N], target: &[f32; N], batch: usize) -> ([f32; N], f32) {
    let (mut dy, mut sum) = (*y, 0.0);
    match loss {
        Loss::CrossEntropy => {
            softmax(&mut dy);
            let scale = 1.0 / batch as f32;
            for (dy, t) in dy.iter_mut().zip(target) {
                if *t > 0.5 {
                    sum -= dy.ln();
                }
                *dy = (*dy - t) * scale;
            }
            (dy, sum * scale)
        }
        Loss::Mse => {
            let scale = 1.0 / (batch * N) as f32;
            for (dy, t) in dy.iter_mut().zip(target) {
                let error = *dy - t;
                sum += error * error;
                *dy = 2.0 * error * scale;
            }
            (dy, sum * scale)
        }
    }
}

/// Layers with the loss that trains them.
struct Trained<L, const CROSS_ENTROPY: bool, const IN: usize, const OUT: usize> {
    layers: L,
    adam: Adam,
}

impl<L, const CROSS_ENTROPY: bool, const IN: usize, const OUT: usize> Trained<L, CROSS_ENTROPY, IN, OUT>
where
    L: Layer<[f32; IN], Y = [f32; OUT]> + 'static,
{
    const LOSS: Loss = if CROSS_ENTROPY { Loss::CrossEntropy } else { Loss::Mse };

    fn boxed(mut layers: L, net: Net, rate: f64) -> Box<dyn Peer> {
        layers.load(&mut net.weights().into_iter());
        Box::new(Self { layers, adam: Adam::new(rate) })
    }
}

impl<L, const CROSS_ENTROPY: bool, const IN: usize, const OUT: usize> Peer for Trained<L, CROSS_ENTROPY, IN, OUT>
where
    L: Layer<[f32; IN], Y = [f32; OUT]> + 'static,
{
    fn predict(&mut self, x: &[f32], y: &mut [f32]) {
        let mut output = self.layers.predict(x.try_into().expect("as many inputs"));
        if CROSS_ENTROPY {
            softmax(&mut output);
        }
        y.copy_from_slice(&output);
    }

    fn step(&mut self, batch: Batch<'_>) -> Option<f32> {
        let (x, y) = (batch.x.as_chunks::<IN>().0, batch.y.as_chunks::<OUT>().0);
        let (samples, mut sum) = (x.len(), 0.0);
        for (x, target) in x.iter().zip(y) {
            sum += self.layers.train_first(x, |y| loss(Self::LOSS, y, target, samples));
        }
        self.adam.tick();
        self.layers.update(&self.adam);
        Some(sum)
    }
}

pub(super) fn row_major(net: Net, _: usize, rate: f64) -> Option<Box<dyn Peer>> {
    Some(match net {
        Net::Xor => {
            let layers = (ByRow::<2, 4>::zero(), (Sigmoid, (ByRow::<4, 1>::zero(), Sigmoid)));
            Trained::<_, false, 2, 1>::boxed(layers, net, rate)
        }
        Net::Policy => {
            let last = (ByRow::<64, 64>::zero(), (Tanh, ByRow::<64, 4>::zero()));
            Trained::<_, false, 13, 4>::boxed((ByRow::<13, 64>::zero(), (Tanh, last)), net, rate)
        }
        Net::Small => {
            let layers = (ByRow::<64, 32>::zero(), (Relu, ByRow::<32, 10>::zero()));
            Trained::<_, true, 64, 10>::boxed(layers, net, rate)
        }
        Net::Mnist => {
            let last = (ByRow::<64, 64>::zero(), (Relu, ByRow::<64, 10>::zero()));
            Trained::<_, true, 784, 10>::boxed((ByRow::<784, 64>::zero(), (Relu, last)), net, rate)
        }
        Net::LeNet => {
            let second = (Convolution::<8, 16, 13, 11>::zero(), (Pool::<16, 11, 5>, (Flat, ByRow::<400, 10>::zero())));
            let layers = (Convolution::<1, 8, 28, 26>::zero(), (Pool::<8, 26, 13>, second));
            Trained::<_, true, 784, 10>::boxed(FromVector(layers), net, rate)
        }
        Net::Lstm | Net::Gru | Net::Conv1d => return None,
    })
}

pub(super) fn column_major(net: Net, _: usize, rate: f64) -> Option<Box<dyn Peer>> {
    Some(match net {
        Net::Xor => {
            let layers = (ByColumn::<2, 4>::zero(), (Sigmoid, (ByColumn::<4, 1>::zero(), Sigmoid)));
            Trained::<_, false, 2, 1>::boxed(layers, net, rate)
        }
        Net::Policy => policy(|| Tanh, net, rate),
        Net::Small => {
            let layers = (ByColumn::<64, 32>::zero(), (Relu, ByColumn::<32, 10>::zero()));
            Trained::<_, true, 64, 10>::boxed(layers, net, rate)
        }
        Net::Mnist => {
            let last = (ByColumn::<64, 64>::zero(), (Relu, ByColumn::<64, 10>::zero()));
            Trained::<_, true, 784, 10>::boxed((ByColumn::<784, 64>::zero(), (Relu, last)), net, rate)
        }
        Net::LeNet => return None,
        Net::Lstm | Net::Gru | Net::Conv1d => return recurrent::make(net),
    })
}

pub(super) fn rational(net: Net, _: usize, rate: f64) -> Option<Box<dyn Peer>> {
    (net == Net::Policy).then(|| policy(|| RationalTanh, net, rate))
}

fn policy<F: Function + 'static>(tanh: fn() -> F, net: Net, rate: f64) -> Box<dyn Peer> {
    let last = (ByColumn::<64, 64>::zero(), (tanh(), ByColumn::<64, 4>::zero()));
    Trained::<_, false, 13, 4>::boxed((ByColumn::<13, 64>::zero(), (tanh(), last)), net, rate)
}
