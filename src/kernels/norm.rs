//! Mean and deviation of a group of numbers, and the way back through them.
//!
//! A group is `WIDTH` channels, from `start` on, of each position of a tensor: its rows.

use super::sum::sum_of;
use crate::scalar::Scalar;

/// The mean of a group, and 1 over its standard deviation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments<T> {
    pub(crate) mean: T,
    pub(crate) scale: T,
}

/// Which channels of each position belong together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) start: usize,
    pub(crate) width: usize,
}

impl Group {
    /// The channels of one position.
    #[inline]
    pub(crate) fn of<T>(self, position: &[T]) -> &[T] {
        position.get(self.start..self.start + self.width).unwrap_or_default()
    }

    /// The same, to write to.
    #[inline]
    pub(crate) fn of_mut<T>(self, position: &mut [T]) -> &mut [T] {
        position.get_mut(self.start..self.start + self.width).unwrap_or_default()
    }
}

/// The moments of a group; with `CENTRED` false the mean counts as 0.
///
/// Chan, Golub & LeVeque (1983): the second pass sums the distances from the mean as well as their squares, which makes good
/// what the first lost to rounding.
#[inline]
pub(crate) fn moments<T: Scalar, const C: usize, const CENTRED: bool>(
    x: &[[T; C]],
    group: Group,
    epsilon: T,
) -> Moments<T> {
    let per_number = T::ONE / count::<T, C>(x, group);
    let mut mean = T::ZERO;
    if CENTRED {
        for row in x {
            let row = group.of(row);
            mean += sum_of(row, row, |x, _| x);
        }
        mean *= per_number;
    }
    let (mut rest, mut squares) = (T::ZERO, T::ZERO);
    for row in x {
        let row = group.of(row);
        if CENTRED {
            rest += sum_of(row, row, |x, _| x - mean);
        }
        squares += sum_of(row, row, |x, _| (x - mean) * (x - mean));
    }
    let rest = rest * per_number;
    let variance = (squares * per_number - rest * rest).max(T::ZERO);
    Moments { mean: mean + rest, scale: T::ONE / (variance + epsilon).sqrt() }
}

/// How many numbers belong to a group.
#[inline]
#[allow(clippy::cast_precision_loss)]
pub(crate) fn count<T: Scalar, const C: usize>(x: &[[T; C]], group: Group) -> T {
    T::from_f64((x.len() * group.width) as f64)
}

/// From the gradient of what was normalised, which stands in `dx`, to that of `x`:
///
/// ```text
/// dx = scale (g - mean of g - n mean of (g n))    n = (x - mean) scale
/// ```
#[inline]
pub(crate) fn backward<T: Scalar, const C: usize, const CENTRED: bool>(
    x: &[[T; C]],
    group: Group,
    Moments { mean, scale }: Moments<T>,
    dx: &mut [[T; C]],
) {
    let per_number = T::ONE / count::<T, C>(x, group);
    let (mut g_sum, mut product_sum) = (T::ZERO, T::ZERO);
    for (x, g) in x.iter().zip(&*dx) {
        let (x, g) = (group.of(x), group.of(g));
        if CENTRED {
            g_sum += sum_of(g, g, |g, _| g);
        }
        product_sum += sum_of(g, x, |g, x| g * ((x - mean) * scale));
    }
    let (g_mean, product_mean) = (g_sum * per_number, product_sum * per_number);
    for (x, dx) in x.iter().zip(dx) {
        for (&x, dx) in group.of(x).iter().zip(group.of_mut(dx)) {
            *dx = scale * (*dx - (g_mean + (x - mean) * scale * product_mean));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mean far above the deviation: what a difference of sums of squares would lose, in `f32`.
    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn large_means() {
        let x: [[f32; 3]; 1000] = core::array::from_fn(|i| [1e5 + (i % 4) as f32, 0.0, -(i as f32)]);
        let moments = moments::<f32, 3, true>(&x, Group { start: 0, width: 1 }, 0.0);
        assert!((moments.mean - (1e5 + 1.5)).abs() < 0.01, "{moments:?}");
        assert!((moments.scale - 1.0 / 1.25_f32.sqrt()).abs() < 1e-4, "{moments:?}");
    }

    /// Every number of the group and none beside it, whatever the tail of the eight sums.
    #[test]
    #[allow(clippy::float_cmp)] // Small integers: exact.
    fn a_group_of_each_position() {
        let x: [[f64; 21]; 2] = [core::array::from_fn(|i| if i < 2 { 1e9 } else { 3.0 }), [7.0; 21]];
        let moments = moments::<f64, 21, true>(&x, Group { start: 2, width: 19 }, 0.0);
        assert_eq!((moments.mean, moments.scale), (5.0, 0.5));
    }
}
