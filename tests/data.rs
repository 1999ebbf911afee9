//! Data sets, splits and scalers: what is refused, and what each seed gives.
#![cfg(feature = "rand")]

use constnet::data::{Dataset, MinMaxScaler, Permutation, Standardizer, shuffle, split, stratified_split};
use constnet::error::DataError;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::{Class, Image, Sequence, Vector};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};

/// Would catch: an empty or unpaired data set that is accepted, a wrong count of batches.
#[test]
fn datasets() {
    let (x, y) = ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]);
    let data = Dataset::new(&x, &y).expect("pairs");
    assert_eq!((data.len(), data.batches(1), data.batches(2), data.batches(5), data.batches(6)), (5, 5, 3, 1, 1));
    assert!(data.iter().eq(x.iter().zip(&y)));
    let error = Dataset::new(&x[..4], &y).expect_err("4 inputs and 5 targets");
    assert_eq!(error, DataError::Unpaired { inputs: 4, targets: 5 });
    assert_eq!(Dataset::<u8, u8>::new(&[], &[]).expect_err("nothing"), DataError::Empty);
}

/// Would catch: a part that is not rounded, one out of range that is accepted, classes that are mixed up.
#[test]
fn splits() {
    let (mut x, mut y) = ([0, 1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 0, 0].map(Class::<3>::const_new));
    let ((train, _), (test, _)) = split(&mut x, &mut y, 0.5).expect("in range");
    assert_eq!((&*train, &*test), (&[0, 1, 2, 3][..], &[4, 5, 6][..]));
    for part in [-0.1, 1.0, f64::NAN] {
        assert!(matches!(split(&mut x, &mut y, part), Err(DataError::Part(error)) if error.name == "part"));
        assert!(matches!(stratified_split(&mut x, &mut y, part), Err(DataError::Part(error)) if error.name == "part"));
    }
    let unpaired = DataError::Unpaired { inputs: 3, targets: 7 };
    assert_eq!(split(&mut x[..3], &mut y, 0.5).expect_err("3 inputs and 7 targets"), unpaired);
    assert_eq!(stratified_split(&mut x[..3], &mut y, 0.5).expect_err("3 inputs and 7 targets"), unpaired);
    let ((train_x, train_y), (test_x, test_y)) = stratified_split(&mut x, &mut y, 0.6).expect("in range");
    // 3 of the 5 zeros, 1 of the 2 ones, in the order in which they stood.
    assert_eq!(train_x, [0, 1, 2, 4]);
    assert_eq!(train_y.iter().map(|class| class.index()).collect::<Vec<_>>(), [0, 1, 0, 0]);
    assert_eq!((test_x.len(), test_y.iter().filter(|class| class.index() == 1).count()), (3, 1));
}

/// Would catch: scalers that mix up numbers of shapes, divide by the count less 1, or take what is not finite.
#[test]
fn scalers() {
    let samples = [[1.0, -4.0, 0.1], [2.0, 4.0, 0.1], [6.0, 0.0, 0.1]].map(SVector::<f32, 3>::from);
    let standard = Standardizer::<Vector<3>>::fit(&samples).expect("finite");
    approx::assert_abs_diff_eq!(standard.mean, SVector::from([3.0, 0.0, 0.1]), epsilon = 1e-6);
    approx::assert_relative_eq!(standard.deviation[0], (14.0_f32 / 3.0).sqrt(), max_relative = 1e-6);
    approx::assert_relative_eq!(standard.deviation[1], (32.0_f32 / 3.0).sqrt(), max_relative = 1e-6);
    // Three times a third of 0.1 is not 0.1: the deviation of a constant is not to be its rounding.
    assert_eq!(standard.deviation[2].to_bits(), 1.0_f32.to_bits());
    let bounds = MinMaxScaler::<Vector<3>>::fit(&samples).expect("finite");
    assert_eq!((bounds.minimum, bounds.range), (SVector::from([1.0, -4.0, 0.1]), SVector::from([5.0, 8.0, 1.0])));

    let steps = [SMatrix::<f32, 2, 2>::new(0.0, 2.0, 4.0, 8.0), SMatrix::<f32, 2, 2>::zeros()];
    let mut step = steps[0];
    MinMaxScaler::<Sequence<2, 2>>::fit(&steps).expect("finite").apply(&mut step);
    assert_eq!(step, SMatrix::<f32, 2, 2>::new(0.0, 1.0, 1.0, 1.0));
    let mut picture = [SMatrix::<f32, 1, 2>::new(1.0, 3.0), SMatrix::<f32, 1, 2>::new(5.0, 7.0)];
    let dark = [SMatrix::<f32, 1, 2>::zeros(); 2];
    Standardizer::<Image<1, 2, 2>>::fit(&[picture, dark]).expect("finite").apply(&mut picture);
    assert_eq!(picture, [SMatrix::<f32, 1, 2>::new(1.0, 1.0); 2]);

    let mut bad = samples;
    bad[1][2] = f32::INFINITY;
    let expected = DataError::NotFinite { sample: 1, feature: 2 };
    assert_eq!(Standardizer::<Vector<3>>::fit(&bad).expect_err("infinite"), expected);
    assert_eq!(MinMaxScaler::<Vector<3>>::fit(&bad).expect_err("infinite"), expected);
    assert_eq!(Standardizer::<Vector<3>>::fit(&samples[..0]).expect_err("nothing"), DataError::Empty);
    assert_eq!(MinMaxScaler::<Vector<3>>::fit(&samples[..0]).expect_err("nothing"), DataError::Empty);
}

/// Would catch: an order that depends on the machine or changes between versions.
#[test]
fn a_seed_has_its_order() {
    let order = Permutation::new(10, Some(42));
    assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|i| order.get(i)), [1, 7, 2, 8, 9, 0, 4, 3, 5, 6]);
    let (mut x, mut y) = ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [0; 10]);
    shuffle(&mut x, &mut y, &mut Xoshiro128PlusPlus::seed_from_u64(42));
    assert_eq!(x, [8, 6, 3, 1, 0, 5, 9, 7, 2, 4]);
}

/// Would catch: a shuffle in which some places hold some samples more often than others.
#[test]
fn orders_are_even() {
    const LEN: usize = 8;
    const RUNS: u32 = 4000;
    let mut places = [[0_u32; LEN]; LEN];
    let mut shuffled = [[0_u32; LEN]; LEN];
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(9);
    for seed in 0..RUNS {
        let order = Permutation::new(LEN, Some(u64::from(seed)));
        let (mut x, mut y): ([usize; LEN], [(); LEN]) = (core::array::from_fn(|i| i), [(); LEN]);
        shuffle(&mut x, &mut y, &mut rng);
        for i in 0..LEN {
            places[i][order.get(i)] += 1;
            shuffled[i][x[i]] += 1;
        }
    }
    // 500 on average, with a standard deviation of 21: five of them.
    for count in places.as_flattened().iter().chain(shuffled.as_flattened()) {
        assert!((395..=605).contains(count), "{count} of {RUNS} for 1 in {LEN}");
    }
}
