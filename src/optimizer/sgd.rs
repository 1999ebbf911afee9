use super::{Optimizer, Part, PartMut, State, constructors, state, update_trained, with};
use crate::error::{HyperparameterError, Range, valid};
use crate::kernels::elementwise;
use crate::kernels::on_cortex_m;
use crate::layer::{Bound, Parameters, zip_trained};
use crate::scalar::{ConstZero, Negligible, Scalar};
use core::fmt;

/// Stochastic gradient descent. PyTorch's `optim.SGD`.
///
/// ```text
/// g += weight_decay * p
/// p -= learning_rate * g
/// ```
///
/// # Cost
/// No state. [`with_momentum`](Sgd::with_momentum) gives a [`Momentum`], which keeps one number for each parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    learning_rate: f64,
    weight_decay: f64,
}

impl Sgd {
    const DEFAULT: Self = Self { learning_rate: 1e-3, weight_decay: 0.0 };
    constructors!();
    with!(
        /// Adds this much of each parameter to its gradient. Finite and 0 or above; 0 unless set.
        with_weight_decay, weight_decay, NotNegative
    );

    /// With momentum: 0 or above, and below 1.
    ///
    /// # Errors
    /// If it is out of its range.
    pub const fn with_momentum(self, momentum: f64) -> Result<Momentum, HyperparameterError> {
        match Range::Fraction.check("momentum", momentum) {
            Ok(momentum) => Ok(Momentum { sgd: self, momentum, nesterov: false }),
            Err(error) => Err(error),
        }
    }
}

impl<T: Scalar> Optimizer<T> for Sgd {
    type State<P: Parameters<T>> = ();

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    #[inline]
    fn update<P: Parameters<T>>(&self, (): &mut (), parameters: &mut P, gradient: &mut P, factor: f64) -> bool {
        let rate = super::rate::<T>(self.learning_rate * factor);
        let decay = T::from_f64(self.weight_decay);
        let mut is_finite = true;
        zip_trained([parameters, gradient], &mut |[p, g]| is_finite &= descend(p, g, rate, decay));
        is_finite
    }
}

/// `p -= rate * (g + decay * p)`, as [`elementwise::update`] does it.
#[inline]
fn descend<T: Scalar>(p: &mut [T], g: &[T], rate: T, decay: T) -> bool {
    let done = first_descended(p, g, rate, decay);
    let (Some(p), Some(g)) = (p.get_mut(done..), g.get(done..)) else { return true };
    if decay == T::ZERO {
        return elementwise::update(&mut [p], g, |[p], g| {
            let p = p - rate * g;
            ([p], [p])
        });
    }
    let negligible = Negligible::number();
    elementwise::update(&mut [p], g, |[p], g| {
        let p = p - rate * (g + decay * p);
        ([negligible.drop_from(p)], [p.abs()])
    })
}

/// How many of the first parameters and gradients the processor has a faster way for, which has done them.
#[allow(unreachable_code)]
#[inline]
fn first_descended<T: Scalar>(p: &mut [T], g: &[T], rate: T, decay: T) -> usize {
    on_cortex_m! { return cortex_m::descend(p, g, rate, decay); }
    let _ = (p, g, rate, decay);
    0
}

/// [`Sgd`] with momentum, made by [`Sgd::with_momentum`]. PyTorch's `optim.SGD(momentum=..)`.
///
/// ```text
/// g += weight_decay * p
/// v  = momentum * v + g
/// p -= learning_rate * v                    or, Nesterov's:
/// p -= learning_rate * (g + momentum * v)
/// ```
///
/// # Cost
/// One number of state for each parameter.
///
/// # Reference
/// Sutskever and others (2013), "On the importance of initialization and momentum".
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(clippy::struct_field_names)] // PyTorch's name.
pub struct Momentum {
    sgd: Sgd,
    momentum: f64,
    nesterov: bool,
}

state! {
    /// What [`Momentum`] remembers.
    MomentumState { velocity: Finite } {}
}

impl Momentum {
    /// Nesterov's form.
    #[must_use]
    pub const fn nesterov(self) -> Self {
        Self { nesterov: true, ..self }
    }
}

impl<T: Scalar> Optimizer<T> for Momentum {
    type State<P: Parameters<T>> = MomentumState<P>;

    fn learning_rate(&self) -> f64 {
        self.sgd.learning_rate
    }

    #[inline]
    fn update<P: Parameters<T>>(
        &self,
        state: &mut MomentumState<P>,
        parameters: &mut P,
        gradient: &mut P,
        factor: f64,
    ) -> bool {
        let rate = super::rate::<T>(self.sgd.learning_rate * factor);
        let decay = T::from_f64(self.sgd.weight_decay);
        let momentum = T::from_f64(self.momentum);
        let nesterov = self.nesterov;
        let negligible = Negligible::gradient();
        // Where the velocity is not finite neither is the parameter.
        update_trained!(
            [p, g, v] in [parameters, gradient, &mut state.velocity],
            if decay != T::ZERO => { let g = g + decay * p; },
            {
                let velocity = negligible.drop_from(momentum * v + g);
                let step = if nesterov { g + momentum * velocity } else { velocity };
                [p - rate * step, velocity]
            } asked []
        )
    }
}
