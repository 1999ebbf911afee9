//! Dense layers in both orders of memory.

use super::{Adam, Layer, Learned, Weight};

/// `weight[output][input]`, as PyTorch has it.
pub(super) struct ByRow<const I: usize, const O: usize> {
    weight: Box<Learned<[[f32; I]; O]>>,
    bias: Box<Learned<[f32; O]>>,
}

impl<const I: usize, const O: usize> ByRow<I, O> {
    pub(super) fn zero() -> Self {
        Self { weight: Box::new(Learned::ZERO), bias: Box::new(Learned::ZERO) }
    }

    #[inline(always)]
    fn add_gradient(&mut self, x: &[f32; I], dy: &[f32; O]) {
        let bias = &mut self.bias.gradient;
        for ((row, bias), &dy) in self.weight.gradient.iter_mut().zip(bias).zip(dy) {
            *bias += dy;
            for (w, x) in row.iter_mut().zip(x) {
                *w += dy * x;
            }
        }
    }
}

impl<const I: usize, const O: usize> Layer<[f32; I]> for ByRow<I, O> {
    type Y = [f32; O];

    #[inline(always)]
    fn predict(&self, x: &[f32; I]) -> [f32; O] {
        let mut y = self.bias.value;
        for (y, row) in y.iter_mut().zip(&self.weight.value) {
            for (w, x) in row.iter().zip(x) {
                *y += w * x;
            }
        }
        y
    }

    #[inline(always)]
    fn train<R>(&mut self, x: &[f32; I], next: impl FnOnce(&[f32; O]) -> ([f32; O], R)) -> ([f32; I], R) {
        let (dy, found) = next(&self.predict(x));
        self.add_gradient(x, &dy);
        let mut dx = [0.0; I];
        for (row, dy) in self.weight.value.iter().zip(&dy) {
            for (dx, w) in dx.iter_mut().zip(row) {
                *dx += w * dy;
            }
        }
        (dx, found)
    }

    #[inline(always)]
    fn train_first<R>(&mut self, x: &[f32; I], next: impl FnOnce(&[f32; O]) -> ([f32; O], R)) -> R {
        let (dy, found) = next(&self.predict(x));
        self.add_gradient(x, &dy);
        found
    }

    fn load(&mut self, weights: &mut dyn Iterator<Item = Weight>) {
        self.weight.load(weights);
        self.bias.load(weights);
    }

    fn update(&mut self, adam: &Adam) {
        self.weight.update(adam);
        self.bias.update(adam);
    }
}

/// `weight[input][output]`: every input scales a column, and all outputs are summed side by side.
pub(super) struct ByColumn<const I: usize, const O: usize> {
    weight: Box<Learned<[[f32; O]; I]>>,
    bias: Box<Learned<[f32; O]>>,
}

impl<const I: usize, const O: usize> ByColumn<I, O> {
    pub(super) fn zero() -> Self {
        Self { weight: Box::new(Learned::ZERO), bias: Box::new(Learned::ZERO) }
    }

    #[inline(always)]
    fn add_gradient(&mut self, x: &[f32; I], dy: &[f32; O]) {
        for (bias, dy) in self.bias.gradient.iter_mut().zip(dy) {
            *bias += dy;
        }
        for (column, x) in self.weight.gradient.iter_mut().zip(x) {
            for (w, dy) in column.iter_mut().zip(dy) {
                *w += dy * x;
            }
        }
    }
}

impl<const I: usize, const O: usize> Layer<[f32; I]> for ByColumn<I, O> {
    type Y = [f32; O];

    #[inline(always)]
    fn predict(&self, x: &[f32; I]) -> [f32; O] {
        let mut y = self.bias.value;
        for (column, x) in self.weight.value.iter().zip(x) {
            for (y, w) in y.iter_mut().zip(column) {
                *y += w * x;
            }
        }
        y
    }

    #[inline(always)]
    fn train<R>(&mut self, x: &[f32; I], next: impl FnOnce(&[f32; O]) -> ([f32; O], R)) -> ([f32; I], R) {
        let (dy, found) = next(&self.predict(x));
        self.add_gradient(x, &dy);
        let mut dx = [0.0; I];
        for (dx, column) in dx.iter_mut().zip(&self.weight.value) {
            *dx = dot(column, &dy);
        }
        (dx, found)
    }

    #[inline(always)]
    fn train_first<R>(&mut self, x: &[f32; I], next: impl FnOnce(&[f32; O]) -> ([f32; O], R)) -> R {
        let (dy, found) = next(&self.predict(x));
        self.add_gradient(x, &dy);
        found
    }

    fn load(&mut self, weights: &mut dyn Iterator<Item = Weight>) {
        transpose(&weights.next().expect("weights").values, &mut self.weight.value);
        self.bias.load(weights);
    }

    fn update(&mut self, adam: &Adam) {
        self.weight.update(adam);
        self.bias.update(adam);
    }
}

/// Rows of a file as columns.
pub(super) fn transpose<const I: usize, const O: usize>(rows: &[f32], columns: &mut [[f32; O]; I]) {
    for (o, row) in rows.chunks_exact(I).enumerate() {
        for (column, w) in columns.iter_mut().zip(row) {
            column[o] = *w;
        }
    }
}

/// In sixteen partial sums, so that it vectorises.
#[inline(always)]
pub(super) fn dot<const N: usize>(a: &[f32; N], b: &[f32; N]) -> f32 {
    if N < 16 {
        return a.iter().zip(b).map(|(a, b)| a * b).sum();
    }
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = [0.0; 16];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
        *sum += a * b;
    }
    let mut width = 8;
    while width > 0 {
        for i in 0..width {
            sums[i] += sums[i + width];
        }
        width /= 2;
    }
    sums[0]
}
