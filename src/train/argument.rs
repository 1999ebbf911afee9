//! Arguments that must fit a trainer: as in [`shape::argument`](crate::shape::argument), each trait is an equality of types with
//! a sentence for when it fails.

use crate::loss::{Loss, Takes};
use crate::scalar::{Element, Scalar};
use crate::shape::Shape;
use crate::shape::argument::TensorFor;

/// A target that loss `L` takes for an output of shape `Out`: [`Loss`], seen from the target.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a target that loss `{L}` takes for an output of shape `{Out}`: `Class::new` makes a label of a number, `SVector::from_row_slice` a vector of numbers",
    label = "not a target for `{Out}`",
    note = "`CrossEntropy` for an output `Vector<N>` takes `Class<N>` with the same N, for a `Sequence<N, L>` `[Class<N>; L]`; `Mse` takes a tensor of the output's shape"
)]
pub trait TargetFor<L, Out: Shape, T: Scalar> {
    /// [`Loss::TAKES`].
    const TAKES: Takes;

    /// [`Loss::loss`].
    fn loss(&self, loss: &L, y: &Out::Tensor<T>) -> T;

    /// [`Loss::gradient`].
    fn gradient(&self, loss: &L, y: &Out::Tensor<T>, scale: T, dy: &mut Out::Tensor<T>) -> T;
}

impl<Y, L: Loss<Out, Y, T>, Out: Shape, T: Scalar> TargetFor<L, Out, T> for Y {
    const TAKES: Takes = L::TAKES;

    #[inline]
    fn loss(&self, loss: &L, y: &Out::Tensor<T>) -> T {
        loss.loss(y, self)
    }
    #[inline]
    fn gradient(&self, loss: &L, y: &Out::Tensor<T>, scale: T, dy: &mut Out::Tensor<T>) -> T {
        loss.gradient(y, self, scale, dy)
    }
}

/// An array of `B` inputs of shape `In`.
#[diagnostic::on_unimplemented(
    message = "this trainer steps by an array of {B} inputs of shape `{In}`, and this is `{Self}`: give an array, or train on slices with `fit`",
    label = "not an array of {B} inputs",
    note = "`fit` takes slices of any length and cuts them into batches"
)]
pub trait InputBatch<In: Shape, T: Element, const B: usize> {
    /// `self`.
    fn inputs(&self) -> &[In::Tensor<T>; B];
}

/// An array of `B` targets that loss `L` takes for outputs of shape `Out`.
#[diagnostic::on_unimplemented(
    message = "this trainer steps by an array of {B} targets for outputs of shape `{Out}`, and this is `{Self}`: give an array, or train on slices with `fit`",
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
    note = "a trainer belongs to one type of network: `Trainer<Net, _, _, B>`",
    note = "is the network behind a lock or in a box? Give `&mut *net`"
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
