//! Convolutions of 3 by 3 and pools of 2 by 2 over square images, channels outermost.

use super::{Adam, Layer, Learned, Weight};

/// `C` images of `H` by `H`.
pub(super) type Images<const C: usize, const H: usize> = [[[f32; H]; H]; C];

/// `C` to `O` channels, `H` by `H` to `P` by `P`, where `P = H - 2`. The innermost loops run along rows of the image.
pub(super) struct Convolution<const C: usize, const O: usize, const H: usize, const P: usize> {
    weight: Box<Learned<[[[[f32; 3]; 3]; C]; O]>>,
    bias: Box<Learned<[f32; O]>>,
}

impl<const C: usize, const O: usize, const H: usize, const P: usize> Convolution<C, O, H, P> {
    pub(super) fn zero() -> Self {
        assert_eq!(P, H - 2, "a window of 3 by 3 that stays inside");
        Self { weight: Box::new(Learned::ZERO), bias: Box::new(Learned::ZERO) }
    }

    #[inline(always)]
    fn add_gradient(&mut self, x: &Images<C, H>, dy: &Images<O, P>) {
        for o in 0..O {
            for r in 0..P {
                let dy = &dy[o][r];
                self.bias.gradient[o] += dy.iter().sum::<f32>();
                for c in 0..C {
                    for i in 0..3 {
                        for j in 0..3 {
                            let x = &x[c][r + i];
                            self.weight.gradient[o][c][i][j] += (0..P).map(|q| dy[q] * x[q + j]).sum::<f32>();
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn input_gradient(&self, dy: &Images<O, P>) -> Images<C, H> {
        let mut dx = [[[0.0; H]; H]; C];
        for o in 0..O {
            for r in 0..P {
                for c in 0..C {
                    for i in 0..3 {
                        for j in 0..3 {
                            let w = self.weight.value[o][c][i][j];
                            let dx = &mut dx[c][r + i];
                            for q in 0..P {
                                dx[q + j] += w * dy[o][r][q];
                            }
                        }
                    }
                }
            }
        }
        dx
    }
}

impl<const C: usize, const O: usize, const H: usize, const P: usize> Layer<Images<C, H>> for Convolution<C, O, H, P> {
    type Y = Images<O, P>;

    #[inline(always)]
    fn predict(&self, x: &Images<C, H>) -> Images<O, P> {
        let mut y = [[[0.0; P]; P]; O];
        for o in 0..O {
            for r in 0..P {
                let mut row = [self.bias.value[o]; P];
                for c in 0..C {
                    for i in 0..3 {
                        for j in 0..3 {
                            let (w, x) = (self.weight.value[o][c][i][j], &x[c][r + i]);
                            for q in 0..P {
                                row[q] += w * x[q + j];
                            }
                        }
                    }
                }
                y[o][r] = row;
            }
        }
        y
    }

    #[inline(always)]
    fn train<R>(
        &mut self,
        x: &Images<C, H>,
        next: impl FnOnce(&Images<O, P>) -> (Images<O, P>, R),
    ) -> (Images<C, H>, R) {
        let (dy, found) = next(&self.predict(x));
        self.add_gradient(x, &dy);
        (self.input_gradient(&dy), found)
    }

    #[inline(always)]
    fn train_first<R>(&mut self, x: &Images<C, H>, next: impl FnOnce(&Images<O, P>) -> (Images<O, P>, R)) -> R {
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

/// ReLU, and the greatest of each 2 by 2: `P` by `P` to `Q` by `Q`, where `Q = P / 2`.
pub(super) struct Pool<const C: usize, const P: usize, const Q: usize>;

impl<const C: usize, const P: usize, const Q: usize> Layer<Images<C, P>> for Pool<C, P, Q> {
    type Y = Images<C, Q>;

    #[inline(always)]
    fn predict(&self, x: &Images<C, P>) -> Images<C, Q> {
        let mut y = [[[0.0; Q]; Q]; C];
        for c in 0..C {
            for r in 0..Q {
                let (above, below) = (&x[c][2 * r], &x[c][2 * r + 1]);
                for q in 0..Q {
                    let greatest = above[2 * q].max(above[2 * q + 1]).max(below[2 * q].max(below[2 * q + 1]));
                    y[c][r][q] = greatest.max(0.0);
                }
            }
        }
        y
    }

    #[inline(always)]
    fn train<R>(
        &mut self,
        x: &Images<C, P>,
        next: impl FnOnce(&Images<C, Q>) -> (Images<C, Q>, R),
    ) -> (Images<C, P>, R) {
        let y = self.predict(x);
        let (dy, found) = next(&y);
        let mut dx = [[[0.0; P]; P]; C];
        for c in 0..C {
            for r in 0..Q {
                for q in 0..Q {
                    let places = [(2 * r, 2 * q), (2 * r, 2 * q + 1), (2 * r + 1, 2 * q), (2 * r + 1, 2 * q + 1)];
                    let greatest = places.into_iter().find(|&(i, j)| x[c][i][j] == y[c][r][q]);
                    if let Some((i, j)) = greatest {
                        dx[c][i][j] = dy[c][r][q];
                    }
                }
            }
        }
        (dx, found)
    }
}

/// Images as a vector, channel by channel: from 16 of 5 by 5, which is all that is needed here.
pub(super) struct Flat;

impl Layer<Images<16, 5>> for Flat {
    type Y = [f32; 400];

    #[inline(always)]
    fn predict(&self, x: &Images<16, 5>) -> [f32; 400] {
        *x.as_flattened().as_flattened().first_chunk().expect("16 * 5 * 5 numbers")
    }

    #[inline(always)]
    fn train<R>(&mut self, x: &Images<16, 5>, next: impl FnOnce(&[f32; 400]) -> ([f32; 400], R)) -> (Images<16, 5>, R) {
        let (dy, found) = next(&self.predict(x));
        let mut dx = [[[0.0; 5]; 5]; 16];
        dx.as_flattened_mut().as_flattened_mut().copy_from_slice(&dy);
        (dx, found)
    }
}

/// Layers that take an image of 28 by 28 as the vector that it comes as.
pub(super) struct FromVector<L>(pub(super) L);

#[inline(always)]
fn image(x: &[f32; 784]) -> &Images<1, 28> {
    let rows: &[[f32; 28]; 28] = x.as_chunks().0.first_chunk().expect("28 rows");
    std::array::from_ref(rows)
}

impl<L: Layer<Images<1, 28>>> Layer<[f32; 784]> for FromVector<L> {
    type Y = L::Y;

    #[inline(always)]
    fn predict(&self, x: &[f32; 784]) -> L::Y {
        self.0.predict(image(x))
    }

    #[inline(always)]
    fn train<R>(&mut self, x: &[f32; 784], next: impl FnOnce(&L::Y) -> (L::Y, R)) -> ([f32; 784], R) {
        let (dx, found) = self.0.train(image(x), next);
        (*dx.as_flattened().as_flattened().first_chunk().expect("28 * 28 numbers"), found)
    }

    #[inline(always)]
    fn train_first<R>(&mut self, x: &[f32; 784], next: impl FnOnce(&L::Y) -> (L::Y, R)) -> R {
        self.0.train_first(image(x), next)
    }

    fn load(&mut self, weights: &mut dyn Iterator<Item = Weight>) {
        self.0.load(weights);
    }

    fn update(&mut self, adam: &Adam) {
        self.0.update(adam);
    }
}
