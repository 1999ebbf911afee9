//! Convolution: three walks of a window over pixels. `V` is the window's way down, `H` its way along a row.
//!
//! The lanes of a pixel are the vector lanes. A tile of them, for a few pixels side by side, stays in registers while the inputs of
//! the window go by; only at the borders a pixel is taken alone.

use super::window::{Axis, for_tiles, is_inside, pixels, row, row_mut, tile, tile_mut, under, windows};
use crate::scalar::Scalar;

/// The weights of a window of `KH` by `KW` places.
pub(crate) type Kernel<T, const IN: usize, const OUT: usize, const KH: usize, const KW: usize> =
    [[[[T; OUT]; IN]; KW]; KH];

/// `y += sum of weight * x` over each window: rows, columns and inputs of the window in this order.
#[inline]
pub(crate) fn gather<
    V: Axis,
    H: Axis,
    T: Scalar,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
>(
    weight: &Kernel<T, IN, OUT, KH, KW>,
    x: &[T],
    y: &mut [T],
) {
    let (x, _) = x.as_chunks();
    let (y, _) = y.as_chunks_mut();
    for_tiles!(OUT, |start, W, PIXELS| {
        gather_tile::<V, H, T, IN, OUT, KH, KW, W, PIXELS>(weight, x, y, start);
    });
}

#[inline]
fn gather_tile<
    V: Axis,
    H: Axis,
    T: Scalar,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    const W: usize,
    const PIXELS: usize,
>(
    weight: &Kernel<T, IN, OUT, KH, KW>,
    x: &[[T; IN]],
    y: &mut [[T; OUT]],
    start: usize,
) {
    for (oy, y) in y.chunks_exact_mut(H::OUT).enumerate() {
        let rows: [_; KH] = core::array::from_fn(|ky| row::<V, H, _>(x, oy, ky));
        let mut ox = 0;
        while let Some(y) = y.get_mut(ox..).filter(|y| !y.is_empty()) {
            if is_inside::<H>(ox, PIXELS) {
                gather_block::<H, T, IN, OUT, KH, KW, W, PIXELS>(weight, &rows, y, ox, start);
                ox += PIXELS;
            } else {
                gather_block::<H, T, IN, OUT, KH, KW, W, 1>(weight, &rows, y, ox, start);
                ox += 1;
            }
        }
    }
}

#[inline]
fn gather_block<
    H: Axis,
    T: Scalar,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    const W: usize,
    const PIXELS: usize,
>(
    weight: &Kernel<T, IN, OUT, KH, KW>,
    rows: &[Option<&[[T; IN]]>; KH],
    y: &mut [[T; OUT]],
    ox: usize,
    start: usize,
) {
    let mut sums = load::<T, OUT, W, PIXELS>(y, start);
    for (weight, row) in weight.iter().zip(rows) {
        let Some(row) = row else { continue };
        let Some(windows) = side_by_side::<H, _, KW, PIXELS>(row, ox) else { continue };
        for (kx, weight) in weight.iter().enumerate() {
            let Some(x) = windows.as_ref().map_or_else(|| pixels::<H, _, PIXELS>(row, ox, kx), |all| under(all, kx))
            else {
                continue;
            };
            for (i, weight) in weight.iter().enumerate() {
                let Some(weight) = tile::<T, OUT, W>(weight, start) else { continue };
                for (sum, x) in sums.iter_mut().zip(x) {
                    let x = x.get(i).copied().unwrap_or(T::ZERO);
                    for (sum, &weight) in sum.iter_mut().zip(weight) {
                        *sum += weight * x;
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

/// The windows of a block of pixels, if their places lie side by side: then they are found once for all of them. `Some(None)` if not.
#[inline]
#[allow(clippy::option_option)] // `None` does not happen.
fn side_by_side<H: Axis, P, const KW: usize, const PIXELS: usize>(
    row: &[P],
    ox: usize,
) -> Option<Option<[&[P; KW]; PIXELS]>> {
    if PIXELS > 1 && H::DILATION == 1 { windows::<H, P, KW, PIXELS>(row, ox).map(Some) } else { Some(None) }
}

/// The tiles of the first `PIXELS` pixels.
#[inline]
fn load<T: Scalar, const N: usize, const W: usize, const PIXELS: usize>(
    y: &[[T; N]],
    start: usize,
) -> [[T; W]; PIXELS] {
    let mut tiles = [[T::ZERO; W]; PIXELS];
    for (all, y) in tiles.iter_mut().zip(y) {
        if let Some(y) = tile(y, start) {
            *all = *y;
        }
    }
    tiles
}

/// `gradient += sum of x * dy` over all windows, row by row: what [`gather`] has to do with its weights.
#[inline]
pub(crate) fn gather_gradient<
    V: Axis,
    H: Axis,
    T: Scalar,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
>(
    gradient: &mut Kernel<T, IN, OUT, KH, KW>,
    x: &[T],
    dy: &[T],
) {
    let (x, _) = x.as_chunks();
    let (dy, _) = dy.as_chunks();
    for_tiles!(narrow OUT, |start, W, PIXELS| {
        gradient_tile::<V, H, T, IN, OUT, KH, KW, W, PIXELS>(gradient, x, dy, start);
    });
}

#[inline]
fn gradient_tile<
    V: Axis,
    H: Axis,
    T: Scalar,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    const W: usize,
    const PIXELS: usize,
>(
    gradient: &mut Kernel<T, IN, OUT, KH, KW>,
    x: &[[T; IN]],
    dy: &[[T; OUT]],
    start: usize,
) {
    for (oy, dy) in dy.chunks_exact(H::OUT).enumerate() {
        for (ky, gradient) in gradient.iter_mut().enumerate() {
            let Some(x) = row::<V, H, _>(x, oy, ky) else { continue };
            let mut ox = 0;
            while let Some(dy) = dy.get(ox..).filter(|dy| !dy.is_empty()) {
                if is_inside::<H>(ox, PIXELS) {
                    gradient_block::<H, T, IN, OUT, KW, W, PIXELS>(gradient, x, dy, ox, start);
                    ox += PIXELS;
                } else {
                    gradient_block::<H, T, IN, OUT, KW, W, 1>(gradient, x, dy, ox, start);
                    ox += 1;
                }
            }
        }
    }
}

#[inline]
fn gradient_block<
    H: Axis,
    T: Scalar,
    const IN: usize,
    const OUT: usize,
    const KW: usize,
    const W: usize,
    const PIXELS: usize,
>(
    gradient: &mut [[[T; OUT]; IN]; KW],
    row: &[[T; IN]],
    dy: &[[T; OUT]],
    ox: usize,
    start: usize,
) {
    let dy = load::<T, OUT, W, PIXELS>(dy, start);
    let Some(windows) = side_by_side::<H, _, KW, PIXELS>(row, ox) else { return };
    for (kx, gradient) in gradient.iter_mut().enumerate() {
        let Some(x) = windows.as_ref().map_or_else(|| pixels::<H, _, PIXELS>(row, ox, kx), |all| under(all, kx)) else {
            continue;
        };
        for (i, gradient) in gradient.iter_mut().enumerate() {
            let Some(gradient) = tile_mut::<T, OUT, W>(gradient, start) else { continue };
            let mut sum = *gradient;
            for (dy, x) in dy.iter().zip(x) {
                let x = x.get(i).copied().unwrap_or(T::ZERO);
                for (sum, &dy) in sum.iter_mut().zip(dy) {
                    *sum += dy * x;
                }
            }
            *gradient = sum;
        }
    }
}

/// `x += sum of weight * y`, the way back from the outputs to the places of their windows: what [`gather`] does to gradients with
/// the weights transposed, and what a transposed convolution is.
#[inline]
pub(crate) fn scatter<
    V: Axis,
    H: Axis,
    T: Scalar,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
>(
    weight: &Kernel<T, OUT, IN, KH, KW>,
    y: &[T],
    x: &mut [T],
) {
    let (y, _) = y.as_chunks();
    let (x, _) = x.as_chunks_mut();
    for_tiles!(IN, |start, W, PIXELS| {
        scatter_tile::<V, H, T, IN, OUT, KH, KW, W, PIXELS>(weight, y, x, start);
    });
}

#[inline]
fn scatter_tile<
    V: Axis,
    H: Axis,
    T: Scalar,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    const W: usize,
    const PIXELS: usize,
>(
    weight: &Kernel<T, OUT, IN, KH, KW>,
    y: &[[T; OUT]],
    x: &mut [[T; IN]],
    start: usize,
) {
    for (oy, y) in y.chunks_exact(H::OUT).enumerate() {
        for (ky, weight) in weight.iter().enumerate() {
            let Some(x) = row_mut::<V, H, _>(x, oy, ky) else { continue };
            let mut ox = 0;
            while let Some(y) = y.get(ox..).filter(|y| !y.is_empty()) {
                if is_inside::<H>(ox, PIXELS) {
                    scatter_block::<H, T, IN, OUT, KW, W, PIXELS>(weight, y, x, ox, start);
                    ox += PIXELS;
                } else {
                    scatter_block::<H, T, IN, OUT, KW, W, 1>(weight, y, x, ox, start);
                    ox += 1;
                }
            }
        }
    }
}

#[inline]
fn scatter_block<
    H: Axis,
    T: Scalar,
    const IN: usize,
    const OUT: usize,
    const KW: usize,
    const W: usize,
    const PIXELS: usize,
>(
    weight: &[[[T; IN]; OUT]; KW],
    y: &[[T; OUT]],
    row: &mut [[T; IN]],
    ox: usize,
    start: usize,
) {
    let Some(y) = y.first_chunk::<PIXELS>() else { return };
    for (kx, weight) in weight.iter().enumerate() {
        let Some(x) = pixels::<H, _, PIXELS>(row, ox, kx) else { continue };
        let mut sums = [[T::ZERO; W]; PIXELS];
        for (sum, x) in sums.iter_mut().zip(x) {
            if let Some(x) = tile(x, start) {
                *sum = *x;
            }
        }
        for (o, weight) in weight.iter().enumerate() {
            let Some(weight) = tile::<T, IN, W>(weight, start) else { continue };
            for (sum, y) in sums.iter_mut().zip(y) {
                let y = y.get(o).copied().unwrap_or(T::ZERO);
                for (sum, &weight) in sum.iter_mut().zip(weight) {
                    *sum += weight * y;
                }
            }
        }
        for (n, sum) in sums.into_iter().enumerate() {
            let place = H::place(ox + n, kx).and_then(|ix| tile_mut(row.get_mut(ix)?, start));
            if let Some(x) = place {
                *x = sum;
            }
        }
    }
}

/// Each weight and its place where inputs and outputs are exchanged.
#[inline]
pub(crate) fn transpose<T: Copy, const IN: usize, const OUT: usize, const KH: usize, const KW: usize>(
    weight: &Kernel<T, IN, OUT, KH, KW>,
    transposed: &mut Kernel<T, OUT, IN, KH, KW>,
    put: impl Fn(&mut T, T),
) {
    for (weight, transposed) in weight.as_flattened().iter().zip(transposed.as_flattened_mut()) {
        for (i, weight) in weight.iter().enumerate() {
            for (transposed, &weight) in transposed.iter_mut().zip(weight) {
                if let Some(transposed) = transposed.get_mut(i) {
                    put(transposed, weight);
                }
            }
        }
    }
}

/// Each pixel becomes the bias, or zero.
#[inline]
pub(crate) fn fill<T: Scalar, const OUT: usize>(bias: Option<&[T; OUT]>, y: &mut [T]) {
    let bias = bias.copied().unwrap_or([T::ZERO; OUT]);
    for y in y.as_chunks_mut().0 {
        *y = bias;
    }
}

/// `gradient += sum of dy` over all pixels.
#[inline]
pub(crate) fn bias_gradient<T: Scalar, const OUT: usize>(gradient: Option<&mut [T; OUT]>, dy: &[T]) {
    if let Some(gradient) = gradient {
        super::sum::add_scaled(gradient, dy.as_chunks().0.iter().map(|dy| (dy, T::ONE)));
    }
}
