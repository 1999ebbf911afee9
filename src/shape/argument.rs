//! Arguments that must fit a network: each trait here is an equality of types with a sentence for when it fails.
//!
//! You never implement these. `net.predict(&x)` could ask for `&SVector<f32, 64>` outright, but the compiler's "mismatched
//! types" would then show nalgebra's storage types instead of shapes.

use super::{Image, Sequence, Shape, Tokens, Vector};
use crate::class::Class;
use crate::scalar::Element;
use nalgebra::SMatrix;

/// A value that is the tensor of shape `S` over `T`.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape `{S}` of `{T}` is wanted here, and this is `{Self}`: `SVector::from_row_slice` makes a vector of numbers, `SMatrix::from_column_slice` a sequence, `Class::new` a token",
    label = "not a tensor of shape `{S}` of `{T}`",
    note = "the tensor of `Vector<N>` is `SVector<T, N>`, that of `Sequence<C, L>` is `SMatrix<T, C, L>`, that of `Image<C, H, W>` is `[SMatrix<T, C, W>; H]`",
    note = "that of `Tokens<N, L>` is `[Class<N>; L]`; `Class::new(3)?` makes a token of a number",
    note = "`constnet::nalgebra` has these types; from an array of the right length: `SVector::from([1.0, 2.0])`; of another scalar: `x.map(|x| x as f32)`"
)]
pub trait TensorFor<S: Shape, T: Element>: Sized {
    /// `self`.
    fn tensor(&self) -> &S::Tensor<T>;

    /// `all`.
    fn tensors<const B: usize>(all: &[Self; B]) -> &[S::Tensor<T>; B];
}

/// A shape whose tensors have `ROWS` rows and `COLUMNS` columns.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape `{Self}` is wanted here, and this one is {ROWS} by {COLUMNS}",
    label = "{ROWS} by {COLUMNS}, not `{Self}`",
    note = "the tensor of `Vector<N>` is N by 1, rows by columns; that of `Sequence<C, L>` is C by L"
)]
pub trait MatrixShape<const ROWS: usize, const COLUMNS: usize>: Shape {
    /// `x`.
    fn tensor<T: Element>(x: &SMatrix<T, ROWS, COLUMNS>) -> &Self::Tensor<T>;

    /// `all`.
    fn tensors<T: Element, const B: usize>(all: &[SMatrix<T, ROWS, COLUMNS>; B]) -> &[Self::Tensor<T>; B];
}

/// A shape whose tensors have `HEIGHT` rows of `WIDTH` pixels of `CHANNELS` channels.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape `{Self}` is wanted here, and this one has {HEIGHT} rows of {WIDTH} pixels of {CHANNELS} channels",
    label = "`Image<{CHANNELS}, {HEIGHT}, {WIDTH}>`, not `{Self}`"
)]
pub trait ImageShape<const CHANNELS: usize, const HEIGHT: usize, const WIDTH: usize>: Shape {
    /// `x`.
    fn tensor<T: Element>(x: &[SMatrix<T, CHANNELS, WIDTH>; HEIGHT]) -> &Self::Tensor<T>;

    /// `all`.
    fn tensors<T: Element, const B: usize>(all: &[[SMatrix<T, CHANNELS, WIDTH>; HEIGHT]; B]) -> &[Self::Tensor<T>; B];
}

/// A shape whose tensors have `LENGTH` tokens of a vocabulary of `SIZE`.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape `{Self}` is wanted here, and these are {LENGTH} tokens of a vocabulary of {SIZE}",
    label = "`Tokens<{SIZE}, {LENGTH}>`, not `{Self}`"
)]
pub trait TokenShape<const SIZE: usize, const LENGTH: usize>: Shape {
    /// `x`.
    fn tensor<T: Element>(x: &[Class<SIZE>; LENGTH]) -> &Self::Tensor<T>;

    /// `all`.
    fn tensors<T: Element, const B: usize>(all: &[[Class<SIZE>; LENGTH]; B]) -> &[Self::Tensor<T>; B];
}

/// Writes the two functions of an equality of types.
macro_rules! same {
    ($x:ty) => {
        fn tensor<T: Element>(x: &$x) -> &$x {
            x
        }
        fn tensors<T: Element, const B: usize>(all: &[$x; B]) -> &[$x; B] {
            all
        }
    };
}

impl<const N: usize> MatrixShape<N, 1> for Vector<N> {
    same!(SMatrix<T, N, 1>);
}

impl<const C: usize, const L: usize> MatrixShape<C, L> for Sequence<C, L> {
    same!(SMatrix<T, C, L>);
}

impl<const C: usize, const H: usize, const W: usize> ImageShape<C, H, W> for Image<C, H, W> {
    same!([SMatrix<T, C, W>; H]);
}

impl<const N: usize, const L: usize> TokenShape<N, L> for Tokens<N, L> {
    same!([Class<N>; L]);
}

impl<S: MatrixShape<R, C>, T: Element + SameScalar<U>, U, const R: usize, const C: usize> TensorFor<S, T>
    for SMatrix<U, R, C>
{
    fn tensor(&self) -> &S::Tensor<T> {
        S::tensor(T::matrix(self))
    }
    fn tensors<const B: usize>(all: &[Self; B]) -> &[S::Tensor<T>; B] {
        S::tensors(T::matrices(all))
    }
}

impl<S: ImageShape<C, H, W>, T: Element + SameScalar<U>, U, const C: usize, const H: usize, const W: usize>
    TensorFor<S, T> for [SMatrix<U, C, W>; H]
{
    fn tensor(&self) -> &S::Tensor<T> {
        S::tensor(T::matrices(self))
    }
    fn tensors<const B: usize>(all: &[Self; B]) -> &[S::Tensor<T>; B] {
        S::tensors(T::images(all))
    }
}

/// A scalar that is `Given`. The one that is wanted implements it, so that the compiler infers the one that is given.
#[diagnostic::on_unimplemented(
    message = "a tensor of `{Self}` is wanted here, and this one is of `{Given}`: write `SVector::<{Self}, _>`, or change each number with `x.map(..)`",
    label = "of `{Given}`, not of `{Self}`",
    note = "a network computes with `f32` unless its type says otherwise: `Network<Vector<2>, (Dense<2, 1, f64>,), f64>`"
)]
pub trait SameScalar<Given>: Sized {
    /// `x`.
    fn matrix<const R: usize, const C: usize>(x: &SMatrix<Given, R, C>) -> &SMatrix<Self, R, C>;

    /// `all`.
    fn matrices<const R: usize, const C: usize, const N: usize>(
        all: &[SMatrix<Given, R, C>; N],
    ) -> &[SMatrix<Self, R, C>; N];

    /// `all`.
    fn images<const R: usize, const C: usize, const H: usize, const N: usize>(
        all: &[[SMatrix<Given, R, C>; H]; N],
    ) -> &[[SMatrix<Self, R, C>; H]; N];
}

impl<T> SameScalar<T> for T {
    fn matrix<const R: usize, const C: usize>(x: &SMatrix<T, R, C>) -> &SMatrix<T, R, C> {
        x
    }
    fn matrices<const R: usize, const C: usize, const N: usize>(all: &[SMatrix<T, R, C>; N]) -> &[SMatrix<T, R, C>; N] {
        all
    }
    fn images<const R: usize, const C: usize, const H: usize, const N: usize>(
        all: &[[SMatrix<T, R, C>; H]; N],
    ) -> &[[SMatrix<T, R, C>; H]; N] {
        all
    }
}

impl<S: TokenShape<N, L>, T: Element, const N: usize, const L: usize> TensorFor<S, T> for [Class<N>; L] {
    fn tensor(&self) -> &S::Tensor<T> {
        S::tensor(self)
    }
    fn tensors<const B: usize>(all: &[Self; B]) -> &[S::Tensor<T>; B] {
        S::tensors(all)
    }
}
