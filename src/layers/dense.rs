use crate::kernels::dense::{add_scaled, dot};
use crate::layer::{Differentiable, Layer, Parameter, Parameters, Path, Role};
use crate::safetensors::{At, File, FromFile, Keys, Need, matrix_f32, matrix_f64};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::{Sequence, TensorOf, Vector};
use core::fmt::Debug;
use nalgebra::{ArrayStorage, SMatrix, SVector};

/// A fully connected layer.
///
/// ```text
/// y = W x + b
/// ```
///
/// `IN` and `OUT` are PyTorch's `in_features` and `out_features`; [`DenseNoBias`] leaves out `b`.
///
/// # Shapes
/// `Vector<IN>` to `Vector<OUT>`. Over a `Sequence<IN, L>`, every step alike: to `Sequence<OUT, L>`.
///
/// # Cost
/// `IN * OUT` multiply-adds a sample (times `L`); `(IN + 1) * OUT` parameters; no cache.
///
/// # Example
/// ```
/// use constnet::nalgebra::SVector;
/// use constnet::{Dense, Network, Vector};
///
/// type Net = Network<Vector<3>, (Dense<3, 2>,)>;
/// static NET: Net = Net::new((Dense::from_columns([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]], [0.5, -0.5]),));
/// assert_eq!(NET.predict(&SVector::from([1.0, 2.0, 3.0])), SVector::from([7.5, 1.5]));
/// ```
///
/// # Reference
/// PyTorch's `nn.Linear`. The default initialisation is that of Glorot & Bengio (2010), eq. 16, with biases 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense<const IN: usize, const OUT: usize, T = f32, B = SVector<T, OUT>> {
    /// `W`: `OUT` rows, `IN` columns; in memory column by column.
    pub weight: SMatrix<T, OUT, IN>,
    /// `b`: a vector, or [`NoBias`].
    pub bias: B,
}

/// A [`Dense`] layer without bias: `y = W x`.
pub type DenseNoBias<const IN: usize, const OUT: usize, T = f32> = Dense<IN, OUT, T, NoBias>;

/// In the place of the bias of a layer that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoBias;

/// What a layer adds to its `OUT` outputs: a vector, or [`NoBias`].
pub trait Bias<T, const OUT: usize>: ConstZero + Copy + PartialEq + Debug + Send + Sync + 'static {
    /// How many numbers.
    const COUNT: usize;

    /// The vector, if there is one.
    fn get(&self) -> Option<&[T; OUT]>;

    /// The vector, to write to.
    fn get_mut(&mut self) -> Option<&mut [T; OUT]>;
}

impl ConstZero for NoBias {
    const ZERO: Self = Self;
}

impl<T, const OUT: usize> Bias<T, OUT> for NoBias {
    const COUNT: usize = 0;
    fn get(&self) -> Option<&[T; OUT]> {
        None
    }
    fn get_mut(&mut self) -> Option<&mut [T; OUT]> {
        None
    }
}

impl<T: Element, const OUT: usize> Bias<T, OUT> for SVector<T, OUT> {
    const COUNT: usize = OUT;
    fn get(&self) -> Option<&[T; OUT]> {
        let [column] = &self.data.0;
        Some(column)
    }
    fn get_mut(&mut self) -> Option<&mut [T; OUT]> {
        let [column] = &mut self.data.0;
        Some(column)
    }
}

impl<const IN: usize, const OUT: usize, T, B> Dense<IN, OUT, T, B> {
    /// A layer with these parameters.
    pub const fn new(weight: SMatrix<T, OUT, IN>, bias: B) -> Self {
        Self { weight, bias }
    }
}

impl<const IN: usize, const OUT: usize, T> Dense<IN, OUT, T> {
    /// A layer from arrays, for constants: the weight column by column, one column for each input.
    #[must_use]
    pub const fn from_columns(weight: [[T; OUT]; IN], bias: [T; OUT]) -> Self
    where
        T: Copy,
    {
        Self::new(SMatrix::from_array_storage(ArrayStorage(weight)), SVector::from_array_storage(ArrayStorage([bias])))
    }
}

impl<const IN: usize, const OUT: usize, T: Element, B: Bias<T, OUT>> ConstZero for Dense<IN, OUT, T, B> {
    const ZERO: Self = Self::new(ConstZero::ZERO, ConstZero::ZERO);
}

impl<const IN: usize, const OUT: usize, T: Element, B: Bias<T, OUT>> Parameters<T> for Dense<IN, OUT, T, B> {
    const COUNT: usize = IN * OUT + B::COUNT;

    fn visit_at(&self, path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, &[T])) {
        f(&Self::weight(path), self.weight.data.0.as_flattened());
        if let Some(bias) = self.bias.get() {
            f(&Self::bias(path), bias);
        }
    }

    fn zip_at<const N: usize>(
        mut all: [&mut Self; N],
        path: Path<'_>,
        f: &mut impl FnMut(&Parameter<'_>, [&mut [T]; N]),
    ) {
        f(&Self::weight(path), all.each_mut().map(|layer| layer.weight.data.0.as_flattened_mut()));
        if B::COUNT > 0 {
            let biases = all.map(|layer| layer.bias.get_mut().map_or(&mut [][..], |bias| &mut bias[..]));
            f(&Self::bias(path), biases);
        }
    }
}

impl<const IN: usize, const OUT: usize, T, B> Dense<IN, OUT, T, B> {
    const fn weight(path: Path<'_>) -> Parameter<'_> {
        let role = Role::Weight { fan_in: IN, fan_out: OUT };
        Parameter { path, name: "weight", role, shape: &[OUT, IN], order: &[1, 0] }
    }

    const fn bias(path: Path<'_>) -> Parameter<'_> {
        Parameter { path, name: "bias", role: Role::Bias { fan_in: IN }, shape: &[OUT], order: &[0] }
    }
}

/// Constants know no scalar but the built-in ones.
macro_rules! from_file {
    ($T:ty, $matrix:ident) => {
        impl<F: File, P: At, const IN: usize, const OUT: usize> FromFile<F, P> for Dense<IN, OUT, $T> {
            const VALUE: Self = Self::new(
                $matrix::<F, P, OUT, IN>(&Self::need("weight", &[OUT, IN])),
                $matrix::<F, P, OUT, 1>(&Self::need("bias", &[OUT])),
            );
            const KEYS: Keys = Keys::Of(const { &[F::NAMES.key(&P::PATH, "weight"), F::NAMES.key(&P::PATH, "bias")] });
        }

        impl<F: File, P: At, const IN: usize, const OUT: usize> FromFile<F, P> for Dense<IN, OUT, $T, NoBias> {
            const VALUE: Self = Self::new($matrix::<F, P, OUT, IN>(&Self::need("weight", &[OUT, IN])), NoBias);
            const KEYS: Keys = Keys::Of(const { &[F::NAMES.key(&P::PATH, "weight")] });
        }
    };
}
from_file!(f32, matrix_f32);
from_file!(f64, matrix_f64);

impl<const IN: usize, const OUT: usize, T, B> Dense<IN, OUT, T, B> {
    const fn need<'a>(name: &'a str, shape: &'a [usize]) -> Need<'a> {
        Need { name, shape, layer: "Dense", sizes: &[IN, OUT] }
    }
}

impl<const IN: usize, const OUT: usize, T: Scalar, B: Bias<T, OUT>> Dense<IN, OUT, T, B> {
    #[inline]
    fn forward_column(&self, x: &[T; IN], y: &mut [T; OUT]) {
        *y = self.bias.get().copied().unwrap_or(ConstZero::ZERO);
        add_scaled(y, self.weight.data.0.iter().zip(x.iter().copied()));
    }

    /// `dx = W' dy`
    #[inline]
    fn backward_column(&self, dy: &[T; OUT], dx: &mut [T; IN]) {
        for (dx, column) in dx.iter_mut().zip(&self.weight.data.0) {
            *dx = dot(column, dy);
        }
    }

    /// `dW += sum of dy x'` and `db += sum of dy`, over all columns of all samples.
    #[inline]
    fn gradient<const L: usize>(gradient: &mut Self, x: &[SMatrix<T, IN, L>], dy: &[SMatrix<T, OUT, L>]) {
        let x = x.iter().flat_map(|x| &x.data.0);
        let dy = dy.iter().flat_map(|dy| &dy.data.0);
        for (i, column) in gradient.weight.data.0.iter_mut().enumerate() {
            let x = x.clone().map(|x| x.get(i).copied().unwrap_or(T::ZERO));
            add_scaled(column, dy.clone().zip(x));
        }
        if let Some(bias) = gradient.bias.get_mut() {
            add_scaled(bias, dy.map(|dy| (dy, T::ONE)));
        }
    }
}

/// A vector is one column, a sequence many.
macro_rules! over_columns {
    ($([$(const $L:ident: usize)?] $X:ty => $Y:ty),+) => { $(
        impl<const IN: usize, const OUT: usize, $(const $L: usize,)? T: Scalar, B: Bias<T, OUT>> Layer<$X, T>
            for Dense<IN, OUT, T, B>
        {
            type Out = $Y;

            #[inline]
            fn forward(&self, x: &TensorOf<$X, T>, y: &mut TensorOf<$Y, T>) {
                for (x, y) in x.data.0.iter().zip(&mut y.data.0) {
                    self.forward_column(x, y);
                }
            }
        }

        impl<const IN: usize, const OUT: usize, $(const $L: usize,)? T: Scalar, B: Bias<T, OUT>> Differentiable<$X, T>
            for Dense<IN, OUT, T, B>
        {
            type Cache<const N: usize> = ();

            #[inline]
            fn backward<const N: usize>(
                &self,
                x: &[TensorOf<$X, T>; N],
                _: &[TensorOf<$Y, T>; N],
                (): &mut (),
                dy: &[TensorOf<$Y, T>; N],
                gradient: &mut Self,
                dx: &mut [TensorOf<$X, T>; N],
            ) {
                Self::gradient(gradient, x, dy);
                for (dy, dx) in dy.iter().zip(dx) {
                    for (dy, dx) in dy.data.0.iter().zip(&mut dx.data.0) {
                        self.backward_column(dy, dx);
                    }
                }
            }

            #[inline]
            fn backward_parameters<const N: usize>(
                &self,
                x: &[TensorOf<$X, T>; N],
                _: &[TensorOf<$Y, T>; N],
                (): &mut (),
                dy: &[TensorOf<$Y, T>; N],
                gradient: &mut Self,
            ) {
                Self::gradient(gradient, x, dy);
            }
        }
    )+ };
}
over_columns!([] Vector<IN> => Vector<OUT>, [const L: usize] Sequence<IN, L> => Sequence<OUT, L>);
