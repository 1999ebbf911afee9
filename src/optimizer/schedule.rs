//! Schedules: how the learning rate changes while training goes on.
//!
//! A schedule gives a factor for the optimiser's learning rate. Time is counted in steps of the optimiser; an epoch has
//! [`Dataset::batches`](crate::data::Dataset::batches) of them.
//!
//! ```
//! use constnet::optimizer::schedule::{Cosine, Schedule, WarmUp};
//!
//! let schedule = WarmUp::new(10, Cosine::new(100, 0.0)?)?;
//! assert_eq!(schedule.factor(0), 0.1);
//! assert_eq!(schedule.factor(10), 1.0);
//! assert_eq!(schedule.factor(110), 0.0);
//! # Ok::<(), constnet::error::HyperparameterError>(())
//! ```

use crate::error::{HyperparameterError, Range};

/// A factor for the learning rate.
pub trait Schedule {
    /// The factor of step `step`, counted from 0.
    fn factor(&self, step: u64) -> f64;

    /// Is told the loss after each epoch: that of the validation data, where there are any.
    fn epoch_done(&mut self, loss: f64) {
        let _ = loss;
    }
}

/// Always 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Constant;

impl Schedule for Constant {
    fn factor(&self, _: u64) -> f64 {
        1.0
    }
}

/// Multiplied by `gamma` after every `size` steps. PyTorch's `StepLR`.
///
/// ```text
/// gamma ^ (step / size)    rounded down
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepDecay {
    size: u64,
    gamma: f64,
}

impl StepDecay {
    /// # Errors
    /// If `size` is 0, or `gamma` is not above 0, and 1 or below.
    pub const fn new(size: u64, gamma: f64) -> Result<Self, HyperparameterError> {
        match (Range::check_count("size", size), Range::Decay.check("gamma", gamma)) {
            (Ok(size), Ok(gamma)) => Ok(Self { size, gamma }),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

impl Schedule for StepDecay {
    fn factor(&self, step: u64) -> f64 {
        power(self.gamma, step.checked_div(self.size).unwrap_or(0)) // `size` is 1 or above.
    }
}

/// Multiplied by `gamma` after every step. PyTorch's `ExponentialLR`.
///
/// ```text
/// gamma ^ step
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exponential {
    gamma: f64,
}

impl Exponential {
    /// # Errors
    /// If `gamma` is not above 0, and 1 or below.
    pub const fn new(gamma: f64) -> Result<Self, HyperparameterError> {
        match Range::Decay.check("gamma", gamma) {
            Ok(gamma) => Ok(Self { gamma }),
            Err(error) => Err(error),
        }
    }
}

impl Schedule for Exponential {
    fn factor(&self, step: u64) -> f64 {
        power(self.gamma, step)
    }
}

/// Half a cosine from 1 down to `floor` over `steps` steps, then `floor`. PyTorch's `CosineAnnealingLR`.
///
/// ```text
/// floor + (1 - floor) * (1 + cos(pi * step / steps)) / 2
/// ```
///
/// # Reference
/// Loshchilov & Hutter (2017), "SGDR", without restarts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cosine {
    steps: u64,
    floor: f64,
}

impl Cosine {
    /// # Errors
    /// If `steps` is 0, or `floor` is not 0 or above, and below 1.
    pub const fn new(steps: u64, floor: f64) -> Result<Self, HyperparameterError> {
        match (Range::check_count("steps", steps), Range::Fraction.check("floor", floor)) {
            (Ok(steps), Ok(floor)) => Ok(Self { steps, floor }),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

impl Schedule for Cosine {
    #[allow(clippy::cast_precision_loss)]
    fn factor(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.floor;
        }
        let part = step as f64 / self.steps as f64;
        self.floor + (1.0 - self.floor) * 0.5 * (1.0 + libm::cos(core::f64::consts::PI * part))
    }
}

/// Rises linearly from `1 / steps` to 1 over `steps` steps, then follows another schedule, which starts at its step 0.
///
/// ```text
/// (step + 1) / steps         where step < steps
/// then.factor(step - steps)  afterwards
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmUp<S> {
    steps: u64,
    then: S,
}

impl<S: Schedule + Copy> WarmUp<S> {
    /// # Errors
    /// If `steps` is 0.
    pub const fn new(steps: u64, then: S) -> Result<Self, HyperparameterError> {
        match Range::check_count("steps", steps) {
            Ok(steps) => Ok(Self { steps, then }),
            Err(error) => Err(error),
        }
    }
}

impl<S: Schedule> Schedule for WarmUp<S> {
    #[allow(clippy::cast_precision_loss)]
    fn factor(&self, step: u64) -> f64 {
        match step.checked_sub(self.steps) {
            None => (step + 1) as f64 / self.steps as f64,
            Some(step) => self.then.factor(step),
        }
    }

    fn epoch_done(&mut self, loss: f64) {
        self.then.epoch_done(loss);
    }
}

/// Multiplied by `gamma` when the loss has not improved for more than `patience` epochs. PyTorch's `ReduceLROnPlateau` in
/// its default mode: an improvement is a loss below `(1 - 1e-4)` times the best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReduceOnPlateau {
    gamma: f64,
    patience: u64,
    factor: f64,
    best: f64,
    waited: u64,
}

impl ReduceOnPlateau {
    /// # Errors
    /// If `gamma` is not above 0, and 1 or below.
    pub const fn new(gamma: f64, patience: u64) -> Result<Self, HyperparameterError> {
        match Range::Decay.check("gamma", gamma) {
            Ok(gamma) => Ok(Self { gamma, patience, factor: 1.0, best: f64::INFINITY, waited: 0 }),
            Err(error) => Err(error),
        }
    }
}

impl Schedule for ReduceOnPlateau {
    fn factor(&self, _: u64) -> f64 {
        self.factor
    }

    fn epoch_done(&mut self, loss: f64) {
        if loss < self.best * (1.0 - 1e-4) {
            self.best = loss;
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        if self.waited > self.patience {
            self.factor *= self.gamma;
            self.waited = 0;
        }
    }
}

/// `base ^ exponent` by squaring.
fn power(base: f64, mut exponent: u64) -> f64 {
    let (mut result, mut square) = (1.0, base);
    while exponent > 0 {
        if exponent % 2 == 1 {
            result *= square;
        }
        square *= square;
        exponent /= 2;
    }
    result
}
