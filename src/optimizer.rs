//! Optimisers: how a gradient changes parameters, by PyTorch's formulas.
//!
//! Hyperparameters are checked when an optimiser is built. Each has a `new` that returns a `Result` and a `const_new` for
//! constants, where a wrong value fails the build:
//!
//! ```
//! use constnet::optimizer::{Adam, Sgd};
//!
//! let adam = Adam::new(1e-3)?.with_weight_decay(1e-4)?;
//! const SGD: Sgd = Sgd::const_new(0.1);
//!
//! assert_eq!(Adam::new(-1.0).unwrap_err().to_string(), "`learning_rate` is -1, and must be finite and 0 or above");
//! # Ok::<(), constnet::error::HyperparameterError>(())
//! ```

mod adagrad;
mod adam;
pub(crate) mod clip;
mod rmsprop;
pub mod schedule;
mod sgd;

pub use adagrad::{Adagrad, AdagradState};
pub use adam::{Adam, AdamState, AdamW};
pub use clip::Clip;
pub use rmsprop::RmsProp;
pub use sgd::{Momentum, Sgd};

use crate::layer::Parameters;
use crate::scalar::{ConstZero, Scalar};

/// A rule that changes parameters by their gradient.
pub trait Optimizer<T: Scalar> {
    /// What it remembers of parameters `P`; all 0 before the first update.
    type State<P: Parameters<T>>: ConstZero;

    /// The learning rate that it was built with.
    fn learning_rate(&self) -> f64;

    /// Updates the parameters with `factor` times the learning rate.
    ///
    /// A number that would not be finite keeps its value instead. Returns whether there was none.
    fn update<P: Parameters<T>>(
        &self,
        state: &mut Self::State<P>,
        parameters: &mut P,
        gradient: &mut P,
        factor: f64,
    ) -> bool;
}

/// Sets a parameter or a number of the state, unless the new value is not finite; then `finite` becomes false.
#[inline]
fn set<T: Scalar>(value: &mut T, new: T, finite: &mut bool) {
    let is_finite = new.is_finite();
    *value = if is_finite { new } else { *value };
    *finite &= is_finite;
}

/// Writes a builder's method that checks one hyperparameter.
macro_rules! with {
    ($(#[$doc:meta])* $method:ident, $field:ident, $range:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// If it is out of its range.
        pub const fn $method(self, $field: f64) -> Result<Self, HyperparameterError> {
            match Range::$range.check(stringify!($field), $field) {
                Ok($field) => Ok(Self { $field, ..self }),
                Err(error) => Err(error),
            }
        }
    };
}
use with;

/// Writes `new`, `const_new` from the optimiser's defaults.
macro_rules! constructors {
    () => {
        /// With this learning rate, and PyTorch's defaults for the rest.
        ///
        /// # Errors
        /// If `learning_rate` is not finite and 0 or above.
        pub const fn new(learning_rate: f64) -> Result<Self, HyperparameterError> {
            match Range::NotNegative.check("learning_rate", learning_rate) {
                Ok(learning_rate) => Ok(Self { learning_rate, ..Self::DEFAULT }),
                Err(error) => Err(error),
            }
        }

        /// The same for a constant.
        ///
        /// # Panics
        /// If `learning_rate` is not finite and 0 or above: in a constant, the build fails.
        #[must_use]
        pub const fn const_new(learning_rate: f64) -> Self {
            valid(Self::new(learning_rate))
        }
    };
}
use constructors;
