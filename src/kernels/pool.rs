//! Pooling: a window that slides over pixels and makes one of those under it. `V` is its way down, `H` its way along a row.

use super::flat::one_by_one;
use super::window::{Axis, pixels, row, row_mut};
use crate::scalar::Scalar;

/// `y`: the greatest of each channel under the window. A NaN is greater than any number.
#[inline]
pub(crate) fn max<V: Axis, H: Axis, T: Scalar, const C: usize>(x: &[T], y: &mut [T]) {
    let (x, _) = x.as_chunks::<C>();
    for (oy, y) in y.as_chunks_mut::<C>().0.chunks_exact_mut(H::OUT).enumerate() {
        for (ox, y) in y.iter_mut().enumerate() {
            let mut is_first = true;
            for row in (0..V::KERNEL).filter_map(|ky| row::<V, H, _>(x, oy, ky)) {
                for [x] in (0..H::KERNEL).filter_map(|kx| pixels::<H, _, 1>(row, ox, kx)) {
                    if is_first {
                        (*y, is_first) = (*x, false);
                        continue;
                    }
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = greater(*y, x);
                    }
                }
            }
        }
    }
}

/// The greater of two, NaN if `x` is NaN.
#[inline]
#[allow(clippy::eq_op)] // Only NaN is not its own equal.
pub(crate) fn greater<T: Scalar>(max: T, x: T) -> T {
    if x > max || x != x { x } else { max }
}

/// `dx += dy` at the first place of each window that is the greatest.
#[inline]
pub(crate) fn max_backward<V: Axis, H: Axis, T: Scalar, const C: usize>(x: &[T], y: &[T], dy: &[T], dx: &mut [T]) {
    let ((x, _), (dx, _)) = (x.as_chunks::<C>(), dx.as_chunks_mut::<C>());
    let rows = one_by_one(y.as_chunks::<C>().0.chunks_exact(H::OUT)).zip(dy.as_chunks::<C>().0.chunks_exact(H::OUT));
    for (oy, (y, dy)) in rows.enumerate() {
        for (ox, (y, dy)) in y.iter().zip(dy).enumerate() {
            let mut found = [false; C];
            for ky in 0..V::KERNEL {
                let (Some(x), Some(dx)) = (row::<V, H, _>(x, oy, ky), row_mut::<V, H, _>(dx, oy, ky)) else { continue };
                for place in (0..H::KERNEL).filter_map(|kx| H::place(ox, kx)) {
                    let (Some(x), Some(dx)) = (x.get(place), dx.get_mut(place)) else { continue };
                    for ((((found, &x), &y), &dy), dx) in found.iter_mut().zip(x).zip(y).zip(dy).zip(dx) {
                        let is_here = !*found && x == y;
                        *found |= is_here;
                        *dx += if is_here { dy } else { T::ZERO };
                    }
                }
            }
        }
    }
}

/// By how much the sum under the window for output `o` is to be divided in this direction.
fn places<A: Axis>(o: usize) -> usize {
    if A::COUNTS_PADDING { A::KERNEL } else { (0..A::KERNEL).filter(|&k| A::place(o, k).is_some()).count() }
}

/// `1 / n`
#[allow(clippy::cast_precision_loss)]
fn part<T: Scalar>(n: usize) -> T {
    T::ONE / T::from_f64(n as f64)
}

/// `y`: the mean of each channel under the window.
#[inline]
pub(crate) fn average<V: Axis, H: Axis, T: Scalar, const C: usize>(x: &[T], y: &mut [T]) {
    let (x, _) = x.as_chunks::<C>();
    for (oy, y) in y.as_chunks_mut::<C>().0.chunks_exact_mut(H::OUT).enumerate() {
        for (ox, y) in y.iter_mut().enumerate() {
            let mut sum = [T::ZERO; C];
            for row in (0..V::KERNEL).filter_map(|ky| row::<V, H, _>(x, oy, ky)) {
                for [x] in (0..H::KERNEL).filter_map(|kx| pixels::<H, _, 1>(row, ox, kx)) {
                    add(&mut sum, x);
                }
            }
            let part = part(places::<V>(oy) * places::<H>(ox));
            *y = sum.map(|sum| sum * part);
        }
    }
}

/// `dx += dy / n` at each of the `n` places of each window.
#[inline]
pub(crate) fn average_backward<V: Axis, H: Axis, T: Scalar, const C: usize>(_: &[T], _: &[T], dy: &[T], dx: &mut [T]) {
    let (dx, _) = dx.as_chunks_mut::<C>();
    for (oy, dy) in dy.as_chunks::<C>().0.chunks_exact(H::OUT).enumerate() {
        for (ox, dy) in dy.iter().enumerate() {
            let part = part(places::<V>(oy) * places::<H>(ox));
            let dy = dy.map(|dy| dy * part);
            for ky in 0..V::KERNEL {
                let Some(row) = row_mut::<V, H, _>(dx, oy, ky) else { continue };
                for place in (0..H::KERNEL).filter_map(|kx| H::place(ox, kx)) {
                    if let Some(dx) = row.get_mut(place) {
                        add(dx, &dy);
                    }
                }
            }
        }
    }
}

/// `y`: the mean of each channel over all pixels.
#[inline]
pub(crate) fn global_average<T: Scalar, const C: usize>(x: &[T], y: &mut [T; C]) {
    let (x, _) = x.as_chunks::<C>();
    let mut sum = [T::ZERO; C];
    for x in x {
        add(&mut sum, x);
    }
    *y = mean(&sum, x.len());
}

/// `sum / n`
#[inline]
#[allow(clippy::cast_precision_loss)]
pub(crate) fn mean<T: Scalar, const C: usize>(sum: &[T; C], n: usize) -> [T; C] {
    let n = T::from_f64(n as f64);
    sum.map(|sum| sum / n)
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
            let is_here = !*found && x == y;
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
                    add(dx, dy);
                }
            }
        }
    }
}

/// `a += b`
#[inline]
fn add<T: Scalar, const C: usize>(a: &mut [T; C], b: &[T; C]) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a += b;
    }
}
