#[cfg(feature = "serde")]
use crate::scalar::ConstZero;
use core::fmt;

/// What the numbers of a tensor must be. Whatever takes numbers from outside holds to it: a file that breaks it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// Neither infinite nor NaN.
    Finite,
    /// Finite, and 0 or above: a variance, a sum of squares, a count.
    NotNegative,
    /// Finite and above 0: what is divided by.
    Positive,
    /// From 0 to 1.
    Fraction,
}

impl Bound {
    /// Whether a number keeps to it.
    #[must_use]
    pub const fn holds(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Self::Finite => true,
                Self::NotNegative => value >= 0.0,
                Self::Positive => value > 0.0,
                Self::Fraction => value >= 0.0 && value <= 1.0,
            }
    }

    /// The same for numbers that cannot be asked whether they are finite: infinity passes, and NaN where anything does.
    #[cfg(feature = "serde")]
    pub(crate) fn admits<T: PartialOrd + ConstZero>(self, value: &T) -> bool {
        match self {
            Self::Finite => true,
            Self::NotNegative | Self::Fraction => *value >= T::ZERO,
            Self::Positive => *value > T::ZERO,
        }
    }

    /// As messages have it, after "must be".
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Finite => "finite",
            Self::NotNegative => "0 or above",
            Self::Positive => "above 0",
            Self::Fraction => "from 0 to 1",
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
