//! One head of attention, for one query at a time.
#![allow(clippy::many_single_char_names)] // Queries, keys, values and probabilities have no other names.

use crate::kernels::softmax::softmax_in_place;
use crate::kernels::sum::sum_of;
use crate::scalar::Scalar;

/// A head: the numbers of each step that it sees, and the scale of its scores.
#[derive(Clone, Copy)]
pub(crate) struct Head<T> {
    start: usize,
    width: usize,
    scale: T,
}

/// The query of a step, and the keys and the values that it sees.
type Seen<'a, T, const E: usize> = (&'a [T; E], &'a [[T; E]], &'a [[T; E]]);

/// Their gradients.
type SeenMut<'a, T, const E: usize> = (&'a mut [T; E], &'a mut [[T; E]], &'a mut [[T; E]]);

impl<T: Scalar> Head<T> {
    /// `HEADS` heads that share `width` numbers of each step.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn all<const E: usize, const HEADS: usize>() -> impl Iterator<Item = Self> + Clone {
        let width = const {
            match E.checked_div(HEADS) {
                Some(width) => width,
                None => 0,
            }
        };
        let scale = T::from_f64(1.0 / libm::sqrt(width as f64));
        (0..HEADS).map(move |head| Self { start: head * width, width, scale })
    }

    #[inline]
    fn of<'a>(&self, x: &'a [T]) -> &'a [T] {
        x.get(self.start..self.start + self.width).unwrap_or(&[])
    }

    #[inline]
    fn of_mut<'a>(&self, x: &'a mut [T]) -> &'a mut [T] {
        x.get_mut(self.start..self.start + self.width).unwrap_or(&mut [])
    }

    /// `p = softmax(scale K q)` and `y = V p`: the head's part of `y`.
    #[inline]
    pub(crate) fn attend<const E: usize>(&self, (q, k, v): Seen<'_, T, E>, p: &mut [T], y: &mut [T; E]) {
        let (q, y) = (self.of(q), self.of_mut(y));
        for (p, k) in p.iter_mut().zip(k) {
            *p = self.scale * dot(q, self.of(k));
        }
        softmax_in_place(p);
        y.fill(T::ZERO);
        for (&p, v) in p.iter().zip(v) {
            add_scaled(y, p, self.of(v));
        }
    }

    /// Adds the gradients of query, keys and values, given `p` of [`attend`](Head::attend). `dp` is working memory.
    #[inline]
    pub(crate) fn backward<const E: usize>(
        &self,
        (q, k, v): Seen<'_, T, E>,
        p: &[T],
        dy: &[T; E],
        (dq, dk, dv): SeenMut<'_, T, E>,
        dp: &mut [T],
    ) {
        let (q, dy, dq) = (self.of(q), self.of(dy), self.of_mut(dq));
        let mut mean = T::ZERO;
        for (((&p, dp), v), dv) in p.iter().zip(&mut *dp).zip(v).zip(dv) {
            *dp = dot(dy, self.of(v));
            mean += p * *dp;
            add_scaled(self.of_mut(dv), p, dy);
        }
        for (((&p, &mut dp), k), dk) in p.iter().zip(dp).zip(k).zip(dk) {
            let slope = self.scale * p * (dp - mean);
            add_scaled(dq, slope, self.of(k));
            add_scaled(self.of_mut(dk), slope, q);
        }
    }
}

/// `acc += scale * x`
#[inline]
fn add_scaled<T: Scalar>(acc: &mut [T], scale: T, x: &[T]) {
    for (acc, &x) in acc.iter_mut().zip(x) {
        *acc += x * scale;
    }
}

/// `sum of a * b`
#[inline]
fn dot<T: Scalar>(a: &[T], b: &[T]) -> T {
    sum_of(a, b, |a, b| a * b)
}
