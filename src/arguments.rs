//! Arguments that must fit a network: each trait here is an equality of types with a sentence for when it fails.
//!
//! You never implement these. `net.predict(&x)` could ask for `&SVector<f32, 64>` outright, but the compiler's "mismatched
//! types" would then show nalgebra's storage types instead of shapes.

use crate::loss::Loss;
use crate::scalar::{Element, Scalar};
use crate::shape::{Image, Sequence, Shape, Vector};
use nalgebra::SMatrix;

/// A value that is the tensor of shape `S` over `T`.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape `{S}` of `{T}` is wanted here, and this is `{Self}`",
    label = "not a tensor of shape `{S}` of `{T}`",
    note = "the tensor of `Vector<N>` is `SVector<T, N>`, that of `Sequence<C, L>` is `SMatrix<T, C, L>`, that of `Image<C, H, W>` is `[SMatrix<T, C, W>; H]`"
)]
pub trait TensorFor<S: Shape, T: Element>: Sized {
    /// `self`.
    fn tensor(&self) -> &S::Tensor<T>;

    /// `all`.
    fn tensors<const B: usize>(all: &[Self; B]) -> &[S::Tensor<T>; B];
}

/// A shape whose tensors have `ROWS` rows and `COLUMNS` columns.
#[diagnostic::on_unimplemented(
    message = "a tensor of shape `{Self}` is wanted here, and this one has {ROWS} rows and {COLUMNS} columns",
    label = "{ROWS} rows and {COLUMNS} columns, not `{Self}`",
    note = "the tensor of `Vector<N>` has N rows and 1 column, that of `Sequence<C, L>` has C rows and L columns"
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

impl<S: MatrixShape<R, C>, T: Element, const R: usize, const C: usize> TensorFor<S, T> for SMatrix<T, R, C> {
    fn tensor(&self) -> &S::Tensor<T> {
        S::tensor(self)
    }
    fn tensors<const B: usize>(all: &[Self; B]) -> &[S::Tensor<T>; B] {
        S::tensors(all)
    }
}

impl<S: ImageShape<C, H, W>, T: Element, const C: usize, const H: usize, const W: usize> TensorFor<S, T>
    for [SMatrix<T, C, W>; H]
{
    fn tensor(&self) -> &S::Tensor<T> {
        S::tensor(self)
    }
    fn tensors<const B: usize>(all: &[Self; B]) -> &[S::Tensor<T>; B] {
        S::tensors(all)
    }
}

/// A target that loss `L` takes for an output of shape `Out`: [`Loss`], seen from the target.
pub trait TargetFor<L, Out: Shape, T: Scalar> {
    /// [`Loss::loss`].
    fn loss(&self, loss: &L, y: &Out::Tensor<T>) -> T;

    /// [`Loss::gradient`].
    fn gradient(&self, loss: &L, y: &Out::Tensor<T>, scale: T, dy: &mut Out::Tensor<T>) -> T;
}

impl<Y, L: Loss<Out, Y, T>, Out: Shape, T: Scalar> TargetFor<L, Out, T> for Y {
    fn loss(&self, loss: &L, y: &Out::Tensor<T>) -> T {
        loss.loss(y, self)
    }
    fn gradient(&self, loss: &L, y: &Out::Tensor<T>, scale: T, dy: &mut Out::Tensor<T>) -> T {
        loss.gradient(y, self, scale, dy)
    }
}

/// An array of `B` inputs of shape `In`.
#[diagnostic::on_unimplemented(
    message = "this trainer steps by an array of {B} inputs of shape `{In}`, and this is `{Self}`",
    label = "not an array of {B} inputs",
    note = "`fit` takes slices of any length and cuts them into batches"
)]
pub trait InputBatch<In: Shape, T: Element, const B: usize> {
    /// `self`.
    fn inputs(&self) -> &[In::Tensor<T>; B];
}

/// An array of `B` targets that loss `L` takes for outputs of shape `Out`.
#[diagnostic::on_unimplemented(
    message = "this trainer steps by an array of {B} targets for outputs of shape `{Out}`, and this is `{Self}`",
    label = "not an array of {B} targets",
    note = "`fit` takes slices of any length and cuts them into batches"
)]
pub trait TargetBatch<L, Out: Shape, T: Scalar, const B: usize> {
    /// One target.
    type Target: TargetFor<L, Out, T>;

    /// `self`.
    fn targets(&self) -> &[Self::Target; B];
}

impl<In: Shape, T: Element, X: TensorFor<In, T>, const N: usize, const B: usize> InputBatch<In, T, B> for [X; N]
where
    Batch<B>: FilledBy<N, B>,
{
    fn inputs(&self) -> &[In::Tensor<T>; B] {
        X::tensors(<Batch<B> as FilledBy<N, B>>::batch(self))
    }
}

impl<L, Out: Shape, T: Scalar, Y: TargetFor<L, Out, T>, const N: usize, const B: usize> TargetBatch<L, Out, T, B>
    for [Y; N]
where
    Batch<B>: FilledBy<N, B>,
{
    type Target = Y;
    fn targets(&self) -> &[Y; B] {
        <Batch<B> as FilledBy<N, B>>::batch(self)
    }
}

/// A trainer's batch of `B` samples.
#[derive(Debug, Clone, Copy)]
pub struct Batch<const B: usize>;

/// A batch that `N` samples fill.
#[diagnostic::on_unimplemented(
    message = "this trainer steps by batches of {B} samples, and {N} are given",
    label = "{N} samples, not {B}",
    note = "the batch is the last parameter of `Trainer<Net, _, _, B>`; `fit` takes slices of any length and cuts them into batches"
)]
pub trait FilledBy<const N: usize, const B: usize> {
    /// `all`.
    fn batch<X>(all: &[X; N]) -> &[X; B];
}

impl<const B: usize> FilledBy<B, B> for Batch<B> {
    fn batch<X>(all: &[X; B]) -> &[X; B] {
        all
    }
}

/// The network that a trainer was made for.
#[diagnostic::on_unimplemented(
    message = "this trainer holds the optimiser's state for `{Net}`, and the network given is `{Self}`",
    label = "another network than the trainer's",
    note = "a trainer belongs to one type of network: `Trainer<Net, _, _, B>`"
)]
pub trait TrainedAs<Net>: Sized {
    /// `self`.
    fn as_trained(&mut self) -> &mut Net;
}

impl<Net> TrainedAs<Net> for Net {
    fn as_trained(&mut self) -> &mut Net {
        self
    }
}
