//! What one writes with nalgebra alone: matrices whose columns are the samples of a batch, products by `*`, loops over slices for
//! Adam. No shape is dynamic and nothing is allocated here either.

use constnet::nalgebra::{SMatrix, SVector};
use std::marker::PhantomData;

/// An activation and its derivative, the latter from the output.
pub(crate) trait Activation {
    fn value(x: f32) -> f32;
    fn slope(y: f32) -> f32;
}

pub(crate) struct Linear;
pub(crate) struct Sigmoid;
pub(crate) struct Tanh;
pub(crate) struct Relu;

impl Activation for Linear {
    fn value(x: f32) -> f32 {
        x
    }
    fn slope(_: f32) -> f32 {
        1.0
    }
}

impl Activation for Sigmoid {
    fn value(x: f32) -> f32 {
        1.0 / (1.0 + (-x).exp())
    }
    fn slope(y: f32) -> f32 {
        y * (1.0 - y)
    }
}

impl Activation for Tanh {
    fn value(x: f32) -> f32 {
        x.tanh()
    }
    fn slope(y: f32) -> f32 {
        1.0 - y * y
    }
}

impl Activation for Relu {
    fn value(x: f32) -> f32 {
        x.max(0.0)
    }
    fn slope(y: f32) -> f32 {
        if y > 0.0 { 1.0 } else { 0.0 }
    }
}

/// Adam with PyTorch's defaults; counts its steps.
pub(crate) struct Adam {
    learning_rate: f32,
    steps: i32,
}

impl Adam {
    pub(crate) const fn new(learning_rate: f32) -> Self {
        Self { learning_rate, steps: 0 }
    }

    fn update(&self, parameters: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        const BETA1: f32 = 0.9;
        const BETA2: f32 = 0.999;
        let rate = self.learning_rate / (1.0 - BETA1.powi(self.steps));
        let root = 1.0 / (1.0 - BETA2.powi(self.steps)).sqrt();
        let moments = first.iter_mut().zip(second);
        for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *m = BETA1 * *m + (1.0 - BETA1) * g;
            *v = BETA2 * *v + (1.0 - BETA2) * g * g;
            *p -= rate * *m / (v.sqrt() * root + 1e-8);
        }
    }
}

/// A dense layer with its activation, and what Adam remembers of it.
pub(crate) struct Dense<A, const IN: usize, const OUT: usize> {
    weight: SMatrix<f32, OUT, IN>,
    bias: SVector<f32, OUT>,
    weight_moments: [SMatrix<f32, OUT, IN>; 2],
    bias_moments: [SVector<f32, OUT>; 2],
    activation: PhantomData<A>,
}

impl<A: Activation, const IN: usize, const OUT: usize> Dense<A, IN, OUT> {
    pub(crate) fn new(layer: &constnet::Dense<IN, OUT>) -> Self {
        Self {
            weight: layer.weight,
            bias: layer.bias,
            weight_moments: [SMatrix::zeros(); 2],
            bias_moments: [SVector::zeros(); 2],
            activation: PhantomData,
        }
    }

    pub(crate) fn forward<const B: usize>(&self, x: &SMatrix<f32, IN, B>) -> SMatrix<f32, OUT, B> {
        let mut y = self.weight * x;
        for mut column in y.column_iter_mut() {
            column += &self.bias;
        }
        y.apply(|y| *y = A::value(*y));
        y
    }

    /// From the gradient by the outputs to that before the activation.
    fn before_activation<const B: usize>(y: &SMatrix<f32, OUT, B>, dy: &SMatrix<f32, OUT, B>) -> SMatrix<f32, OUT, B> {
        dy.zip_map(y, |dy, y| dy * A::slope(y))
    }

    fn input_gradient<const B: usize>(&self, dz: &SMatrix<f32, OUT, B>) -> SMatrix<f32, IN, B> {
        self.weight.tr_mul(dz)
    }

    fn learn<const B: usize>(&mut self, adam: &Adam, x: &SMatrix<f32, IN, B>, dz: &SMatrix<f32, OUT, B>) {
        let weight_gradient = dz * x.transpose();
        let bias_gradient = dz.column_sum();
        let [first, second] = &mut self.weight_moments;
        adam.update(
            self.weight.as_mut_slice(),
            weight_gradient.as_slice(),
            first.as_mut_slice(),
            second.as_mut_slice(),
        );
        let [first, second] = &mut self.bias_moments;
        adam.update(self.bias.as_mut_slice(), bias_gradient.as_slice(), first.as_mut_slice(), second.as_mut_slice());
    }
}

/// Two dense layers, activations `A` and `Z`.
pub(crate) struct Two<A, Z, const IN: usize, const HIDDEN: usize, const OUT: usize> {
    pub(crate) first: Dense<A, IN, HIDDEN>,
    pub(crate) last: Dense<Z, HIDDEN, OUT>,
    pub(crate) adam: Adam,
}

impl<A: Activation, Z: Activation, const IN: usize, const HIDDEN: usize, const OUT: usize> Two<A, Z, IN, HIDDEN, OUT> {
    pub(crate) fn predict<const B: usize>(&self, x: &SMatrix<f32, IN, B>) -> SMatrix<f32, OUT, B> {
        self.last.forward(&self.first.forward(x))
    }

    pub(crate) fn step<const B: usize>(
        &mut self,
        x: &SMatrix<f32, IN, B>,
        loss: impl Fn(&SMatrix<f32, OUT, B>) -> (f32, SMatrix<f32, OUT, B>),
    ) -> f32 {
        let h = self.first.forward(x);
        let y = self.last.forward(&h);
        let (loss, dy) = loss(&y);
        let dz2 = Dense::<Z, HIDDEN, OUT>::before_activation(&y, &dy);
        let dz1 = Dense::<A, IN, HIDDEN>::before_activation(&h, &self.last.input_gradient(&dz2));
        self.adam.steps += 1;
        self.last.learn(&self.adam, &h, &dz2);
        self.first.learn(&self.adam, x, &dz1);
        loss
    }
}

/// Three dense layers, activation `A` after the first two.
pub(crate) struct Three<A, const IN: usize, const HIDDEN: usize, const OUT: usize> {
    pub(crate) first: Dense<A, IN, HIDDEN>,
    pub(crate) second: Dense<A, HIDDEN, HIDDEN>,
    pub(crate) last: Dense<Linear, HIDDEN, OUT>,
    pub(crate) adam: Adam,
}

impl<A: Activation, const IN: usize, const HIDDEN: usize, const OUT: usize> Three<A, IN, HIDDEN, OUT> {
    pub(crate) fn predict<const B: usize>(&self, x: &SMatrix<f32, IN, B>) -> SMatrix<f32, OUT, B> {
        self.last.forward(&self.second.forward(&self.first.forward(x)))
    }

    pub(crate) fn step<const B: usize>(
        &mut self,
        x: &SMatrix<f32, IN, B>,
        loss: impl Fn(&SMatrix<f32, OUT, B>) -> (f32, SMatrix<f32, OUT, B>),
    ) -> f32 {
        let h1 = self.first.forward(x);
        let h2 = self.second.forward(&h1);
        let y = self.last.forward(&h2);
        let (loss, dz3) = loss(&y);
        let dz2 = Dense::<A, HIDDEN, HIDDEN>::before_activation(&h2, &self.last.input_gradient(&dz3));
        let dz1 = Dense::<A, IN, HIDDEN>::before_activation(&h1, &self.second.input_gradient(&dz2));
        self.adam.steps += 1;
        self.last.learn(&self.adam, &h2, &dz3);
        self.second.learn(&self.adam, &h1, &dz2);
        self.first.learn(&self.adam, x, &dz1);
        loss
    }
}

/// The mean squared error and its gradient.
#[allow(clippy::cast_precision_loss)] // Sizes are small.
pub(crate) fn mse<const OUT: usize, const B: usize>(
    y: &SMatrix<f32, OUT, B>,
    targets: &SMatrix<f32, OUT, B>,
) -> (f32, SMatrix<f32, OUT, B>) {
    let count = (OUT * B) as f32;
    let error = y - targets;
    (error.dot(&error) / count, error * (2.0 / count))
}

/// The probabilities of each column's logits.
pub(crate) fn softmax<const OUT: usize, const B: usize>(logits: &SMatrix<f32, OUT, B>) -> SMatrix<f32, OUT, B> {
    let mut y = *logits;
    for mut column in y.column_iter_mut() {
        let max = column.max();
        column.apply(|y| *y = (*y - max).exp());
        let sum = column.sum();
        column /= sum;
    }
    y
}

/// The cross-entropy of logits against labels, and its gradient.
#[allow(clippy::cast_precision_loss)] // Sizes are small.
pub(crate) fn cross_entropy<const OUT: usize, const B: usize>(
    logits: &SMatrix<f32, OUT, B>,
    labels: &[usize; B],
) -> (f32, SMatrix<f32, OUT, B>) {
    let mut dy = softmax(logits);
    let mut loss = 0.0;
    for (mut column, &label) in dy.column_iter_mut().zip(labels) {
        loss -= column[label].ln();
        column[label] -= 1.0;
    }
    (loss / B as f32, dy / B as f32)
}
