//! Self-attention: queries, keys and values of each step, and what the heads make of them, one query at a time.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::{Isa, kernel, lanes};
use super::elementwise::strips;
use super::horizontal::product;
use super::recurrent::products;
use super::row::for_each;
use super::softmax::softmax_over;
use super::tile::{store, strip, strip_mut, tiles};
use super::vector;
use crate::scalar::Scalar;

/// Query, key and value of a step.
pub(crate) type Projections<T, const E: usize> = [[T; E]; 3];

kernel! {
    /// Query, key and value of each step.
    pub(crate) fn project<I>[T: Scalar, const E: usize][T, E](
        weight: &[[[T; E]; 3]; E],
        bias: &[[T; E]; 3],
        x: &[[T; E]],
        qkv: &mut [Projections<T, E>],
    ), work 3 * E * E; {
        for (x, [q, k, v]) in x.iter().zip(qkv) {
            tiles!(E, lanes::<I, T>(), |start, W| {
                let [of_q, of_k, of_v] = products::<I, T, E, 3, E, W>(bias, weight, x, start);
                store(of_q, q, start);
                store(of_k, k, start);
                store(of_v, v, start);
            });
        }
    }
}

/// The numbers of each step that belong to a head: from the first on, so many.
#[inline(always)]
const fn head<const E: usize, const HEADS: usize>(head: usize) -> (usize, usize) {
    let width = match E.checked_div(HEADS) {
        Some(width) => width,
        None => 0,
    };
    (head * width, width)
}

#[inline(always)]
fn of<T>(x: &[T], (start, width): (usize, usize)) -> &[T] {
    x.get(start..start + width).unwrap_or(&[])
}

#[inline(always)]
fn of_mut<T>(x: &mut [T], (start, width): (usize, usize)) -> &mut [T] {
    x.get_mut(start..start + width).unwrap_or(&mut [])
}

kernel! {
    /// For each head `p = softmax(scale K q)`, and its part of `y`: `V p`. The step with the query `q` sees the steps of `seen`.
    pub(crate) fn attend<I>[T: Scalar, const E: usize, const HEADS: usize, const L: usize][T, E, HEADS, L](
        q: &[T; E],
        seen: &[Projections<T, E>],
        scale: T,
        parts: &mut [[T; L]; HEADS],
        y: &mut [T; E],
    ), work E * L; {
        for (h, part) in parts.iter_mut().enumerate() {
            let head = head::<E, HEADS>(h);
            let (q, y) = (of(q, head), of_mut(y, head));
            let p = part.get_mut(..seen.len()).unwrap_or(&mut []);
            for (p, [_, k, _]) in p.iter_mut().zip(seen) {
                *p = scale * product::<I, T>(q, of(k, head));
            }
            softmax_over::<I, T>(p);
            y.fill(T::ZERO);
            let terms = p.iter().zip(seen).map(|(&p, [_, _, v])| (p, of(v, head)));
            add_scaled::<I, T>(y, &terms);
        }
    }
}

/// `sum += scale * x` over all terms, in their order.
#[inline(always)]
fn add_scaled<'a, I: Isa, T: Scalar>(sum: &mut [T], terms: &(impl Iterator<Item = (T, &'a [T])> + Clone)) {
    let len = sum.len();
    strips!(lanes::<I, T>(), len, |at, W| {
        if let Some(place) = strip_mut::<T, W>(sum, at) {
            let mut sums = *place;
            for (scale, x) in terms.clone() {
                if let Some(x) = strip::<T, W>(x, at) {
                    vector::add_scaled::<I, T, W>(&mut sums, x, scale);
                }
            }
            *place = sums;
        }
    });
}

kernel! {
    /// Sets the gradient of the query and adds those of the keys and the values that it saw, given `parts` of [`attend`].
    pub(crate) fn attend_backward<I>[T: Scalar, const E: usize, const HEADS: usize, const L: usize][T, E, HEADS, L](
        q: &[T; E],
        seen: &[Projections<T, E>],
        scale: T,
        parts: &[[T; L]; HEADS],
        dy: &[T; E],
        d: &mut [Projections<T, E>],
        dq: &mut [T; E],
    ), work E * L; {
        let mut slopes = [T::ZERO; L];
        for (h, p) in parts.iter().enumerate() {
            let head = head::<E, HEADS>(h);
            let (q, dy, dq) = (of(q, head), of(dy, head), of_mut(dq, head));
            let mut mean = T::ZERO;
            for (((&p, dp), [_, _, v]), [_, _, dv]) in p.iter().zip(&mut slopes).zip(seen).zip(&mut *d) {
                *dp = product::<I, T>(dy, of(v, head));
                mean = I::mul_add(p, *dp, mean);
                for_each::<I, T, 1>([dy], of_mut(dv, head), |[dy], dv, _| I::mul_add(p, dy, dv));
            }
            for ((&p, slope), [_, dk, _]) in p.iter().zip(&mut slopes).zip(&mut *d) {
                *slope = scale * p * (*slope - mean);
                let slope = *slope;
                for_each::<I, T, 1>([q], of_mut(dk, head), |[q], dk, _| I::mul_add(slope, q, dk));
            }
            dq.fill(T::ZERO);
            add_scaled::<I, T>(dq, &slopes.iter().zip(seen).map(|(&slope, [_, k, _])| (slope, of(k, head))));
        }
    }
}
