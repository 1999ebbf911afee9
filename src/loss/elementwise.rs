use super::mean_of_numbers;
use crate::error::{HyperparameterError, Range, valid};
use crate::scalar::Scalar;

/// Mean squared error. PyTorch's `nn.MSELoss`.
///
/// ```text
/// mean of (y - t)^2
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mse;

mean_of_numbers!(Mse, |_this, y, t: T| (y - t) * (y - t), T::from_f64(2.0) * (y - t));

/// Mean absolute error. PyTorch's `nn.L1Loss`.
///
/// ```text
/// mean of |y - t|
/// ```
///
/// The derivative where `y = t` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct L1;

mean_of_numbers!(L1, |_this, y, t: T| (y - t).abs(), sign(y - t));

/// Squared near the target, absolute beyond. PyTorch's `nn.HuberLoss`.
///
/// ```text
/// mean of (y - t)^2 / 2                     where |y - t| <= delta
///         delta * (|y - t| - delta / 2)     elsewhere
/// ```
///
/// `Huber::default()` has PyTorch's `delta = 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Huber {
    delta: f64,
}

impl Huber {
    /// # Errors
    /// If `delta` is not finite and 1e-30 or above.
    pub const fn new(delta: f64) -> Result<Self, HyperparameterError> {
        match Range::NotTiny.check("delta", delta) {
            Ok(delta) => Ok(Self { delta }),
            Err(error) => Err(error),
        }
    }

    /// The same for a constant.
    ///
    /// # Panics
    /// If `delta` is not finite and 1e-30 or above: in a constant, the build fails.
    #[must_use]
    pub const fn const_new(delta: f64) -> Self {
        valid(Self::new(delta))
    }

    fn value<T: Scalar>(self, error: T) -> T {
        let (delta, half) = (T::from_f64(self.delta), T::from_f64(0.5));
        let distance = error.abs();
        if distance > delta { delta * (distance - half * delta) } else { half * error * error }
    }

    fn derivative<T: Scalar>(self, error: T) -> T {
        let delta = T::from_f64(self.delta);
        if error > delta {
            delta
        } else if error < -delta {
            -delta
        } else {
            error
        }
    }
}

impl Default for Huber {
    fn default() -> Self {
        Self::const_new(1.0)
    }
}

mean_of_numbers!(Huber, |this, y, t: T| this.value(y - t), this.derivative(y - t));

/// -1, 0 or 1; NaN for NaN.
pub(super) fn sign<T: Scalar>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        x
    }
}
