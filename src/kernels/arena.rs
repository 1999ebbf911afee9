//! Memory for the tensors between layers: as many numbers as a plan is large, and tensors in them.
#![allow(unsafe_code)]

use crate::scalar::Element;
use core::mem::MaybeUninit;

/// How many numbers of `T` a plan `P` holds.
///
/// # Panics
/// If it is made of anything else: in a constant, the build fails.
pub(crate) const fn count<P, T>() -> usize {
    if size_of::<P>() == 0 {
        return 0;
    }
    assert!(
        size_of::<T>() > 0 && size_of::<P>().is_multiple_of(size_of::<T>()) && align_of::<P>() == align_of::<T>(),
        "what a layer says of its memory, `Peak`, must be made of `Both`, `Either`, tensors and `()`"
    );
    size_of::<P>() / size_of::<T>()
}

/// Calls `f` with the memory of a plan on the stack: zeros.
#[inline]
pub(crate) fn on_stack<P, T: Element, R>(f: impl FnOnce(&mut [T]) -> R) -> R {
    // Named here and never moved: a debug build would have it twice.
    let mut memory = MaybeUninit::<P>::uninit();
    f(zeros(&mut memory, const { count::<P, T>() }))
}

/// The first numbers of the memory of a plan: zeros, no more than it holds.
#[inline]
pub(crate) fn zeros<P, T: Element>(memory: &mut MaybeUninit<P>, most: usize) -> &mut [T] {
    let count = most.min(const { count::<P, T>() });
    if count == 0 {
        return &mut [];
    }
    let first = memory.as_mut_ptr().cast::<T>();
    for i in 0..count {
        // SAFETY: at least so many numbers fit into a `P`, which is aligned as they are, as `count` asserts.
        unsafe { first.add(i).write(T::ZERO) };
    }
    // SAFETY: as above; each has been written.
    unsafe { core::slice::from_raw_parts_mut(first, count) }
}
