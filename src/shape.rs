//! Shapes as types, and the tensors that follow from them.
//!
//! | shape | tensor over `T` | in memory |
//! |---|---|---|
//! | [`Vector<N>`](Vector) | `SVector<T, N>` | `N` numbers |
//! | [`Sequence<C, L>`](Sequence) | `SMatrix<T, C, L>` | `L` steps of `C` channels |
//! | [`Image<C, H, W>`](Image) | `[SMatrix<T, C, W>; H]` | `H` rows of `W` pixels of `C` channels |
//! | [`Tokens<N, L>`](Tokens) | `[Class<N>; L]` | `L` indices below `N`, and no numbers |

pub mod argument;
pub mod length;
mod tokens;
pub mod window;

pub use tokens::Tokens;

use crate::kernels::{self, contiguous::Contiguous};
use crate::scalar::{ConstZero, Element};
use core::fmt::Debug;
use nalgebra::{ArrayStorage, SMatrix, SVector};

/// The shape of a tensor: a type without values.
pub trait Shape: Debug + Copy + Send + Sync + 'static {
    /// How many numbers a tensor of this shape holds.
    const LEN: usize;

    /// How many of them belong to one position: the extent of the innermost axis, along which
    /// [`Softmax`](crate::Softmax) normalises.
    const CHANNELS: usize;

    /// Whether a tensor of this shape holds nothing: no network has such a shape in it.
    const IS_EMPTY: bool = Self::LEN == 0;

    /// The tensor of this shape over `T`.
    type Tensor<T: Element>: Tensor<T>;
}

/// The tensor of shape `S` over `T`.
pub type TensorOf<S, T> = <S as Shape>::Tensor<T>;

/// Numbers in a row, whatever their shape.
pub trait Tensor<T>: ConstZero + Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Whether they are all that it consists of, so that those of a batch lie one after the other.
    const CONTIGUOUS: Contiguous<Self, T> = Contiguous::NO;

    /// The numbers as they lie in memory: channels innermost.
    fn as_slice(&self) -> &[T];

    /// The same, to write to.
    fn as_mut_slice(&mut self) -> &mut [T];

    /// Becomes a copy of `other`, in place.
    fn copy_from(&mut self, other: &Self)
    where
        T: Copy,
    {
        for (to, from) in self.as_mut_slice().iter_mut().zip(other.as_slice()) {
            *to = *from;
        }
    }
}

impl<T: Element, const R: usize, const C: usize> ConstZero for SMatrix<T, R, C> {
    const ZERO: Self = SMatrix::from_array_storage(ArrayStorage([[T::ZERO; R]; C]));
}

impl<T: Element, const R: usize, const C: usize> Tensor<T> for SMatrix<T, R, C> {
    const CONTIGUOUS: Contiguous<Self, T> = Contiguous::array(R * C);

    fn as_slice(&self) -> &[T] {
        self.data.0.as_flattened()
    }
    fn as_mut_slice(&mut self) -> &mut [T] {
        self.data.0.as_flattened_mut()
    }
}

impl<T: Element, const C: usize, const W: usize, const H: usize> Tensor<T> for [SMatrix<T, C, W>; H] {
    const CONTIGUOUS: Contiguous<Self, T> = Contiguous::array(C * W * H);

    fn as_slice(&self) -> &[T] {
        kernels::flat::rows(self).as_flattened().as_flattened()
    }
    fn as_mut_slice(&mut self) -> &mut [T] {
        kernels::flat::rows_mut(self).as_flattened_mut().as_flattened_mut()
    }
}

/// `N` numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vector<const N: usize>;

/// `L` steps of `C` channels each: a signal, a text, a time series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence<const C: usize, const L: usize>;

/// `H` rows of `W` pixels of `C` channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<const C: usize, const H: usize, const W: usize>;

impl<const N: usize> Shape for Vector<N> {
    const LEN: usize = N;
    const CHANNELS: usize = N;
    type Tensor<T: Element> = SVector<T, N>;
}

impl<const C: usize, const L: usize> Shape for Sequence<C, L> {
    const LEN: usize = C * L;
    const CHANNELS: usize = C;
    type Tensor<T: Element> = SMatrix<T, C, L>;
}

impl<const C: usize, const H: usize, const W: usize> Shape for Image<C, H, W> {
    const LEN: usize = C * H * W;
    const CHANNELS: usize = C;
    type Tensor<T: Element> = [SMatrix<T, C, W>; H];
}

/// A shape of numbers: any but [`Tokens`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds indices, and this layer computes with numbers",
    label = "takes no `{Self}`",
    note = "an `Embedding<N, D>` as the first layer makes a vector of `D` numbers of each index"
)]
pub trait Numeric: Shape {}

impl<const N: usize> Numeric for Vector<N> {}
impl<const C: usize, const L: usize> Numeric for Sequence<C, L> {}
impl<const C: usize, const H: usize, const W: usize> Numeric for Image<C, H, W> {}

/// Two shapes that are one.
#[diagnostic::on_unimplemented(
    message = "`Residual` adds its input, of shape `{Other}`, to what its layer makes of it, of shape `{Self}`: these must be the same",
    label = "changes `{Other}` into `{Self}`",
    note = "the layers inside a `Residual` must give back the shape that they take"
)]
pub trait SameShape<Other: Shape>: Shape {
    /// `x`.
    fn tensor<T: Element>(x: &mut Other::Tensor<T>) -> &mut Self::Tensor<T>;

    /// `all`.
    fn tensors<T: Element, const B: usize>(all: &[Other::Tensor<T>; B]) -> &[Self::Tensor<T>; B];
}

impl<S: Shape> SameShape<S> for S {
    fn tensor<T: Element>(x: &mut S::Tensor<T>) -> &mut S::Tensor<T> {
        x
    }
    fn tensors<T: Element, const B: usize>(all: &[S::Tensor<T>; B]) -> &[S::Tensor<T>; B] {
        all
    }
}
