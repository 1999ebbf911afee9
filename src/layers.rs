//! The layers, one file for each family. All are re-exported at the crate's root.

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
pub use attention::{Full, Mask, SelfAttention};
pub use batch_norm::{BatchNorm, IsMomentum, Momentum, OutputsInnermost};
pub use bias::{Bias, NoBias};
pub use channels::Channels;
pub use conv::{Conv1d, Conv1dNoBias, Conv2d, Conv2dNoBias};
pub use conv_transpose::{ConvTranspose1d, ConvTranspose2d};
pub use dense::{Dense, DenseNoBias};
#[cfg(feature = "rand")]
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use grouped_conv::{DepthwiseConv1d, DepthwiseConv2d, GroupBias, GroupedConv1d, GroupedConv2d};
pub use last::Last;
pub use norm::{Epsilon, GroupNorm, IsEpsilon, LayerNorm, RmsNorm};
pub use parallel::{Concat, Join, Parallel, Sum};
pub use pool::{AvgPool1d, AvgPool2d, GlobalAvgPool, GlobalMaxPool, MaxPool1d, MaxPool2d};
pub use position::{LearnedPositions, PositionalEncoding};
pub use recurrent::{Bidirectional, Gru, Lstm, LstmState, RecurrentState, Rnn, RnnActivation};
pub use reshape::{Flatten, FlattenTo, Reshape};
pub use residual::Residual;
pub use running::PoolState;
pub use softmax::{LogSoftmax, Softmax};
pub use time_distributed::{Step, TimeDistributed};
pub use upsample::Upsample;
