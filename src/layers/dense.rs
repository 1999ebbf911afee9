use crate::kernels::dense::{add_scaled, dot};
use crate::layer::{Differentiable, Layer, Role, tensors};
use crate::layers::bias::{Bias, NoBias};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::{Sequence, TensorOf, Vector};
use crate::streaming::step_by_step;
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

tensors! {
    [const IN: usize, const OUT: usize, T: Element, B: Bias<T, OUT>] Dense<IN, OUT, T, B> => T, "Dense" [IN, OUT]
    0 weight "weight": SMatrix<T, OUT, IN>, Role::Weight { fan_in: IN, fan_out: OUT }, [OUT, IN] by [1, 0];
    1 bias "bias": B, Role::Bias { fan_in: IN }, [OUT] by [0];
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

step_by_step!([const IN: usize, const OUT: usize, B] Dense<IN, OUT, T, B>);
