//! The layers, one file for each family: the list of all that a network's type can name. The crate's root re-exports it.

mod activation;
mod attention;
mod batch_norm;
mod bias;
mod channels;
mod conv;
mod conv_transpose;
mod dense;
#[cfg(feature = "rand")]
mod dropout;
mod embedding;
mod grouped_conv;
mod last;
mod norm;
mod parallel;
mod pool;
mod position;
mod recurrent;
mod reshape;
mod residual;
mod running;
mod softmax;
mod time_distributed;
mod upsample;

pub use activation::{
    Elu, Gelu, GeluTanh, HardSigmoid, HardSwish, Identity, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh,
};
pub use attention::{Full, SelfAttention};
pub use batch_norm::{BatchNorm, Momentum};
pub use bias::NoBias;
pub use conv::{Conv1d, Conv1dNoBias, Conv2d, Conv2dNoBias};
pub use conv_transpose::{ConvTranspose1d, ConvTranspose2d};
pub use dense::{Dense, DenseNoBias};
#[cfg(feature = "rand")]
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use grouped_conv::{DepthwiseConv1d, DepthwiseConv2d, GroupedConv1d, GroupedConv2d};
pub use last::Last;
pub use norm::{Epsilon, GroupNorm, LayerNorm, RmsNorm};
pub use parallel::{Concat, Parallel, Sum};
pub use pool::{AvgPool1d, AvgPool2d, GlobalAvgPool, GlobalMaxPool, MaxPool1d, MaxPool2d};
pub use position::{LearnedPositions, PositionalEncoding};
pub use recurrent::{Bidirectional, Gru, Lstm, Rnn};
pub use reshape::{Flatten, FlattenTo, Reshape};
pub use residual::Residual;
pub use softmax::{LogSoftmax, Softmax};
pub use time_distributed::TimeDistributed;
pub use upsample::Upsample;

/// What the layers' parameters have to be, and what layers remember from step to step.
pub mod bound {
    pub use super::attention::Mask;
    pub use super::batch_norm::{IsMomentum, OutputsInnermost};
    pub use super::bias::Bias;
    pub use super::channels::Channels;
    pub use super::conv::History;
    pub use super::grouped_conv::GroupBias;
    pub use super::norm::IsEpsilon;
    pub use super::parallel::Join;
    pub use super::recurrent::{LstmState, RecurrentState, RnnActivation};
    pub use super::running::PoolState;
    pub use super::time_distributed::Step;
}
