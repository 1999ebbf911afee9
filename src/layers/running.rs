//! Global pooling step by step: of the sequence so far.

use crate::kernels::pool::{greater, mean};
use crate::layers::pool::{GlobalAvgPool, GlobalMaxPool};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::Vector;
use crate::streaming::Streaming;
use nalgebra::SVector;

/// What [`GlobalAvgPool`] and [`GlobalMaxPool`] remember from step to step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState<const C: usize, T = f32> {
    /// The sum, or the greatest so far, of each channel.
    pub total: [T; C],
    /// How many steps.
    pub steps: usize,
}

impl<const C: usize, T: Element> ConstZero for PoolState<C, T> {
    const ZERO: Self = Self { total: ConstZero::ZERO, steps: 0 };
}

/// Takes a step into the state, unless it would be infinite or NaN from then on.
#[inline]
fn remember<const C: usize, T: Scalar>(next: PoolState<C, T>, state: &mut PoolState<C, T>) {
    if next.total.iter().all(|x| x.is_finite()) {
        *state = next;
    }
}

/// Gives the mean so far.
impl<const C: usize, T: Scalar> Streaming<Vector<C>, T> for GlobalAvgPool {
    type Out = Vector<C>;
    type State = PoolState<C, T>;

    #[inline]
    fn step(&self, state: &mut PoolState<C, T>, x: &SVector<T, C>, y: &mut SVector<T, C>) {
        let mut next = *state;
        for (sum, &x) in next.total.iter_mut().zip(x) {
            *sum += x;
        }
        next.steps = next.steps.saturating_add(1);
        y.data.0 = [mean(&next.total, next.steps)];
        remember(next, state);
    }
}

/// Gives the greatest so far.
impl<const C: usize, T: Scalar> Streaming<Vector<C>, T> for GlobalMaxPool {
    type Out = Vector<C>;
    type State = PoolState<C, T>;

    #[inline]
    fn step(&self, state: &mut PoolState<C, T>, x: &SVector<T, C>, y: &mut SVector<T, C>) {
        let ([x], mut next) = (&x.data.0, *state);
        if next.steps == 0 {
            next.total = *x;
        } else {
            for (max, &x) in next.total.iter_mut().zip(x) {
                *max = greater(*max, x);
            }
        }
        next.steps = next.steps.saturating_add(1);
        y.data.0 = [next.total];
        remember(next, state);
    }
}
