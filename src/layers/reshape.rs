use crate::layer::{
    Both, Differentiable, Either, Gradient, Layer, Meaning, Source, Target, apart, check_shapes, no_parameters, over,
};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::length::{Extent, Len, Length, SameLength, Times, Volume};
use crate::shape::{Image, Sequence, Shape, Tensor, TensorOf, Vector};
use core::hint::black_box;
use core::marker::PhantomData;

/// Makes a vector of any shape.
///
/// The numbers come in PyTorch's order, channel by channel, whatever the order in memory: a `Dense` layer after it takes
/// PyTorch's weights as they are.
///
/// # Shapes
/// `Sequence<C, L>` to `Vector<C * L>`, `Image<C, H, W>` to `Vector<C * H * W>`, `Vector<N>` to itself. How far the
/// arithmetic reaches stands in [`shape::length`](crate::shape::length).
///
/// # Cost
/// A copy; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::nalgebra::{SMatrix, SVector};
/// use constnet::{Flatten, Network, Sequence};
///
/// let net = Network::<Sequence<2, 3>, (Flatten,)>::ZERO;
/// let steps = [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]];
/// assert_eq!(net.predict(&SMatrix::from(steps)), SVector::from([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
/// ```
///
/// # Reference
/// PyTorch's `nn.Flatten`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flatten;

/// A [`Flatten`] that is told how many numbers come out: for shapes beyond the type arithmetic.
///
/// # Shapes
/// Any, to `Vector<N>`; the build fails if it does not hold `N` numbers.
///
/// # Cost
/// A copy; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::{Dense, FlattenTo, Image, Network};
///
/// type Net = Network<Image<3, 96, 96>, (FlattenTo<27_648>, Dense<27_648, 2>)>;
/// static NET: Net = Net::ZERO;
/// # let _ = &NET;
/// ```
///
/// # Reference
/// PyTorch's `nn.Flatten`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlattenTo<const N: usize>;

/// Gives the numbers of a tensor another shape.
///
/// Both shapes are read in PyTorch's order, channel by channel.
///
/// # Shapes
/// Any, to `To`, which must hold as many numbers.
///
/// # Cost
/// A copy; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::nalgebra::{SMatrix, SVector};
/// use constnet::{Network, Reshape, Sequence, Vector};
///
/// let net = Network::<Vector<6>, (Reshape<Sequence<2, 3>>,)>::ZERO;
/// let steps = [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]];
/// assert_eq!(net.predict(&SVector::from([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])), SMatrix::from(steps));
/// ```
///
/// # Reference
/// PyTorch's `nn.Unflatten` and `view`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reshape<To>(PhantomData<To>);

impl<To> Reshape<To> {
    /// The layer.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl ConstZero for Flatten {
    const ZERO: Self = Self;
}

impl<const N: usize> ConstZero for FlattenTo<N> {
    const ZERO: Self = Self;
}

impl<To> ConstZero for Reshape<To> {
    const ZERO: Self = Self::new();
}

no_parameters!(Flatten);
no_parameters!([const N: usize] FlattenTo<N>);
no_parameters!([To: Shape] Reshape<To>);

impl<T: Element, const N: usize> Layer<Vector<N>, T> for Flatten {
    type Out = Vector<N>;
    type Peak<X, Y> = Either<X, Y>;
    const TURNS: bool = !same_order::<Vector<N>, Vector<N>>();
    const MEANING: Meaning = Meaning::AsInput;
    fn forward(&self, x: &TensorOf<Vector<N>, T>, y: &mut TensorOf<Vector<N>, T>) {
        copy::<Vector<N>, Vector<N>, T>(x, y);
    }

    fn forward_in(
        &self,
        x: Source<'_, TensorOf<Vector<N>, T>>,
        arena: &mut [T],
        y: Target<'_, TensorOf<Vector<N>, T>>,
    ) {
        copy_in::<Vector<N>, Vector<N>, T>(x, arena, y);
    }
}

impl<T: Element, const C: usize, const L: usize> Layer<Sequence<C, L>, T> for Flatten
where
    Len<C>: Times<L>,
{
    type Out = <<Len<C> as Times<L>>::Output as Extent>::Vector;
    type Peak<X, Y> = Both<X, Y>;
    const TURNS: bool = !same_order::<Sequence<C, L>, Self::Out>();
    const MEANING: Meaning = Meaning::AsInput;
    fn forward(&self, x: &TensorOf<Sequence<C, L>, T>, y: &mut TensorOf<Self::Out, T>) {
        copy::<Sequence<C, L>, Self::Out, T>(x, y);
    }

    fn forward_in(
        &self,
        x: Source<'_, TensorOf<Sequence<C, L>, T>>,
        arena: &mut [T],
        y: Target<'_, TensorOf<Self::Out, T>>,
    ) {
        copy_in::<Sequence<C, L>, Self::Out, T>(x, arena, y);
    }
}

impl<T: Element, const C: usize, const H: usize, const W: usize> Layer<Image<C, H, W>, T> for Flatten
where
    Len<C>: Volume<H, W>,
{
    type Out = <<Len<C> as Volume<H, W>>::Output as Extent>::Vector;
    type Peak<X, Y> = Both<X, Y>;
    const TURNS: bool = !same_order::<Image<C, H, W>, Self::Out>();
    const MEANING: Meaning = Meaning::AsInput;
    fn forward(&self, x: &TensorOf<Image<C, H, W>, T>, y: &mut TensorOf<Self::Out, T>) {
        copy::<Image<C, H, W>, Self::Out, T>(x, y);
    }

    fn forward_in(
        &self,
        x: Source<'_, TensorOf<Image<C, H, W>, T>>,
        arena: &mut [T],
        y: Target<'_, TensorOf<Self::Out, T>>,
    ) {
        copy_in::<Image<C, H, W>, Self::Out, T>(x, arena, y);
    }
}

impl<In: Shape, T: Element, const N: usize> Layer<In, T> for FlattenTo<N> {
    type Out = Vector<N>;
    type Peak<X, Y> = Both<X, Y>;
    const TURNS: bool = !same_order::<In, Vector<N>>();
    const MEANING: Meaning = Meaning::AsInput;
    const CHECK: () = {
        assert!(
            In::LEN == N,
            "the `N` of `FlattenTo<N>` must be how many numbers its input holds: `C * H * W`, or `C * L`"
        );
        check_shapes::<In, Vector<N>>();
    };
    fn forward(&self, x: &In::Tensor<T>, y: &mut TensorOf<Vector<N>, T>) {
        const { <Self as Layer<In, T>>::CHECK };
        copy::<In, Vector<N>, T>(x, y);
    }

    fn forward_in(&self, x: Source<'_, In::Tensor<T>>, arena: &mut [T], y: Target<'_, TensorOf<Vector<N>, T>>) {
        copy_in::<In, Vector<N>, T>(x, arena, y);
    }
}

impl<In: Length, To: SameLength<In>, T: Element> Layer<In, T> for Reshape<To> {
    type Out = To;
    type Peak<X, Y> = Both<X, Y>;
    const TURNS: bool = !same_order::<In, To>();
    const MEANING: Meaning = Meaning::AsInput;
    fn forward(&self, x: &In::Tensor<T>, y: &mut To::Tensor<T>) {
        copy::<In, To, T>(x, y);
    }

    fn forward_in(&self, x: Source<'_, In::Tensor<T>>, arena: &mut [T], y: Target<'_, To::Tensor<T>>) {
        copy_in::<In, To, T>(x, arena, y);
    }
}

/// The gradient takes the way back.
macro_rules! backward {
    ([$($generics:tt)*] $layer:ty) => {
        impl<In: Shape, T: Scalar, $($generics)*> Differentiable<In, T> for $layer
        where
            Self: Layer<In, T>,
        {
            type Cache<const B: usize> = ();

            fn backward<const B: usize, const ADDS: bool>(
                &self,
                _: &[In::Tensor<T>; B],
                _: &[TensorOf<Self::Out, T>; B],
                (): &mut (),
                dy: &[TensorOf<Self::Out, T>; B],
                _: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [In::Tensor<T>; B]>,
            ) {
                let Some(dx) = dx else { return };
                for (dy, dx) in dy.iter().zip(dx) {
                    copy::<Self::Out, In, T>(dy, dx);
                }
            }

        }
    };
}
backward!([] Flatten);
backward!([const TO: usize] FlattenTo<TO>);
backward!([To: Shape] Reshape<To>);

/// Whether two shapes of one length, both read channel by channel, have their numbers in one order in memory.
const fn same_order<From: Shape, To: Shape>() -> bool {
    const fn has_one_order(channels: usize, len: usize) -> bool {
        channels <= 1 || channels == len
    }
    From::CHANNELS == To::CHANNELS || (has_one_order(From::CHANNELS, From::LEN) && has_one_order(To::CHANNELS, To::LEN))
}

/// Leaves the numbers where they lie, if they come in one order and the output belongs there, or else [copies](copy) them.
#[inline]
fn copy_in<From: Shape, To: Shape, T: Element>(
    x: Source<'_, From::Tensor<T>>,
    arena: &mut [T],
    y: Target<'_, To::Tensor<T>>,
) {
    if const { same_order::<From, To>() } {
        over(x, arena, y, copy::<From, To, T>, |_| ());
    } else {
        apart(x, arena, y, |x, _, y| copy::<From, To, T>(x, y));
    }
}

/// Copies between two shapes of one length, both read channel by channel.
#[inline]
fn copy<From: Shape, To: Shape, T: Element>(x: &From::Tensor<T>, y: &mut To::Tensor<T>) {
    const { assert!(From::LEN == To::LEN) };
    let (x, y) = (x.as_slice(), y.as_mut_slice());
    if const { same_order::<From, To>() } {
        for (x, y) in x.iter().zip(y) {
            *y = *x;
        }
        return;
    }
    // Without a division for each number, where one of the two is a vector, as of `Flatten` and on its way back.
    if const { To::CHANNELS == To::LEN && From::CHANNELS > 0 } {
        transposed(x, y, From::CHANNELS, positions::<From>());
        return;
    }
    if const { From::CHANNELS == From::LEN && To::CHANNELS > 0 } {
        transposed(x, y, positions::<To>(), To::CHANNELS);
        return;
    }
    for i in 0..From::LEN {
        if let (Some(x), Some(y)) = (x.get(place::<From>(i)), y.get_mut(place::<To>(i))) {
            *y = *x;
        }
    }
}

/// Copies columns of `height` numbers, so that rows of `width` become the columns.
#[inline(never)]
fn transposed<T: Copy>(x: &[T], y: &mut [T], height: usize, width: usize) {
    // Loops of known lengths would be written out.
    let (height, width) = black_box((height, width));
    let mut to = y.iter_mut();
    for row in 0..height {
        let mut from = row;
        for y in to.by_ref().take(width) {
            if let Some(x) = x.get(from) {
                *y = *x;
            }
            from += height;
        }
    }
}

/// How many positions a shape has; 1 where it holds nothing.
const fn positions<S: Shape>() -> usize {
    if S::CHANNELS == 0 || S::LEN == 0 { 1 } else { S::LEN / S::CHANNELS }
}

/// Where the `i`-th number of a shape, read channel by channel, lies in memory.
#[inline]
fn place<S: Shape>(i: usize) -> usize {
    let positions = const { positions::<S>() };
    (i % positions) * S::CHANNELS + i / positions
}
