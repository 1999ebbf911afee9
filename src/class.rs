use crate::error::ClassError;
use crate::scalar::{ConstZero, Scalar};
use core::fmt;
use nalgebra::SVector;

/// One of `N` classes, numbered from 0.
///
/// The number is checked once, when the label is made; a label that exists is in range.
///
/// ```
/// use constnet::Class;
///
/// let three = Class::<10>::new(3)?;
/// assert_eq!(three.index(), 3);
/// assert_eq!(
///     Class::<10>::new(10).unwrap_err().to_string(),
///     "class 10 is out of range: 10 classes are numbered 0 to 9"
/// );
/// # Ok::<(), constnet::error::ClassError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class<const N: usize>(u32);

impl<const N: usize> Class<N> {
    /// The class with number `index`.
    ///
    /// # Errors
    /// If `index` is `N` or above.
    pub const fn new(index: usize) -> Result<Self, ClassError> {
        #[allow(clippy::cast_possible_truncation)]
        if index < N && index <= u32::MAX as usize {
            Ok(Self(index as u32))
        } else {
            Err(ClassError { index, classes: N })
        }
    }

    /// The same for a constant: out of range fails the build.
    ///
    /// # Panics
    /// If `index` is `N` or above.
    #[must_use]
    pub const fn const_new(index: usize) -> Self {
        match Self::new(index) {
            Ok(class) => class,
            Err(_) => panic!("a class label is out of range: `Class<N>` is numbered from 0 to N - 1"),
        }
    }

    /// Its number, below `N`.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// All classes in order.
    #[allow(clippy::cast_possible_truncation)]
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        (0..N.min(u32::MAX as usize)).map(|index| Self(index as u32))
    }

    /// The class with the largest number in `scores`: logits or probabilities. The first of equals; NaN never wins. `None` if
    /// every score is NaN.
    #[must_use]
    pub fn argmax<T: PartialOrd + Copy>(scores: &SVector<T, N>) -> Option<Self> {
        let [scores] = &scores.data.0;
        let mut best: Option<(Self, T)> = None;
        for (class, &score) in Self::all().zip(scores) {
            let wins = match best {
                None => score.partial_cmp(&score).is_some(),
                Some((_, best)) => score > best,
            };
            if wins {
                best = Some((class, score));
            }
        }
        best.map(|(class, _)| class)
    }

    /// The vector of zeros with a one in the place of the class.
    #[must_use]
    pub fn one_hot<T: Scalar>(self) -> SVector<T, N> {
        let mut vector: SVector<T, N> = ConstZero::ZERO;
        for (class, value) in Self::all().zip(&mut vector) {
            if class == self {
                *value = T::ONE;
            }
        }
        vector
    }
}

impl<const N: usize> TryFrom<usize> for Class<N> {
    type Error = ClassError;
    fn try_from(index: usize) -> Result<Self, ClassError> {
        Self::new(index)
    }
}

impl<const N: usize> From<Class<N>> for usize {
    fn from(class: Class<N>) -> usize {
        class.index()
    }
}

impl<const N: usize> fmt::Display for Class<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
