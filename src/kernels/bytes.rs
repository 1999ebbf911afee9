//! Little-endian bytes as arrays of numbers, for constants: one read, not one for each number.
#![allow(unsafe_code)]

/// Arrays in arrays, five deep: whatever a tensor is in memory, with extents of 1 around it.
pub(crate) type Nested<T, const A: usize, const B: usize, const C: usize, const D: usize, const E: usize> =
    [[[[[T; A]; B]; C]; D]; E];

macro_rules! numbers {
    ($($name:ident: $T:ty);+) => { $(
        /// The first numbers in `data`, as many as fit the arrays.
        ///
        /// # Panics
        /// If there are not as many.
        pub(crate) const fn $name<const A: usize, const B: usize, const C: usize, const D: usize, const E: usize>(
            data: &[u8],
        ) -> Nested<$T, A, B, C, D, E> {
            assert!(data.len() >= size_of::<Nested<$T, A, B, C, D, E>>(), "a tensor is shorter than its shape");
            // SAFETY: `data` holds that many bytes (checked above), the read asks for no alignment, and every bit pattern is a
            // number.
            #[cfg_attr(target_endian = "little", allow(unused_mut))]
            let mut numbers = unsafe { data.as_ptr().cast::<Nested<$T, A, B, C, D, E>>().read_unaligned() };
            #[cfg(target_endian = "big")]
            {
                let flat = numbers.as_flattened_mut().as_flattened_mut().as_flattened_mut().as_flattened_mut();
                let mut i = 0;
                while i < flat.len() {
                    flat[i] = <$T>::from_le_bytes(flat[i].to_ne_bytes());
                    i += 1;
                }
            }
            numbers
        }
    )+ };
}
numbers!(
    numbers_f32: f32;
    numbers_f64: f64;
    numbers_u16: u16
);
