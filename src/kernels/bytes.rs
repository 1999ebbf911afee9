//! Little-endian bytes as rows of numbers, for constants: one read, not one for each number.
#![allow(unsafe_code)]

macro_rules! rows {
    ($($name:ident: $T:ty);+) => { $(
        /// The first `R` times `C` numbers in `data`.
        ///
        /// # Panics
        /// If there are not as many.
        pub(crate) const fn $name<const R: usize, const C: usize>(data: &[u8]) -> [[$T; C]; R] {
            assert!(data.len() >= size_of::<[[$T; C]; R]>(), "a tensor is shorter than its shape");
            // SAFETY: `data` holds that many bytes (checked above), the read asks for no alignment, and every bit pattern is a
            // number.
            #[cfg_attr(target_endian = "little", allow(unused_mut))]
            let mut rows = unsafe { data.as_ptr().cast::<[[$T; C]; R]>().read_unaligned() };
            #[cfg(target_endian = "big")]
            {
                let (mut r, mut c) = (0, 0);
                while r < R {
                    while c < C {
                        rows[r][c] = <$T>::from_le_bytes(rows[r][c].to_ne_bytes());
                        c += 1;
                    }
                    (r, c) = (r + 1, 0);
                }
            }
            rows
        }
    )+ };
}
rows!(
    rows_f32: f32;
    rows_f64: f64;
    rows_u16: u16
);
