//! Metrics against values computed by hand.

use constnet::metrics::{ConfusionMatrix, Regression, accuracy, top_k_accuracy};
use constnet::nalgebra::SVector;
use constnet::{Class, Vector};

fn assert_near(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-12, "{actual} for {expected}");
}

/// Predicted and actual classes; class 3 never occurs and is never predicted.
const PAIRS: [(usize, usize); 10] = [(0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (2, 1), (2, 2), (0, 2), (1, 0)];

fn matrix() -> ConfusionMatrix<4> {
    let mut matrix = ConfusionMatrix::NEW;
    for (predicted, actual) in PAIRS {
        matrix.add(Class::const_new(predicted), Class::const_new(actual));
    }
    matrix
}

/// Would catch: rows and columns exchanged, a division by the wrong sum, a class without samples that spoils the mean.
#[test]
fn confusion_matrix() {
    let matrix = matrix();
    assert_eq!(matrix.counts(), &[[3, 1, 0, 0], [1, 2, 1, 0], [1, 0, 1, 0], [0; 4]]);
    assert_eq!(matrix.total(), 10);
    assert_near(matrix.accuracy(), 0.6);
    let [first, second, third, unseen] = [0, 1, 2, 3].map(Class::const_new);
    assert_near(matrix.precision(first), 3.0 / 5.0);
    assert_near(matrix.recall(first), 3.0 / 4.0);
    assert_near(matrix.f1(first), 2.0 * 0.6 * 0.75 / 1.35);
    assert_near(matrix.precision(second), 2.0 / 3.0);
    assert_near(matrix.recall(second), 2.0 / 4.0);
    assert_near(matrix.f1(second), 4.0 / 7.0);
    assert_near(matrix.precision(third), 0.5);
    assert_near(matrix.recall(third), 0.5);
    assert_near(matrix.f1(third), 0.5);
    assert!(matrix.precision(unseen).is_nan() && matrix.recall(unseen).is_nan() && matrix.f1(unseen).is_nan());
    assert_near(matrix.macro_f1(), (2.0 / 3.0 + 4.0 / 7.0 + 0.5) / 3.0);
    let empty = ConfusionMatrix::<4>::default();
    assert!(empty.accuracy().is_nan() && empty.macro_f1().is_nan());
}

/// Would catch: a NaN that counts as a prediction.
#[test]
fn scores_are_counted_by_their_largest() {
    let mut matrix = ConfusionMatrix::<3>::NEW;
    let two = Class::const_new(2);
    assert!(matrix.add_scores(&SVector::from([0.1_f32, 0.9, 0.5]), two));
    assert!(matrix.add_scores(&SVector::from([f32::NAN, -2.0, -1.0]), two));
    assert!(!matrix.add_scores(&SVector::from([f32::NAN; 3]), two));
    assert_eq!(matrix.counts(), &[[0, 0, 0], [0, 0, 0], [0, 1, 1]]);
}

/// Would catch: a rank that is one off, a tie or a NaN that counts for the class.
#[test]
fn accuracy_and_top_k() {
    let scores = [[4.0_f32, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0], [1.0, 4.0, 2.0, 3.0], [5.0, 5.0, 0.0, 0.0]];
    let scores = scores.map(SVector::from);
    // Their ranks: 1, 2, 3, and a tie for 1.
    let classes = [0, 2, 2, 1].map(Class::<4>::const_new);
    let pairs = || scores.iter().zip(&classes);
    assert_near(accuracy(pairs()), 0.25);
    for (k, expected) in [(0, 0.0), (1, 0.25), (2, 0.75), (3, 1.0), (4, 1.0)] {
        assert_near(top_k_accuracy(k, pairs()), expected);
    }
    let nan = SVector::from([f32::NAN, 1.0]);
    let [first, second] = [0, 1].map(Class::<2>::const_new);
    assert_near(top_k_accuracy(1, [(&nan, &first)]), 0.0);
    assert_near(accuracy([(&nan, &second)]), 1.0);
    assert!(accuracy::<f32, 4>([]).is_nan());
}

/// Would catch: a mean over tensors instead of numbers, a variance around 0 instead of the mean of the targets.
#[test]
fn regression() {
    let mut errors = Regression::NEW;
    let pairs = [([2.0, 5.0], [1.0, 5.0]), ([4.0, 3.0], [6.0, 3.0]), ([0.0, 9.0], [0.0, 9.0])];
    for (predicted, actual) in pairs {
        errors.add::<Vector<2>, f64>(&SVector::from(predicted), &SVector::from(actual));
    }
    assert_near(errors.mae(), 3.0 / 6.0);
    assert_near(errors.rmse(), (5.0_f64 / 6.0).sqrt());
    // The targets 1, 5, 6, 3, 0, 9 have the mean 4 and the squared distances 9, 1, 4, 1, 16, 25.
    assert_near(errors.r2(), 1.0 - 5.0 / 56.0);

    let mut mean = Regression::NEW;
    // Far from 0, where a difference of squares would lose everything.
    for target in [1e8 + 1.0, 1e8 + 2.0, 1e8 + 3.0] {
        mean.add::<Vector<1>, f64>(&SVector::from([1e8 + 2.0]), &SVector::from([target]));
    }
    assert_near(mean.r2(), 0.0);
    let empty = Regression::default();
    assert!(empty.mae().is_nan() && empty.rmse().is_nan() && empty.r2().is_nan());
}
