//! Sums over the numbers of a tile, in vector registers by name.
//!
//! A loop over a tile becomes vectors too, but which ones depends on how much of the program the compiler sees: with link-time optimisation
//! they may be odd, and take twice as long.
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::Isa;
use crate::scalar::Scalar;
#[cfg(target_arch = "x86_64")]
use {super::is, core::arch::x86_64 as x86, core::mem::transmute_copy, core::ptr};

/// Returns from a function once it has called another for each register of a tile of `f32`, if the tile is whole registers: the widest.
macro_rules! in_registers {
    ($I:ty, $T:ty, $W:ident, |$register:ident| $call:expr) => {
        #[cfg(target_arch = "x86_64")]
        if is::<$T, f32>() {
            in_registers!(@ <$I>::FUSED && <$I>::LANES >= 16 && $W.is_multiple_of(16), sixteen, $register, $call);
            in_registers!(@ <$I>::FUSED && <$I>::LANES >= 8 && $W.is_multiple_of(8), eight, $register, $call);
            in_registers!(@ <$I>::FUSED && <$I>::LANES >= 8 && $W.is_multiple_of(4), four, $register, $call);
            in_registers!(@ <$I>::FUSED && <$I>::LANES >= 8 && $W.is_multiple_of(2), two, $register, $call);
            in_registers!(@ !<$I>::FUSED && <$I>::LANES == 4 && $W.is_multiple_of(4), four_of_sse, $register, $call);
        }
    };
    (@ $fits:expr, $name:ident, $register:ident, $call:expr) => {
        if const { $fits } {
            use $name as $register;
            $call;
            return;
        }
    };
}

/// `sums += scale * x`, number by number.
#[inline(always)]
pub(crate) fn add_scaled<I: Isa, T: Scalar, const W: usize>(sums: &mut [T; W], x: &[T; W], scale: T) {
    in_registers!(I, T, W, |register| for (sums, x) in registers_mut(sums).iter_mut().zip(registers(x)) {
        // SAFETY: the processor has the instructions of `I`.
        unsafe { register::add_scaled(sums, x, float(scale)) };
    });
    for (sum, &x) in sums.iter_mut().zip(x) {
        *sum = I::mul_add(x, scale, *sum);
    }
}

/// `products = scale * x`, number by number.
#[inline(always)]
pub(crate) fn scale<I: Isa, T: Scalar, const W: usize>(products: &mut [T; W], x: &[T; W], scale: T) {
    in_registers!(I, T, W, |register| for (products, x) in registers_mut(products).iter_mut().zip(registers(x)) {
        // SAFETY: the processor has the instructions of `I`.
        unsafe { register::scale(products, x, float(scale)) };
    });
    for (product, &x) in products.iter_mut().zip(x) {
        *product = x * scale;
    }
}

/// `sums += a * b`, number by number.
#[inline(always)]
pub(crate) fn add_products<I: Isa, T: Scalar, const W: usize>(sums: &mut [T; W], a: &[T; W], b: &[T; W]) {
    in_registers!(I, T, W, |register| for ((sums, a), b) in
        registers_mut(sums).iter_mut().zip(registers(a)).zip(registers(b))
    {
        // SAFETY: the processor has the instructions of `I`.
        unsafe { register::add_products(sums, a, b) };
    });
    for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
        *sum = I::mul_add(a, b, *sum);
    }
}

/// `sums += x`, number by number.
#[inline(always)]
pub(crate) fn add<I: Isa, T: Scalar, const W: usize>(sums: &mut [T; W], x: &[T; W]) {
    in_registers!(I, T, W, |register| for (sums, x) in registers_mut(sums).iter_mut().zip(registers(x)) {
        // SAFETY: the processor has the instructions of `I`.
        unsafe { register::add(sums, x) };
    });
    for (sum, &x) in sums.iter_mut().zip(x) {
        *sum += x;
    }
}

/// The registers that a tile of `f32` is.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn registers<T: Scalar, const W: usize, const LANES: usize>(tile: &[T; W]) -> &[[f32; LANES]] {
    assert!(is::<T, f32>());
    // SAFETY: `T` is `f32`.
    unsafe { &*ptr::from_ref(tile).cast::<[f32; W]>() }.as_chunks().0
}

/// The same, to write to.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn registers_mut<T: Scalar, const W: usize, const LANES: usize>(tile: &mut [T; W]) -> &mut [[f32; LANES]] {
    assert!(is::<T, f32>());
    // SAFETY: `T` is `f32`, and the borrow is unique.
    unsafe { &mut *ptr::from_mut(tile).cast::<[f32; W]>() }.as_chunks_mut().0
}

/// The number as `f32`, which it is.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn float<T: Scalar>(x: T) -> f32 {
    assert!(is::<T, f32>());
    // SAFETY: `T` is `f32`.
    unsafe { transmute_copy(&x) }
}

/// The sums for one register.
#[cfg(target_arch = "x86_64")]
macro_rules! register {
    (
        $name:ident, $features:literal, $lanes:literal, $load:expr, $store:expr,
        $set:ident, $add:ident, $mul:ident, |$a:ident, $b:ident, $c:ident| $mul_add:expr
    ) => {
        mod $name {
            use super::x86;

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) fn scale(products: &mut [f32; $lanes], x: &[f32; $lanes], scale: f32) {
                // SAFETY: each array has as many numbers as are loaded or stored, and neither wants an alignment.
                unsafe { $store(products.as_mut_ptr(), x86::$mul($load(x.as_ptr()), x86::$set(scale))) };
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) fn add(sums: &mut [f32; $lanes], x: &[f32; $lanes]) {
                // SAFETY: as above.
                unsafe { $store(sums.as_mut_ptr(), x86::$add($load(sums.as_ptr()), $load(x.as_ptr()))) };
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) fn add_scaled(sums: &mut [f32; $lanes], x: &[f32; $lanes], scale: f32) {
                // SAFETY: as above.
                unsafe {
                    let ($a, $b, $c) = ($load(x.as_ptr()), x86::$set(scale), $load(sums.as_ptr()));
                    $store(sums.as_mut_ptr(), $mul_add);
                }
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) fn add_products(sums: &mut [f32; $lanes], a: &[f32; $lanes], b: &[f32; $lanes]) {
                // SAFETY: as above.
                unsafe {
                    let ($a, $b, $c) = ($load(a.as_ptr()), $load(b.as_ptr()), $load(sums.as_ptr()));
                    $store(sums.as_mut_ptr(), $mul_add);
                }
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
register!(
    sixteen,
    "avx512f",
    16,
    x86::_mm512_loadu_ps,
    x86::_mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_add_ps,
    _mm512_mul_ps,
    |a, b, c| x86::_mm512_fmadd_ps(a, b, c)
);
#[cfg(target_arch = "x86_64")]
register!(
    eight,
    "avx,fma",
    8,
    x86::_mm256_loadu_ps,
    x86::_mm256_storeu_ps,
    _mm256_set1_ps,
    _mm256_add_ps,
    _mm256_mul_ps,
    |a, b, c| x86::_mm256_fmadd_ps(a, b, c)
);
#[cfg(target_arch = "x86_64")]
register!(four, "avx,fma", 4, x86::_mm_loadu_ps, x86::_mm_storeu_ps, _mm_set1_ps, _mm_add_ps, _mm_mul_ps, |a, b, c| {
    x86::_mm_fmadd_ps(a, b, c)
});
#[cfg(target_arch = "x86_64")]
register!(two, "avx,fma", 2, super::load_two, super::store_two, _mm_set1_ps, _mm_add_ps, _mm_mul_ps, |a, b, c| {
    x86::_mm_fmadd_ps(a, b, c)
});
#[cfg(target_arch = "x86_64")]
register!(
    four_of_sse,
    "sse2",
    4,
    x86::_mm_loadu_ps,
    x86::_mm_storeu_ps,
    _mm_set1_ps,
    _mm_add_ps,
    _mm_mul_ps,
    |a, b, c| x86::_mm_add_ps(x86::_mm_mul_ps(a, b), c)
);

/// Two numbers in half a register.
///
/// # Safety
/// They are there.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn load_two(x: *const f32) -> x86::__m128 {
    // SAFETY: as the caller says; no alignment is wanted.
    unsafe { x86::_mm_castpd_ps(x86::_mm_load_sd(x.cast())) }
}

/// The other way.
///
/// # Safety
/// They are there, to write to.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn store_two(x: *mut f32, two: x86::__m128) {
    // SAFETY: as the caller says; no alignment is wanted.
    unsafe { x86::_mm_store_sd(x.cast(), x86::_mm_castps_pd(two)) };
}
