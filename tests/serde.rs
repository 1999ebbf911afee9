//! What is written through `serde` is read again to the bit, and what does not fit is an error.
#![cfg(all(feature = "serde", feature = "rand"))]

use constnet::data::{MinMaxScaler, Standardizer};
use constnet::init::Init;
use constnet::layer::{Layer, Parameters};
use constnet::nalgebra::SVector;
use constnet::shape::Shape;
use constnet::{
    BatchNorm, ConstZero, Conv1d, Conv2d, ConvTranspose2d, Dense, DenseNoBias, Dropout, Elu, Flatten, GlobalAvgPool,
    GroupedConv2d, Image, LeakyRelu, LogSoftmax, MaxPool2d, Network, Relu, Reshape, Residual, Sequence, Softmax,
    Stride, Tanh, Upsample, Vector,
};
use rand::{SeedableRng, rngs::StdRng};
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use std::fmt::Debug;
use std::sync::Mutex;

type Net = Network<
    Vector<6>,
    (
        Dense<6, 4>,
        (LeakyRelu<1, 5>, Reshape<Sequence<2, 2>>, Flatten, Dropout<1, 3>),
        Residual<(DenseNoBias<4, 4>, Tanh, Elu)>,
        Dense<4, 3>,
        LogSoftmax,
    ),
>;
type Pictures = Network<
    Image<2, 6, 6>,
    (
        Conv2d<2, 4, 3, 2>,
        GroupedConv2d<2, 2, 1, 2, 2>,
        MaxPool2d<2, 2, Stride<1>>,
        ConvTranspose2d<2, 1, 2, 3>,
        Upsample,
        GlobalAvgPool,
        Reshape<Sequence<1, 1>>,
        Conv1d<1, 3, 1>,
    ),
>;
type Precise = Network<Vector<3>, (Dense<3, 2, f64>, Softmax), f64>;

fn drawn<In: Shape, L: Layer<In, T> + Parameters<T>, T: constnet::scalar::Scalar>() -> Network<In, L, T> {
    let mut net = Network::ZERO;
    net.init_with(Init::TorchDefault, &mut StdRng::seed_from_u64(3));
    net
}

/// To postcard and JSON and back, by value and in place.
fn round_trip<V: Serialize + DeserializeOwned + ConstZero + PartialEq + Debug>(value: &V) {
    let mut buffer = [0; 2048];
    let bytes = postcard::to_slice(value, &mut buffer).expect("room");
    assert_eq!(&postcard::from_bytes::<V>(bytes).expect("our own bytes"), value);
    let mut place = V::ZERO;
    let mut deserializer = postcard::Deserializer::from_bytes(bytes);
    V::deserialize_in_place(&mut deserializer, &mut place).expect("our own bytes");
    assert_eq!(&place, value);

    let text = serde_json::to_string(value).expect("finite numbers");
    assert_eq!(&serde_json::from_str::<V>(&text).expect("our own text"), value, "{text}");
}

/// Would catch: a layer left out, tensors in another order, numbers cut on their way.
#[test]
fn networks_and_scalers() {
    let (net, pictures, precise): (Net, Pictures, Precise) = (drawn(), drawn(), drawn());
    round_trip(&net);
    round_trip(&pictures);
    round_trip(&precise);
    let samples = [[0.1, 1e-30, 3.0], [-1e15, 7.0, 3.0]].map(SVector::<f32, 3>::from);
    round_trip(&Standardizer::<Vector<3>>::fit(&samples).expect("finite"));
    round_trip(&MinMaxScaler::<Vector<3>>::fit(&samples).expect("finite"));
}

/// The bits of numbers at the edges, which equality alone does not see.
#[test]
fn every_bit() {
    let bias = [-0.0, f64::MIN_POSITIVE / 4.0, f64::MAX, 0.1 + 0.2];
    let layer = Dense::<0, 4, f64>::new(ConstZero::ZERO, SVector::from(bias));
    let text = serde_json::to_string(&layer).expect("finite numbers");
    let read: Dense<0, 4, f64> = serde_json::from_str(&text).expect("our own text");
    let mut buffer = [0; 64];
    let bytes = postcard::to_slice(&layer, &mut buffer).expect("room");
    let reread: Dense<0, 4, f64> = postcard::from_bytes(bytes).expect("our own bytes");
    for read in [read, reread] {
        for (read, written) in read.bias.iter().zip(bias) {
            assert_eq!(read.to_bits(), written.to_bits(), "{written}");
        }
    }
}

type Line = Network<Vector<2>, (Dense<2, 1>, Relu)>;

/// Would catch: a text that is read as the network of another shape, and an error that does not say what is wrong.
#[test]
fn texts_that_do_not_fit() {
    let fits = r#"[{"weight":[1.0,2.0],"bias":[3.0]},null]"#;
    assert_eq!(serde_json::from_str::<Line>(fits).expect("a line").layers.0.bias, SVector::from([3.0]));
    let cases = [
        (r#"[{"weight":[1.0],"bias":[3.0]},null]"#, "invalid length 1, expected a list of 2 numbers"),
        (r#"[{"weight":[1.0,2.0,3.0],"bias":[3.0]},null]"#, "invalid length 3, expected a list of 2 numbers"),
        (r#"[{"weight":[1.0,2.0],"bias":[]},null]"#, "invalid length 0, expected a list of 1 numbers"),
        (r#"[{"weight":[1.0,2.0]},null]"#, "missing field `bias`"),
        (r#"[{"weight":[1.0,2.0],"bias":[3.0],"bias":[3.0]},null]"#, "duplicate field `bias`"),
        (r#"[{"weight":[1.0,2.0],"bias":[3.0],"gain":[3.0]},null]"#, "unknown field `gain`"),
        (r#"[{"weight":[1.0,null],"bias":[3.0]},null]"#, "invalid type: null, expected f32"),
        (r#"[{"weight":[1.0,2.0],"bias":[3.0]}]"#, "invalid length 1"),
        (r#"[{"weight":[1.0,2.0],"bias":[3.0]},null,null]"#, "trailing characters"),
        (r#"[{"weight":[1.0,2.0],"bias":[3.0]},7]"#, "invalid type: integer `7`, expected unit"),
        (r#"{"weight":[1.0,2.0],"bias":[3.0]}"#, "invalid type: map, expected a tuple of size 2"),
    ];
    for (text, message) in cases {
        let error = serde_json::from_str::<Line>(text).expect_err(message).to_string();
        assert!(error.starts_with(message), "{text}:\n  expected {message}\n  found    {error}");
    }
}

type Wider = Network<Vector<3>, (Dense<3, 1>, Relu)>;
type Narrower = Network<Vector<1>, (Dense<1, 1>, Relu)>;
type Unbiased = Network<Vector<2>, (DenseNoBias<2, 2>, Relu)>;

/// Every file that is cut, and files of other networks.
#[test]
fn bytes_that_do_not_fit() {
    let net: Line = drawn();
    let mut buffer = [0; 64];
    let bytes = postcard::to_slice(&net, &mut buffer).expect("room");
    for end in 0..bytes.len() {
        assert!(postcard::from_bytes::<Line>(&bytes[..end]).is_err(), "{end} bytes are enough");
    }
    assert!(postcard::from_bytes::<Wider>(bytes).is_err());
    assert!(postcard::from_bytes::<Narrower>(bytes).is_err());
    assert!(postcard::from_bytes::<Unbiased>(bytes).is_err());
}

type Large = Network<Vector<2048>, (Dense<2048, 2048>,)>;
static NET: Mutex<Large> = Mutex::new(Large::ZERO);

/// In place, a network that the stack could not hold: 16 MiB of parameters on a thread of 64 KiB.
#[test]
fn in_place_needs_no_stack() {
    const { assert!(size_of::<Large>() > 16 << 20) };
    let mut net = NET.lock().expect("nobody else");
    net.layers.0.weight[(7, 5)] = 3.5;
    let bytes = postcard::to_extend(&*net, Vec::new()).expect("memory");
    net.layers.0.weight[(7, 5)] = 0.0;
    drop(net);
    let small = std::thread::Builder::new().stack_size(64 << 10);
    let thread = small.spawn(move || {
        let mut deserializer = postcard::Deserializer::from_bytes(&bytes);
        Large::deserialize_in_place(&mut deserializer, &mut NET.lock().expect("nobody else")).expect("our own bytes");
    });
    thread.expect("a thread").join().expect("a stack that is large enough");
    assert_eq!(NET.lock().expect("nobody else").layers.0.weight[(7, 5)].to_bits(), 3.5_f32.to_bits());
}

type Normed = Network<Sequence<2, 4>, (BatchNorm<2>,)>;

/// Would catch: a negative variance or a deviation of 0, which `load` refuses, taken through `serde`.
#[test]
fn values_that_cannot_be() {
    let text = |var: &str| {
        format!(r#"[{{"weight":[1.0,1.0],"bias":[0.0,0.0],"running_mean":[-1.0,0.0],"running_var":[1.0,{var}]}}]"#)
    };
    serde_json::from_str::<Normed>(&text("0.0")).expect("a variance");
    let error = serde_json::from_str::<Normed>(&text("-1.0")).expect_err("below 0").to_string();
    assert!(error.starts_with("`running_var` holds -1.0, and must be 0 or above"), "{error}");
    let scaler = |range: &str| format!(r#"{{"minimum":[-1.0,0.0],"range":[1.0,{range}]}}"#);
    serde_json::from_str::<MinMaxScaler<Sequence<2, 1>>>(&scaler("0.5")).expect("a range");
    for number in ["0.0", "-2.0"] {
        let error = serde_json::from_str::<MinMaxScaler<Sequence<2, 1>>>(&scaler(number)).expect_err("not above 0");
        assert!(error.to_string().starts_with(&format!("`range` holds {number}, and must be above 0")), "{error}");
        let text = scaler(number).replace("minimum", "mean").replace("range", "deviation");
        let error = serde_json::from_str::<Standardizer<Sequence<2, 1>>>(&text).expect_err("not above 0");
        assert!(error.to_string().starts_with(&format!("`deviation` holds {number}, and must be above 0")), "{error}");
    }
    let mut buffer = [0; 256];
    let mut net = Normed::ZERO;
    net.layers.0.running_var[0] = 1.0;
    net.layers.0.running_var[1] = -1.0;
    let bytes = postcard::to_slice(&net, &mut buffer).expect("room");
    assert!(postcard::from_bytes::<Normed>(bytes).is_err(), "lists without names are checked alike");
}
