use crate::kernels::dense;
use crate::kernels::elementwise::are_products_finite;
use crate::kernels::flat::{rows, rows_mut};
use crate::layer::{Both, Differentiable, Gradient, Layer, Role, tensors};
use crate::layers::bias::{Bias, NoBias};
use crate::scalar::{Element, Scalar};
use crate::shape::{Image, Sequence, Shape, TensorOf, Vector};
use crate::streaming::step_by_step;
use core::array::{from_mut, from_ref};
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

/// A shape whose steps a [`Dense`] of `IN` inputs takes: a vector is one step.
#[diagnostic::on_unimplemented(
    message = "layer `Dense<{IN}, _>` takes each step of a sequence by itself, and those of its input `{Self}` are of another width: write its first parameter for one step, or put `Flatten` or `Last` in front of it",
    label = "steps of another width than {IN}",
    note = "a `Sequence<C, L>` is L steps of C channels; `Flatten` makes a `Vector<{{C * L}}>` of it, `Last` a `Vector<C>`"
)]
pub trait StepsOf<const IN: usize>: Shape {
    /// The steps of all samples, one after the other.
    fn steps<T: Element, const B: usize>(x: &[TensorOf<Self, T>; B]) -> &[[T; IN]];

    /// The same, to write to.
    fn steps_mut<T: Element, const B: usize>(x: &mut [TensorOf<Self, T>; B]) -> &mut [[T; IN]];
}

impl<const IN: usize> StepsOf<IN> for Vector<IN> {
    #[inline]
    fn steps<T: Element, const B: usize>(x: &[TensorOf<Self, T>; B]) -> &[[T; IN]] {
        rows(x).as_flattened()
    }
    #[inline]
    fn steps_mut<T: Element, const B: usize>(x: &mut [TensorOf<Self, T>; B]) -> &mut [[T; IN]] {
        rows_mut(x).as_flattened_mut()
    }
}

impl<const IN: usize, const L: usize> StepsOf<IN> for Sequence<IN, L> {
    #[inline]
    fn steps<T: Element, const B: usize>(x: &[TensorOf<Self, T>; B]) -> &[[T; IN]] {
        rows(x).as_flattened()
    }
    #[inline]
    fn steps_mut<T: Element, const B: usize>(x: &mut [TensorOf<Self, T>; B]) -> &mut [[T; IN]] {
        rows_mut(x).as_flattened_mut()
    }
}

/// [`StepsOf::steps`].
#[inline]
fn steps<S: StepsOf<IN>, T: Element, const IN: usize, const B: usize>(x: &[TensorOf<S, T>; B]) -> &[[T; IN]] {
    S::steps(x)
}

/// One step by a kernel of its own: the one for many is larger.
#[inline]
fn forward_steps<T: Scalar, const IN: usize, const OUT: usize, const L: usize, const B: usize>(
    weight: &[[T; OUT]; IN],
    bias: Option<&[T; OUT]>,
    x: &[[T; IN]],
    y: &mut [SMatrix<T, OUT, L>; B],
) {
    let y = rows_mut(y).as_flattened_mut();
    if const { L * B == 1 } {
        if let ([x], [y]) = (x, y) {
            dense::forward_row(weight, bias, x, y);
        }
    } else {
        dense::forward(weight, bias, x, y);
    }
}

/// Adds the gradient of the parameters over all steps to `gradient`, or overwrites it. Returns whether what is overwritten is
/// known to be finite.
#[inline]
fn parameter_gradient<T: Scalar, const IN: usize, const OUT: usize, B: Bias<T, OUT>, const ADDS: bool>(
    gradient: Gradient<'_, Dense<IN, OUT, T, B>, ADDS>,
    x: &[[T; IN]],
    dy: &[[T; OUT]],
) {
    // From the factors, where they are few; the products are looked at sooner all at once.
    if !ADDS && 2 * x.len() * (IN + OUT) < IN * OUT && are_products_finite(x.as_flattened(), dy.as_flattened()) {
        gradient.mark_finite();
    }
    let gradient = gradient.add_or_overwrite();
    dense::weight_gradient::<T, IN, OUT, ADDS>(&mut gradient.weight.data.0, x, dy);
    if let Some(bias) = gradient.bias.get_mut() {
        dense::bias_gradient::<T, OUT, ADDS>(bias, dy);
    }
}

macro_rules! over_steps {
    ($([$(const $C:ident: usize, const $L:ident: usize)?] $X:ty => $Y:ty),+) => { $(
        impl<const IN: usize, const OUT: usize, $(const $C: usize, const $L: usize,)? T: Scalar, B: Bias<T, OUT>> Layer<$X, T>
            for Dense<IN, OUT, T, B>
        where
            $X: StepsOf<IN>,
        {
            type Out = $Y;
            type Peak<X, Y> = Both<X, Y>;

            #[inline]
            fn forward(&self, x: &TensorOf<$X, T>, y: &mut TensorOf<$Y, T>) {
                forward_steps(&self.weight.data.0, self.bias.get(), steps::<$X, T, IN, 1>(from_ref(x)), from_mut(y));
            }
        }

        impl<const IN: usize, const OUT: usize, $(const $C: usize, const $L: usize,)? T: Scalar, B: Bias<T, OUT>> Differentiable<$X, T>
            for Dense<IN, OUT, T, B>
        where
            $X: StepsOf<IN>,
        {
            type Cache<const N: usize> = ();

            #[inline]
            fn forward_train<const N: usize>(
                &self,
                x: &[TensorOf<$X, T>; N],
                (): &mut (),
                y: &mut [TensorOf<$Y, T>; N],
            ) {
                forward_steps(&self.weight.data.0, self.bias.get(), steps::<$X, T, IN, N>(x), y);
            }

            #[inline]
            fn backward<const N: usize, const ADDS: bool>(
                &self,
                x: &[TensorOf<$X, T>; N],
                _: &[TensorOf<$Y, T>; N],
                (): &mut (),
                dy: &[TensorOf<$Y, T>; N],
                gradient: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [TensorOf<$X, T>; N]>,
            ) {
                if let Some(dx) = dx {
                    dense::input_gradient(&self.weight.data.0, steps::<$Y, T, OUT, N>(dy), <$X as StepsOf<IN>>::steps_mut(dx));
                }
                parameter_gradient(gradient, steps::<$X, T, IN, N>(x), steps::<$Y, T, OUT, N>(dy));
            }
        }
    )+ };
}
/// An image behind which a [`Dense`] of `IN` inputs can stand: there is none.
#[diagnostic::on_unimplemented(
    message = "layer `Dense<{IN}, _>` takes a vector, and its input is an image, `{Self}`: put `Flatten` in front of it",
    label = "takes a `Vector<{IN}>`, not an image",
    note = "`Flatten` makes a `Vector<{{C * H * W}}>` of an `Image<C, H, W>`; `GlobalAvgPool` makes a `Vector<C>`"
)]
pub trait FlatImage<const IN: usize>: Shape {
    /// There is no such image.
    fn never<T: Element>(x: &Self::Tensor<T>) -> !;
}

/// No layer, but a better error than that there is none.
impl<const IN: usize, const OUT: usize, const C: usize, const H: usize, const W: usize, T: Element, B>
    Layer<Image<C, H, W>, T> for Dense<IN, OUT, T, B>
where
    Image<C, H, W>: FlatImage<IN>,
{
    type Out = Vector<OUT>;
    type Peak<X, Y> = Both<X, Y>;

    fn forward(&self, x: &TensorOf<Image<C, H, W>, T>, _: &mut TensorOf<Vector<OUT>, T>) {
        <Image<C, H, W> as FlatImage<IN>>::never::<T>(x)
    }
}

over_steps!([] Vector<IN> => Vector<OUT>, [const C: usize, const L: usize] Sequence<C, L> => Sequence<OUT, L>);

step_by_step!([const IN: usize, const OUT: usize, B] Dense<IN, OUT, T, B>);
