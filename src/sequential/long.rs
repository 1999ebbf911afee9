//! Tuples of 17 to 32 layers: not layers, but with an error that says what to do.

use crate::layer::Layer;
use crate::scalar::Element;
use crate::shape::{Shape, TensorOf};

/// A tuple of 17 to 32 layers that is a layer: there is none.
#[diagnostic::on_unimplemented(
    message = "a tuple holds 1 to 16 layers, and this one more: put some of them into a tuple inside, as in `((Dense<4, 4>, Relu), Dense<4, 2>)`",
    label = "more than 16 layers",
    note = "a tuple in a tuple is one layer of it, and costs nothing"
)]
pub trait AtMostSixteen {
    /// There is no such tuple.
    fn never(&self) -> !;
}

macro_rules! no_layer {
    ($($L:ident)*) => {
        impl<In: Shape, T: Element, $($L),*> Layer<In, T> for ($($L,)*)
        where
            Self: AtMostSixteen,
        {
            type Out = In;
            type Peak<X, Y> = ();

            fn forward(&self, _: &In::Tensor<T>, _: &mut TensorOf<In, T>) {
                self.never()
            }
        }
    };
}
/// `no_layer!` for the list so far, and with one more of the rest each time.
macro_rules! longer {
    ([$($L:ident)*]) => {
        no_layer!($($L)*);
    };
    ([$($L:ident)*] $M:ident $($rest:ident)*) => {
        no_layer!($($L)*);
        longer!([$($L)* $M] $($rest)*);
    };
}
longer!([L0 L1 L2 L3 L4 L5 L6 L7 L8 L9 L10 L11 L12 L13 L14 L15 L16]
    L17 L18 L19 L20 L21 L22 L23 L24 L25 L26 L27 L28 L29 L30 L31);
