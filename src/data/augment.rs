//! Other views of the same picture: what is done to a sample before it is learnt from, so that the network sees it anew.
//!
//! All of it works in place on the caller's tensors and draws from the caller's generator. The same generator gives the same bits on
//! every machine. Augment copies of the training part, one epoch after the other, and leave the test part as it is:
//!
//! ```
//! use constnet::data::augment;
//! use constnet::nalgebra::SMatrix;
//! use constnet::{Image, shape::TensorOf};
//! use rand::{SeedableRng, rngs::StdRng};
//!
//! let picture: TensorOf<Image<1, 28, 28>, f32> = [SMatrix::repeat(0.5); 28];
//! let mut rng = StdRng::seed_from_u64(1);
//! let mut batch = [picture; 8];
//! for x in &mut batch {
//!     augment::shift(x, 2, 2, &mut rng);
//!     augment::flip_horizontal(x, &mut rng);
//!     augment::noise(x, 0.05, &mut rng);
//!     augment::cut_out(x, 8, 8, &mut rng);
//! }
//! assert_ne!(batch[0], batch[1]);
//! ```

use crate::feature::Rng;
use crate::init::normal;
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::Tensor;
use core::cell::Cell;
use nalgebra::SMatrix;

/// Moves a picture by up to `rows` up or down and up to `columns` to the left or right, each of these equally likely. What comes in
/// from beside it is 0.
///
/// # Cost
/// Two copies of the picture at most.
pub fn shift<T: Element, const C: usize, const W: usize, const H: usize, R: Rng + ?Sized>(
    image: &mut [SMatrix<T, C, W>; H],
    rows: usize,
    columns: usize,
    rng: &mut R,
) {
    let (rows, columns) = (rows.min(H), columns.min(W));
    let (down, right) = (below(2 * rows + 1, rng), below(2 * columns + 1, rng));
    move_along(image, down.saturating_sub(rows), rows.saturating_sub(down), SMatrix::ZERO);
    for row in image {
        move_along(&mut row.data.0, right.saturating_sub(columns), columns.saturating_sub(right), [T::ZERO; C]);
    }
}

/// Exchanges left and right, half of the time.
///
/// # Cost
/// A copy of the picture.
pub fn flip_horizontal<T: Element, const C: usize, const W: usize, const H: usize, R: Rng + ?Sized>(
    image: &mut [SMatrix<T, C, W>; H],
    rng: &mut R,
) {
    if below(2, rng) == 1 {
        for row in image {
            row.data.0.reverse();
        }
    }
}

/// Exchanges top and bottom, half of the time.
///
/// # Cost
/// A copy of the picture.
pub fn flip_vertical<T: Element, const C: usize, const W: usize, const H: usize, R: Rng + ?Sized>(
    image: &mut [SMatrix<T, C, W>; H],
    rng: &mut R,
) {
    if below(2, rng) == 1 {
        image.reverse();
    }
}

/// Adds normal noise of this standard deviation to every number of a tensor of any shape.
///
/// # Cost
/// A logarithm, a square root and some 1.3 pairs of random numbers for each number.
pub fn noise<T: Scalar, X: Tensor<T>, R: Rng + ?Sized>(x: &mut X, deviation: f64, rng: &mut R) {
    for x in x.as_mut_slice() {
        *x += T::from_f64(normal(rng) * deviation);
    }
}

/// Sets a rectangle of `height` by `width` pixels to 0. Its middle is any pixel, all equally likely: at the edges a part of it lies
/// beside the picture.
///
/// # Reference
/// DeVries & Taylor (2017), "Improved regularization of convolutional neural networks with cutout".
pub fn cut_out<T: Element, const C: usize, const W: usize, const H: usize, R: Rng + ?Sized>(
    image: &mut [SMatrix<T, C, W>; H],
    height: usize,
    width: usize,
    rng: &mut R,
) {
    let (top, left) = (below(H, rng), below(W, rng));
    let (before, height) = part(top, height);
    let (before_columns, width) = part(left, width);
    for row in image.iter_mut().skip(before).take(height) {
        for pixel in row.data.0.iter_mut().skip(before_columns).take(width) {
            *pixel = [T::ZERO; C];
        }
    }
}

/// Where a stretch of this length around a middle begins, and how long it is behind the edge at 0.
fn part(middle: usize, length: usize) -> (usize, usize) {
    let before = length / 2;
    (middle.saturating_sub(before), length - before.saturating_sub(middle))
}

/// Moves all items `forward` or `back` and fills the gap.
fn move_along<V: Copy>(items: &mut [V], forward: usize, back: usize, filler: V) {
    let items = Cell::from_mut(items).as_slice_of_cells();
    // The items that stay, at their place and at the place where they go. No range of them can be out of bounds: nothing panics.
    if forward > 0 {
        let places = items.get(forward..).unwrap_or_default();
        let stay = items.get(..places.len()).unwrap_or_default();
        for (to, from) in places.iter().zip(stay).rev() {
            to.set(from.get());
        }
        items.iter().take(forward).for_each(|item| item.set(filler));
    } else {
        let stay = items.get(back..).unwrap_or_default();
        for (to, from) in items.iter().zip(stay) {
            to.set(from.get());
        }
        items.iter().skip(stay.len()).for_each(|item| item.set(filler));
    }
}

/// A random number below `n`, each with a probability that differs by less than 2^-32 of it.
fn below<R: Rng + ?Sized>(n: usize, rng: &mut R) -> usize {
    #[allow(clippy::cast_possible_truncation)]
    let number = ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize;
    number
}
