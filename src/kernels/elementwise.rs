//! Functions of the numbers at the same place of some slices.
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::{Isa, kernel, lanes};
use super::row::sum_of;
use super::tile::{at_place, keep_together, of_each};
use super::{is, on_cortex_m};
use crate::scalar::Scalar;
use core::mem::transmute_copy;
use core::ops::Range;

/// Takes the places of slices of `$len` numbers in strips as wide as a vector register, then in narrower ones for the rest.
macro_rules! strips {
    ($lanes:expr, $len:expr, from $from:expr, |$at:ident, $W:ident| $call:expr) => {
        let mut $at = $from;
        $crate::kernels::elementwise::strips!(@rest $lanes, $len, |$at, $W| $call, 8 4 2 1);
    };
    ($lanes:expr, $len:expr, |$at:ident, $W:ident| $call:expr) => {
        let mut $at = 0;
        $crate::kernels::tile::tiles!(@pick $lanes, $W, {
            while $at + $W <= $len {
                $call;
                $at += $W;
            }
        }, 16 8 4 2 1);
        $crate::kernels::elementwise::strips!(@rest $lanes, $len, |$at, $W| $call, 8 4 2 1);
    };
    (@rest $lanes:expr, $len:expr, |$at:ident, $W:ident| $call:expr, $($width:literal)+) => {
        #[allow(clippy::int_plus_one)] // A width of 1 is one of many.
        #[allow(unused_assignments)] // The last strip has none behind it.
        {
            $(if const { $width < $lanes } && $at + $width <= $len {
                const $W: usize = $width;
                $call;
                $at += $W;
            })+
        }
    };
}
pub(crate) use strips;

/// The `W` numbers from `at` on.
///
/// # Safety
/// There must be as many.
#[inline(always)]
unsafe fn strip<T, const W: usize>(all: &[T], at: usize) -> &[T; W] {
    debug_assert!(at + W <= all.len());
    // SAFETY: the numbers `at..at + W` belong to the slice, as the caller says, and lie there as an array does.
    unsafe { &*all.as_ptr().add(at).cast() }
}

/// The same, to write to.
///
/// # Safety
/// There must be as many.
#[inline(always)]
unsafe fn strip_mut<T, const W: usize>(all: &mut [T], at: usize) -> &mut [T; W] {
    debug_assert!(at + W <= all.len());
    // SAFETY: as in `strip`; the borrow is unique.
    unsafe { &mut *all.as_mut_ptr().add(at).cast() }
}

/// The length of the shortest slice.
#[inline(always)]
fn shortest<X: AsRef<[T]>, T, const N: usize>(x: &[X; N], mut least: usize) -> usize {
    for x in x {
        least = least.min(x.as_ref().len());
    }
    least
}

/// `y = f(x)` at each place.
#[inline]
pub(crate) fn map<T: Scalar, const N: usize>(x: [&[T]; N], y: &mut [T], f: impl Fn([T; N]) -> T) {
    change(x, y, |x, _| f(x));
}

/// [`map`] of one slice.
#[inline]
pub(crate) fn map_each<T: Scalar>(x: &[T], y: &mut [T], f: impl Fn(T) -> T) {
    change([x], y, |[x], _| f(x));
}

/// `x = f(x)` at each place.
#[inline]
pub(crate) fn map_over<T: Scalar>(x: &mut [T], f: impl Fn(T) -> T) {
    change([], x, |[], x| f(x));
}

/// `y = f(x, y)` at each place. Where that is worth asking for instructions, one function for all lengths.
#[inline]
fn change<T: Scalar, F: Fn([T; N], T) -> T, const N: usize>(x: [&[T]; N], y: &mut [T], f: F) {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if 4 * y.len() >= super::dispatch::WORTH {
        #[inline(never)]
        fn of_any_length<T: Scalar, F: Fn([T; N], T) -> T, const N: usize>(x: [&[T]; N], y: &mut [T], f: F) {
            change_places(x, y, f);
        }
        return of_any_length(x, y, f);
    }
    change_places(x, y, f);
}

kernel! {
    /// `y = f(x, y)` at each place.
    fn change_places<I>[T: Scalar, F: Fn([T; N], T) -> T, const N: usize][T, F, N](x: [&[T]; N], y: &mut [T], f: F),
        work 4 * y.len(); {
        let len = shortest(&x, y.len());
        // A plain loop as far as it fills vectors: strips of a function of a few instructions would be gathered and scattered.
        let whole = len - len % lanes::<I, T>();
        for k in 0..whole {
            // SAFETY: `k` is less than `len`, the least length.
            unsafe {
                let y = y.get_unchecked_mut(k);
                *y = f(of_each(&x, T::ZERO, |x| *x.get_unchecked(k)), *y);
            }
        }
        if whole <= 16 && let Some(y) = y.get_mut(..whole) {
            keep_together::<I, T>(y);
        }
        strips!(lanes::<I, T>(), len, from whole, |at, W| {
            // SAFETY: `at + W` is at most `len`, the least length.
            let (x, y) = unsafe { (of_each(&x, [T::ZERO; W], |x| *strip(x, at)), strip_mut::<T, W>(y, at)) };
            let mut new = *y;
            for (k, y) in new.iter_mut().enumerate() {
                *y = f(at_place(&x, k), *y);
            }
            *y = new;
        });
    }
}

kernel! {
    /// `x = f(x, g)` at each place where all that `f` gives is finite; tells whether that was everywhere. Elsewhere `x` stays, since a
    /// step that mixes old and new may go anywhere. `f` gives some numbers more: where they are finite so is all else that it gives.
    pub(crate) fn update<I>
        [T: Scalar, F: Fn([T; N], T) -> ([T; N], [T; ASKED]), const ASKED: usize, const N: usize][T, F, ASKED, N](
        x: &mut [&mut [T]; N],
        g: &[T],
        f: F,
    ) -> bool, work 4 * g.len(); {
        let len = shortest(x, g.len());
        let first_not_finite = 'strips: {
            strips!(lanes::<I, T>(), len, |at, W| {
                // SAFETY: `at + W` is at most `len`, the least length.
                let (old, g): ([[T; W]; N], [T; W]) =
                    unsafe { (of_each(x, [T::ZERO; W], |x| *strip(x, at)), *strip(g, at)) };
                let (mut new, mut asked) = (old, [[T::ZERO; W]; ASKED]);
                for (k, &g) in g.iter().enumerate() {
                    let (values, values_asked) = f(at_place(&old, k), g);
                    for (strip, value) in new.iter_mut().zip(values) {
                        if let Some(new) = strip.get_mut(k) {
                            *new = value;
                        }
                    }
                    for (strip, value) in asked.iter_mut().zip(values_asked) {
                        if let Some(asked) = strip.get_mut(k) {
                            *asked = value;
                        }
                    }
                }
                // One branch for the strip: to choose lane by lane takes half as long again.
                if !are_finite::<I, T, W>(&asked) {
                    break 'strips at;
                }
                for (x, new) in x.iter_mut().zip(&new) {
                    // SAFETY: as above.
                    unsafe { *strip_mut(x, at) = *new };
                }
            });
            return true;
        };
        update_finite(x, g, first_not_finite..len, &f);
        false
    }
}

/// [`update`], place by place.
#[cold]
fn update_finite<T: Scalar, const ASKED: usize, const N: usize>(
    x: &mut [&mut [T]; N],
    g: &[T],
    places: Range<usize>,
    f: &impl Fn([T; N], T) -> ([T; N], [T; ASKED]),
) {
    for place in places {
        let number = |x: &[T]| x.get(place).copied().unwrap_or(T::ZERO);
        let (new, asked) = f(of_each(x, T::ZERO, |x| number(x)), number(g));
        if asked.iter().all(|x| x.is_finite()) {
            for (x, new) in x.iter_mut().zip(new) {
                if let Some(x) = x.get_mut(place) {
                    *x = new;
                }
            }
        }
    }
}

/// The bits of an infinite `f32`; those of NaN, without the sign, are above.
const INFINITE_BITS: i32 = f32::INFINITY.to_bits().cast_signed();

/// Whether no number is infinite or NaN.
#[inline(always)]
pub(crate) fn are_finite<I: Isa, T: Scalar, const W: usize>(strips: &[[T; W]]) -> bool {
    if I::LANES == 1 || !is::<T, f32>() {
        return strips.as_flattened().iter().fold(true, |all, x| all & x.is_finite());
    }
    // By the bits without the sign, since the units that multiply are busy.
    let mut largest = [0_i32; W];
    for strip in strips {
        for (largest, x) in largest.iter_mut().zip(strip) {
            // SAFETY: `T` is `f32`, and every pattern of bits is an `i32`.
            let bits = unsafe { transmute_copy::<T, i32>(x) } & i32::MAX;
            *largest = if bits > *largest { bits } else { *largest };
        }
    }
    #[allow(clippy::needless_bitwise_bool)] // One comparison of vectors, not one branch for each number.
    largest.iter().fold(true, |all, &bits| all & (bits < INFINITE_BITS))
}

kernel! {
    /// Whether no number is infinite or NaN.
    pub(crate) fn all_finite<I>[T: Scalar][T](x: &[T]) -> bool, work x.len(); {
        on_cortex_m! {
            if cortex_m::are_surely_finite(x) {
                return true;
            }
        }
        let (blocks, rest) = x.as_chunks::<64>();
        let (fours, rest) = rest.as_chunks::<4>();
        // Nothing is asked of no blocks, as it would be of all lanes.
        (blocks.is_empty() || are_finite::<I, T, 64>(blocks))
            && are_finite::<I, T, 4>(fours)
            && are_finite::<I, T, 1>(rest.as_chunks().0)
    }
}

kernel! {
    /// Whether each sum of products of a number of `x` and one of `y`, in which no pair stands twice, is known to be finite, and each
    /// sum of numbers of `y`: from `x.len() + y.len()` numbers. They may be finite where it is not.
    pub(crate) fn are_products_finite<I>[T: Scalar][T](x: &[T], y: &[T]) -> bool, work x.len() + y.len(); {
        let (x, y) = (sum_of::<I, T, 1>([x], |[x]| x.abs()), sum_of::<I, T, 1>([y], |[y]| y.abs()));
        // Twice as much as all of them together: no rounding comes near that.
        ((x + T::ONE) * (y + y)).is_finite()
    }
}

#[cfg(test)]
mod tests {
    use super::{all_finite, are_products_finite};

    /// Would catch: an infinite product that is missed, and finite ones that are all looked at.
    #[test]
    fn products_that_are_not_finite_are_suspected() {
        let (mut x, mut y) = ([-1.5_f32; 37], [-2.5_f32; 21]);
        assert!(are_products_finite(&x, &y) && are_products_finite(&x, &[]) && are_products_finite(&[], &y));
        assert!(!are_products_finite(&[0.0; 4], &[f32::MAX; 2]), "a sum of numbers of y");
        for (bad, other) in [(f32::NAN, 0.0), (f32::INFINITY, 0.0), (1e20, 1e20), (f32::MAX, 1.0), (f32::MIN, -1.0)] {
            x[30] = bad;
            y[3] = other;
            assert!(!are_products_finite(&x, &y), "{bad} and {other}");
            assert!(!are_products_finite(&y, &x), "{other} and {bad}");
            (x[30], y[3]) = (-1.5, -2.5);
        }
    }

    /// Would catch: a place that no strip has, and a number that is taken for what it is not.
    #[test]
    fn what_is_not_finite_is_found_at_each_place() {
        let mut x = [f32::MAX; 140];
        for (i, x) in x.iter_mut().enumerate() {
            *x = [f32::MAX, f32::MIN, 1e-45, -0.0][i % 4];
        }
        for len in 0..x.len() {
            assert!(all_finite(&x[..len]), "{len} finite numbers");
            for place in 0..len {
                let before = x[place];
                for bad in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN, f32::from_bits(0x7F80_0001)] {
                    x[place] = bad;
                    assert!(!all_finite(&x[..len]), "{bad} at {place} of {len}");
                }
                x[place] = before;
            }
        }
    }
}
