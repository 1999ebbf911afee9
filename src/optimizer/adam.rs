use super::{Optimizer, Part, PartMut, State, constructors, state, update_trained, with};
use crate::error::{HyperparameterError, Range, valid};
use crate::layer::{Bound, Parameters};
use crate::scalar::{ConstZero, Negligible, Scalar};
use core::fmt;

/// Adaptive moments. PyTorch's `optim.Adam`.
///
/// ```text
/// g += weight_decay * p
/// m  = beta1 * m + (1 - beta1) * g
/// v  = beta2 * v + (1 - beta2) * g^2
/// p -= learning_rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
/// ```
///
/// # Cost
/// Two numbers of state for each parameter; a square root and a division for each in an update.
///
/// # Reference
/// Kingma & Ba (2015).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    learning_rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    weight_decay: f64,
}

/// [`Adam`] whose weight decay does not pass through the moments. PyTorch's `optim.AdamW`, with its default
/// `weight_decay` of 0.01.
///
/// ```text
/// p -= learning_rate * weight_decay * p
/// ```
///
/// and then as [`Adam`] without weight decay.
///
/// # Reference
/// Loshchilov & Hutter (2019), "Decoupled weight decay regularization".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    learning_rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    weight_decay: f64,
}

state! {
    /// What [`Adam`] and [`AdamW`] remember.
    AdamState { first: Finite, second: NotNegative } {
        /// `1 - beta1^t` and `1 - beta2^t`: 0 before the first update.
        corrections: 2 Fraction
    }
}

macro_rules! adam {
    ($name:ident, $decay:literal) => {
        impl $name {
            const DEFAULT: Self =
                Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: $decay };
            constructors!();
            with!(
                /// Added to the square root. Finite and 1e-30 or above; 1e-8 unless set.
                with_epsilon, epsilon, NotTiny
            );
            with!(
                /// Finite and 0 or above.
                with_weight_decay, weight_decay, NotNegative
            );

            /// How much of the moments each update keeps. 0 or above, and below 1; 0.9 and 0.999 unless set.
            ///
            /// # Errors
            /// If one of them is out of its range.
            pub const fn with_betas(self, beta1: f64, beta2: f64) -> Result<Self, HyperparameterError> {
                match (Range::Fraction.check("beta1", beta1), Range::Fraction.check("beta2", beta2)) {
                    (Ok(beta1), Ok(beta2)) => Ok(Self { beta1, beta2, ..self }),
                    (Err(error), _) | (_, Err(error)) => Err(error),
                }
            }
        }
    };
}
adam!(Adam, 0.0);
adam!(AdamW, 0.01);

impl<T: Scalar> Optimizer<T> for Adam {
    type State<P: Parameters<T>> = AdamState<P>;

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    #[inline]
    fn update<P: Parameters<T>>(
        &self,
        state: &mut AdamState<P>,
        parameters: &mut P,
        gradient: &mut P,
        factor: f64,
    ) -> bool {
        let decay = T::from_f64(self.weight_decay);
        self.moments(state, parameters, gradient, factor, self.weight_decay != 0.0, move |p, g| (p, g + decay * p))
    }
}

impl<T: Scalar> Optimizer<T> for AdamW {
    type State<P: Parameters<T>> = AdamState<P>;

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    #[inline]
    fn update<P: Parameters<T>>(
        &self,
        state: &mut AdamState<P>,
        parameters: &mut P,
        gradient: &mut P,
        factor: f64,
    ) -> bool {
        let Self { learning_rate, beta1, beta2, epsilon, weight_decay } = *self;
        let adam = Adam { learning_rate, beta1, beta2, epsilon, weight_decay };
        let shrink = T::from_f64(1.0 - learning_rate * factor * weight_decay);
        adam.moments(state, parameters, gradient, factor, weight_decay != 0.0, move |p, g| (shrink * p, g))
    }
}

impl Adam {
    /// One update of parameters and gradients, which `decay` is first applied to if they decay.
    #[inline]
    fn moments<T: Scalar, P: Parameters<T>>(
        &self,
        state: &mut AdamState<P>,
        parameters: &mut P,
        gradient: &mut P,
        factor: f64,
        decays: bool,
        decay: impl Fn(T, T) -> (T, T) + Copy,
    ) -> bool {
        let [first, second] = &mut state.corrections;
        // 1 - beta^(t + 1) = beta * (1 - beta^t) + (1 - beta)
        *first = self.beta1 * *first + (1.0 - self.beta1);
        *second = self.beta2 * *second + (1.0 - self.beta2);
        // m / first / (sqrt(v / second) + epsilon), multiplied by the root of `second` above and below.
        let root = Scalar::sqrt(*second);
        let (step, epsilon) =
            (super::rate::<T>(self.learning_rate * factor * root / *first), T::from_f64(self.epsilon * root));
        let (take1, keep2, take2) =
            (T::from_f64(1.0 - self.beta1), T::from_f64(self.beta2), T::from_f64(1.0 - self.beta2));
        let (negligible, squares) = (Negligible::gradient(), Negligible::square());
        // Where `m` is not finite neither is the parameter.
        update_trained!(
            [p, g, m, v] in [parameters, gradient, &mut state.first, &mut state.second],
            if decays => { let (p, g) = decay(p, g); },
            {
                let m = negligible.drop_from(m + take1 * (g - m));
                let v = squares.drop_from_positive(keep2 * v + take2 * g * g);
                [p - step * m / (v.sqrt() + epsilon), m, v]
            } asked [v]
        )
    }
}
