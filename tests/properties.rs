//! Laws that hold for any numbers.
#![cfg(feature = "rand")]

use constnet::data::{Dataset, MinMaxScaler, Permutation, Standardizer, shuffle, split, stratified_split};
use constnet::layer::{Parameters, Role};
use constnet::loss::{CrossEntropy, Loss, Mse};
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::{Clip, Sgd};
use constnet::train::Trainer;
use constnet::{Class, Dense, LogSoftmax, Network, Relu, Residual, Sequence, Softmax, Tanh, Vector};
use proptest::array::{uniform4, uniform6};
use proptest::collection::vec;
use proptest::prelude::*;
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};

type Flat = (Dense<4, 6>, Tanh, Dense<6, 5>, Relu, Dense<5, 3>);
type Left = (((Dense<4, 6>, Tanh), Dense<6, 5>, Relu), Dense<5, 3>);
type Right = (Dense<4, 6>, (Tanh, (Dense<6, 5>, (Relu, Dense<5, 3>))));
type Net<L> = Network<Vector<4>, L>;

fn drawn<P: Parameters<f32>>(mut parameters: P, seed: u64) -> P {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed);
    P::zip([&mut parameters], &mut |parameter, [values]| {
        constnet::init::Init::TorchDefault.fill(parameter.role, values, &mut rng);
    });
    parameters
}

fn bits<P: Parameters<f32>>(parameters: &P) -> Vec<u32> {
    let mut all = Vec::new();
    parameters.visit(&mut |_, values| all.extend(values.iter().map(|value| value.to_bits())));
    all
}

/// A step on one batch, and everything that comes of it as bits.
fn stepped<L>(seed: u64, x: [[f32; 4]; 4]) -> Vec<u32>
where
    L: constnet::layer::Differentiable<Vector<4>> + constnet::layer::Layer<Vector<4>, Out = Vector<3>>,
{
    let mut net = drawn(Net::<L>::ZERO, seed);
    let mut trainer = Trainer::<Net<L>, _, _, 4>::new(Sgd::const_new(0.1), CrossEntropy);
    let labels = [0, 1, 2, 1].map(Class::<3>::const_new);
    let loss = trainer.step(&mut net, &x.map(SVector::from), &labels);
    let y = net.predict(&SVector::from(x[0]));
    let mut all = bits(&net);
    all.extend(y.iter().chain([&loss]).map(|number| number.to_bits()));
    all
}

/// Records every call of a walk: keys, roles and numbers.
fn visited<P: Parameters<f32>>(parameters: &P) -> Vec<(String, Role, Vec<f32>)> {
    let mut all = Vec::new();
    parameters.visit(&mut |parameter, values| all.push((parameter.to_string(), parameter.role, values.to_vec())));
    all
}

/// `visit` and `zip` see `COUNT` numbers in one order, and `zip` sees the same place of each of its values.
fn walks<P: Parameters<f32> + Clone>(parameters: P) {
    let mut count = 0.0;
    let (mut a, mut b, mut c) = (parameters.clone(), parameters.clone(), parameters);
    P::zip([&mut a], &mut |_, [values]| {
        values.fill_with(|| {
            count += 1.0;
            count
        });
    });
    let seen: Vec<f32> = visited(&a).into_iter().flat_map(|(_, _, values)| values).collect();
    assert_eq!(seen.len(), P::COUNT);
    assert!(seen.windows(2).all(|pair| (pair[1] - pair[0] - 1.0).abs() < 1e-6), "visit has another order than zip");
    let mut zipped = Vec::new();
    P::zip([&mut a, &mut b, &mut c], &mut |parameter, [a, b, c]| {
        assert_eq!((a.len(), a.len()), (b.len(), c.len()));
        b.copy_from_slice(a);
        zipped.push((parameter.to_string(), parameter.role, a.to_vec()));
    });
    assert_eq!(zipped, visited(&a));
    assert_eq!(visited(&b), visited(&a), "zip pairs other numbers than visit shows");
}

/// Would catch: a tensor left out of a walk, or walked twice, or in another order.
#[test]
fn walks_see_every_number_once() {
    walks(Net::<Flat>::ZERO);
    walks(Net::<Left>::ZERO);
    walks(Net::<Right>::ZERO);
    walks(Network::<Vector<3>, (Residual<Dense<3, 3>>, constnet::DenseNoBias<3, 2>, Tanh)>::ZERO);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Would catch: a nesting that changes the order of parameters or of sums.
    #[test]
    fn nesting_changes_nothing(seed: u64, x in uniform4(uniform4(-3_f32..3.0))) {
        let flat = stepped::<Flat>(seed, x);
        prop_assert_eq!(&flat, &stepped::<Left>(seed, x));
        prop_assert_eq!(&flat, &stepped::<Right>(seed, x));
    }

    /// Would catch: an overflow, a sum over the wrong axis, a sign.
    #[test]
    fn softmax_is_a_distribution(x in uniform6(-1e6_f32..1e6), shift in -1e3_f32..1e3, small in uniform6(-5_f32..5.0)) {
        let net = Network::<Sequence<3, 2>, (Softmax,)>::ZERO;
        let log = Network::<Sequence<3, 2>, (LogSoftmax,)>::ZERO;
        for x in [x, small] {
            let x = SMatrix::<f32, 3, 2>::from_column_slice(&x);
            let (y, ln) = (net.predict(&x), log.predict(&x));
            for (y, ln) in y.column_iter().zip(ln.column_iter()) {
                prop_assert!((y.sum() - 1.0).abs() < 1e-6, "sums to {}", y.sum());
                prop_assert!(y.iter().all(|y| (0.0..=1.0).contains(y)));
                prop_assert!(ln.iter().all(|ln| ln.is_finite() && *ln <= 1e-6));
            }
        }
        let x = SMatrix::<f32, 3, 2>::from_column_slice(&small);
        let (y, moved, ln) = (net.predict(&x), net.predict(&x.add_scalar(shift)), log.predict(&x));
        for ((y, moved), ln) in y.iter().zip(&moved).zip(&ln) {
            prop_assert!((y - moved).abs() < 1e-3, "a shift of all logits changes {y} into {moved}");
            prop_assert!((ln.exp() - y).abs() < 1e-6);
        }
    }

    /// Would catch: an index that comes twice or never, an order that ignores its seed.
    #[test]
    fn permutations(len in 0..3000_usize, seed: u64) {
        let order = Permutation::new(len, Some(seed));
        let mut all: Vec<_> = (0..len).map(|i| order.get(i)).collect();
        if len > 20 {
            prop_assert!(all.iter().enumerate().any(|(i, place)| i != *place), "not shuffled");
            let other = Permutation::new(len, Some(seed.wrapping_add(1)));
            prop_assert!(all.iter().enumerate().any(|(i, place)| other.get(i) != *place), "the seed has no part in it");
        }
        all.sort_unstable();
        prop_assert!(all.into_iter().eq(0..len));
        prop_assert!((0..len).all(|i| Permutation::new(len, None).get(i) == i));
        prop_assert_eq!(order.get(len), len);
    }

    /// Would catch: pairs torn apart, a sample lost.
    #[test]
    fn shuffling_keeps_pairs(len in 0..400_usize, seed: u64) {
        let mut inputs: Vec<_> = (0..len).collect();
        let mut targets: Vec<_> = (0..len).map(|i| i * 7).collect();
        shuffle(&mut inputs, &mut targets, &mut Xoshiro128PlusPlus::seed_from_u64(seed));
        prop_assert!(inputs.iter().zip(&targets).all(|(x, y)| x * 7 == *y));
        if len > 20 {
            prop_assert!(!inputs.is_sorted(), "not shuffled");
        }
        inputs.sort_unstable();
        prop_assert!(inputs.into_iter().eq(0..len));
    }

    /// Would catch: a sample in both parts or in none, a class above or below its part, pairs torn apart.
    #[test]
    fn stratified_splits(classes in vec(0..5_usize, 0..200), part in 0.0..1.0_f64) {
        let mut inputs: Vec<_> = classes.iter().copied().enumerate().collect();
        let mut labels: Vec<_> = classes.iter().map(|&class| Class::<5>::const_new(class)).collect();
        let ((train_x, train_y), (test_x, test_y)) = stratified_split(&mut inputs, &mut labels, part).unwrap();
        let (train_x, train_y, test_x, test_y) = (&*train_x, &*train_y, &*test_x, &*test_y);
        prop_assert_eq!((train_x.len(), test_x.len()), (train_y.len(), test_y.len()));
        for ((_, class), label) in train_x.iter().zip(train_y).chain(test_x.iter().zip(test_y)) {
            prop_assert_eq!(*class, label.index());
        }
        for class in Class::all() {
            let train = train_y.iter().filter(|label| **label == class).count();
            let all = classes.iter().filter(|index| **index == class.index()).count();
            let wanted = f64::from(u32::try_from(all).unwrap()) * part;
            let distance = (f64::from(u32::try_from(train).unwrap()) - wanted).abs();
            prop_assert!(distance <= 0.5, "{train} of {all} at {part}");
        }
        let mut places: Vec<_> = train_x.iter().chain(test_x).map(|(place, _)| *place).collect();
        places.sort_unstable();
        prop_assert!(places.into_iter().eq(0..classes.len()));
    }

    /// Would catch: a split that loses the last sample or breaks pairs.
    #[test]
    fn splits(len in 0..100_usize, part in 0.0..1.0_f64) {
        let all: Vec<_> = (0..len).collect();
        let (mut x, mut y) = (all.clone(), all.clone());
        let ((train_x, train_y), (test_x, test_y)) = split(&mut x, &mut y, part).unwrap();
        prop_assert_eq!((&train_x, &test_x), (&train_y, &test_y));
        prop_assert!(train_x.iter().chain(&*test_x).eq(&all));
        let wanted = f64::from(u32::try_from(len).unwrap()) * part;
        prop_assert!((f64::from(u32::try_from(train_x.len()).unwrap()) - wanted).abs() <= 0.5);
    }

    /// Would catch: a scaler that is not undone by its inverse, or does not bring its own data to where it says.
    #[test]
    fn scalers(samples in vec(uniform4(-1e3_f64..1e3), 2..40), constant in -10.0..10.0_f64) {
        let samples: Vec<_> = samples.into_iter().map(|[a, b, c, _]| SVector::from([a, b, c, constant])).collect();
        let standard = Standardizer::<Vector<4>, f64>::fit(&samples).unwrap();
        let min_max = MinMaxScaler::<Vector<4>, f64>::fit(&samples).unwrap();
        let (mut standardised, mut bounded) = (samples.clone(), samples.clone());
        for ((x, s), b) in samples.iter().zip(&mut standardised).zip(&mut bounded) {
            standard.apply(s);
            min_max.apply(b);
            let (mut s, mut b) = (*s, *b);
            standard.invert(&mut s);
            min_max.invert(&mut b);
            prop_assert!((s - x).amax() < 1e-9 && (b - x).amax() < 1e-9);
        }
        let count = f64::from(u32::try_from(samples.len()).unwrap());
        for feature in 0..3 {
            if samples.iter().all(|x| (x[feature] - samples[0][feature]).abs() < 1e-3) {
                continue; // Nearly a constant: what is left of it is rounding.
            }
            let mean = standardised.iter().map(|x| x[feature]).sum::<f64>() / count;
            let variance = standardised.iter().map(|x| x[feature] * x[feature]).sum::<f64>() / count;
            prop_assert!(mean.abs() < 1e-9 && (variance - 1.0).abs() < 1e-9, "mean {mean}, variance {variance}");
            let least = bounded.iter().map(|x| x[feature]).fold(f64::INFINITY, f64::min);
            let greatest = bounded.iter().map(|x| x[feature]).fold(f64::NEG_INFINITY, f64::max);
            prop_assert_eq!((least, greatest), (0.0, 1.0));
        }
        prop_assert!(standardised.iter().chain(&bounded).all(|x| x[3].abs() < 1e-9), "a constant is moved to 0");
    }

    /// Would catch: a label out of range that is accepted, one in range that is not.
    #[test]
    fn classes(index: usize) {
        fn accepts<const N: usize>(index: usize) -> bool {
            Class::<N>::new(index).is_ok_and(|class| class.index() == index)
        }
        for index in [index, index % 12] {
            prop_assert_eq!(accepts::<0>(index), false);
            prop_assert_eq!(accepts::<1>(index), index < 1);
            prop_assert_eq!(accepts::<10>(index), index < 10);
        }
    }

    /// Would catch: a tie, a NaN or a negative maximum that is taken wrongly; a one in the wrong place.
    #[test]
    fn argmax(scores in uniform6(prop_oneof![4 => -3_i8..3, 1 => Just(i8::MAX)])) {
        // The last of these stands for NaN.
        let scores = SVector::from(scores.map(|s| if s == i8::MAX { f32::NAN } else { f32::from(s) }));
        let numbers = || scores.iter().copied().enumerate().filter(|(_, score)| !score.is_nan());
        let greatest = numbers().map(|(_, score)| score).fold(f32::NEG_INFINITY, f32::max);
        let expected = numbers().find(|(_, score)| score.to_bits() == greatest.to_bits()).map(|(i, _)| i);
        let class = Class::argmax(&scores);
        prop_assert_eq!(class.map(Class::index), expected);
        if let Some(class) = class {
            let one_hot = class.one_hot::<f32>();
            prop_assert_eq!(Class::argmax(&one_hot), Some(class));
            prop_assert_eq!(one_hot.sum().to_bits(), 1_f32.to_bits());
        }
    }

    /// Would catch: a norm over one tensor instead of all, a gradient that is changed though it is small, a wrong direction.
    #[test]
    fn clipping(seed: u64, size in 1e-3_f32..1e3, most in 1e-2..1e2_f64) {
        let mut gradient = drawn(Net::<Flat>::ZERO, seed);
        Net::<Flat>::zip([&mut gradient], &mut |_, [values]| values.iter_mut().for_each(|value| *value *= size));
        let number = |bits| f64::from(f32::from_bits(bits));
        let numbers = |net: &Net<Flat>| bits(net).into_iter().map(number).collect::<Vec<_>>();
        let norm = |numbers: &[f64]| numbers.iter().map(|g| g * g).sum::<f64>().sqrt();
        let before = numbers(&gradient);
        let mut clipped = gradient.clone();
        Clip::norm(most).unwrap().apply(&mut clipped);
        let after = numbers(&clipped);
        let scale = (most / (norm(&before) + 1e-6)).min(1.0);
        prop_assert!(norm(&after) <= most * (1.0 + 1e-6));
        for (before, after) in before.iter().zip(&after) {
            prop_assert!((before * scale - after).abs() <= 1e-6 * before.abs(), "{before} became {after}");
        }
        Clip::value(most).unwrap().apply(&mut gradient);
        for (before, after) in before.iter().zip(numbers(&gradient)) {
            prop_assert!((before.clamp(-most, most) - after).abs() <= 1e-6 * most, "{before} became {after}");
        }
    }

    /// Would catch: a mean over batches instead of samples, a sample left out.
    #[test]
    fn evaluation_is_the_mean_loss(seed: u64, x in vec(uniform4(-2_f64..2.0), 1..40)) {
        type Double = Network<Vector<4>, (Dense<4, 2, f64>, Tanh), f64>;
        let mut net = Double::ZERO;
        net.init(&mut Xoshiro128PlusPlus::seed_from_u64(seed));
        let x: Vec<_> = x.into_iter().map(SVector::<f64, 4>::from).collect();
        let y: Vec<_> = x.iter().map(|x| SVector::from([x[0], x[1] * x[2]])).collect();
        let trainer = Trainer::<Double, _, _, 8>::new(Sgd::const_new(0.1), Mse);
        let mean = trainer.evaluate(&net, Dataset::new(&x, &y).unwrap());
        let losses = x.iter().zip(&y).map(|(x, y)| Loss::<Vector<2>, _, f64>::loss(&Mse, &net.predict(x), y));
        let expected = losses.sum::<f64>() / f64::from(u32::try_from(x.len()).unwrap());
        prop_assert!((mean - expected).abs() < 1e-12, "{mean} for {expected}");
    }

    /// Would catch: a batch that mixes its samples.
    #[test]
    fn batches_predict_as_single_samples(seed: u64, x in uniform4(uniform4(-3_f32..3.0))) {
        let net = drawn(Net::<Flat>::ZERO, seed);
        let x = x.map(SVector::from);
        let mut y = [SVector::<f32, 3>::from_element(f32::NAN); 4];
        net.predict_batch(&x, &mut y);
        for (x, y) in x.iter().zip(&y) {
            prop_assert_eq!(net.predict(x), *y);
        }
    }
}
