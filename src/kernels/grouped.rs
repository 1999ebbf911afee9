//! Convolution in groups of channels: as [`conv`](super::conv), but each group sees its own inputs only. With one channel to a group
//! the groups are the vector lanes.

use super::window::{Axis, for_tiles, is_inside, pixels, row, row_mut, tile, tile_mut};
use crate::scalar::Scalar;

/// The weights of `G` groups, each of a window of `KH` by `KW` places.
pub(crate) type Kernel<T, const G: usize, const IN: usize, const OUT: usize, const KH: usize, const KW: usize> =
    [[[[[T; OUT]; G]; IN]; KW]; KH];

/// A pixel: `G` groups of `N` channels.
type Pixel<T, const G: usize, const N: usize> = [[T; N]; G];

/// Numbers as pixels.
#[inline]
fn as_pixels<T, const G: usize, const N: usize>(numbers: &[T]) -> &[Pixel<T, G, N>] {
    numbers.as_chunks().0.as_chunks().0
}

/// The same, to write to.
#[inline]
fn as_pixels_mut<T, const G: usize, const N: usize>(numbers: &mut [T]) -> &mut [Pixel<T, G, N>] {
    numbers.as_chunks_mut().0.as_chunks_mut().0
}

/// `y += sum of weight * x` over each window: rows, columns and inputs of the window in this order.
#[inline]
pub(crate) fn gather<
    V: Axis,
    H: Axis,
    T: Scalar,
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
>(
    weight: &Kernel<T, G, IN, OUT, KH, KW>,
    x: &[T],
    y: &mut [T],
) {
    let (x, y) = (as_pixels(x), as_pixels_mut(y));
    if OUT == 1 {
        for_tiles!(G, |start, W, PIXELS| {
            gather_tile::<V, H, T, G, IN, OUT, KH, KW, W, PIXELS>(weight, x, y, start);
        });
    } else {
        for start in 0..G {
            gather_tile::<V, H, T, G, IN, OUT, KH, KW, 1, 2>(weight, x, y, start);
        }
    }
}

#[inline]
fn gather_tile<
    V: Axis,
    H: Axis,
    T: Scalar,
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    const W: usize,
    const PIXELS: usize,
>(
    weight: &Kernel<T, G, IN, OUT, KH, KW>,
    x: &[Pixel<T, G, IN>],
    y: &mut [Pixel<T, G, OUT>],
    start: usize,
) {
    for (oy, y) in y.chunks_exact_mut(H::OUT).enumerate() {
        let rows: [_; KH] = core::array::from_fn(|ky| row::<V, H, _>(x, oy, ky));
        let mut ox = 0;
        while let Some(y) = y.get_mut(ox..).filter(|y| !y.is_empty()) {
            if is_inside::<H>(ox, PIXELS) {
                gather_block::<H, T, G, IN, OUT, KH, KW, W, PIXELS>(weight, &rows, y, ox, start);
                ox += PIXELS;
            } else {
                gather_block::<H, T, G, IN, OUT, KH, KW, W, 1>(weight, &rows, y, ox, start);
                ox += 1;
            }
        }
    }
}

#[inline]
fn gather_block<
    H: Axis,
    T: Scalar,
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    const W: usize,
    const PIXELS: usize,
>(
    weight: &Kernel<T, G, IN, OUT, KH, KW>,
    rows: &[Option<&[Pixel<T, G, IN>]>; KH],
    y: &mut [Pixel<T, G, OUT>],
    ox: usize,
    start: usize,
) {
    let mut sums = [[[T::ZERO; OUT]; W]; PIXELS];
    for (sum, y) in sums.iter_mut().zip(&*y) {
        if let Some(y) = tile(y, start) {
            *sum = *y;
        }
    }
    for (weight, row) in weight.iter().zip(rows) {
        let Some(row) = row else { continue };
        for (kx, weight) in weight.iter().enumerate() {
            let Some(x) = pixels::<H, _, PIXELS>(row, ox, kx) else { continue };
            for (i, weight) in weight.iter().enumerate() {
                let Some(weight) = tile::<_, G, W>(weight, start) else { continue };
                for (sum, x) in sums.iter_mut().zip(x) {
                    let Some(x) = tile::<_, G, W>(x, start) else { continue };
                    for ((sum, weight), x) in sum.iter_mut().zip(weight).zip(x) {
                        let x = x.get(i).copied().unwrap_or(T::ZERO);
                        for (sum, &weight) in sum.iter_mut().zip(weight) {
                            *sum += weight * x;
                        }
                    }
                }
            }
        }
    }
    for (y, sum) in y.iter_mut().zip(sums) {
        if let Some(y) = tile_mut(y, start) {
            *y = sum;
        }
    }
}

/// `gradient += sum of x * dy` over all windows, row by row.
#[inline]
pub(crate) fn gather_gradient<
    V: Axis,
    H: Axis,
    T: Scalar,
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
>(
    gradient: &mut Kernel<T, G, IN, OUT, KH, KW>,
    x: &[T],
    dy: &[T],
) {
    let (x, dy) = (as_pixels::<T, G, IN>(x), as_pixels::<T, G, OUT>(dy));
    for (oy, dy) in dy.chunks_exact(H::OUT).enumerate() {
        for (ky, gradient) in gradient.iter_mut().enumerate() {
            let Some(x) = row::<V, H, _>(x, oy, ky) else { continue };
            for (kx, gradient) in gradient.iter_mut().enumerate() {
                for (ox, dy) in dy.iter().enumerate() {
                    let Some([x]) = pixels::<H, _, 1>(x, ox, kx) else { continue };
                    for (i, gradient) in gradient.iter_mut().enumerate() {
                        for ((gradient, x), dy) in gradient.iter_mut().zip(x).zip(dy) {
                            let x = x.get(i).copied().unwrap_or(T::ZERO);
                            for (gradient, &dy) in gradient.iter_mut().zip(dy) {
                                *gradient += dy * x;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `dx += sum of weight * dy`, the way back from the outputs to the places of their windows.
#[inline]
pub(crate) fn scatter<
    V: Axis,
    H: Axis,
    T: Scalar,
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
>(
    weight: &Kernel<T, G, IN, OUT, KH, KW>,
    dy: &[T],
    dx: &mut [T],
) {
    let (dy, dx) = (as_pixels::<T, G, OUT>(dy), as_pixels_mut::<T, G, IN>(dx));
    for (oy, dy) in dy.chunks_exact(H::OUT).enumerate() {
        for (ky, weight) in weight.iter().enumerate() {
            let Some(row) = row_mut::<V, H, _>(dx, oy, ky) else { continue };
            for (kx, weight) in weight.iter().enumerate() {
                for (ox, dy) in dy.iter().enumerate() {
                    let Some(dx) = H::place(ox, kx).and_then(|ix| row.get_mut(ix)) else { continue };
                    for (i, weight) in weight.iter().enumerate() {
                        for ((dx, weight), dy) in dx.iter_mut().zip(weight).zip(dy) {
                            let Some(dx) = dx.get_mut(i) else { continue };
                            for (&weight, &dy) in weight.iter().zip(dy) {
                                *dx += weight * dy;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Each pixel becomes the bias, or zero where there is none.
#[inline]
pub(crate) fn fill<T: Scalar>(bias: &[T], y: &mut [T]) {
    if bias.is_empty() {
        y.fill(T::ZERO);
        return;
    }
    for y in y.chunks_exact_mut(bias.len()) {
        for (y, &bias) in y.iter_mut().zip(bias) {
            *y = bias;
        }
    }
}

/// `gradient += sum of dy` over all pixels.
#[inline]
pub(crate) fn bias_gradient<T: Scalar>(gradient: &mut [T], dy: &[T]) {
    if gradient.is_empty() {
        return;
    }
    for dy in dy.chunks_exact(gradient.len()) {
        for (gradient, &dy) in gradient.iter_mut().zip(dy) {
            *gradient += dy;
        }
    }
}
