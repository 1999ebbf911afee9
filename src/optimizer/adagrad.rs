use super::{Optimizer, Part, PartMut, State, constructors, state, update_trained, with};
use crate::error::{HyperparameterError, Range, valid};
use crate::layer::{Bound, Parameters};
use crate::scalar::{ConstZero, Negligible, Scalar};
use core::fmt;

/// A step divided by the size of all gradients so far. PyTorch's `optim.Adagrad`.
///
/// ```text
/// g += weight_decay * p
/// v += g^2
/// p -= learning_rate / (1 + (t - 1) * rate_decay) * g / (sqrt(v) + epsilon)
/// ```
///
/// # Cost
/// One number of state for each parameter; a square root and a division for each in an update.
///
/// # Reference
/// Duchi and others (2011).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adagrad {
    learning_rate: f64,
    rate_decay: f64,
    epsilon: f64,
    weight_decay: f64,
}

impl Adagrad {
    const DEFAULT: Self = Self { learning_rate: 1e-2, rate_decay: 0.0, epsilon: 1e-10, weight_decay: 0.0 };
    constructors!();
    with!(
        /// PyTorch's `lr_decay`: how fast the learning rate falls. Finite and 0 or above; 0 unless set.
        with_rate_decay, rate_decay, NotNegative
    );
    with!(
        /// Added to the square root. Finite and 1e-30 or above; 1e-10 unless set.
        with_epsilon, epsilon, NotTiny
    );
    with!(
        /// Adds this much of each parameter to its gradient. Finite and 0 or above; 0 unless set.
        with_weight_decay, weight_decay, NotNegative
    );
}

state! {
    /// What [`Adagrad`] remembers.
    AdagradState { sum: NotNegative } {
        /// How many updates there were.
        updates: 1 NotNegative
    }
}

impl<T: Scalar> Optimizer<T> for Adagrad {
    type State<P: Parameters<T>> = AdagradState<P>;

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    #[inline]
    fn update<P: Parameters<T>>(
        &self,
        state: &mut AdagradState<P>,
        parameters: &mut P,
        gradient: &mut P,
        factor: f64,
    ) -> bool {
        let [updates] = &mut state.updates;
        let slowed = 1.0 + *updates * self.rate_decay;
        *updates += 1.0;
        let rate = super::rate::<T>(self.learning_rate * factor / slowed);
        let (epsilon, decay) = (T::from_f64(self.epsilon), T::from_f64(self.weight_decay));
        let squares = Negligible::square();
        update_trained!(
            [p, g, v] in [parameters, gradient, &mut state.sum],
            if decay != T::ZERO => { let g = g + decay * p; },
            {
                let sum = squares.drop_from_positive(v + g * g);
                [p - rate * g / (sum.sqrt() + epsilon), sum]
            } asked [v]
        )
    }
}
