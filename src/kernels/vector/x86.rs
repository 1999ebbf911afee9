//! The registers of x86-64 that have FMA.

use crate::kernels::is;
use crate::scalar::Scalar;
use core::arch::x86_64 as x86;
use core::mem::transmute_copy;
use core::ptr;

/// The registers that a tile of `f32` is.
#[inline(always)]
pub(super) fn registers<T: Scalar, const W: usize, const LANES: usize>(tile: &[T; W]) -> &[[f32; LANES]] {
    assert!(is::<T, f32>());
    // SAFETY: `T` is `f32`.
    unsafe { &*ptr::from_ref(tile).cast::<[f32; W]>() }.as_chunks().0
}

/// The same, to write to.
#[inline(always)]
pub(super) fn registers_mut<T: Scalar, const W: usize, const LANES: usize>(tile: &mut [T; W]) -> &mut [[f32; LANES]] {
    assert!(is::<T, f32>());
    // SAFETY: `T` is `f32`, and the borrow is unique.
    unsafe { &mut *ptr::from_mut(tile).cast::<[f32; W]>() }.as_chunks_mut().0
}

/// The number as `f32`, which it is.
#[inline(always)]
pub(super) fn float<T: Scalar>(x: T) -> f32 {
    assert!(is::<T, f32>());
    // SAFETY: `T` is `f32`.
    unsafe { transmute_copy(&x) }
}

/// The sums for one register.
macro_rules! register {
    (
        $name:ident, $features:literal, $lanes:literal, $load:expr, $store:expr,
        $set:ident, $add:ident, $mul:ident, $mul_add:ident
    ) => {
        pub(super) mod $name {
            use core::arch::x86_64 as x86;

            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn scale(products: &mut [f32; $lanes], x: &[f32; $lanes], scale: f32) {
                // SAFETY: each array has as many numbers as are loaded or stored, and neither wants an alignment.
                unsafe { $store(products.as_mut_ptr(), x86::$mul($load(x.as_ptr()), x86::$set(scale))) };
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn add(sums: &mut [f32; $lanes], x: &[f32; $lanes]) {
                // SAFETY: as above.
                unsafe { $store(sums.as_mut_ptr(), x86::$add($load(sums.as_ptr()), $load(x.as_ptr()))) };
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn add_products(sums: &mut [f32; $lanes], x: &[f32; $lanes], y: &[f32; $lanes]) {
                // SAFETY: as above.
                unsafe {
                    let sum = x86::$mul_add($load(x.as_ptr()), $load(y.as_ptr()), $load(sums.as_ptr()));
                    $store(sums.as_mut_ptr(), sum);
                }
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn add_scaled(sums: &mut [f32; $lanes], x: &[f32; $lanes], scale: f32) {
                // SAFETY: as above.
                unsafe {
                    let sum = x86::$mul_add($load(x.as_ptr()), x86::$set(scale), $load(sums.as_ptr()));
                    $store(sums.as_mut_ptr(), sum);
                }
            }
        }
    };
}
register!(
    sixteen,
    "avx512f",
    16,
    x86::_mm512_loadu_ps,
    x86::_mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_add_ps,
    _mm512_mul_ps,
    _mm512_fmadd_ps
);
register!(
    eight,
    "avx,fma",
    8,
    x86::_mm256_loadu_ps,
    x86::_mm256_storeu_ps,
    _mm256_set1_ps,
    _mm256_add_ps,
    _mm256_mul_ps,
    _mm256_fmadd_ps
);
register!(four, "avx,fma", 4, x86::_mm_loadu_ps, x86::_mm_storeu_ps, _mm_set1_ps, _mm_add_ps, _mm_mul_ps, _mm_fmadd_ps);
register!(two, "avx,fma", 2, super::load_two, super::store_two, _mm_set1_ps, _mm_add_ps, _mm_mul_ps, _mm_fmadd_ps);

/// Registers without FMA: a product is rounded before it is added.
pub(super) mod sse {
    use core::arch::x86_64 as x86;

    #[inline]
    #[target_feature(enable = "sse")]
    pub(in super::super) fn add_products(sums: &mut [f32; 4], x: &[f32; 4], a: &[f32; 4]) {
        // SAFETY: each array has as many numbers as are loaded or stored, and neither wants an alignment.
        unsafe {
            let products = x86::_mm_mul_ps(x86::_mm_loadu_ps(x.as_ptr()), x86::_mm_loadu_ps(a.as_ptr()));
            x86::_mm_storeu_ps(sums.as_mut_ptr(), x86::_mm_add_ps(products, x86::_mm_loadu_ps(sums.as_ptr())));
        }
    }

    #[inline]
    #[target_feature(enable = "sse")]
    pub(in super::super) fn add_scaled(sums: &mut [f32; 4], x: &[f32; 4], scale: f32) {
        // SAFETY: as above.
        unsafe {
            let products = x86::_mm_mul_ps(x86::_mm_loadu_ps(x.as_ptr()), x86::_mm_set1_ps(scale));
            x86::_mm_storeu_ps(sums.as_mut_ptr(), x86::_mm_add_ps(products, x86::_mm_loadu_ps(sums.as_ptr())));
        }
    }
}

/// The same two numbers in both halves of a register: nothing has to be cleared.
///
/// # Safety
/// They are there.
#[inline(always)]
unsafe fn load_two(x: *const f32) -> x86::__m128 {
    // SAFETY: as the caller says; nothing is asked of the alignment.
    unsafe { x86::_mm_castpd_ps(x86::_mm_set1_pd(x.cast::<f64>().read_unaligned())) }
}

/// The other way.
///
/// # Safety
/// They are there, to write to.
#[inline(always)]
unsafe fn store_two(x: *mut f32, two: x86::__m128) {
    // SAFETY: as the caller says; nothing is asked of the alignment.
    unsafe { x.cast::<f64>().write_unaligned(x86::_mm_cvtsd_f64(x86::_mm_castps_pd(two))) };
}
