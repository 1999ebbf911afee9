//! Recurrent layers: the walk through time, the sums of all gates of a step, and the gradients over many steps.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::contiguous::Contiguous;
use super::dense::sum_of_parts;
use super::dispatch::{Isa, kernel, lanes};
use super::elementwise::are_finite;
use super::horizontal::product;
use super::tile::{each, load, store, tiles};
use super::vector::add_scaled;
use crate::layer::Side;
use crate::scalar::{ConstZero, Negligible, Scalar};
use core::slice::{from_mut, from_ref};

/// A state with an output in it.
pub(crate) trait Hidden<T, const HIDDEN: usize>: ConstZero + Copy {
    /// `h`
    fn hidden(&self) -> &[T; HIDDEN];

    /// `h`, to write to.
    fn hidden_mut(&mut self) -> &mut [T; HIDDEN];

    /// That it is numbers.
    const CONTIGUOUS: Contiguous<Self, T>;
}

/// One step of a recurrent layer, and the way back.
pub(crate) trait Cell<T: Scalar, const IN: usize, const HIDDEN: usize>: Sized {
    /// What is remembered from step to step. On the way back: the gradient with respect to it.
    type State: Hidden<T, HIDDEN>;

    /// What [`back`](Cell::back) needs of a step; after it, the gradients in front of the gates.
    type Saved: ConstZero;

    /// That it is numbers.
    const SAVED: Contiguous<Self::Saved, T>;

    /// The multiply-adds of a step. Whatever is computed of a layer chooses its instructions by this one number, so that a whole
    /// sequence, a batch in training and a stream give the same bits.
    const WORK: usize;

    /// Takes a step. This is the only place where one is computed.
    fn advance<I: Isa>(&self, state: &mut Self::State, x: &[T; IN], saved: &mut Self::Saved);

    /// Given the gradient with respect to the state after a step, makes of it that with respect to the state before, whose `h`
    /// was `before`.
    fn back<I: Isa>(&self, saved: &mut Self::Saved, before: &[T; HIDDEN], gradient: &mut Self::State);
}

/// The next state: in silence it decays, and is 0 before it would be subnormal.
#[inline(always)]
pub(crate) fn kept<T: Scalar, const HIDDEN: usize>(next: &[T; HIDDEN]) -> [T; HIDDEN] {
    let negligible = Negligible::unit();
    each([next], |[x]| negligible.drop_from(x))
}

/// What a step of so many gates has to do: multiply-adds, and some ten for what is applied to each sum.
#[inline(always)]
pub(crate) const fn work(gates: usize, inputs: usize, hidden: usize) -> usize {
    gates * hidden * (inputs + hidden + 10)
}

kernel! {
    /// One step of a stream, and its output. What it remembers stays finite, whatever the input.
    pub(crate) fn advance<I>[T: Scalar, C: Cell<T, IN, HIDDEN>, const IN: usize, const HIDDEN: usize][T, C, IN, HIDDEN](
        cell: &C,
        state: &mut C::State,
        x: &[T; IN],
        saved: &mut C::Saved,
        y: &mut [T; HIDDEN],
    ), work C::WORK; {
        let before = *state;
        cell.advance::<I>(state, x, saved);
        *y = *state.hidden();
        // Where `c` is not finite neither is `h`: it grows by 1 a step at most.
        if !are_finite::<I, T, HIDDEN>(from_ref(y)) {
            *state = before;
        }
    }
}

/// The steps of a sequence, from the first to the last, or from the last to the first.
#[inline(always)]
fn order(backwards: bool, steps: usize) -> impl Iterator<Item = usize> {
    (0..steps).map(move |step| if backwards { steps - 1 - step } else { step })
}

/// [`forward`] with nothing kept: the state, and what a step saves though nobody asks for it, lie in an arena.
#[inline]
pub(crate) fn predict<T: Scalar, C: Cell<T, IN, HIDDEN>, const IN: usize, const HIDDEN: usize, const WAYS: usize>(
    cell: &C,
    x: &[[T; IN]],
    y: &mut [[[T; HIDDEN]; WAYS]],
    way: usize,
    arena: &mut [T],
) {
    if let Some((state, rest)) = Side::Low.value(arena, &C::State::CONTIGUOUS)
        && let Some((nowhere, _)) = Side::Low.value(rest, &C::SAVED)
    {
        forward(cell, x, y, way, state, from_mut(nowhere));
    }
}

kernel! {
    /// A whole sequence. Of the `WAYS` through it this is number `way`: 0 from the first step on, 1 from the last step back. `saved` has
    /// a place for each step, or one for all.
    pub(crate) fn forward<I>[T: Scalar, C: Cell<T, IN, HIDDEN>, const IN: usize, const HIDDEN: usize, const WAYS: usize]
        [T, C, IN, HIDDEN, WAYS](
        cell: &C,
        x: &[[T; IN]],
        y: &mut [[[T; HIDDEN]; WAYS]],
        way: usize,
        state: &mut C::State,
        saved: &mut [C::Saved],
    ), work C::WORK; {
        *state = C::State::ZERO;
        let are_kept = saved.len() > 1;
        for step in order(way == 1, x.len()) {
            if let (Some(x), Some(y), Some(saved)) = (
                x.get(step),
                y.get_mut(step).and_then(|y| y.get_mut(way)),
                saved.get_mut(if are_kept { step } else { 0 }),
            ) {
                cell.advance::<I>(state, x, saved);
                *y = *state.hidden();
            }
        }
    }
}

kernel! {
    /// [`forward`] back through time: what was saved becomes the gradients in front of the gates.
    pub(crate) fn back<I>[T: Scalar, C: Cell<T, IN, HIDDEN>, const IN: usize, const HIDDEN: usize, const WAYS: usize]
        [T, C, IN, HIDDEN, WAYS](
        cell: &C,
        y: &[[[T; HIDDEN]; WAYS]],
        way: usize,
        saved: &mut [C::Saved],
        dy: &[[[T; HIDDEN]; WAYS]],
    ), work C::WORK; {
        let start = [T::ZERO; HIDDEN];
        let (mut gradient, negligible) = (C::State::ZERO, Negligible::gradient());
        for step in order(way == 0, dy.len()) {
            if let (Some(dy), Some(saved)) = (dy.get(step).and_then(|dy| dy.get(way)), saved.get_mut(step)) {
                for (sum, &dy) in gradient.hidden_mut().iter_mut().zip(dy) {
                    *sum = negligible.drop_from(*sum + dy);
                }
                let before = if way == 0 { step.checked_sub(1) } else { Some(step + 1) };
                let before = before.and_then(|before| y.get(before)?.get(way)).unwrap_or(&start);
                cell.back::<I>(saved, before, &mut gradient);
            }
        }
    }
}

/// In how many parts the sum over inputs is cut, each with a sum of its own for each gate: a chain of dependent additions waits for
/// each of them. The parts are those of [`super::dense`].
#[inline(always)]
const fn parts(inputs: usize, gates: usize) -> usize {
    let mut parts = if gates == 1 { 8 } else { 2 };
    while parts > 1 && inputs < 4 * parts {
        parts /= 2;
    }
    parts
}

/// `bias + sum of weight * x`: the outputs `start..start + W` of each gate.
#[inline(always)]
pub(crate) fn products<I: Isa, T: Scalar, const N: usize, const GATES: usize, const OUT: usize, const W: usize>(
    bias: &[[T; OUT]; GATES],
    weight: &[[[T; OUT]; GATES]; N],
    x: &[T; N],
    start: usize,
) -> [[T; W]; GATES] {
    match const { parts(N, GATES) } {
        1 => in_parts::<I, T, N, GATES, OUT, W, 1>(bias, weight, x, start),
        2 => in_parts::<I, T, N, GATES, OUT, W, 2>(bias, weight, x, start),
        4 => in_parts::<I, T, N, GATES, OUT, W, 4>(bias, weight, x, start),
        _ => in_parts::<I, T, N, GATES, OUT, W, 8>(bias, weight, x, start),
    }
}

#[inline(always)]
fn in_parts<
    I: Isa,
    T: Scalar,
    const N: usize,
    const GATES: usize,
    const OUT: usize,
    const W: usize,
    const PARTS: usize,
>(
    bias: &[[T; OUT]; GATES],
    weight: &[[[T; OUT]; GATES]; N],
    x: &[T; N],
    start: usize,
) -> [[T; W]; GATES] {
    let mut sums = [[[T::ZERO; W]; GATES]; PARTS];
    if let Some(sums) = sums.first_mut() {
        for (gate, sums) in sums.iter_mut().enumerate() {
            *sums = load(bias.as_flattened(), gate * OUT + start);
        }
    }
    for k in 0..N / PARTS {
        for (part, sums) in sums.iter_mut().enumerate() {
            add_column::<I, T, N, GATES, OUT, W>(weight, x, part * (N / PARTS) + k, start, sums);
        }
    }
    if let Some(sums) = sums.last_mut() {
        for i in N / PARTS * PARTS..N {
            add_column::<I, T, N, GATES, OUT, W>(weight, x, i, start, sums);
        }
    }
    sum_of_parts(sums)
}

/// `sums += x[i]` times what input `i` weighs in each gate.
#[inline(always)]
fn add_column<I: Isa, T: Scalar, const N: usize, const GATES: usize, const OUT: usize, const W: usize>(
    weight: &[[[T; OUT]; GATES]; N],
    x: &[T; N],
    i: usize,
    start: usize,
    sums: &mut [[T; W]; GATES],
) {
    let x = x.get(i).copied().unwrap_or(T::ZERO);
    for (gate, sums) in sums.iter_mut().enumerate() {
        let column: [T; W] = load(weight.as_flattened().as_flattened(), (i * GATES + gate) * OUT + start);
        for (sum, weight) in sums.iter_mut().zip(column) {
            *sum = I::mul_add(weight, x, *sum);
        }
    }
}

/// `dx += W' d` of one step. Gate `i` has its `d` in `slots[i]`.
#[inline(always)]
pub(crate) fn add_turned_products<
    I: Isa,
    T: Scalar,
    const N: usize,
    const GATES: usize,
    const SLOTS: usize,
    const OUT: usize,
>(
    weight: &[[[T; OUT]; GATES]; N],
    slots: [usize; GATES],
    d: &[[T; OUT]; SLOTS],
    dx: &mut [T; N],
) {
    let mut gates = [[T::ZERO; OUT]; GATES];
    for (gate, slot) in gates.iter_mut().zip(slots) {
        if let Some(d) = d.get(slot) {
            *gate = *d;
        }
    }
    for (dx, weight) in dx.iter_mut().zip(weight) {
        *dx += product::<I, T>(weight.as_flattened(), gates.as_flattened());
    }
}

kernel! {
    /// `dx += W' d` for each step.
    pub(crate) fn add_input_gradient<I>
        [T: Scalar, const N: usize, const GATES: usize, const SLOTS: usize, const OUT: usize][T, N, GATES, SLOTS, OUT](
        weight: &[[[T; OUT]; GATES]; N],
        slots: [usize; GATES],
        d: &[[[T; OUT]; SLOTS]],
        dx: &mut [[T; N]],
    ), work N * GATES * OUT * d.len(); {
        for (d, dx) in d.iter().zip(dx) {
            add_turned_products::<I, T, N, GATES, SLOTS, OUT>(weight, slots, d, dx);
        }
    }
}

kernel! {
    /// `gradient += sum of d x'` over the steps, in their order. What the weights multiplied is number `way` of `x`.
    pub(crate) fn weight_gradient<I>
        [T: Scalar, const N: usize, const GATES: usize, const SLOTS: usize, const OUT: usize, const WAYS: usize]
        [T, N, GATES, SLOTS, OUT, WAYS](
        gradient: &mut [[[T; OUT]; GATES]; N],
        slots: [usize; GATES],
        x: &[[[T; N]; WAYS]],
        way: usize,
        d: &[[[T; OUT]; SLOTS]],
    ), work N * GATES * OUT * d.len(); {
        for (gate, slot) in slots.into_iter().enumerate() {
            tiles!(OUT, I::SUMS / 4 * lanes::<I, T>(), |start, W| {
                let (fours, rest) = gradient.as_chunks_mut::<4>();
                let steps = x.iter().filter_map(|x| x.get(way)).zip(d);
                let mut first = 0;
                for columns in fours {
                    outer::<I, T, N, GATES, SLOTS, OUT, W, 4>(columns, gate, slot, start, first, steps.clone());
                    first += 4;
                }
                for column in rest {
                    let columns = core::array::from_mut(column);
                    outer::<I, T, N, GATES, SLOTS, OUT, W, 1>(columns, gate, slot, start, first, steps.clone());
                    first += 1;
                }
            });
        }
    }
}

/// The outputs `start..start + W` of one gate of [`weight_gradient`], for the inputs from `first` on.
#[inline(always)]
fn outer<
    'a,
    I: Isa,
    T: Scalar,
    const N: usize,
    const GATES: usize,
    const SLOTS: usize,
    const OUT: usize,
    const W: usize,
    const COLUMNS: usize,
>(
    columns: &mut [[[T; OUT]; GATES]; COLUMNS],
    gate: usize,
    slot: usize,
    start: usize,
    first: usize,
    steps: impl Iterator<Item = (&'a [T; N], &'a [[T; OUT]; SLOTS])>,
) {
    let mut sums = [[T::ZERO; W]; COLUMNS];
    for (sums, column) in sums.iter_mut().zip(&*columns) {
        *sums = load(column.as_flattened(), gate * OUT + start);
    }
    for (x, d) in steps {
        let d: [T; W] = load(d.as_flattened(), slot * OUT + start);
        let x: [T; COLUMNS] = load(x, first);
        for (sums, x) in sums.iter_mut().zip(x) {
            add_scaled::<I, T, W>(sums, &d, x);
        }
    }
    for (column, sums) in columns.iter_mut().zip(sums) {
        if let Some(column) = column.get_mut(gate) {
            store(sums, column, start);
        }
    }
}

kernel! {
    /// `gradient += sum of d` over the steps, in their order.
    pub(crate) fn bias_gradient<I>[T: Scalar, const GATES: usize, const SLOTS: usize, const OUT: usize][T, GATES, SLOTS, OUT](
        gradient: &mut [[T; OUT]; GATES],
        slots: [usize; GATES],
        d: &[[[T; OUT]; SLOTS]],
    ), work GATES * OUT * d.len(); {
        for (gradient, slot) in gradient.iter_mut().zip(slots) {
            tiles!(OUT, I::SUMS / 4 * lanes::<I, T>(), |start, W| {
                let mut sums: [T; W] = load(gradient, start);
                for d in d {
                    let d: [T; W] = load(d.as_flattened(), slot * OUT + start);
                    for (sum, d) in sums.iter_mut().zip(d) {
                        *sum += d;
                    }
                }
                store(sums, gradient, start);
            });
        }
    }
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss, clippy::float_cmp)] // Small integers: exact.
mod tests {
    use super::super::dispatch::Target;
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
        let mut y = [[0.0; OUT]; 3];
        tiles!(OUT, 4, |start, W| {
            let sums = products::<Target, f64, N, 3, OUT, W>(&bias, &weight, &x, start);
            for (sums, y) in sums.into_iter().zip(&mut y) {
                store(sums, y, start);
            }
        });
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
        weight_gradient(&mut gradient, slots, &[[[9.0; N], x], [[9.0; N], x]], 1, &[d; 2]);
        let mut bias_sums = bias;
        bias_gradient(&mut bias_sums, slots, &[d; 3]);
        for (gate, slot) in slots.into_iter().enumerate() {
            for out in 0..OUT {
                for i in 0..N {
                    assert_eq!(gradient[i][gate][out], weight[i][gate][out] + 2.0 * d[slot][out] * x[i]);
                }
                assert_eq!(bias_sums[gate][out], bias[gate][out] + 3.0 * d[slot][out]);
            }
        }
        let mut dx = [x];
        add_input_gradient(&weight, slots, &[d], &mut dx);
        for i in 0..N {
            let sum: f64 =
                (0..3).flat_map(|gate| (0..OUT).map(move |out| weight[i][gate][out] * d[slots[gate]][out])).sum();
            assert_eq!(dx[0][i], x[i] + sum);
        }
    }

    /// Every tail of the tiling, every number of parts, and a gate whose gradient stands elsewhere.
    #[test]
    fn every_tail() {
        check::<1, 1>();
        check::<2, 2>();
        check::<3, 5>();
        check::<4, 7>();
        check::<9, 16>();
        check::<5, 21>();
        check::<33, 18>();
    }
}
