//! Neural networks whose shapes are types.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "std")]
extern crate std;

pub mod arguments;
mod class;
pub mod data;
pub mod error;
pub mod gradcheck;
#[cfg(feature = "rand")]
pub mod init;
mod kernels;
pub mod layer;
mod layers;
pub mod loss;
pub mod metrics;
pub mod network;
pub mod optimizer;
pub mod scalar;
mod sequential;
pub mod shape;
pub mod train;

pub use class::Class;
#[cfg(feature = "rand")]
pub use layers::Dropout;
pub use layers::{
    Bias, Dense, DenseNoBias, Elu, Flatten, Gelu, GeluTanh, HardSigmoid, HardSwish, Identity, LeakyRelu, LogSoftmax,
    NoBias, Relu, Reshape, Residual, Sigmoid, Silu, Softmax, Softplus, Tanh,
};
pub use nalgebra;
pub use network::Network;
pub use scalar::ConstZero;
pub use shape::{Image, Sequence, Vector};
pub use typenum;
