//! The layers, one file for each family. The crate's root re-exports what a network's type can name.

pub(crate) mod activation;
pub(crate) mod attention;
pub(crate) mod batch_norm;
pub(crate) mod bias;
pub(crate) mod channels;
pub(crate) mod conv;
pub(crate) mod conv_transpose;
pub(crate) mod dense;
pub(crate) mod dropout;
pub(crate) mod embedding;
pub(crate) mod grouped_conv;
pub(crate) mod last;
pub(crate) mod norm;
pub(crate) mod parallel;
pub(crate) mod pool;
pub(crate) mod position;
pub(crate) mod recurrent;
pub(crate) mod reshape;
pub(crate) mod residual;
pub(crate) mod running;
pub(crate) mod softmax;
pub(crate) mod time_distributed;
pub(crate) mod upsample;

/// What the layers' parameters have to be, and what layers remember from step to step.
pub mod bound {
    pub use super::attention::Mask;
    pub use super::batch_norm::{HasOutputs, IsBias, IsMomentum, OutputsInnermost, Several};
    pub use super::bias::Bias;
    pub use super::channels::Channels;
    pub use super::conv::History;
    pub use super::dense::{FlatImage, StepsOf};
    pub use super::grouped_conv::GroupBias;
    pub use super::norm::IsEpsilon;
    pub use super::parallel::Join;
    pub use super::recurrent::{LstmState, RecurrentState, RnnActivation};
    pub use super::running::PoolState;
    pub use super::time_distributed::Step;
}
