//! Where numbers begin.

use crate::scalar::ConstZero;

/// A value that begins where a cache line does, on processors whose vectors are as long as a line: what lies across two lines takes two
/// loads.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(target_arch = "x86_64", repr(align(64)))]
pub(crate) struct Aligned<P>(pub(crate) P);

impl<P: ConstZero> ConstZero for Aligned<P> {
    const ZERO: Self = Self(P::ZERO);
}
