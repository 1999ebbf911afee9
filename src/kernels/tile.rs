//! Tiles: a few numbers side by side, in registers while a sum goes over them.
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the vectors, and the instructions that a kernel is compiled for.

use super::dispatch::Isa;
use crate::scalar::Scalar;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
use {super::is, core::arch::asm, core::arch::x86_64::__m128, core::mem::transmute_copy};

/// The `W` numbers from `at` on, if there are as many.
#[inline(always)]
pub(crate) fn strip<T, const W: usize>(all: &[T], at: usize) -> Option<&[T; W]> {
    all.get(at..)?.first_chunk()
}

/// The same, to write to.
#[inline(always)]
pub(crate) fn strip_mut<T, const W: usize>(all: &mut [T], at: usize) -> Option<&mut [T; W]> {
    all.get_mut(at..)?.first_chunk_mut()
}

/// The `W` numbers from `at` on; zeros where there are no more.
#[inline(always)]
pub(crate) fn load<T: Scalar, const W: usize>(all: &[T], at: usize) -> [T; W] {
    let rest = all.get(at..).unwrap_or(&[]);
    rest.first_chunk().copied().unwrap_or_else(|| padded(rest))
}

#[inline(always)]
fn padded<T: Scalar, const W: usize>(rest: &[T]) -> [T; W] {
    let mut tile = [T::ZERO; W];
    for (tile, &x) in tile.iter_mut().zip(rest) {
        *tile = x;
    }
    tile
}

/// Writes a tile to the numbers from `at` on, as far as there are any.
#[inline(always)]
pub(crate) fn store<T: Scalar, const W: usize, const N: usize>(tile: [T; W], all: &mut [T; N], at: usize) {
    if at + W <= N {
        if let Some(all) = strip_mut(all, at) {
            *all = tile;
        }
    } else if let Some(all) = all.get_mut(at..) {
        for (all, x) in all.iter_mut().zip(tile) {
            *all = x;
        }
    }
}

/// The `W` numbers from `at` on, where the caller knows that they are there, as those of [`exact_tiles!`] are.
#[inline(always)]
pub(crate) fn load_whole<T: Scalar, const W: usize>(all: &[T], at: usize) -> [T; W] {
    debug_assert!(at + W <= all.len());
    strip(all, at).copied().unwrap_or([T::ZERO; W])
}

/// The other way.
#[inline(always)]
pub(crate) fn store_whole<T: Scalar, const W: usize>(tile: [T; W], all: &mut [T], at: usize) {
    debug_assert!(at + W <= all.len());
    if let Some(all) = strip_mut(all, at) {
        *all = tile;
    }
}

/// `f` of each of an array.
///
/// A loop, since `core::array::from_fn` and `map` are functions that may be called, and then run without the instructions of a kernel;
/// and each use of them is several functions to compile.
#[inline(always)]
pub(crate) fn of_each<X, Y: Copy, const N: usize>(x: &[X; N], zero: Y, f: impl Fn(&X) -> Y) -> [Y; N] {
    let mut y = [zero; N];
    for (y, x) in y.iter_mut().zip(x) {
        *y = f(x);
    }
    y
}

/// The numbers at place `k` of some tiles.
#[inline(always)]
pub(crate) fn at_place<T: Scalar, const N: usize, const W: usize>(tiles: &[[T; W]; N], k: usize) -> [T; N] {
    of_each(tiles, T::ZERO, |tile| tile.get(k).copied().unwrap_or(T::ZERO))
}

/// `f` of the numbers at each place of some tiles.
#[inline(always)]
pub(crate) fn each<T: Scalar, const N: usize, const W: usize>(x: [&[T; W]; N], f: impl Fn([T; N]) -> T) -> [T; W] {
    let mut y = [T::ZERO; W];
    for (k, y) in y.iter_mut().enumerate() {
        let mut at_place = [T::ZERO; N];
        for (number, x) in at_place.iter_mut().zip(x) {
            *number = x.get(k).copied().unwrap_or(T::ZERO);
        }
        *y = f(at_place);
    }
    y
}

/// Says that each four of some numbers are in one register, where that is as wide as registers are. Else, the compiler may compute
/// them in pairs, and some of them twice, as they come from a loop that it has written out.
#[inline(always)]
pub(crate) fn keep_together<I: Isa, T: Scalar>(numbers: &mut [T]) {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
    if I::LANES == 4 && is::<T, f32>() {
        for four in numbers.as_chunks_mut::<4>().0 {
            // SAFETY: `T` is `f32`, and `__m128` is four of them: the same size, and every pattern of bits is one. There is no
            // instruction, and the build targets SSE.
            unsafe {
                let mut register: __m128 = transmute_copy(four);
                asm!("/* {} */", inout(xmm_reg) register, options(pure, nomem, nostack, preserves_flags));
                *four = transmute_copy(&register);
            }
        }
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2", not(miri))))]
    let _ = (numbers, I::LANES);
}

/// Cuts `0..N` into tiles of `FULL` and a last one, of the least power of 2 that covers the rest and so may reach beyond `N`. Calls a
/// function of the start and the width of each. Both numbers are constants, so that only the widths in use are compiled.
macro_rules! tiles {
    ($N:expr, $FULL:expr, |$start:ident, $W:ident| $call:expr) => {{
        let mut $start = 0;
        while $start + $FULL <= $N {
            $crate::kernels::tile::tiles!(@pick $FULL, $W, $call, 64 32 16 8 4 2 1);
            $start += $FULL;
        }
        if const { $N % $FULL != 0 } {
            $crate::kernels::tile::tiles!(@pick ($N % $FULL).next_power_of_two(), $W, $call, 64 32 16 8 4 2 1);
        }
    }};
    (@pick $width:expr, $W:ident, $call:expr, $($w:literal)+) => {
        const { assert!($width <= 64 && ($width as usize).is_power_of_two(), "no tile has this width") };
        match const { $width } {
            $($w => {
                const $W: usize = $w;
                $call
            })+
            _ => {}
        }
    };
}
pub(crate) use tiles;

/// As [`tiles!`], but the rest is taken in tiles of ever smaller powers of 2, so that none reaches beyond `N`: for kernels whose loops over
/// a tile are long, and would fill up each vector anew.
macro_rules! exact_tiles {
    ($N:expr, $FULL:expr, |$start:ident, $W:ident| $call:expr) => {{
        let mut $start = 0;
        while $start + $FULL <= $N {
            $crate::kernels::tile::tiles!(@pick $FULL, $W, $call, 64 32 16 8 4 2 1);
            $start += $FULL;
        }
        $crate::kernels::tile::exact_tiles!(@rest $N % $FULL, $start, $W, $call, 32 16 8 4 2 1);
    }};
    (@rest $rest:expr, $start:ident, $W:ident, $call:expr, $($w:literal)+) => {
        #[allow(unused_assignments)] // The last tile has none behind it.
        {
            $(if const { $rest & $w != 0 } {
                const $W: usize = $w;
                $call;
                $start += $w;
            })+
        }
    };
}
pub(crate) use exact_tiles;

/// The same address or offset, of which the compiler does not know what it was computed from. Addresses that are sums with such an offset
/// stay sums: else, it keeps a pointer for each of them, more than there are registers. Nor does it compute in front of a loop
/// what a tile needs, and keep it in memory.
macro_rules! opaque {
    ($x:expr) => {{
        #[cfg_attr(any(not(target_arch = "x86_64"), miri), allow(unused_mut))]
        let mut x = $x;
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: there is no instruction.
        #[allow(unused_unsafe, clippy::pointers_in_nomem_asm_block)]
        unsafe {
            core::arch::asm!("/* {} */", inout(reg) x, options(pure, nomem, nostack, preserves_flags));
        }
        x
    }};
}
pub(crate) use opaque;

/// The `W` numbers from a pointer on.
///
/// # Safety
/// They must be there, and nobody may write to them.
#[inline(always)]
pub(crate) unsafe fn numbers<'a, T, const W: usize>(at: *const T) -> &'a [T; W] {
    // SAFETY: as the caller says. An array asks for no other alignment than its numbers.
    unsafe { &*at.cast() }
}
