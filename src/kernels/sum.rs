//! Sums of scaled columns.

use crate::scalar::Scalar;

/// `acc += sum of scale * column` over `terms`, in their order for every element.
///
/// The elements are the vector lanes; a tile of them stays in registers while the terms go by.
#[inline]
pub(crate) fn add_scaled<'a, T: Scalar, const N: usize>(
    acc: &mut [T; N],
    terms: impl Iterator<Item = (&'a [T; N], T)> + Clone,
) {
    let mut start = 0;
    while start + 32 <= N {
        tile::<T, 32, N>(acc, start, terms.clone());
        start += 32;
    }
    if start + 16 <= N {
        tile::<T, 16, N>(acc, start, terms.clone());
        start += 16;
    }
    if start + 8 <= N {
        tile::<T, 8, N>(acc, start, terms.clone());
        start += 8;
    }
    if start + 4 <= N {
        tile::<T, 4, N>(acc, start, terms.clone());
        start += 4;
    }
    if start + 2 <= N {
        tile::<T, 2, N>(acc, start, terms.clone());
        start += 2;
    }
    if start < N {
        tile::<T, 1, N>(acc, start, terms);
    }
}

/// The elements `start..start + W` of [`add_scaled`].
#[inline]
fn tile<'a, T: Scalar, const W: usize, const N: usize>(
    acc: &mut [T; N],
    start: usize,
    terms: impl Iterator<Item = (&'a [T; N], T)>,
) {
    let Some(acc) = acc.get_mut(start..).and_then(|a| a.first_chunk_mut::<W>()) else {
        return;
    };
    let mut sum = *acc;
    for (column, scale) in terms {
        if let Some(column) = column.get(start..).and_then(|c| c.first_chunk::<W>()) {
            for (sum, &column) in sum.iter_mut().zip(column) {
                *sum += column * scale;
            }
        }
    }
    *acc = sum;
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss, clippy::float_cmp)] // Small integers: exact.
mod tests {
    use super::*;

    fn check<const N: usize>() {
        let term = |k: usize| -> [f64; N] { core::array::from_fn(|i| ((i * 7 + k * 13) % 11) as f64 - 5.0) };
        let terms = [(term(0), 2.0), (term(1), -3.0), (term(2), 0.5)];
        let mut acc: [f64; N] = core::array::from_fn(|i| i as f64);
        add_scaled(&mut acc, terms.iter().map(|(t, s)| (t, *s)));
        for (i, acc) in acc.into_iter().enumerate() {
            let expected = i as f64 + terms[0].0[i] * 2.0 - terms[1].0[i] * 3.0 + terms[2].0[i] * 0.5;
            assert_eq!(acc, expected, "element {i} of {N}");
        }
    }

    /// Every tail of the tiling: catches an element left out or added twice.
    #[test]
    fn every_tail() {
        check::<1>();
        check::<2>();
        check::<3>();
        check::<7>();
        check::<10>();
        check::<31>();
        check::<63>();
        check::<97>();
    }
}
