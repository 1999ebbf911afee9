use super::mean_of_numbers;
use crate::scalar::{Negligible, Scalar};

/// Cross-entropy of probabilities against targets from 0 to 1. PyTorch's `nn.BCELoss`.
///
/// ```text
/// mean of -(t ln y + (1 - t) ln(1 - y))
/// ```
///
/// As in PyTorch, a logarithm is held at -100 and the derivative's denominator at 1e-12. To train a network without a last
/// [`Sigmoid`](crate::Sigmoid) use [`BinaryCrossEntropyWithLogits`], which loses no precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BinaryCrossEntropy;

mean_of_numbers!(
    BinaryCrossEntropy takes Probabilities,
    |_this, y, t: T| -(t * held_ln(y) + (T::ONE - t) * held_ln(T::ONE - y)),
    (y - t) / ((T::ONE - y) * y).max(T::from_f64(1e-12))
);

/// `ln x`, not below -100.
fn held_ln<T: Scalar>(x: T) -> T {
    let (ln, least) = (x.ln(), T::from_f64(-100.0));
    if ln < least { least } else { ln }
}

/// [`BinaryCrossEntropy`] of `sigmoid(y)`, without the loss of precision. PyTorch's `nn.BCEWithLogitsLoss`.
///
/// ```text
/// mean of max(y, 0) - y t + ln(1 + exp(-|y|))
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BinaryCrossEntropyWithLogits;

mean_of_numbers!(
    BinaryCrossEntropyWithLogits takes BinaryLogits,
    |_this, y, t: T| y.max(T::ZERO) - y * t + (-y.abs()).exp().ln_1p(),
    Negligible::unit().drop_from_positive(y.sigmoid()) - t
);
