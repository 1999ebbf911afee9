//! The loops that the layers are made of. They know arrays, slices and iterators, never layers or shapes.
//!
//! Every sum runs in one fixed order, so a result does not depend on how wide the vectors of the processor are. Two things can change
//! its last bits: a product and its addition are rounded once where the processor can, as [`crate::isa`] tells; and the gradient of a
//! dense layer's inputs is summed in another order for four rows and more, on targets that have vectors.

pub(crate) mod attention;
pub(crate) mod bytes;
pub(crate) mod contiguous;
pub(crate) mod conv;
pub(crate) mod conv_gradient;
pub(crate) mod dense;
pub(crate) mod dispatch;
pub(crate) mod elementwise;
pub(crate) mod flat;
pub(crate) mod grouped;
pub(crate) mod horizontal;
pub(crate) mod loss;
pub(crate) mod norm;
pub(crate) mod pool;
pub(crate) mod recurrent;
pub(crate) mod row;
pub(crate) mod scatter;
pub(crate) mod softmax;
pub(crate) mod stream;
pub(crate) mod tile;
pub(crate) mod transpose;
pub(crate) mod window;
