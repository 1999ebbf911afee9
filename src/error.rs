//! Errors of the boundary: values that a user gives. What is inside has been checked and cannot fail.

use crate::message::Message;
use core::fmt;

/// A hyperparameter is out of its range.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct HyperparameterError {
    /// Its name.
    pub name: &'static str,
    /// The value given.
    pub value: f64,
    /// What it must be.
    pub range: &'static str,
}

impl fmt::Display for HyperparameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {}, and must be {}", self.name, self.value, self.range)
    }
}

impl core::error::Error for HyperparameterError {}

/// A range that a hyperparameter must lie in.
#[derive(Clone, Copy)]
pub(crate) enum Range {
    /// Above 0.
    Positive,
    /// 0 or above.
    NotNegative,
    /// 0 or above, below 1.
    Fraction,
    /// Above 0, 1 or below.
    Decay,
    /// Above 0 in any scalar.
    NotTiny,
}

impl Range {
    /// `value`, if it lies in the range. NaN and infinity never do.
    pub(crate) const fn check(self, name: &'static str, value: f64) -> Result<f64, HyperparameterError> {
        let (holds, range) = match self {
            Self::Positive => (value > 0.0, "finite and above 0"),
            Self::NotNegative => (value >= 0.0, "finite and 0 or above"),
            Self::Fraction => (value >= 0.0 && value < 1.0, "0 or above, and below 1"),
            Self::Decay => (value > 0.0 && value <= 1.0, "above 0, and 1 or below"),
            Self::NotTiny => (value >= 1e-30, "finite and 1e-30 or above"),
        };
        if holds && value.is_finite() { Ok(value) } else { Err(HyperparameterError { name, value, range }) }
    }

    /// [`check`](Range::check) for a count, which must not be 0.
    pub(crate) const fn check_count(name: &'static str, count: u64) -> Result<u64, HyperparameterError> {
        if count > 0 { Ok(count) } else { Err(HyperparameterError { name, value: 0.0, range: "1 or above" }) }
    }
}

/// The value of a `Result` in a constant: an error fails the build.
///
/// Every constructor that checks is a `const fn`; this is how a `static` takes its value. Simple cases have a constructor of
/// their own, such as [`Adam::const_new`](crate::optimizer::Adam::const_new).
///
/// ```
/// use constnet::error::valid;
/// use constnet::optimizer::{Adam, Clip};
///
/// const ADAM: Adam = valid(valid(Adam::new(1e-3)).with_betas(0.9, 0.99));
/// const CLIP: Clip = valid(Clip::norm(1.0));
/// ```
///
/// # Panics
/// If `result` is an error.
#[must_use]
pub const fn valid<V: Copy>(result: Result<V, HyperparameterError>) -> V {
    match result {
        Ok(value) => value,
        Err(error) => {
            // Constants cannot format a float; the compiler shows the expression.
            let mut message = Message::EMPTY;
            message.text("`").text(error.name).text("` must be ").text(error.range).panic()
        }
    }
}

/// Inputs and targets do not make a data set.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum DataError {
    /// There is no sample.
    Empty,
    /// Not as many inputs as targets.
    Unpaired {
        /// How many inputs.
        inputs: usize,
        /// How many targets.
        targets: usize,
    },
    /// A number that is not finite.
    NotFinite {
        /// Of which sample.
        sample: usize,
        /// Which of its numbers, in memory order.
        feature: usize,
    },
    /// A feature whose spread is beyond the scalar.
    Spread {
        /// Which of a sample's numbers, in memory order.
        feature: usize,
    },
    /// A split into parts that do not exist.
    Part(HyperparameterError),
}

impl From<HyperparameterError> for DataError {
    fn from(error: HyperparameterError) -> Self {
        Self::Part(error)
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the data set is empty"),
            Self::Unpaired { inputs, targets } => {
                write!(f, "{inputs} inputs do not pair with {targets} targets")
            }
            Self::NotFinite { sample, feature } => {
                write!(f, "number {feature} of sample {sample} is not finite")
            }
            Self::Spread { feature } => write!(f, "number {feature} spreads wider than the scalar reaches"),
            Self::Part(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DataError {}

/// A class label is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassError {
    /// The label given.
    pub index: usize,
    /// How many classes there are.
    pub classes: usize,
}

impl fmt::Display for ClassError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, classes } = self;
        if *classes == 0 {
            write!(f, "class {index} is out of range: there are no classes")
        } else {
            write!(f, "class {index} is out of range: {classes} classes are numbered 0 to {}", classes - 1)
        }
    }
}

impl core::error::Error for ClassError {}
