//! Values that are numbers and nothing else, as one slice.
#![allow(unsafe_code)]

use core::marker::PhantomData;

/// Whether a value of `P` is known to be numbers of `T` side by side and nothing else, all of which gradients change.
///
/// It is of this crate's layers without running averages, and of tuples of them: an optimiser takes all their numbers in one pass, and
/// those of anything else tensor by tensor. Only the crate can say so; a layer of your own has [`NO`](Contiguous::NO).
pub struct Contiguous<P, T> {
    is_known: bool,
    marker: PhantomData<fn(P) -> T>,
}

impl<P, T> Contiguous<P, T> {
    /// Nothing is known.
    pub const NO: Self = Self { is_known: false, marker: PhantomData };

    /// Of an array of `count` numbers, however it is nested.
    ///
    /// This is trusted: `P` must be `repr(transparent)` or `repr(C)` around such an array.
    pub(crate) const fn array(count: usize) -> Self {
        assert!(size_of::<P>() == count * size_of::<T>(), "more than its numbers");
        Self { is_known: true, marker: PhantomData }
    }

    /// Of a struct or a tuple, from what [`bytes`](Contiguous::bytes) says of its fields.
    ///
    /// This is trusted: each field must be there once.
    pub(crate) const fn fields(mut fields: &[Option<usize>]) -> Self {
        let mut bytes = 0;
        while let [first, rest @ ..] = fields {
            let Some(first) = first else { return Self::NO };
            bytes += *first;
            fields = rest;
        }
        Self { is_known: bytes == size_of::<P>(), marker: PhantomData } // no padding
    }

    /// The size of a `P`, where it is known to be numbers.
    pub(crate) const fn bytes(&self) -> Option<usize> {
        if self.is_known { Some(size_of::<P>()) } else { None }
    }

    /// Whether it is known.
    pub(crate) const fn is_known(&self) -> bool {
        self.is_known
    }

    /// The numbers of a value; none where nothing is known of them.
    pub(crate) const fn numbers<'a>(&self, value: &'a mut P) -> &'a mut [T] {
        match size_of::<P>().checked_div(size_of::<T>()) {
            Some(count) if self.is_known => {
                // SAFETY: all bytes of a `P` are those of numbers, each of which is valid, as it is made of arrays of them without
                // padding in between; so `P` is aligned as they are, but for an empty one, of which nothing is read: its address is
                // replaced. What is written are numbers. The borrow is unique.
                if count > 0 {
                    unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(value).cast(), count) }
                } else {
                    &mut []
                }
            }
            _ => &mut [],
        }
    }
}

impl<P, T> core::fmt::Debug for Contiguous<P, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Contiguous").field(&self.is_known).finish()
    }
}
