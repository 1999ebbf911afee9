//! Where the tensors between layers lie: a plan that the compiler makes, since sizes of types have a maximum and a sum.
#![allow(clippy::inline_always)] // Where input and output lie is known where these are called: a call would ask again.

use super::{Contiguous, Layer};
use crate::kernels::arena;
use crate::scalar::Element;
use crate::shape::{Shape, Tensor, TensorOf};
use core::mem::ManuallyDrop;

/// Memory that is in use at once: as large as its parts together. A type for its size alone.
#[derive(Debug)]
#[repr(C)]
pub struct Both<A, B, C = ()>(A, B, C);

/// Memory that one of two is in at a time: as large as the larger one. A type for its size alone.
#[repr(C)]
pub union Either<A, B> {
    a: ManuallyDrop<A>,
    b: ManuallyDrop<B>,
}

impl<A, B> core::fmt::Debug for Either<A, B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Either").finish_non_exhaustive()
    }
}

/// An end of the arena: the slice of numbers that tensors between layers lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// At its beginning.
    Low,
    /// At its end.
    High,
}

impl Side {
    /// The other end, if it `turns`.
    #[inline]
    #[must_use]
    pub const fn turned(self, turns: bool) -> Self {
        match (self, turns) {
            (Self::Low, true) => Self::High,
            (Self::High, true) => Self::Low,
            (side, false) => side,
        }
    }

    /// `count` numbers at this end, and the rest; nothing where there are less.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn split<T>(self, arena: &mut [T], count: usize) -> (&mut [T], &mut [T]) {
        match self {
            Self::Low => arena.split_at_mut_checked(count),
            Self::High => {
                let rest = arena.len().checked_sub(count);
                rest.and_then(|rest| arena.split_at_mut_checked(rest)).map(|(rest, numbers)| (numbers, rest))
            }
        }
        .unwrap_or_default()
    }

    /// A tensor at this end, and the rest.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn tensor<T: Element, X: Tensor<T>>(self, arena: &mut [T]) -> Option<(&mut X, &mut [T])> {
        self.value(arena, &X::CONTIGUOUS)
    }

    /// A value that is numbers and nothing else at this end, and the rest.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn value<'a, T: Element, P>(
        self,
        arena: &'a mut [T],
        is: &Contiguous<P, T>,
    ) -> Option<(&'a mut P, &'a mut [T])> {
        let (numbers, rest) = self.split(arena, const { size_of::<P>() / size_of::<T>() });
        let value = is.value_mut(numbers);
        debug_assert!(value.is_some(), "the arena is shorter than `Layer::Peak`, or a tensor is more than its numbers");
        Some((value?, rest))
    }
}

/// Where a layer finds its input.
#[derive(Debug)]
pub enum Source<'a, X> {
    /// Here, and it stays.
    Given(&'a X),
    /// At an end of the arena. Nobody needs it afterwards.
    At(Side),
}

/// Where a layer puts its output. What lies there before is not 0.
#[derive(Debug)]
pub enum Target<'a, Y> {
    /// Here.
    Given(&'a mut Y),
    /// At an end of the arena: if the input is there too, at the other end, unless the layer does not [turn](super::Layer::TURNS).
    At(Side),
}

/// Calls `f` with input, output and what else the arena has, none of which overlap.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn apart<T: Element, X: Tensor<T>, Y: Tensor<T>>(
    x: Source<'_, X>,
    arena: &mut [T],
    y: Target<'_, Y>,
    f: impl FnOnce(&X, &mut [T], &mut Y),
) {
    let placed = match (x, y) {
        (Source::Given(x), Target::Given(y)) => Some((x, arena, y)),
        (Source::Given(x), Target::At(side)) => side.tensor(arena).map(|(y, rest)| (x, rest, y)),
        (Source::At(side), Target::Given(y)) => side.tensor(arena).map(|(x, rest)| (&*x, rest, y)),
        (Source::At(side), Target::At(_)) => {
            side.tensor(arena).and_then(|(x, rest)| side.turned(true).tensor(rest).map(|(y, rest)| (&*x, rest, y)))
        }
    };
    if let Some((x, rest, y)) = placed {
        f(x, rest, y);
    }
}

/// For a layer that writes over its input: calls `in_place` with the numbers of an input that nobody needs any more where the output is to lie at its
/// place, else `forward`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn over<T: Element, X: Tensor<T>, Y: Tensor<T>>(
    x: Source<'_, X>,
    arena: &mut [T],
    y: Target<'_, Y>,
    forward: impl FnOnce(&X, &mut Y),
    in_place: impl FnOnce(&mut [T]),
) {
    match (x, y) {
        (Source::At(side), Target::At(_)) => in_place(side.split(arena, const { size_of::<X>() / size_of::<T>() }).0),
        (x, y) => apart(x, arena, y, |x, _, y| forward(x, y)),
    }
}

/// [`Layer::forward`] of a layer whose [`forward_in`](Layer::forward_in) needs memory: takes it from the stack.
#[inline]
pub fn on_stack<In: Shape, T: Element, L: Layer<In, T>>(layer: &L, x: &In::Tensor<T>, y: &mut TensorOf<L::Out, T>) {
    arena::on_stack::<L::Peak<(), ()>, T, _>(|arena| layer.forward_in(Source::Given(x), arena, Target::Given(y)));
}
