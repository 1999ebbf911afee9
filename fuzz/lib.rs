//! What the targets load into, and the valid files that they start from.

#[path = "../tests/official/mod.rs"]
pub mod official;

use constnet::data::{MinMaxScaler, Standardizer};
use constnet::layer::{Layer, Parameters};
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::Adam;
use constnet::safetensors::{Archive, Stored, Values};
use constnet::train::{Checkpoint, Trainer};
use constnet::{BatchNorm, ConstZero, Dense, DenseNoBias, Network, Relu, Residual, Sequence, Tanh, Vector};

/// Two layers of `f32`.
pub type Single = Network<Vector<3>, (Dense<3, 2>, Relu, Dense<2, 1>)>;

/// One layer of `f64`: takes F64, F32, F16 and BF16.
pub type Double = Network<Vector<2>, (Dense<2, 2, f64>,), f64>;

/// Tuples in tuples: keys `1.0.weight` and `1.1.1.bias`.
pub type Nested = Network<Vector<2>, (Dense<2, 2>, (DenseNoBias<2, 2>, Residual<(Tanh, Dense<2, 2>)>))>;

/// A network with a variance: it must not be below 0.
pub type Normed = Network<Sequence<2, 2>, (BatchNorm<2>,)>;

/// What a checkpoint holds besides the network.
pub type AdamTrainer = Trainer<Single, Adam, Mse, 1>;

/// The scaler of a checkpoint.
pub type Scaler = Standardizer<Vector<3>>;

/// A network whose parameters are all different and none is 0: one that has changed a bit is not equal.
pub fn ramp<In, L, T>() -> Network<In, L, T>
where
    In: constnet::shape::Shape,
    L: Layer<In, T> + Parameters<T>,
    T: Stored,
{
    let mut net = Network::<In, L, T>::ZERO;
    let mut next = 0.0625;
    L::zip([&mut net.layers], &mut |_, [values]| {
        for value in values {
            *value = T::from_f64(next);
            next += 0.125;
        }
    });
    net
}

/// Two samples to fit a scaler to: one of zeros can neither be saved nor loaded.
pub fn samples() -> [SVector<f32, 3>; 2] {
    [[0.0, 1.0, 2.0], [3.0, -4.0, 5.0]].map(SVector::from)
}

/// A scaler that is not a checkpoint's.
pub fn bounded() -> MinMaxScaler<Vector<3>> {
    MinMaxScaler::fit(&samples()).expect("finite")
}

/// A new trainer, scaler and network, for a checkpoint.
pub fn session() -> (Single, AdamTrainer, Scaler) {
    (ramp(), Trainer::new(Adam::const_new(0.01), Mse), Scaler::fit(&samples()).expect("finite"))
}

/// The file that `save` writes.
pub fn saved(len: usize, save: impl FnOnce(&mut [u8]) -> usize) -> Vec<u8> {
    let mut file = vec![0; len];
    assert_eq!(save(&mut file), len, "`saved_len` and `save` agree");
    file
}

/// The file of a network.
pub fn net_file<In, L, T>(net: &Network<In, L, T>) -> Vec<u8>
where
    In: constnet::shape::Shape,
    L: Layer<In, T> + Parameters<T>,
    T: Stored,
{
    saved(net.saved_len(), |buffer| net.save(buffer).expect("room"))
}

/// The file of a session.
pub fn session_file((net, trainer, scaler): &mut (Single, AdamTrainer, Scaler)) -> Vec<u8> {
    let checkpoint = Checkpoint { net, trainer, scaler };
    saved(checkpoint.saved_len(), |buffer| checkpoint.save(buffer).expect("room"))
}

/// Every number of a session, as bits: cheaper than its file.
pub fn session_bits((net, trainer, scaler): &mut (Single, AdamTrainer, Scaler)) -> Vec<u64> {
    let mut bits = Vec::new();
    Checkpoint { net, trainer, scaler }.entries(&mut |_, values| match values {
        Values::F32(values) => bits.extend(values.iter().map(|value| u64::from(value.to_bits()))),
        Values::F64(values) => bits.extend(values.iter().map(|value| value.to_bits())),
        Values::U64(values) => bits.extend(values),
    });
    bits
}
