use crate::layer::{Contiguous, Numbers};
use crate::scalar::{ConstZero, Element};
use core::fmt::Debug;
use nalgebra::SVector;

/// In the place of the bias of a layer that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoBias;

/// What a layer adds to its `OUT` outputs: a vector, or [`NoBias`].
pub trait Bias<T, const OUT: usize>: Numbers<T> + Copy + PartialEq + Debug + Send + Sync + 'static {
    /// The vector, if there is one.
    fn get(&self) -> Option<&[T; OUT]>;

    /// The vector, to write to.
    fn get_mut(&mut self) -> Option<&mut [T; OUT]>;
}

impl ConstZero for NoBias {
    const ZERO: Self = Self;
}

impl<T> Numbers<T> for NoBias {
    const COUNT: usize = 0;
    const CONTIGUOUS: Contiguous<Self, T> = Contiguous::fields(&[]);
    const IS_PRESENT: bool = false;
    fn numbers(&self) -> &[T] {
        &[]
    }
    fn numbers_mut(&mut self) -> &mut [T] {
        &mut []
    }
}

impl<T, const OUT: usize> Bias<T, OUT> for NoBias {
    fn get(&self) -> Option<&[T; OUT]> {
        None
    }
    fn get_mut(&mut self) -> Option<&mut [T; OUT]> {
        None
    }
}

impl<T: Element, const OUT: usize> Bias<T, OUT> for SVector<T, OUT> {
    fn get(&self) -> Option<&[T; OUT]> {
        let [column] = &self.data.0;
        Some(column)
    }
    fn get_mut(&mut self) -> Option<&mut [T; OUT]> {
        let [column] = &mut self.data.0;
        Some(column)
    }
}
