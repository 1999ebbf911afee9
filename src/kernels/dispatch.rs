//! Kernels compiled for several sets of instructions, of which one is chosen at run time.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use crate::scalar::Scalar;

/// A set of instructions that a kernel is compiled for.
///
/// Only [`kernel!`] names [`Avx2`] and [`Avx512`], once it knows that the processor has them, and tests that have asked: what
/// [`vector`](super::vector) does for them, no other processor can.
pub(crate) trait Isa {
    /// Whether [`mul_add`](Isa::mul_add) rounds once.
    const FUSED: bool;

    /// How many `f32` fit a vector register; 1 where there are none.
    const LANES: usize;

    /// How many vectors of sums a kernel may keep in registers.
    const SUMS: usize;

    /// `a * b + c`
    #[inline(always)]
    fn mul_add<T: Scalar>(a: T, b: T, c: T) -> T {
        if Self::FUSED { a.mul_add(b, c) } else { a * b + c }
    }
}

/// How many numbers of `T` fit a vector register: a power of 2, and at most 16, as wide as a strip can be.
#[inline(always)]
pub(crate) const fn lanes<I: Isa, T>() -> usize {
    match (I::LANES * 4).checked_div(size_of::<T>()) {
        None | Some(0) => 1,
        Some(lanes) if lanes > 16 => 16,
        Some(lanes) => 1 << lanes.ilog2(),
    }
}

/// What the build targets.
pub(crate) struct Target;
impl Isa for Target {
    // Elsewhere `f32::mul_add` may be a call of a function of some hundred instructions.
    const FUSED: bool = cfg!(all(feature = "std", any(target_feature = "fma", target_arch = "aarch64")));
    const LANES: usize = if cfg!(target_feature = "avx512f") {
        16
    } else if cfg!(target_feature = "avx") {
        8
    } else if cfg!(any(target_feature = "sse", target_feature = "neon", target_feature = "simd128")) {
        4
    } else {
        1
    };
    const SUMS: usize =
        if cfg!(any(target_feature = "avx512f", target_feature = "neon")) || Self::LANES == 1 { 16 } else { 8 };
}

/// AVX2 and FMA.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub(crate) struct Avx2;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
impl Isa for Avx2 {
    const FUSED: bool = true;
    const LANES: usize = 8;
    const SUMS: usize = 8;
}

/// AVX-512 and FMA.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub(crate) struct Avx512;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
impl Isa for Avx512 {
    const FUSED: bool = true;
    const LANES: usize = 16;
    const SUMS: usize = 16;
}

/// From how many multiply-adds on a kernel asks which instructions there are: the question takes about as long as these.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub(crate) const WORTH: usize = 48;

/// Writes a kernel: one body, generic over `I: Isa`, compiled for each set of instructions, and the function that chooses one.
///
/// ```text
/// kernel! {
///     /// What it does.
///     pub(crate) fn name<I>[T: Scalar, const N: usize][T, N](x: &[T; N], y: &mut [T; N]), work N; { body }
/// }
/// ```
///
/// The generics are given twice, with their bounds and without. `work` counts multiply-adds; a constant is best: it decides when
/// the kernel is compiled. Whatever the body calls must be `#[inline(always)]`: what is not inlined runs without the
/// instructions, unless it enables them itself. So must functions of constants: one that is compiled in another codegen unit is not known where
/// loops are unrolled by its result.
macro_rules! kernel {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$I:ident>[$($generics:tt)*][$($arguments:tt)*]($($x:ident: $X:ty),* $(,)?) $(-> $Y:ty)?,
        work $work:expr; $body:block
    ) => {
        $(#[$meta])*
        #[allow(clippy::inline_always, clippy::too_many_arguments)]
        #[inline]
        $vis fn $name<$($generics)*>($($x: $X),*) $(-> $Y)? {
            #[inline(always)]
            fn body<$I: $crate::kernels::dispatch::Isa, $($generics)*>($($x: $X),*) $(-> $Y)? $body

            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            {
                use $crate::isa::{InstructionSet, in_use};
                use $crate::kernels::dispatch::{Avx2, Avx512, WORTH};

                // Not inlined: vectors are found more surely in a function that is alone.
                #[inline(never)]
                #[target_feature(enable = "avx2,fma")]
                fn avx2<$($generics)*>($($x: $X),*) $(-> $Y)? {
                    body::<Avx2, $($arguments)*>($($x),*)
                }

                #[inline(never)]
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512<$($generics)*>($($x: $X),*) $(-> $Y)? {
                    body::<Avx512, $($arguments)*>($($x),*)
                }

                if $work >= WORTH {
                    match in_use() {
                        InstructionSet::Target => {}
                        // SAFETY: `in_use` names what the processor has.
                        #[allow(unsafe_code)]
                        InstructionSet::Avx2 => return unsafe { avx2::<$($arguments)*>($($x),*) },
                        // SAFETY: as above.
                        #[allow(unsafe_code)]
                        InstructionSet::Avx512 => return unsafe { avx512::<$($arguments)*>($($x),*) },
                    }
                }
            }
            // Named, though nobody asks: what counts the work is used on every target.
            #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
            let _ = || $work;
            body::<$crate::kernels::dispatch::Target, $($arguments)*>($($x),*)
        }
    };
}
pub(crate) use kernel;
