//! A convolution as one writes it with arrays: loops over what comes out, the window and the inputs.
#![allow(clippy::needless_range_loop)] // As one writes it.

/// Rows of pixels of channels.
pub(crate) type Image<const C: usize, const H: usize, const W: usize> = [[[f32; C]; W]; H];

/// A window of `K` by `K` that stays inside: `H2` is `H - K + 1`, `W2` is `W - K + 1`.
pub(crate) struct Conv<'a, const IN: usize, const OUT: usize, const K: usize> {
    pub(crate) weight: &'a [[[[f32; OUT]; IN]; K]; K],
    pub(crate) bias: [f32; OUT],
}

impl<const IN: usize, const OUT: usize, const K: usize> Conv<'_, IN, OUT, K> {
    pub(crate) fn forward<const H: usize, const W: usize, const H2: usize, const W2: usize>(
        &self,
        x: &Image<IN, H, W>,
        y: &mut Image<OUT, H2, W2>,
    ) {
        for r in 0..H2 {
            for c in 0..W2 {
                let mut sum = self.bias;
                for (h, weight) in self.weight.iter().enumerate() {
                    for (w, weight) in weight.iter().enumerate() {
                        for (weight, x) in weight.iter().zip(&x[r + h][c + w]) {
                            for (sum, weight) in sum.iter_mut().zip(weight) {
                                *sum += weight * x;
                            }
                        }
                    }
                }
                y[r][c] = sum;
            }
        }
    }

    /// Adds to `gradient`, overwrites `dx`.
    pub(crate) fn backward<const H: usize, const W: usize, const H2: usize, const W2: usize>(
        &self,
        x: &Image<IN, H, W>,
        dy: &Image<OUT, H2, W2>,
        gradient: &mut [[[[f32; OUT]; IN]; K]; K],
        dx: &mut Image<IN, H, W>,
    ) {
        dx.as_flattened_mut().as_flattened_mut().fill(0.0);
        for r in 0..H2 {
            for c in 0..W2 {
                let dy = &dy[r][c];
                for h in 0..K {
                    for w in 0..K {
                        let (x, dx) = (&x[r + h][c + w], &mut dx[r + h][c + w]);
                        for i in 0..IN {
                            let (weight, gradient) = (&self.weight[h][w][i], &mut gradient[h][w][i]);
                            for o in 0..OUT {
                                gradient[o] += dy[o] * x[i];
                                dx[i] += dy[o] * weight[o];
                            }
                        }
                    }
                }
            }
        }
    }
}
