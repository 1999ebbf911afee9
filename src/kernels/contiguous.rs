//! Values that are numbers and nothing else, as one slice.
#![allow(unsafe_code)]

use core::marker::PhantomData;

/// Whether a value of `P` is known to be numbers of `T` side by side and nothing else, but for padding at its end.
///
/// Tensors are, and this crate's layers without running averages, tuples of them, and networks, which have such padding: an optimiser takes
/// all their numbers in one pass, and those of anything else tensor by tensor. Only the crate can say so; a layer of your own has [`NO`](Contiguous::NO).
pub struct Contiguous<P, T> {
    /// Those of the numbers, from the beginning of a value on.
    bytes: Option<usize>,
    marker: PhantomData<fn(P) -> T>,
}

impl<P, T> Contiguous<P, T> {
    /// Nothing is known.
    pub const NO: Self = Self { bytes: None, marker: PhantomData };

    /// Of an array of `count` numbers, however it is nested.
    ///
    /// This is trusted: `P` must be `repr(transparent)` or `repr(C)` around such an array.
    pub(crate) const fn array(count: usize) -> Self {
        assert!(size_of::<P>() == count * size_of::<T>(), "more than its numbers");
        Self { bytes: Some(size_of::<P>()), marker: PhantomData }
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
        if bytes != size_of::<P>() {
            return Self::NO; // There is padding.
        }
        Self { bytes: Some(bytes), marker: PhantomData }
    }

    /// Of a struct whose field at the offset 0 has all its numbers, from what [`bytes`](Contiguous::bytes) says of that field. Behind it,
    /// there may be padding.
    ///
    /// This is trusted.
    pub(crate) const fn first_field(bytes: Option<usize>) -> Self {
        Self { bytes, marker: PhantomData }
    }

    /// The bytes of the numbers in a `P`, where they are known.
    pub(crate) const fn bytes(&self) -> Option<usize> {
        self.bytes
    }

    /// Whether they are.
    pub(crate) const fn is_known(&self) -> bool {
        self.bytes.is_some()
    }

    /// How many numbers some values have side by side: none where nothing is known of them, or padding is between them.
    const fn count(&self, values: &[P]) -> usize {
        let bytes = match self.bytes {
            Some(bytes) if values.len() == 1 || bytes == size_of::<P>() => bytes * values.len(),
            _ => 0,
        };
        match bytes.checked_div(size_of::<T>()) {
            Some(count) => count,
            None => 0,
        }
    }

    /// The numbers of some values, one value after the other; none where nothing is known of them, or several have padding between them.
    pub(crate) const fn numbers<'a>(&self, values: &'a [P]) -> &'a [T] {
        match self.count(values) {
            0 => &[],
            // SAFETY: so many bytes from the beginning on are those of numbers, each of which is valid: they are arrays of them without padding in
            // between. As they are not empty, they are aligned as numbers are.
            count => unsafe { core::slice::from_raw_parts(values.as_ptr().cast(), count) },
        }
    }

    /// The same, to write to.
    pub(crate) const fn numbers_mut<'a>(&self, values: &'a mut [P]) -> &'a mut [T] {
        match self.count(values) {
            0 => &mut [],
            // SAFETY: as in `numbers`; what is written are numbers, and the borrow is unique.
            count => unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), count) },
        }
    }
}

impl<P, T> Contiguous<P, T> {
    /// The value that these numbers are: none where a value is not known to be numbers and nothing else, or is more or fewer of them.
    #[inline]
    pub(crate) const fn value_mut<'a>(&self, numbers: &'a mut [T]) -> Option<&'a mut P> {
        match self.bytes {
            Some(bytes)
                if bytes == size_of::<P>() && bytes == size_of_val(numbers) && align_of::<P>() == align_of::<T>() =>
            {
                // SAFETY: a `P` is so many numbers without padding, as was trusted, aligned as they are; each number is valid, and the borrow is unique.
                Some(unsafe { &mut *numbers.as_mut_ptr().cast() })
            }
            _ => None,
        }
    }
}

impl<P, T> core::fmt::Debug for Contiguous<P, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Contiguous").field(&self.is_known()).finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::layer::Parameters;
    use crate::{BatchNorm, Dense, DenseNoBias, Gru, Last, Network, Relu, Residual, Sequence, Tanh, Vector};

    /// The whole is as long as all tensors together, and each lies in it: catches padding, and a field that is not a tensor.
    #[test]
    fn all_numbers_and_no_others() {
        type Net = Network<
            Sequence<3, 5>,
            (Gru<3, 7>, Tanh, Residual<(DenseNoBias<7, 7>, Relu)>, Last, Dense<7, 2>, (Dense<2, 1>,)),
        >;
        let mut net = Net::ZERO;
        let whole = Net::CONTIGUOUS.numbers_mut(core::slice::from_mut(&mut net)).as_ptr_range();
        let mut count = 0;
        net.visit(&mut |parameter, values| {
            let tensor = values.as_ptr_range();
            assert!(whole.start <= tensor.start && tensor.end <= whole.end, "{parameter}");
            count += values.len();
        });
        assert_eq!((count, size_of_val(&net.layers)), (Net::PARAMETERS, 4 * count));
        assert_eq!(Net::CONTIGUOUS.numbers(core::slice::from_ref(&net)).len(), count);
    }

    /// Running averages are no business of an optimiser's.
    #[test]
    fn not_with_running_averages() {
        type Net = Network<Vector<3>, (Dense<3, 4>, BatchNorm<4>)>;
        assert!(!Net::CONTIGUOUS.is_known());
        assert!(Net::CONTIGUOUS.numbers(&[Net::ZERO]).is_empty());
    }

    /// Would catch: padding taken for numbers.
    #[test]
    fn one_value_has_numbers_before_its_padding_and_two_have_it_between() {
        #[repr(C, align(16))]
        struct Padded([i32; 3]);
        let known = super::Contiguous::<Padded, i32>::first_field(Some(12));
        let mut two = [Padded([1, 2, 3]), Padded([4, 5, 6])];
        assert_eq!(known.numbers(&two[1..]), [4, 5, 6]);
        known.numbers_mut(&mut two[..1])[2] = 7;
        assert_eq!(two[0].0, [1, 2, 7]);
        assert!(known.numbers(&two).is_empty() && known.numbers_mut(&mut two).is_empty());
    }

    #[test]
    fn not_of_what_has_padding_or_is_unknown() {
        struct Padded(#[allow(dead_code)] u64, #[allow(dead_code)] f32);
        assert!(!super::Contiguous::<Padded, f32>::fields(&[Some(8), Some(4)]).is_known());
        assert!(!super::Contiguous::<[f32; 3], f32>::fields(&[Some(8), None]).is_known());
        assert!(super::Contiguous::<[f32; 3], f32>::fields(&[Some(8), Some(4)]).is_known());
    }
}
