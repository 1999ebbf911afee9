use super::elementwise::sign;
use crate::error::{HyperparameterError, Range};
use crate::layer::Parameters;
use crate::scalar::{Negligible, Scalar};

/// L1 and L2 penalties on the weights; biases are left out.
///
/// ```text
/// l1 * sum of |w| + l2 * sum of w^2
/// ```
///
/// As Keras's `regularizers.L1L2`. An optimiser's `weight_decay` is another thing: it knows no roles and, for `l2`, is half as
/// strong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    l1: f64,
    l2: f64,
}

impl Penalty {
    /// No penalty.
    pub const NONE: Self = Self { l1: 0.0, l2: 0.0 };

    /// Both.
    ///
    /// # Errors
    /// If one of them is not finite and 0 or above.
    pub const fn new(l1: f64, l2: f64) -> Result<Self, HyperparameterError> {
        match (Range::NotNegative.check("l1", l1), Range::NotNegative.check("l2", l2)) {
            (Ok(l1), Ok(l2)) => Ok(Self { l1, l2 }),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// The absolute values alone.
    ///
    /// # Errors
    /// If `l1` is not finite and 0 or above.
    pub const fn l1(l1: f64) -> Result<Self, HyperparameterError> {
        Self::new(l1, 0.0)
    }

    /// The squares alone.
    ///
    /// # Errors
    /// If `l2` is not finite and 0 or above.
    pub const fn l2(l2: f64) -> Result<Self, HyperparameterError> {
        Self::new(0.0, l2)
    }

    /// Whether there is nothing to add.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.l1 == 0.0 && self.l2 == 0.0
    }

    /// What it adds to the loss.
    pub fn value<T: Scalar, P: Parameters<T>>(&self, parameters: &P) -> T {
        let (l1, l2) = (T::from_f64(self.l1), T::from_f64(self.l2));
        let mut sum = T::ZERO;
        if !self.is_none() {
            parameters.visit(&mut |parameter, values| {
                if parameter.role.is_weight() {
                    for &w in values {
                        sum += l1 * w.abs() + l2 * w * w;
                    }
                }
            });
        }
        sum
    }

    /// Adds `scale` times its gradient to `gradient`.
    pub fn add_gradient<T: Scalar, P: Parameters<T>>(&self, parameters: &mut P, gradient: &mut P, scale: T) {
        if self.is_none() {
            return;
        }
        let (l1, l2) = (scale * T::from_f64(self.l1), scale * T::from_f64(2.0 * self.l2));
        P::zip([parameters, gradient], &mut |parameter, [w, g]| {
            if parameter.role.is_weight() {
                for (w, g) in w.iter().zip(g) {
                    *g += l1 * sign(*w) + l2 * *w;
                }
            }
        });
    }
}

impl Penalty {
    /// Makes the weights 0 that it has shrunk below [`Scalar::NEGLIGIBLE`], before they are subnormal.
    pub(crate) fn drop_negligible<T: Scalar, P: Parameters<T>>(&self, parameters: &mut P) {
        if self.is_none() {
            return;
        }
        let negligible = Negligible::number();
        P::zip([parameters], &mut |parameter, [weights]| {
            if parameter.role.is_weight() {
                for weight in weights {
                    *weight = negligible.drop_from(*weight);
                }
            }
        });
    }
}

impl Default for Penalty {
    fn default() -> Self {
        Self::NONE
    }
}
