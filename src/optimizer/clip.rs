use crate::error::{HyperparameterError, Range};
use crate::layer::{Parameters, zip_trained};
use crate::scalar::Scalar;

/// A bound on the gradient, applied before the optimiser sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip(Kind);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    None,
    Value(f64),
    Norm(f64),
}

impl Clip {
    /// No bound.
    pub const NONE: Self = Self(Kind::None);

    /// Each number of the gradient is held between `-value` and `value`. PyTorch's `clip_grad_value_`.
    ///
    /// # Errors
    /// If `value` is not finite and above 0.
    pub const fn value(value: f64) -> Result<Self, HyperparameterError> {
        match Range::Positive.check("clip value", value) {
            Ok(value) => Ok(Self(Kind::Value(value))),
            Err(error) => Err(error),
        }
    }

    /// The whole gradient is scaled down where its Euclidean norm is above `norm`. PyTorch's `clip_grad_norm_`.
    ///
    /// # Errors
    /// If `norm` is not finite and above 0.
    pub const fn norm(norm: f64) -> Result<Self, HyperparameterError> {
        match Range::Positive.check("clip norm", norm) {
            Ok(norm) => Ok(Self(Kind::Norm(norm))),
            Err(error) => Err(error),
        }
    }

    /// Applies the bound.
    pub fn apply<T: Scalar, P: Parameters<T>>(&self, gradient: &mut P) {
        match self.0 {
            Kind::None => {}
            Kind::Value(value) => {
                let (low, high) = (T::from_f64(-value), T::from_f64(value));
                zip_trained([gradient], &mut |[g]| {
                    for g in g {
                        // NaN stays NaN.
                        if *g < low {
                            *g = low;
                        } else if *g > high {
                            *g = high;
                        }
                    }
                });
            }
            Kind::Norm(most) => {
                let norm = norm(gradient);
                // PyTorch adds 1e-6 to the norm.
                let scale = most / (norm + 1e-6);
                if scale < 1.0 {
                    scale_by(gradient, T::from_f64(scale));
                }
            }
        }
    }
}

impl Default for Clip {
    fn default() -> Self {
        Self::NONE
    }
}

/// The Euclidean norm of all that gradients change, summed in `f64`.
fn norm<T: Scalar, P: Parameters<T>>(parameters: &P) -> f64 {
    let mut sum = 0.0;
    parameters.visit(&mut |parameter, values| {
        if parameter.role.is_trained() {
            for &value in values {
                sum += value.to_f64() * value.to_f64();
            }
        }
    });
    libm::sqrt(sum)
}

/// Multiplies every number that gradients change by `scale`.
pub(crate) fn scale_by<T: Scalar, P: Parameters<T>>(parameters: &mut P, scale: T) {
    zip_trained([parameters], &mut |[values]| {
        for value in values {
            *value *= scale;
        }
    });
}
