use super::{Optimizer, Part, PartMut, State, constructors, state, update_trained, with};
use crate::error::{HyperparameterError, Range, valid};
use crate::layer::{Bound, Parameters};
use crate::scalar::{ConstZero, Negligible, Scalar};
use core::fmt;

/// A step divided by the recent size of the gradient. PyTorch's `optim.RMSprop`, without momentum and not centred.
///
/// ```text
/// g += weight_decay * p
/// v  = alpha * v + (1 - alpha) * g^2
/// p -= learning_rate * g / (sqrt(v) + epsilon)
/// ```
///
/// # Cost
/// One number of state for each parameter; a square root and a division for each in an update.
///
/// # Reference
/// Tieleman & Hinton (2012), lecture 6e.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    learning_rate: f64,
    alpha: f64,
    epsilon: f64,
    weight_decay: f64,
}

impl RmsProp {
    const DEFAULT: Self = Self { learning_rate: 1e-2, alpha: 0.99, epsilon: 1e-8, weight_decay: 0.0 };
    constructors!();
    with!(
        /// How much of the mean square each update keeps. 0 or above, and below 1; 0.99 unless set.
        with_alpha, alpha, Fraction
    );
    with!(
        /// Added to the square root. Finite and 1e-30 or above; 1e-8 unless set.
        with_epsilon, epsilon, NotTiny
    );
    with!(
        /// Adds this much of each parameter to its gradient. Finite and 0 or above; 0 unless set.
        with_weight_decay, weight_decay, NotNegative
    );
}

state! {
    /// What [`RmsProp`] remembers.
    RmsPropState { square: NotNegative } {}
}

impl<T: Scalar> Optimizer<T> for RmsProp {
    type State<P: Parameters<T>> = RmsPropState<P>;

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    #[inline]
    fn update<P: Parameters<T>>(
        &self,
        state: &mut RmsPropState<P>,
        parameters: &mut P,
        gradient: &mut P,
        factor: f64,
    ) -> bool {
        let rate = super::rate::<T>(self.learning_rate * factor);
        let (keep, take) = (T::from_f64(self.alpha), T::from_f64(1.0 - self.alpha));
        let (epsilon, decay) = (T::from_f64(self.epsilon), T::from_f64(self.weight_decay));
        let squares = Negligible::square();
        update_trained!(
            [p, g, v] in [parameters, gradient, &mut state.square],
            if decay != T::ZERO => { let g = g + decay * p; },
            {
                let square = squares.drop_from_positive(keep * v + take * g * g);
                [p - rate * g / (square.sqrt() + epsilon), square]
            } asked [v]
        )
    }
}
