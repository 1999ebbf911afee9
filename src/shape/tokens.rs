use super::{Shape, Tensor};
use crate::class::Class;
use crate::scalar::{ConstZero, Element};

/// `L` tokens of a vocabulary of `N`: a text as indices. The tensor is `[Class<N>; L]`.
///
/// Tokens are no numbers to compute with: a slice of the tensor's numbers is empty, no gradient flows to them, and of the
/// layers here only [`Embedding`](crate::Embedding) takes them.
///
/// ```
/// use constnet::{Class, Embedding, Network, Tokens};
///
/// let net = Network::<Tokens<26, 5>, (Embedding<26, 3>,)>::ZERO;
/// let mut hello = [Class::const_new(0); 5];
/// for (token, byte) in hello.iter_mut().zip(b"hello") {
///     *token = Class::new(usize::from(byte - b'a'))?; // checked once, here
/// }
/// assert_eq!(net.predict(&hello).shape(), (3, 5)); // `Sequence<3, 5>`
/// # Ok::<(), constnet::error::ClassError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens<const N: usize, const L: usize>;

impl<const N: usize, const L: usize> Shape for Tokens<N, L> {
    const LEN: usize = 0;
    const CHANNELS: usize = 0;
    const IS_EMPTY: bool = N == 0 || L == 0;
    type Tensor<T: Element> = [Class<N>; L];
}

impl<T: Element, const N: usize, const L: usize> Tensor<T> for [Class<N>; L] {
    fn as_slice(&self) -> &[T] {
        &[]
    }
    fn as_mut_slice(&mut self) -> &mut [T] {
        &mut []
    }
    fn copy_from(&mut self, other: &Self) {
        *self = *other;
    }
}

/// What memory for tokens holds before its first text: class 0.
impl<const N: usize> ConstZero for Class<N> {
    const ZERO: Self = Self::const_new(0);
}
