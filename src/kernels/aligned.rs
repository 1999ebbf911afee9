//! Where numbers begin.

use crate::scalar::ConstZero;

/// A value that on x86-64 begins where a line of the cache does, which may be as long as a vector: what lies across two lines takes
/// two loads.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(target_arch = "x86_64", repr(align(64)))]
pub(crate) struct Aligned<P>(pub(crate) P);

impl<P: ConstZero> ConstZero for Aligned<P> {
    const ZERO: Self = Self(P::ZERO);
}
