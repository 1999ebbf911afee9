//! The layers, one file for each family. All are re-exported at the crate's root.

mod activation;
mod attention;
mod bias;
mod conv;
mod dense;
#[cfg(feature = "rand")]
mod dropout;
mod embedding;
mod position;
mod reshape;
mod residual;
mod softmax;

pub use activation::{
    Elu, Gelu, GeluTanh, HardSigmoid, HardSwish, Identity, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh,
};
pub use attention::{Full, Mask, SelfAttention};
pub use bias::{Bias, NoBias};
pub use conv::{Conv1d, Conv1dNoBias, Conv2d, Conv2dNoBias};
pub use dense::{Dense, DenseNoBias};
#[cfg(feature = "rand")]
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use position::{LearnedPositions, PositionalEncoding};
pub use reshape::{Flatten, FlattenTo, Reshape};
pub use residual::Residual;
pub use softmax::{LogSoftmax, Softmax};
