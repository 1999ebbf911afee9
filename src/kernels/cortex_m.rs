//! Dense layers and convolutions of `f32` in assembly, for Cortex-M with a unit for floating point: M4F, M7, M33 and the like.
//!
//! The compiler knows of these targets neither that the unit multiplies and adds in one instruction, nor does it load several numbers
//! by one: a product of its own making takes 3.4 instructions for each multiply-add, these take 1.3.
//!
//! # Accuracy
//! Each output of a dense layer has one sum, over the inputs in their order, that begins with the bias; [`products`] has four, input `k` in sum `k % 4`.
//! A multiply-add rounds once. So the last bits are not those of other targets. For `n` multiply-adds both are within
//! `(n + 1) * 2^-24 * (|bias| + sum of |w x|)` of the exact sum, to first order: each term passes at most `n + 1` roundings. The
//! firmware `check` of `examples/firmware` holds them to it.
//! Convolutions ([`window`]) round twice, and have the bits of other targets.
#![allow(unsafe_code)]

mod assembly;
mod window;

use super::conv::Rows;
use super::is;
use crate::scalar::Scalar;

/// From how many multiply-adds on a layer is done here: what calls add to fewer is more than they save.
const WORTH: usize = 32;

/// The numbers as what they are, if that is `f32`; the compiler knows whether it is.
#[inline]
fn numbers<T: Scalar>(x: &[T]) -> Option<&[f32]> {
    // SAFETY: the types are one and the same.
    is::<T, f32>().then(|| unsafe { core::slice::from_raw_parts(x.as_ptr().cast(), x.len()) })
}

/// The same, to write to.
#[inline]
fn numbers_mut<T: Scalar>(x: &mut [T]) -> Option<&mut [f32]> {
    // SAFETY: the types are one and the same, and the borrow is unique.
    is::<T, f32>().then(|| unsafe { core::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), x.len()) })
}

/// Cuts `0..N` into tiles of 16, and what is left into one each of 8, 4, 2 and 1 where it has them. Calls the function that is meant for
/// the width with the start of the tile and how many bytes lie between its end and that of the same tile in the next column.
macro_rules! tiles {
    ($N:expr, $kernel:ident, |$function:ident, $at:ident, $stride:ident| $call:expr) => {{
        let mut $at = 0;
        while $at + 16 <= $N {
            let ($function, $stride) = (assembly::$kernel::width_16, ($N - 16) * size_of::<f32>());
            $call;
            $at += 16;
        }
        tiles!(@rest $N, $kernel, |$function, $at, $stride| $call, 8 width_8, 4 width_4, 2 width_2, 1 width_1);
    }};
    (@rest $N:expr, $kernel:ident, |$function:ident, $at:ident, $stride:ident| $call:expr, $($width:literal $name:ident),+) => {
        $(if const { $N % (2 * $width) >= $width } {
            let ($function, $stride) = (assembly::$kernel::$name, ($N - $width) * size_of::<f32>());
            $call;
            $at += $width;
        })+
        let _ = $at;
    };
}

/// `y = W x + b`, if it is worth while and these are `f32`; tells whether it has done it.
#[inline]
pub(crate) fn forward_row<T: Scalar, const IN: usize, const OUT: usize>(
    weight: &[[T; OUT]; IN],
    bias: Option<&[T; OUT]>,
    x: &[T; IN],
    y: &mut [T; OUT],
) -> bool {
    if IN * OUT < WORTH {
        return false;
    }
    if OUT == 1 {
        // One column for each input is one row.
        let row = weight.as_flattened().first_chunk();
        let is_done = row.is_some_and(|row| products(core::array::from_ref(row), x, y));
        if let (true, Some([bias, ..]), [y]) = (is_done, bias.map(<[T; OUT]>::as_slice), y.as_mut_slice()) {
            *y += *bias;
        }
        return is_done;
    }
    let (Some(weight), Some(x)) = (numbers(weight.as_flattened()), numbers(x)) else { return false };
    match bias {
        Some(bias) => y.copy_from_slice(bias),
        None => y.fill(T::ZERO),
    }
    let Some(y) = numbers_mut(y) else { return false };
    tiles!(OUT, columns, |add, at, stride| {
        // SAFETY: there are `OUT` numbers in `y`, and `IN` in `x`; the weight has `IN` columns of `OUT`. The tile lies within `OUT`.
        unsafe { add(y.as_mut_ptr().add(at), weight.as_ptr().add(at), x.as_ptr(), IN, stride) }
    });
    true
}

/// The product of each row with `x`, if it is worth while and these are `f32`; tells whether it has done it.
#[inline]
pub(crate) fn products<T: Scalar, const N: usize>(rows: &[[T; N]], x: &[T; N], y: &mut [T]) -> bool {
    if rows.len() * N < WORTH {
        return false;
    }
    let (Some(numbers_of_rows), Some(x), Some(y)) = (numbers(rows.as_flattened()), numbers(x), numbers_mut(y)) else {
        return false;
    };
    let count = if rows.len() < y.len() { rows.len() } else { y.len() };
    // SAFETY: there are at least `count` rows of `N` numbers, `N` in `x`, and `count` in `y`.
    unsafe { assembly::products(y.as_mut_ptr(), numbers_of_rows.as_ptr(), x.as_ptr(), count, N) };
    true
}

/// `gradient += dy x'`, or `=` unless it `ADDS`, if it is worth while and these are `f32`; tells whether it has done it.
#[inline]
pub(crate) fn outer_product<T: Scalar, const IN: usize, const OUT: usize, const ADDS: bool>(
    gradient: &mut [[T; OUT]; IN],
    x: &[T; IN],
    dy: &[T; OUT],
) -> bool {
    if IN * OUT < WORTH {
        return false;
    }
    let (Some(gradient), Some(x), Some(dy)) = (numbers_mut(gradient.as_flattened_mut()), numbers(x), numbers(dy))
    else {
        return false;
    };
    macro_rules! over_tiles {
        ($kernel:ident) => {
            tiles!(OUT, $kernel, |product, at, stride| {
                // SAFETY: there are `OUT` numbers in `dy`, and `IN` in `x`; the gradient has `IN` columns of `OUT`. The tile lies within
                // `OUT`.
                unsafe { product(gradient.as_mut_ptr().add(at), dy.as_ptr().add(at), x.as_ptr(), IN, stride) }
            })
        };
    }
    if ADDS {
        over_tiles!(add_outer);
    } else {
        over_tiles!(write_outer);
    }
    true
}

/// What rows under the windows of four pixels, or of the first alone, add to the sums of their four lanes, with the bits of other targets; all lanes see the
/// same inputs, or each its own.
///
/// # Safety
/// They must be there, one row and one weight at least.
#[inline]
pub(crate) unsafe fn add_rows(sums: &mut [f32; 16], rows: &Rows, each: bool, four: bool) {
    let kernel = match (four, each) {
        (true, false) => window::four,
        (true, true) => window::four_each,
        (false, false) => window::one,
        (false, true) => window::one_each,
    };
    // SAFETY: as the caller says.
    unsafe { kernel(sums.as_mut_ptr(), rows) };
}

/// Whether all are surely finite. If not, they may be large, or not `f32`.
#[inline]
pub(crate) fn are_surely_finite<T: Scalar>(x: &[T]) -> bool {
    let Some(x) = numbers(x) else { return false };
    let (blocks, rest) = x.as_chunks::<16>();
    // SAFETY: these are as many blocks of 16 numbers.
    let sum = unsafe { assembly::sum_of_pairs(blocks.as_flattened().as_ptr(), blocks.len()) };
    sum.is_finite() && rest.iter().all(|x| x.is_finite())
}

/// Stochastic gradient descent, `p -= rate * (g + decay * p)`: from the first number on, as far as what comes out is surely
/// finite. Gives how many it has done.
#[inline]
pub(crate) fn descend<T: Scalar>(p: &mut [T], g: &[T], rate: T, decay: T) -> usize {
    let (Some(&[rate, decay]), Some(p), Some(g)) =
        (numbers(&[rate, decay]).and_then(|both| both.first_chunk()), numbers_mut(p), numbers(g))
    else {
        return 0;
    };
    let (p, g) = (p.as_chunks_mut::<16>().0, g.as_chunks::<16>().0);
    let blocks = if p.len() < g.len() { p.len() } else { g.len() };
    let (p, g) = (p.as_flattened_mut().as_mut_ptr(), g.as_flattened().as_ptr());
    // SAFETY: there are at least as many blocks of 16 numbers of each.
    let left = unsafe {
        if decay == 0.0 {
            assembly::descend(p, g, blocks, rate, decay)
        } else {
            assembly::descend_decayed(p, g, blocks, rate, decay)
        }
    };
    16 * (blocks - left)
}

/// The square root: the unit's instruction, which rounds correctly.
#[inline]
pub(crate) fn sqrt(x: f32) -> f32 {
    // SAFETY: reads and writes one register.
    unsafe { assembly::sqrt(x) }
}
