//! Values that are finite and cannot be: a variance below 0, a deviation of 0. Nothing takes them, and nothing saves them.

use constnet::data::{MinMaxScaler, Standardizer};
use constnet::layer::Bound;
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::{Adagrad, Adam, AdamW, Optimizer, RmsProp, Sgd};
use constnet::safetensors::{LoadError, Names, SaveError};
use constnet::train::{Checkpoint, Trainer};
use constnet::{BatchNorm, Network, Sequence};
use safetensors::SafeTensors;

type Net = Network<Sequence<2, 4>, (BatchNorm<2>,)>;

fn saved(len: usize, save: impl FnOnce(&mut [u8]) -> Result<usize, SaveError>) -> Vec<u8> {
    let mut file = vec![0; len];
    assert_eq!(save(&mut file), Ok(len));
    file
}

/// The file with the last number of a tensor replaced.
fn with(mut file: Vec<u8>, key: &str, number: f64) -> Vec<u8> {
    let (len, header) = SafeTensors::read_metadata(&file).expect("a valid file");
    let info = header.info(key).unwrap_or_else(|| panic!("{key} in {:?}", header.offset_keys()));
    let end = 8 + len + info.data_offsets.1;
    #[allow(clippy::cast_possible_truncation)] // Small numbers.
    match info.dtype {
        safetensors::Dtype::F64 => file[end - 8..end].copy_from_slice(&number.to_le_bytes()),
        _ => file[end - 4..end].copy_from_slice(&(number as f32).to_le_bytes()),
    }
    file
}

/// A network whose running variance is 1.
fn net() -> Net {
    let mut net = Net::ZERO;
    net.layers.0.running_var.fill(1.0);
    net
}

#[test]
fn a_variance_below_0() {
    let mut net = net();
    let file = saved(net.saved_len(), |buffer| net.save(buffer));
    let before = net.clone();
    let sentence = "tensor `0.running_var` holds -1.0, and must be 0 or above";
    let bad = with(file.clone(), "0.running_var", -1.0);
    assert_eq!(net.load(&bad).expect_err("below 0").to_string(), sentence);
    assert_eq!(net.load_with(&bad, &Names::OWN).expect_err("below 0").to_string(), sentence);
    assert_eq!(net, before, "a refused file changes nothing");
    for good in [0.0, -0.0, 1e-30] {
        net.load(&with(file.clone(), "0.running_var", good)).expect("a variance");
    }
    net.load(&with(file, "0.running_mean", -1.0)).expect("a mean");
    net.layers.0.running_var[0] = -1.0;
    assert_eq!(net.save(&mut [0; 1024]).expect_err("below 0").to_string(), sentence);
}

#[test]
fn a_deviation_or_range_that_is_not_above_0() {
    let samples = [[1.0, 2.0], [3.0, 5.0]].map(SVector::<f32, 2>::from);
    let mut standard = Standardizer::<Sequence<2, 1>>::fit(&samples).expect("finite");
    let mut bounded = MinMaxScaler::<Sequence<2, 1>>::fit(&samples).expect("finite");
    let files = [
        saved(standard.saved_len(), |buffer| standard.save(buffer)),
        saved(bounded.saved_len(), |buffer| bounded.save(buffer)),
    ];
    for number in [0.0, -0.0, -2.0] {
        let error = standard.load(&with(files[0].clone(), "deviation", number)).expect_err("not above 0");
        assert_eq!(error.to_string(), format!("tensor `deviation` holds {number:?}, and must be above 0"));
        let error = bounded.load(&with(files[1].clone(), "range", number)).expect_err("not above 0");
        assert_eq!(error.to_string(), format!("tensor `range` holds {number:?}, and must be above 0"));
    }
    standard.load(&with(files[0].clone(), "mean", -2.0)).expect("a mean");
    bounded.load(&with(files[1].clone(), "minimum", -2.0)).expect("a minimum");
    let zero = <MinMaxScaler<Sequence<2, 1>> as constnet::ConstZero>::ZERO;
    let error = zero.save(&mut [0; 1024]).expect_err("never fitted");
    assert_eq!(error.to_string(), "tensor `range` holds 0.0, and must be above 0");
}

/// A checkpoint of this optimiser after a step, and whether it is refused with this number in a tensor.
fn refused<O: Optimizer<f32>>(optimizer: impl Fn() -> O, key: &str, number: f64) -> Option<Bound> {
    let new = || (net(), Trainer::<Net, _, _, 1>::new(optimizer(), Mse));
    let (mut net, mut trainer) = new();
    let samples = [[1.0, 2.0], [3.0, 5.0]].map(SVector::<f32, 2>::from);
    let mut scaler = Standardizer::<Sequence<2, 1>>::fit(&samples).expect("finite");
    let x = constnet::nalgebra::SMatrix::<f32, 2, 4>::from_fn(|row, column| [1.0, -2.0][row] * [0.5, 2.0][column % 2]);
    trainer.step(&mut net, &[x], &[x]);
    let checkpoint = Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut scaler };
    let file = saved(checkpoint.saved_len(), |buffer| checkpoint.save(buffer));
    let (mut net, mut trainer) = new();
    let mut checkpoint = Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut scaler };
    checkpoint.load(&file).expect("our own checkpoint");
    match checkpoint.load(&with(file, key, number)) {
        Ok(()) => None,
        Err(LoadError::OutOfBound { key: found, value, bound }) => {
            assert_eq!((found.as_str(), value.to_bits()), (key, number.to_bits()));
            Some(bound)
        }
        Err(error) => panic!("{error}"),
    }
}

/// Would catch: a part of a checkpoint whose bound is not said, or one that is said of the wrong part.
#[test]
fn checkpoints() {
    let adam = || Adam::const_new(0.1);
    let not_negative = Some(Bound::NotNegative);
    assert_eq!(refused(adam, "net.0.running_var", -1.0), not_negative);
    assert_eq!(refused(adam, "scaler.deviation", 0.0), Some(Bound::Positive));
    assert_eq!(refused(adam, "trainer.learning_rate_factor", -1.0), None, "a step may climb");
    assert_eq!(refused(adam, "optimizer.second.0.weight", -1.0), not_negative);
    assert_eq!(refused(adam, "optimizer.first.0.weight", -1.0), None);
    assert_eq!(refused(adam, "optimizer.first.0.running_var", -1.0), None, "its moment is no variance");
    assert_eq!(refused(adam, "optimizer.corrections", -0.5), Some(Bound::Fraction));
    assert_eq!(refused(adam, "optimizer.corrections", 1.5), Some(Bound::Fraction));
    assert_eq!(refused(adam, "optimizer.corrections", 1.0), None);
    assert_eq!(refused(|| AdamW::const_new(0.1), "optimizer.second.0.bias", -1.0), not_negative);
    assert_eq!(refused(|| RmsProp::const_new(0.1), "optimizer.square.0.weight", -1.0), not_negative);
    assert_eq!(refused(|| Adagrad::const_new(0.1), "optimizer.sum.0.weight", -1.0), not_negative);
    assert_eq!(refused(|| Adagrad::const_new(0.1), "optimizer.updates", -1.0), not_negative);
    let momentum = || Sgd::const_new(0.1).with_momentum(0.9).expect("in range");
    assert_eq!(refused(momentum, "optimizer.velocity.0.weight", -1.0), None);
}
