//! Windows that slide along one direction: everything about them is a constant, so that it folds.

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

    /// Where place `k` of the window lies on the input for output `o`, unless it lies on the padding.
    #[inline]
    fn place(o: usize, k: usize) -> Option<usize> {
        (o * Self::STRIDE + k * Self::DILATION).checked_sub(Self::BEFORE).filter(|&i| i < Self::IN)
    }

    /// The outputs for which the whole window lies on the input: from the first to before the second.
    const INSIDE: (usize, usize) = {
        let span = (Self::KERNEL - 1) * Self::DILATION + 1;
        let first = Self::BEFORE.div_ceil(Self::STRIDE);
        let end = if span > Self::BEFORE + Self::IN { 0 } else { (Self::BEFORE + Self::IN - span) / Self::STRIDE + 1 };
        (first, if end < Self::OUT { end } else { Self::OUT })
    };
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
}

/// The row of the input, `H::IN` pixels wide, under row `k` of the window for row `o` of the output.
#[inline]
pub(crate) fn row<V: Axis, H: Axis, P>(x: &[P], o: usize, k: usize) -> Option<&[P]> {
    let start = V::place(o, k)? * H::IN;
    x.get(start..start + H::IN)
}

/// The same, to write to.
#[inline]
pub(crate) fn row_mut<V: Axis, H: Axis, P>(x: &mut [P], o: usize, k: usize) -> Option<&mut [P]> {
    let start = V::place(o, k)? * H::IN;
    x.get_mut(start..start + H::IN)
}

/// The pixels of a row under place `k` of the window, for `PIXELS` outputs from `o` on. Nothing if one lies on the padding.
#[inline]
pub(crate) fn pixels<H: Axis, P, const PIXELS: usize>(row: &[P], o: usize, k: usize) -> Option<[&P; PIXELS]> {
    let mut all = [row.first()?; PIXELS];
    for (n, pixel) in all.iter_mut().enumerate() {
        *pixel = row.get(H::place(o + n, k)?)?;
    }
    Some(all)
}

/// The windows of `PIXELS` outputs from `o` on, which all lie on a row: pixels side by side.
#[inline]
pub(crate) fn windows<H: Axis, P, const K: usize, const PIXELS: usize>(
    row: &[P],
    o: usize,
) -> Option<[&[P; K]; PIXELS]> {
    let mut all = [row.first_chunk()?; PIXELS];
    for (n, window) in all.iter_mut().enumerate() {
        *window = row.get(H::place(o + n, 0)?..)?.first_chunk()?;
    }
    Some(all)
}

/// The pixels under place `k` of these windows.
#[inline]
pub(crate) fn under<'a, P, const K: usize, const PIXELS: usize>(
    windows: &[&'a [P; K]; PIXELS],
    k: usize,
) -> Option<[&'a P; PIXELS]> {
    let mut all = [windows.first()?.first()?; PIXELS];
    for (pixel, window) in all.iter_mut().zip(windows) {
        *pixel = window.get(k)?;
    }
    Some(all)
}

/// Whether the windows of `pixels` outputs from `o` on all lie on the input.
#[inline]
pub(crate) fn is_inside<H: Axis>(o: usize, pixels: usize) -> bool {
    o >= H::INSIDE.0 && o + pixels <= H::INSIDE.1
}

/// Cuts the `N` lanes of a pixel into tiles that fit registers, and calls a function of the first lane of each tile, its width and
/// how many pixels to take at once.
macro_rules! for_tiles {
    ($N:ident, |$start:ident, $W:ident, $PIXELS:ident| $call:expr) => {
        let mut $start = 0;
        for_tiles!(@width 16 2, $N, |$start, $W, $PIXELS| $call);
        for_tiles!(@narrow $N, |$start, $W, $PIXELS| $call);
    };
    (narrow $N:ident, |$start:ident, $W:ident, $PIXELS:ident| $call:expr) => {
        let mut $start = 0;
        for_tiles!(@narrow $N, |$start, $W, $PIXELS| $call);
    };
    (@narrow $N:ident, |$start:ident, $W:ident, $PIXELS:ident| $call:expr) => {
        for_tiles!(@width 8 4, $N, |$start, $W, $PIXELS| $call);
        for_tiles!(@width 4 4, $N, |$start, $W, $PIXELS| $call);
        for_tiles!(@width 2 4, $N, |$start, $W, $PIXELS| $call);
        for_tiles!(@width 1 4, $N, |$start, $W, $PIXELS| $call);
        debug_assert_eq!($start, $N);
    };
    (@width $width:literal $pixels:literal, $N:ident, |$start:ident, $W:ident, $PIXELS:ident| $call:expr) => {
        #[allow(clippy::int_plus_one)] // A width of 1 is one of many.
        while $start + $width <= $N {
            const $W: usize = $width;
            const $PIXELS: usize = $pixels;
            $call;
            $start += $W;
        }
    };
}
pub(crate) use for_tiles;

/// `W` lanes of a pixel.
#[inline]
pub(crate) fn tile<T, const N: usize, const W: usize>(pixel: &[T; N], start: usize) -> Option<&[T; W]> {
    pixel.get(start..)?.first_chunk()
}

/// The same, to write to.
#[inline]
pub(crate) fn tile_mut<T, const N: usize, const W: usize>(pixel: &mut [T; N], start: usize) -> Option<&mut [T; W]> {
    pixel.get_mut(start..)?.first_chunk_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Line<const N: usize, const OUT: usize, const K: usize, const S: usize, const D: usize, const BEFORE: usize>;

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
            assert_eq!(is_inside::<A>(o, 1), all, "output {o}");
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
