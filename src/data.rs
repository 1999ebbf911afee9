//! Data: pairing inputs with targets, shuffling, splitting, scaling, augmenting. All of it works on slices of the caller's.

#[cfg_attr(docsrs, doc(cfg(feature = "rand")))]
pub mod augment;
mod dataset;
mod order;
mod scaler;

pub use dataset::{Dataset, Parts, split, stratified_split};
pub use order::{Permutation, shuffle};
pub use scaler::{MinMaxScaler, Standardizer};
