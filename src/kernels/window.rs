//! Windows that slide along one direction: everything about them is a constant, so that it folds.
#![allow(clippy::inline_always)] // A call would lose the constants, and the instructions that a kernel is compiled for.

use super::dispatch::{Isa, lanes};
use core::marker::PhantomData;
use core::ops::Range;

/// One direction of a window's way over its input.
pub(crate) trait Axis {
    /// How many places the input has.
    const IN: usize;

    /// How many places the window takes.
    const OUT: usize;

    /// How many places the window has.
    const KERNEL: usize;

    /// How far it moves.
    const STRIDE: usize;

    /// How far its places are apart.
    const DILATION: usize;

    /// How many zeros stand in front of the input.
    const BEFORE: usize;

    /// Whether a mean counts the zeros of the padding.
    const COUNTS_PADDING: bool;

    /// Whether all zeros stand in front, and the window's last place is always on the input.
    const IS_CAUSAL: bool = false;

    /// Whether there is but one place: signals do not have this direction.
    const IS_FLAT: bool = false;

    /// Where place `k` of the window lies on the input for output `o`, unless it lies on the padding.
    #[inline(always)]
    fn place(o: usize, k: usize) -> Option<usize> {
        (o * Self::STRIDE + k * Self::DILATION).checked_sub(Self::BEFORE).filter(|&i| i < Self::IN)
    }

    /// The outputs for which the whole window lies on the input: from the first to before the second.
    const INSIDE: (usize, usize) = {
        let span = (Self::KERNEL - 1) * Self::DILATION + 1;
        let first = Self::BEFORE.div_ceil(Self::STRIDE);
        let end = if span > Self::BEFORE + Self::IN { 0 } else { (Self::BEFORE + Self::IN - span) / Self::STRIDE + 1 };
        let end = if end < Self::OUT { end } else { Self::OUT };
        if first < end { (first, end) } else { (0, 0) }
    };

    /// How many these are.
    const COUNT_INSIDE: usize = Self::INSIDE.1 - Self::INSIDE.0;

    /// The other outputs, in their order.
    #[inline(always)]
    fn border() -> impl Iterator<Item = usize> + Clone {
        (0..Self::INSIDE.0).chain(Self::INSIDE.1..Self::OUT)
    }

    /// The places of the window that lie on the input, for output `o`.
    #[inline(always)]
    fn places(o: usize) -> Range<usize> {
        if Self::COUNT_INSIDE == Self::OUT {
            return 0..Self::KERNEL;
        }
        let first = Self::BEFORE.saturating_sub(o * Self::STRIDE).div_ceil(Self::DILATION);
        let end = (Self::IN + Self::BEFORE).saturating_sub(o * Self::STRIDE).div_ceil(Self::DILATION);
        none_reversed(first, end.min(Self::KERNEL))
    }

    /// The outputs for which place `k` of the window lies on the input.
    #[inline(always)]
    fn outputs(k: usize) -> Range<usize> {
        if Self::COUNT_INSIDE == Self::OUT {
            return 0..Self::OUT;
        }
        let first = Self::BEFORE.saturating_sub(k * Self::DILATION).div_ceil(Self::STRIDE);
        let end = (Self::IN + Self::BEFORE).saturating_sub(k * Self::DILATION).div_ceil(Self::STRIDE);
        none_reversed(first, end.min(Self::OUT))
    }
}

/// The range, empty where it would be reversed: a window that lies on the padding alone has its first place behind its end.
#[inline(always)]
fn none_reversed(first: usize, end: usize) -> Range<usize> {
    first.min(end)..end
}

/// The direction that a signal does not have.
pub(crate) struct Flat;

impl Axis for Flat {
    const IN: usize = 1;
    const OUT: usize = 1;
    const KERNEL: usize = 1;
    const STRIDE: usize = 1;
    const DILATION: usize = 1;
    const BEFORE: usize = 0;
    const COUNTS_PADDING: bool = true;
    const IS_FLAT: bool = true;
}

/// How many places of a signal's window share a sum: so many that it has 8 products. It starts from -0, to which
/// any number can be added without a change. One chain of dependent additions
/// over the whole window would wait for each of them.
#[inline(always)]
pub(crate) const fn places_a_part(inputs: usize) -> usize {
    if inputs == 0 { 1 } else { 8_usize.div_ceil(inputs) }
}

/// The way back of a direction: from the places of the outputs to those of the inputs, by a window that is turned round.
pub(crate) struct Back<A>(PhantomData<A>);

impl<A: Axis> Back<A> {
    /// Whether there is one: outputs must lie side by side, and none on the padding alone.
    pub(crate) const EXISTS: bool = A::STRIDE == 1 && A::BEFORE <= (A::KERNEL - 1) * A::DILATION;
}

impl<A: Axis> Axis for Back<A> {
    const IN: usize = A::OUT;
    const OUT: usize = A::IN;
    const KERNEL: usize = A::KERNEL;
    const STRIDE: usize = 1;
    const DILATION: usize = A::DILATION;
    const BEFORE: usize = ((A::KERNEL - 1) * A::DILATION).saturating_sub(A::BEFORE);
    const COUNTS_PADDING: bool = true;
}

/// The row of the input, `H::IN` pixels wide, under row `k` of the window for row `o` of the output.
#[inline(always)]
pub(crate) fn row_mut<V: Axis, H: Axis, P>(x: &mut [P], o: usize, k: usize) -> Option<&mut [P]> {
    let start = V::place(o, k)? * H::IN;
    x.get_mut(start..start + H::IN)
}

/// `count` numbers from `start` on.
#[inline(always)]
pub(crate) fn part<P>(all: &[P], start: usize, count: usize) -> Option<&[P]> {
    all.get(start..)?.get(..count)
}

/// The same, to write to.
#[inline(always)]
pub(crate) fn part_mut<P>(all: &mut [P], start: usize, count: usize) -> Option<&mut [P]> {
    all.get_mut(start..)?.get_mut(..count)
}

/// The width of a tile of the lanes of a pixel. Two vectors share a number that is read for both, but AVX-512 reads it where it multiplies.
/// Without vectors, four lanes share it.
#[inline(always)]
pub(crate) const fn tile_width<I: Isa, T>() -> usize {
    match I::LANES {
        1 => 4,
        16 => lanes::<I, T>(),
        _ => 2 * lanes::<I, T>(),
    }
}

/// `a / b`, and 0 where `b` is: the panic for it would stay where a call is not inlined.
#[inline(always)]
pub(crate) const fn divided(a: usize, b: usize) -> usize {
    match a.checked_div(b) {
        Some(quotient) => quotient,
        None => 0,
    }
}

/// What remains of it.
#[inline(always)]
pub(crate) const fn remainder(a: usize, b: usize) -> usize {
    match a.checked_rem(b) {
        Some(remainder) => remainder,
        None => 0,
    }
}

/// `a / b`, rounded up.
#[inline(always)]
pub(crate) const fn divided_up(a: usize, b: usize) -> usize {
    if remainder(a, b) == 0 { divided(a, b) } else { divided(a, b) + 1 }
}

/// How many tiles of width `W` stay in registers while sums go over them.
#[inline(always)]
pub(crate) const fn tile_count<I: Isa, T>(width: usize) -> usize {
    let vectors = divided_up(width, lanes::<I, T>());
    if I::LANES == 1 {
        4
    } else if vectors < I::SUMS {
        divided(I::SUMS, vectors)
    } else {
        1
    }
}

/// The size of the parts when `n` is cut into as few as `most` allows.
#[inline(always)]
pub(crate) const fn evenly(n: usize, most: usize) -> usize {
    divided_up(n, divided_up(n, most))
}

/// As many tiles as any kernel keeps in registers.
pub(crate) const MOST: usize = 16;

/// Calls a function of 0, 1 and so on to before a count, at most [`MOST`], and of the tile of that number. The count should be a constant
/// where it is inlined. A loop over so many tiles would not be unrolled, and they would lie in memory, so it is written out; but not
/// with debug assertions, where code is not optimised and would only become long.
macro_rules! each {
    ($count:expr, $tiles:ident, |$n:ident, $tile:ident| $call:expr) => {
        if cfg!(debug_assertions) {
            for ($n, $tile) in $tiles.iter_mut().enumerate().take($count) {
                $call;
            }
        } else {
            $crate::kernels::window::each!(@all $count, $tiles, $n, $tile, $call,
                0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        }
    };
    (@all $count:expr, $tiles:ident, $n:ident, $tile:ident, $call:expr, $($k:literal)+) => {
        $(if $k < $count && let Some($tile) = $tiles.get_mut($k) {
            let $n: usize = $k;
            $call;
        })+
    };
}
pub(crate) use each;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One direction: length, what comes out, window, stride, dilation, zeros in front.
    pub(crate) struct Line<
        const N: usize,
        const OUT: usize,
        const K: usize,
        const S: usize,
        const D: usize,
        const BEFORE: usize,
    >;

    impl<const N: usize, const OUT: usize, const K: usize, const S: usize, const D: usize, const B: usize> Axis
        for Line<N, OUT, K, S, D, B>
    {
        const IN: usize = N;
        const OUT: usize = OUT;
        const KERNEL: usize = K;
        const STRIDE: usize = S;
        const DILATION: usize = D;
        const BEFORE: usize = B;
        const COUNTS_PADDING: bool = true;
    }

    fn check<A: Axis>() {
        for o in 0..A::OUT {
            let all = (0..A::KERNEL).all(|k| A::place(o, k).is_some());
            assert_eq!((A::INSIDE.0..A::INSIDE.1).contains(&o), all, "output {o}");
            assert_eq!(A::border().any(|border| border == o), !all, "output {o}");
            for k in 0..A::KERNEL {
                assert_eq!(A::places(o).contains(&k), A::place(o, k).is_some(), "output {o}, place {k}");
                assert_eq!(A::outputs(k).contains(&o), A::place(o, k).is_some(), "output {o}, place {k}");
            }
        }
    }

    /// Would catch: a window that is taken to lie on the input and does not, or the other way round.
    #[test]
    fn inside_is_where_no_place_lies_on_the_padding() {
        check::<Line<8, 6, 3, 1, 1, 0>>();
        check::<Line<8, 8, 3, 1, 1, 1>>();
        check::<Line<7, 4, 3, 2, 1, 1>>();
        check::<Line<9, 9, 3, 1, 2, 4>>();
        check::<Line<3, 3, 5, 1, 2, 4>>();
        check::<Line<1, 1, 1, 1, 1, 0>>();
        check::<Line<5, 2, 2, 3, 2, 1>>();
        check::<Line<2, 2, 7, 1, 1, 3>>();
        assert_eq!(Line::<7, 4, 3, 2, 1, 1>::place(0, 0), None);
        assert_eq!(Line::<7, 4, 3, 2, 1, 1>::place(3, 1), Some(6));
        assert_eq!(Line::<7, 4, 3, 2, 1, 1>::place(3, 2), None);
    }
}
