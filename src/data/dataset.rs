use crate::class::Class;
use crate::error::{DataError, Range};

/// Inputs and the targets that belong to them: at least one pair.
///
/// ```
/// use constnet::data::Dataset;
///
/// let data = Dataset::new(&[1.0, 2.0, 3.0], &["a", "b", "c"])?;
/// assert_eq!(data.batches(2), 2);
/// assert_eq!(Dataset::new(&[1.0], &["a", "b"]).unwrap_err().to_string(), "1 inputs do not pair with 2 targets");
/// # Ok::<(), constnet::error::DataError>(())
/// ```
#[derive(Debug)]
pub struct Dataset<'a, X, Y> {
    inputs: &'a [X],
    targets: &'a [Y],
}

impl<X, Y> Clone for Dataset<'_, X, Y> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<X, Y> Copy for Dataset<'_, X, Y> {}

impl<'a, X, Y> Dataset<'a, X, Y> {
    /// Pairs each input with the target in the same place.
    ///
    /// # Errors
    /// If there are not as many targets as inputs, or none.
    pub const fn new(inputs: &'a [X], targets: &'a [Y]) -> Result<Self, DataError> {
        if inputs.len() != targets.len() {
            Err(DataError::Unpaired { inputs: inputs.len(), targets: targets.len() })
        } else if inputs.is_empty() {
            Err(DataError::Empty)
        } else {
            Ok(Self { inputs, targets })
        }
    }

    /// How many pairs; 1 or more.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub const fn len(&self) -> usize {
        self.inputs.len()
    }

    /// How many mini-batches of `size` an epoch has, the last, smaller one included; none where `size` is 0.
    #[must_use]
    pub const fn batches(&self, size: usize) -> usize {
        if size == 0 { 0 } else { self.len().div_ceil(size) }
    }

    /// The inputs.
    #[must_use]
    pub const fn inputs(&self) -> &'a [X] {
        self.inputs
    }

    /// The targets.
    #[must_use]
    pub const fn targets(&self) -> &'a [Y] {
        self.targets
    }

    /// The pairs.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a X, &'a Y)> + use<'a, X, Y> {
        self.inputs.iter().zip(self.targets)
    }
}

/// The first `part` of the pairs to train on, and the rest to test with. Shuffle them before, with `data::shuffle`.
///
/// # Errors
/// If `part` is not 0 or above, and below 1, or there are not as many inputs as targets.
///
/// ```
/// let (mut x, mut y) = ([1, 2, 3, 4, 5], [10, 20, 30, 40, 50]);
/// let ((train_x, train_y), (test_x, test_y)) = constnet::data::split(&mut x, &mut y, 0.8)?;
/// assert_eq!((train_x.len(), &*test_x), (4, &[5][..]));
/// # Ok::<(), constnet::error::DataError>(())
/// ```
pub fn split<'a, X, Y>(inputs: &'a mut [X], targets: &'a mut [Y], part: f64) -> Result<Parts<'a, X, Y>, DataError> {
    let (len, part) = check(inputs, targets, part)?;
    Ok(split_at(inputs, targets, share(len, part)))
}

/// Moves the first `part` of the pairs of each class to the front, rounded for each class by itself, and splits there.
/// Shuffle them before, with `data::shuffle`.
///
/// # Errors
/// If `part` is not 0 or above, and below 1, or there are not as many inputs as targets.
///
/// ```
/// use constnet::Class;
///
/// let mut inputs = [1, 2, 3, 4, 5, 6];
/// let mut labels = [0, 0, 0, 0, 1, 1].map(Class::<2>::const_new);
/// let ((train, _), (test, _)) = constnet::data::stratified_split(&mut inputs, &mut labels, 0.5)?;
/// assert_eq!((&*train, test.len()), (&[1, 2, 5][..], 3));
/// # Ok::<(), constnet::error::DataError>(())
/// ```
pub fn stratified_split<'a, X, const N: usize>(
    inputs: &'a mut [X],
    labels: &'a mut [Class<N>],
    part: f64,
) -> Result<Parts<'a, X, Class<N>>, DataError> {
    let (len, part) = check(inputs, labels, part)?;
    let mut quota = [0; N];
    for label in &*labels {
        if let Some(count) = quota.get_mut(label.index()) {
            *count += 1;
        }
    }
    for quota in &mut quota {
        *quota = share(*quota, part);
    }
    let mut front = 0;
    for i in 0..len {
        let left = labels.get(i).and_then(|label| quota.get_mut(label.index()));
        if let Some(left) = left.filter(|left| **left > 0) {
            *left -= 1;
            exchange(inputs, front, i);
            exchange(labels, front, i);
            front += 1;
        }
    }
    Ok(split_at(inputs, labels, front))
}

/// Inputs and targets to train on, inputs and targets to test with: mutable, so that a scaler can scale them where they are.
pub type Parts<'a, X, Y> = ((&'a mut [X], &'a mut [Y]), (&'a mut [X], &'a mut [Y]));

/// Splits both slices there, or at their ends.
fn split_at<'a, X, Y>(inputs: &'a mut [X], targets: &'a mut [Y], at: usize) -> Parts<'a, X, Y> {
    let (train_x, test_x) = inputs.split_at_mut(at.min(inputs.len()));
    let (train_y, test_y) = targets.split_at_mut(at.min(targets.len()));
    ((train_x, train_y), (test_x, test_y))
}

/// Exchanges two items, where there are both. `swap`, without a way to panic.
pub(super) fn exchange<V>(items: &mut [V], a: usize, b: usize) {
    if let Ok([a, b]) = items.get_disjoint_mut([a, b]) {
        core::mem::swap(a, b);
    }
}

/// How many pairs there are, and the part.
fn check<X, Y>(inputs: &[X], targets: &[Y], part: f64) -> Result<(usize, f64), DataError> {
    let part = Range::Fraction.check("part", part)?;
    if inputs.len() == targets.len() {
        Ok((inputs.len(), part))
    } else {
        Err(DataError::Unpaired { inputs: inputs.len(), targets: targets.len() })
    }
}

/// `part` of `count`, rounded.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn share(count: usize, part: f64) -> usize {
    (count as f64 * part + 0.5) as usize
}
