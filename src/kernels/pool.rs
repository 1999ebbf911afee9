//! Pooling: a window that slides over pixels and makes one of those under it. `V` is its way down, `H` its way along a row.
#![allow(clippy::inline_always)] // A call would lose the vectors, and the instructions that a kernel is compiled for.

use super::dispatch::{Target, kernel, lanes};
use super::flat::one_by_one;
use super::tile::{load, of_each, store, tiles};
use super::vector::add;
use super::window::{Axis, part, part_mut};
use crate::scalar::Scalar;

kernel! {
    /// `y`: the greatest of each channel under the window. A NaN is greater than any number.
    pub(crate) fn max<I>[V: Axis, H: Axis, T: Scalar, const C: usize][V, H, T, C](x: &[T], y: &mut [T]), work work::<V, H>(C); {
        let ((x, _), (y, _)) = (x.as_chunks::<C>(), y.as_chunks_mut::<C>());
        tiles!(C, 4 * lanes::<I, T>(), |start, W| windows::<V, H>(|o, under| {
            let (Some(x), Some(y)) = (part(x, under.first, under.span::<H>()), y.get_mut(o)) else { return };
            let mut max: [T; W] = x.first().map_or([T::ZERO; W], |x| load(x, start));
            under.each::<H>(|place| if place > 0 && let Some(x) = x.get(place) {
                let x: [T; W] = load(x, start);
                for (max, x) in max.iter_mut().zip(x) {
                    *max = greater(*max, x);
                }
            });
            store(max, y, start);
        }));
    }
}

/// How much there is to do.
#[inline(always)]
const fn work<V: Axis, H: Axis>(channels: usize) -> usize {
    V::OUT * V::KERNEL * H::OUT * H::KERNEL * channels
}

/// The places of the input under the window for an output.
struct Under {
    first: usize,
    rows: usize,
    columns: usize,
}

/// Calls a function of each output and of what is under its window.
#[inline(always)]
fn windows<V: Axis, H: Axis>(mut f: impl FnMut(usize, Under)) {
    for oy in 0..V::OUT {
        for ox in 0..H::OUT {
            let (rows, columns) = (V::places(oy), H::places(ox));
            if let (Some(iy), Some(ix)) = (V::place(oy, rows.start), H::place(ox, columns.start)) {
                f(oy * H::OUT + ox, Under { first: iy * H::IN + ix, rows: rows.len(), columns: columns.len() });
            }
        }
    }
}

impl Under {
    /// How many pixels there are from the first to the last.
    #[inline(always)]
    fn span<H: Axis>(&self) -> usize {
        (self.rows.max(1) - 1) * H::IN + self.columns
    }

    /// Calls a function of the distance of each place from the first, row by row.
    #[inline(always)]
    fn each<H: Axis>(&self, mut f: impl FnMut(usize)) {
        for ky in 0..self.rows {
            for kx in 0..self.columns {
                f(ky * H::IN + kx);
            }
        }
    }
}

/// The greater of two, NaN if `x` is NaN.
#[inline(always)]
#[allow(clippy::eq_op)] // Only NaN is not its own equal.
pub(crate) fn greater<T: Scalar>(max: T, x: T) -> T {
    if x > max || x != x { x } else { max }
}

/// `x < y`, which is false for NaN.
#[inline(always)]
fn is_less<T: Scalar>(x: T, y: T) -> bool {
    x < y
}

kernel! {
    /// `dx = dy` at the first place of each window that is the greatest; a sum where windows overlap.
    pub(crate) fn max_backward<I>[V: Axis, H: Axis, T: Scalar, const C: usize][V, H, T, C](
        x: &[T],
        y: &[T],
        dy: &[T],
        dx: &mut [T],
    ), work work::<V, H>(C); {
        let ((x, _), (y, _), (dy, _)) = (x.as_chunks::<C>(), y.as_chunks::<C>(), dy.as_chunks::<C>());
        // All at once: a fill by pixels may be a call for each of them.
        dx.fill(T::ZERO);
        let (dx, _) = dx.as_chunks_mut::<C>();
        tiles!(C, 2 * lanes::<I, T>(), |start, W| windows::<V, H>(|o, under| {
            let (Some(y), Some(dy)) = (y.get(o), dy.get(o)) else { return };
            let span = under.span::<H>();
            let (Some(x), Some(dx)) = (part(x, under.first, span), part_mut(dx, under.first, span)) else { return };
            let y: [T; W] = load(y, start);
            // Nothing is left for the places behind the first.
            let mut left: [T; W] = load(dy, start);
            under.each::<H>(|place| if let (Some(x), Some(dx)) = (x.get(place), dx.get_mut(place)) {
                let x: [T; W] = load(x, start);
                let mut sum: [T; W] = load(dx, start);
                for (((sum, left), x), y) in sum.iter_mut().zip(&mut left).zip(x).zip(y) {
                    // None is above the greatest; where that is NaN, the first place stands for it.
                    let is_here = !is_less(x, y);
                    *sum += if is_here { *left } else { T::ZERO };
                    *left = if is_here { T::ZERO } else { *left };
                }
                store(sum, dx, start);
            });
        }));
    }
}

/// `1 / n`
#[inline(always)]
#[allow(clippy::cast_precision_loss)]
fn inverse<T: Scalar>(n: usize) -> T {
    T::ONE / T::from_f64(n as f64)
}

impl Under {
    /// By how much the sum is to be divided.
    #[inline(always)]
    fn count<V: Axis, H: Axis>(&self) -> usize {
        let rows = if V::COUNTS_PADDING { V::KERNEL } else { self.rows };
        let columns = if H::COUNTS_PADDING { H::KERNEL } else { self.columns };
        rows * columns
    }
}

kernel! {
    /// `y`: the mean of each channel under the window.
    pub(crate) fn average<I>[V: Axis, H: Axis, T: Scalar, const C: usize][V, H, T, C](x: &[T], y: &mut [T]), work work::<V, H>(C); {
        let ((x, _), (y, _)) = (x.as_chunks::<C>(), y.as_chunks_mut::<C>());
        tiles!(C, 4 * lanes::<I, T>(), |start, W| windows::<V, H>(|o, under| {
            let (Some(x), Some(y)) = (part(x, under.first, under.span::<H>()), y.get_mut(o)) else { return };
            let mut sum = [T::ZERO; W];
            under.each::<H>(|place| if let Some(x) = x.get(place) {
                add::<I, T, W>(&mut sum, &load(x, start));
            });
            let part = inverse(under.count::<V, H>());
            store(of_each(&sum, T::ZERO, |&sum| sum * part), y, start);
        }));
    }
}

kernel! {
    /// `dx = dy / n` at each of the `n` places of each window; a sum where windows overlap.
    pub(crate) fn average_backward<I>[V: Axis, H: Axis, T: Scalar, const C: usize][V, H, T, C](
        _x: &[T],
        _y: &[T],
        dy: &[T],
        dx: &mut [T],
    ), work work::<V, H>(C); {
        // As above.
        dx.fill(T::ZERO);
        let ((dy, _), (dx, _)) = (dy.as_chunks::<C>(), dx.as_chunks_mut::<C>());
        tiles!(C, 2 * lanes::<I, T>(), |start, W| windows::<V, H>(|o, under| {
            let (Some(dx), Some(dy)) = (part_mut(dx, under.first, under.span::<H>()), dy.get(o)) else { return };
            let part = inverse(under.count::<V, H>());
            let dy = of_each(&load::<T, W>(dy, start), T::ZERO, |&dy| dy * part);
            under.each::<H>(|place| if let Some(dx) = dx.get_mut(place) {
                let mut sum: [T; W] = load(dx, start);
                add::<I, T, W>(&mut sum, &dy);
                store(sum, dx, start);
            });
        }));
    }
}

/// `y`: the mean of each channel over all pixels.
#[inline]
pub(crate) fn global_average<T: Scalar, const C: usize>(x: &[T], y: &mut [T; C]) {
    let (x, _) = x.as_chunks::<C>();
    let mut sum = [T::ZERO; C];
    for x in x {
        add::<Target, T, C>(&mut sum, x);
    }
    *y = mean(&sum, x.len());
}

/// `sum / n`
#[inline]
#[allow(clippy::cast_precision_loss)]
pub(crate) fn mean<T: Scalar, const C: usize>(sum: &[T; C], n: usize) -> [T; C] {
    let n = T::from_f64(n as f64);
    of_each(sum, T::ZERO, |&sum| sum / n)
}

/// `dx = dy / n` in each of the `n` pixels.
#[inline]
pub(crate) fn global_average_backward<T: Scalar, const C: usize>(_: &[T], _: &[T; C], dy: &[T; C], dx: &mut [T]) {
    let (dx, _) = dx.as_chunks_mut::<C>();
    let dy = mean(dy, dx.len());
    for dx in dx {
        *dx = dy;
    }
}

/// `y`: the greatest of each channel over all pixels.
#[inline]
pub(crate) fn global_max<T: Scalar, const C: usize>(x: &[T], y: &mut [T; C]) {
    let mut all = x.as_chunks::<C>().0.iter();
    *y = all.next().copied().unwrap_or([T::ZERO; C]);
    for x in all {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = greater(*y, x);
        }
    }
}

/// `dx = dy` at the first of the greatest, and 0 elsewhere.
#[inline]
pub(crate) fn global_max_backward<T: Scalar, const C: usize>(x: &[T], y: &[T; C], dy: &[T; C], dx: &mut [T]) {
    let mut found = [false; C];
    for (x, dx) in x.as_chunks::<C>().0.iter().zip(dx.as_chunks_mut::<C>().0) {
        for ((((found, &x), &y), &dy), dx) in found.iter_mut().zip(x).zip(y).zip(dy).zip(dx) {
            let is_here = !*found && !is_less(x, y);
            *found |= is_here;
            *dx = if is_here { dy } else { T::ZERO };
        }
    }
}

/// Each pixel of rows of `width` becomes `down` rows of `across` pixels.
#[inline]
pub(crate) fn repeat<T: Scalar, const C: usize>(x: &[T], y: &mut [T], width: usize, down: usize, across: usize) {
    let (x, y) = (x.as_chunks::<C>().0, y.as_chunks_mut::<C>().0);
    for (x, y) in one_by_one(x.chunks_exact(width)).zip(y.chunks_exact_mut(width * across * down)) {
        for y in y.chunks_exact_mut(width * across) {
            for (x, y) in one_by_one(x.iter()).zip(y.chunks_exact_mut(across)) {
                y.fill(*x);
            }
        }
    }
}

/// The sum over the pixels that [`repeat`] makes of each.
#[inline]
pub(crate) fn repeat_backward<T: Scalar, const C: usize>(
    dy: &[T],
    dx: &mut [T],
    width: usize,
    down: usize,
    across: usize,
) {
    dx.fill(T::ZERO);
    let (dy, dx) = (dy.as_chunks::<C>().0, dx.as_chunks_mut::<C>().0);
    for (dx, dy) in one_by_one(dx.chunks_exact_mut(width)).zip(dy.chunks_exact(width * across * down)) {
        for dy in dy.chunks_exact(width * across) {
            for (dx, dy) in one_by_one(dx.iter_mut()).zip(dy.chunks_exact(across)) {
                for dy in dy {
                    add::<Target, T, C>(dx, dy);
                }
            }
        }
    }
}
