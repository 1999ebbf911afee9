use crate::shape::{Image, Sequence, Shape, Vector};

/// A shape with `C` numbers at each position.
#[diagnostic::on_unimplemented(
    message = "a layer for {C} channels does not take an input of shape `{Self}`",
    label = "not {C} channels",
    note = "the first size of a shape is its channels: {C} of them have `Vector<{C}>`, `Sequence<{C}, L>` and `Image<{C}, H, W>`"
)]
pub trait Channels<const C: usize>: Shape {}

impl<const C: usize> Channels<C> for Vector<C> {}

impl<const C: usize, const L: usize> Channels<C> for Sequence<C, L> {}

impl<const C: usize, const H: usize, const W: usize> Channels<C> for Image<C, H, W> {}
