//! Products of recurrent layers: all gates of a step at once, and their gradients over many steps.

use super::sum::{add_scaled, dot};
use crate::scalar::Scalar;

/// `bias + sum of weight * x`: a vector for each gate.
///
/// The outputs of all gates, one after the other, are the vector lanes. Inputs are added in their order.
#[inline]
pub(crate) fn products<T: Scalar, const N: usize, const GATES: usize, const OUT: usize>(
    bias: &[[T; OUT]; GATES],
    weight: &[[[T; OUT]; GATES]; N],
    x: &[T; N],
) -> [[T; OUT]; GATES] {
    let mut gates = *bias;
    let sums = gates.as_flattened_mut();
    let mut start = 0;
    while start + 32 <= sums.len() {
        tile::<T, 32, N, GATES, OUT>(sums, start, weight, x);
        start += 32;
    }
    if start + 16 <= sums.len() {
        tile::<T, 16, N, GATES, OUT>(sums, start, weight, x);
        start += 16;
    }
    if start + 8 <= sums.len() {
        tile::<T, 8, N, GATES, OUT>(sums, start, weight, x);
        start += 8;
    }
    if start + 4 <= sums.len() {
        tile::<T, 4, N, GATES, OUT>(sums, start, weight, x);
        start += 4;
    }
    while start < sums.len() {
        tile::<T, 1, N, GATES, OUT>(sums, start, weight, x);
        start += 1;
    }
    gates
}

/// The sums `start..start + W` of [`products`], in registers.
#[inline]
fn tile<T: Scalar, const W: usize, const N: usize, const GATES: usize, const OUT: usize>(
    sums: &mut [T],
    start: usize,
    weight: &[[[T; OUT]; GATES]; N],
    x: &[T; N],
) {
    let Some(place) = sums.get_mut(start..).and_then(|sums| sums.first_chunk_mut::<W>()) else {
        return;
    };
    let mut sum = *place;
    for (gates, &x) in weight.iter().zip(x) {
        if let Some(gates) = gates.as_flattened().get(start..).and_then(|gates| gates.first_chunk::<W>()) {
            for (sum, &weight) in sum.iter_mut().zip(gates) {
                *sum += weight * x;
            }
        }
    }
    *place = sum;
}

/// `sum of weight * d` over the outputs of all gates, for the weights of one input. Gate `i` has its `d` in `slots[i]`.
#[inline]
pub(crate) fn dot_gates<T: Scalar, const GATES: usize, const SLOTS: usize, const OUT: usize>(
    weight: &[[T; OUT]; GATES],
    d: &[[T; OUT]; SLOTS],
    slots: [usize; GATES],
) -> T {
    let mut sum = T::ZERO;
    for (weight, slot) in weight.iter().zip(slots) {
        if let Some(d) = d.get(slot) {
            sum += dot(weight, d);
        }
    }
    sum
}

/// `gradient += sum of d x'` over `steps`: pairs of what the weights multiplied and of the gradients in front of the gates.
#[inline]
pub(crate) fn add_outer<'a, T: Scalar, const N: usize, const GATES: usize, const SLOTS: usize, const OUT: usize>(
    gradient: &mut [[[T; OUT]; GATES]; N],
    slots: [usize; GATES],
    steps: &(impl Iterator<Item = (&'a [T; N], &'a [[T; OUT]; SLOTS])> + Clone),
) {
    for (i, gates) in gradient.iter_mut().enumerate() {
        for (gate, slot) in gates.iter_mut().zip(slots) {
            add_scaled(gate, steps.clone().filter_map(|(x, d)| Some((d.get(slot)?, *x.get(i)?))));
        }
    }
}

/// `gradient += sum of d` over `steps`.
#[inline]
pub(crate) fn add_all<'a, T: Scalar, const GATES: usize, const SLOTS: usize, const OUT: usize>(
    gradient: &mut [[T; OUT]; GATES],
    slots: [usize; GATES],
    steps: &(impl Iterator<Item = &'a [[T; OUT]; SLOTS]> + Clone),
) {
    for (gate, slot) in gradient.iter_mut().zip(slots) {
        add_scaled(gate, steps.clone().filter_map(|d| Some((d.get(slot)?, T::ONE))));
    }
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss, clippy::float_cmp)] // Small integers: exact.
mod tests {
    use super::*;

    fn number(i: usize) -> f64 {
        ((i * 7) % 11) as f64 - 5.0
    }

    fn check<const N: usize, const OUT: usize>() {
        let bias: [[f64; OUT]; 3] = core::array::from_fn(|gate| core::array::from_fn(|out| number(gate + 3 * out)));
        let weight: [[[f64; OUT]; 3]; N] = core::array::from_fn(|i| {
            core::array::from_fn(|gate| core::array::from_fn(|out| number(5 * i + 2 * gate + 13 * out)))
        });
        let x: [f64; N] = core::array::from_fn(|i| number(3 * i + 1));
        let y = products(&bias, &weight, &x);
        for gate in 0..3 {
            for out in 0..OUT {
                let sum: f64 = (0..N).map(|i| weight[i][gate][out] * x[i]).sum();
                assert_eq!(y[gate][out], bias[gate][out] + sum, "gate {gate}, output {out} of {OUT}");
            }
        }
        // Gate 2 has its gradient in slot 3.
        let d: [[f64; OUT]; 4] = core::array::from_fn(|slot| core::array::from_fn(|out| number(slot + 5 * out + 2)));
        let slots = [0, 1, 3];
        let mut gradient = weight;
        add_outer(&mut gradient, slots, &[(&x, &d), (&x, &d)].into_iter());
        let mut bias_gradient = bias;
        add_all(&mut bias_gradient, slots, &[&d, &d, &d].into_iter());
        for (gate, slot) in slots.into_iter().enumerate() {
            for out in 0..OUT {
                for i in 0..N {
                    assert_eq!(gradient[i][gate][out], weight[i][gate][out] + 2.0 * d[slot][out] * x[i]);
                }
                assert_eq!(bias_gradient[gate][out], bias[gate][out] + 3.0 * d[slot][out]);
            }
        }
        for weight in &weight {
            let sum: f64 =
                (0..3).flat_map(|gate| (0..OUT).map(move |out| weight[gate][out] * d[slots[gate]][out])).sum();
            assert_eq!(dot_gates(weight, &d, slots), sum);
        }
    }

    /// Every tail of the tiling, and a gate whose gradient stands elsewhere.
    #[test]
    fn every_tail() {
        check::<1, 1>();
        check::<2, 2>();
        check::<3, 5>();
        check::<4, 7>();
        check::<2, 16>();
        check::<5, 21>();
    }
}
