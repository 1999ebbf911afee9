//! Plain nalgebra: static matrices whose columns are the samples, products by `*`. Twice: without std, as constnet has it, and with
//! its default features.

/// The same code for both.
macro_rules! peer {
    ($name:ident, $nalgebra:ident) => {
        pub(super) mod $name {
            use crate::nets::{Batch, Net, Weight};
            use crate::peer::Peer;
            use crate::peers::loops::{Adam, Function, Layer, Relu, Sigmoid, Tanh};
            use crate::peers::view;
            use $nalgebra::{SMatrix, SVector};

            /// A tensor of parameters, its gradient, and Adam's two moments.
            type Learned<const R: usize, const C: usize> = Box<[SMatrix<f32, R, C>; 4]>;

            fn update<const R: usize, const C: usize>(parameters: &mut Learned<R, C>, adam: &Adam) {
                let [value, gradient, first, second] = &mut **parameters;
                let (first, second) = (first.as_mut_slice(), second.as_mut_slice());
                adam.update(value.as_mut_slice(), gradient.as_slice(), first, second);
            }

            struct Dense<const I: usize, const O: usize> {
                weight: Learned<O, I>,
                bias: Learned<O, 1>,
            }

            impl<const I: usize, const O: usize> Dense<I, O> {
                fn zero() -> Self {
                    Self { weight: Box::new([SMatrix::zeros(); 4]), bias: Box::new([SMatrix::zeros(); 4]) }
                }
            }

            impl<const I: usize, const O: usize, const B: usize> Layer<SMatrix<f32, I, B>> for Dense<I, O> {
                type Y = SMatrix<f32, O, B>;

                #[inline(always)]
                fn predict(&self, x: &SMatrix<f32, I, B>) -> SMatrix<f32, O, B> {
                    let mut y = self.weight[0] * x;
                    y.column_iter_mut().for_each(|mut y| y += &self.bias[0]);
                    y
                }

                #[inline(always)]
                fn train<R>(
                    &mut self,
                    x: &SMatrix<f32, I, B>,
                    next: impl FnOnce(&SMatrix<f32, O, B>) -> (SMatrix<f32, O, B>, R),
                ) -> (SMatrix<f32, I, B>, R) {
                    let (dy, found) = next(&self.predict(x));
                    self.weight[1].gemm(1.0, &dy, &x.transpose(), 0.0);
                    self.bias[1] = dy.column_sum();
                    (self.weight[0].tr_mul(&dy), found)
                }

                #[inline(always)]
                fn train_first<R>(
                    &mut self,
                    x: &SMatrix<f32, I, B>,
                    next: impl FnOnce(&SMatrix<f32, O, B>) -> (SMatrix<f32, O, B>, R),
                ) -> R {
                    let (dy, found) = next(&self.predict(x));
                    self.weight[1].gemm(1.0, &dy, &x.transpose(), 0.0);
                    self.bias[1] = dy.column_sum();
                    found
                }

                fn load(&mut self, weights: &mut dyn Iterator<Item = Weight>) {
                    let mut next = || weights.next().expect("a tensor").values;
                    self.weight[0] = SMatrix::from_row_slice(&next());
                    self.bias[0] = SMatrix::from_column_slice(&next());
                }

                fn update(&mut self, adam: &Adam) {
                    update(&mut self.weight, adam);
                    update(&mut self.bias, adam);
                }
            }

            impl<const N: usize, const B: usize, F: Function> Layer<SMatrix<f32, N, B>> for F {
                type Y = SMatrix<f32, N, B>;

                #[inline(always)]
                fn predict(&self, x: &SMatrix<f32, N, B>) -> SMatrix<f32, N, B> {
                    x.map(F::value)
                }

                #[inline(always)]
                fn train<R>(
                    &mut self,
                    x: &SMatrix<f32, N, B>,
                    next: impl FnOnce(&SMatrix<f32, N, B>) -> (SMatrix<f32, N, B>, R),
                ) -> (SMatrix<f32, N, B>, R) {
                    let y = x.map(F::value);
                    let (mut dx, found) = next(&y);
                    dx.zip_apply(&y, |dx, y| *dx *= F::slope(y));
                    (dx, found)
                }
            }

            fn softmax<const N: usize, const B: usize>(x: &mut SMatrix<f32, N, B>) {
                for mut x in x.column_iter_mut() {
                    let greatest = x.max();
                    x.apply(|x| *x = (*x - greatest).exp());
                    x /= x.sum();
                }
            }

            struct Trained<L, const CROSS_ENTROPY: bool, const I: usize, const O: usize, const B: usize> {
                layers: L,
                adam: Adam,
            }

            impl<L, const CROSS_ENTROPY: bool, const I: usize, const O: usize, const B: usize>
                Trained<L, CROSS_ENTROPY, I, O, B>
            where
                L: Layer<SVector<f32, I>, Y = SVector<f32, O>>
                    + Layer<SMatrix<f32, I, B>, Y = SMatrix<f32, O, B>>
                    + 'static,
            {
                fn boxed(mut layers: L, net: Net, rate: f64) -> Box<dyn Peer> {
                    Layer::<SVector<f32, I>>::load(&mut layers, &mut net.weights().into_iter());
                    Box::new(Self { layers, adam: Adam::new(rate) })
                }
            }

            impl<L, const CROSS_ENTROPY: bool, const I: usize, const O: usize, const B: usize> Peer
                for Trained<L, CROSS_ENTROPY, I, O, B>
            where
                L: Layer<SVector<f32, I>, Y = SVector<f32, O>>
                    + Layer<SMatrix<f32, I, B>, Y = SMatrix<f32, O, B>>
                    + 'static,
            {
                fn predict(&mut self, x: &[f32], y: &mut [f32]) {
                    let mut output = self.layers.predict(view::<SVector<f32, I>>(x));
                    if CROSS_ENTROPY {
                        softmax(&mut output);
                    }
                    y.copy_from_slice(output.as_slice());
                }

                fn step(&mut self, batch: Batch<'_>) -> Option<f32> {
                    let x = view::<SMatrix<f32, I, B>>(batch.x);
                    let target = view::<SMatrix<f32, O, B>>(batch.y);
                    let loss = self.layers.train_first(x, |y: &SMatrix<f32, O, B>| {
                        if CROSS_ENTROPY {
                            let mut dy = *y;
                            softmax(&mut dy);
                            let log = dy.zip_map(target, |y, t| if t > 0.5 { y.ln() } else { 0.0 });
                            ((dy - target) / B as f32, -log.sum() / B as f32)
                        } else {
                            let error = y - target;
                            let count = (B * O) as f32;
                            (error * (2.0 / count), error.norm_squared() / count)
                        }
                    });
                    self.adam.tick();
                    Layer::<SMatrix<f32, I, B>>::update(&mut self.layers, &self.adam);
                    Some(loss)
                }
            }

            pub(in crate::peers) fn make(net: Net, batch: usize, rate: f64) -> Option<Box<dyn Peer>> {
                match batch {
                    1 => of_batch::<1>(net, rate),
                    32 => of_batch::<32>(net, rate),
                    _ => None,
                }
            }

            fn of_batch<const B: usize>(net: Net, rate: f64) -> Option<Box<dyn Peer>> {
                Some(match net {
                    Net::Xor => {
                        let layers = (Dense::<2, 4>::zero(), (Sigmoid, (Dense::<4, 1>::zero(), Sigmoid)));
                        Trained::<_, false, 2, 1, B>::boxed(layers, net, rate)
                    }
                    Net::Policy => {
                        let last = (Dense::<64, 64>::zero(), (Tanh, Dense::<64, 4>::zero()));
                        Trained::<_, false, 13, 4, B>::boxed((Dense::<13, 64>::zero(), (Tanh, last)), net, rate)
                    }
                    Net::Small => {
                        let layers = (Dense::<64, 32>::zero(), (Relu, Dense::<32, 10>::zero()));
                        Trained::<_, true, 64, 10, B>::boxed(layers, net, rate)
                    }
                    Net::Mnist => {
                        let last = (Dense::<64, 64>::zero(), (Relu, Dense::<64, 10>::zero()));
                        Trained::<_, true, 784, 10, B>::boxed((Dense::<784, 64>::zero(), (Relu, last)), net, rate)
                    }
                    _ => return None,
                })
            }
        }
    };
}

peer!(without_std, nalgebra);
#[cfg(feature = "nalgebra-std")]
peer!(with_std, nalgebra_std);
