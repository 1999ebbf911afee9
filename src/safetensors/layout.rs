//! Where the numbers of a tensor stand: row by row in a file, in the order of their layer in memory.

use crate::layer::Parameter;
use core::num::NonZeroUsize;

/// Where the number that is the `i`-th in memory stands in the file.
pub(super) fn file_index(parameter: &Parameter<'_>, mut i: usize) -> usize {
    let mut index = 0;
    for &axis in parameter.order.iter().rev() {
        let (extent, stride) = extent_and_stride(parameter.shape, axis);
        index += i % extent * stride.get();
        i /= extent;
    }
    index
}

/// Where the number that is the `i`-th in the file stands in memory.
pub(super) fn memory_index(parameter: &Parameter<'_>, i: usize) -> usize {
    parameter.order.iter().fold(0, |index, &axis| {
        let (extent, stride) = extent_and_stride(parameter.shape, axis);
        index * extent.get() + i / stride % extent
    })
}

/// How far an axis of the file goes, and how many numbers lie between its steps.
fn extent_and_stride(shape: &[usize], axis: usize) -> (NonZeroUsize, NonZeroUsize) {
    let at_least_one = |n| NonZeroUsize::new(n).unwrap_or(NonZeroUsize::MIN);
    let mut from = shape.iter().skip(axis);
    let extent = from.next().copied().unwrap_or(1);
    (at_least_one(extent), at_least_one(from.product()))
}
