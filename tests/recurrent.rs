//! Recurrent layers by hand, and in files.
#![cfg(feature = "rand")]

use constnet::init::Init;
use constnet::layer::{Layer, Parameters, Role};
use constnet::nalgebra::SMatrix;
use constnet::safetensors::{File, Names};
use constnet::scalar::Scalar;
use constnet::shape::Shape;
use constnet::{Bidirectional, ConstZero, Dense, Gru, Last, Lstm, Network, Relu, Rnn, Sequence, Tanh};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};

fn drawn<In: Shape, L: Layer<In, T> + Parameters<T>, T: Scalar>(seed: u64) -> Network<In, L, T> {
    let mut net = Network::ZERO;
    net.init_with(Init::TorchDefault, &mut Xoshiro128PlusPlus::seed_from_u64(seed));
    net
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// One unit, two steps, by the formulas of the documentation.
///
/// Would catch: gates in another order, a state that does not begin at 0, a bias left out.
#[test]
#[allow(clippy::many_single_char_names)]
fn by_hand() {
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a} is not {b}");
    let x = SMatrix::from([[0.5], [-1.5]]);
    let mut y = SMatrix::<f64, 1, 2>::zeros();

    Rnn::<1, 1, Tanh, f64>::new([[[0.3]]], [[[-0.7]]], [[0.2]], [[0.1]]).forward(&x, &mut y);
    let first = (0.3 * 0.5 + 0.2 + 0.1_f64).tanh();
    near(y[0], first);
    near(y[1], (0.3 * -1.5 + 0.2 - 0.7 * first + 0.1).tanh());

    let gru = Gru::<1, 1, f64>::new(
        [[[0.3], [0.4], [0.5]]],
        [[[-0.7], [0.8], [0.9]]],
        [[0.2], [0.3], [0.4]],
        [[0.1], [-0.1], [0.6]],
    );
    gru.forward(&x, &mut y);
    let step = |x: f64, h: f64| {
        let r = sigmoid(0.3 * x + 0.2 - 0.7 * h + 0.1);
        let z = sigmoid(0.4 * x + 0.3 + 0.8 * h - 0.1);
        let n = (0.5 * x + 0.4 + r * (0.9 * h + 0.6)).tanh();
        (1.0 - z) * n + z * h
    };
    near(y[0], step(0.5, 0.0));
    near(y[1], step(-1.5, step(0.5, 0.0)));

    let lstm = Lstm::<1, 1, f64>::new(
        [[[0.3], [0.4], [0.5], [0.6]]],
        [[[-0.7], [0.8], [0.9], [-0.2]]],
        [[0.2], [0.3], [0.4], [0.5]],
        [[0.1], [-0.1], [0.6], [0.7]],
    );
    lstm.forward(&x, &mut y);
    let step = |x: f64, h: f64, c: f64| {
        let i = sigmoid(0.3 * x + 0.2 - 0.7 * h + 0.1);
        let f = sigmoid(0.4 * x + 0.3 + 0.8 * h - 0.1);
        let g = (0.5 * x + 0.4 + 0.9 * h + 0.6).tanh();
        let o = sigmoid(0.6 * x + 0.5 - 0.2 * h + 0.7);
        let c = f * c + i * g;
        (o * c.tanh(), c)
    };
    let (h, c) = step(0.5, 0.0, 0.0);
    near(y[0], h);
    near(y[1], step(-1.5, h, c).0);
}

/// The reverse layer is the layer on the reversed sequence.
#[test]
fn both_ways() {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
    let mut net = Network::<Sequence<2, 5>, Bidirectional<Lstm<2, 3>>>::ZERO;
    net.init_with(Init::TorchDefault, &mut rng);
    let x = SMatrix::<f32, 2, 5>::from_fn(|c, t| f32::from(u8::try_from(c * 5 + t * t).expect("small")) / 10.0 - 1.0);
    let mut turned = x;
    (0..5).for_each(|t| turned.set_column(t, &x.column(4 - t)));
    let y = net.predict(&x);
    let (mut ahead, mut reverse) = (SMatrix::<f32, 3, 5>::ZERO, SMatrix::<f32, 3, 5>::ZERO);
    net.layers.forward.forward(&x, &mut ahead);
    net.layers.reverse.forward(&turned, &mut reverse);
    for t in 0..5 {
        assert_eq!(y.column(t).rows(0, 3), ahead.column(t));
        assert_eq!(y.column(t).rows(3, 3), reverse.column(4 - t));
    }
}

type Everything = Network<
    Sequence<3, 4>,
    (
        Rnn<3, 2>,
        (Gru<2, 4>, Bidirectional<Lstm<4, 2>>),
        Bidirectional<Rnn<4, 3, Relu>>,
        Bidirectional<Gru<6, 1>>,
        Last,
        Dense<2, 1>,
    ),
>;

/// Would catch: a key that is not PyTorch's, a tensor left out, both layers under one name.
#[test]
fn keys() {
    let mut keys = Vec::new();
    Everything::ZERO.visit(&mut |parameter, values| {
        keys.push(parameter.to_string());
        assert_eq!(parameter.shape.iter().product::<usize>(), values.len(), "{parameter}");
        assert_eq!(parameter.role.is_bias(), parameter.name.starts_with("bias"));
    });
    let layer = |path: &str, end: &str| {
        ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map(|name| format!("{path}{name}_l0{end}"))
    };
    let mut expected = Vec::new();
    for (path, end) in [
        ("0.", ""),
        ("1.0.", ""),
        ("1.1.", ""),
        ("1.1.", "_reverse"),
        ("2.", ""),
        ("2.", "_reverse"),
        ("3.", ""),
        ("3.", "_reverse"),
    ] {
        expected.extend(layer(path, end));
    }
    expected.extend(["5.weight", "5.bias"].map(str::to_owned));
    assert_eq!(keys, expected);
}

/// Saved and loaded at run time, with PyTorch's shapes in the file.
#[test]
fn files_at_run_time() {
    let net: Everything = drawn(2);
    let mut buffer = [0; 1 << 14];
    let len = net.save(&mut buffer).expect("room");
    let file = &buffer[..len];
    let tensors = safetensors::SafeTensors::deserialize(file).expect("our own bytes");
    assert_eq!(tensors.tensor("1.0.weight_ih_l0").expect("there").shape(), [12, 2]);
    assert_eq!(tensors.tensor("1.1.weight_hh_l0_reverse").expect("there").shape(), [8, 2]);
    assert_eq!(tensors.tensor("2.bias_hh_l0").expect("there").shape(), [3]);
    let mut read = Everything::ZERO;
    read.load(file).expect("our own bytes");
    assert_eq!(read, net);
}

/// PyTorch's file, a constant.
macro_rules! constants {
    ($($name:literal: $In:ty, $layer:ty;)+) => { $({
        struct Weights;
        impl File for Weights {
            const BYTES: &'static [u8] = include_bytes!(concat!("data/", $name, ".safetensors"));
            const NAMES: Names<'static> = Names { prefix: "m.", pairs: &[] };
        }
        static NET: Network<$In, $layer> = Network::from_file::<Weights>();
        let mut read = Network::<$In, $layer>::ZERO;
        read.load_with(Weights::BYTES, &Weights::NAMES).expect("a file that fits");
        assert_eq!(read, NET, $name);
        assert_ne!(read, Network::ZERO, $name);
    })+ };
}

/// The same files at compile time and at run time.
///
/// Would catch: two tensors exchanged, or read in another order, by one of the two ways; that the other is right is in `parity`.
#[test]
fn files_in_constants() {
    constants! {
        "rnn_sequence": Sequence<6, 12>, Rnn<6, 16>;
        "gru_sequence": Sequence<6, 12>, Gru<6, 16>;
        "lstm_sequence": Sequence<6, 12>, Lstm<6, 16>;
        "bidirectional_lstm": Sequence<3, 7>, Bidirectional<Lstm<3, 4>>;
        "bidirectional_rnn": Sequence<3, 7>, Bidirectional<Rnn<3, 4, Relu>>;
    }
}

/// Each gate starts as a layer of its own: fans are those of one gate.
#[test]
fn roles() {
    let mut roles = Vec::new();
    Parameters::<f32>::visit(&Lstm::<3, 5>::ZERO, &mut |parameter, _| roles.push(parameter.role));
    let (bias, weight) = (Role::Bias { fan_in: 5 }, |fan_in| Role::Weight { fan_in, fan_out: 5 });
    assert_eq!(roles, [weight(3), weight(5), bias, bias]);
}

#[cfg(feature = "serde")]
mod serde {
    use super::{Everything, drawn};
    use ::serde::Deserialize;

    type Pair = constnet::Bidirectional<constnet::Rnn<1, 1>>;

    /// By value and in place, and texts that do not fit.
    #[test]
    fn round_trip() {
        let net: Everything = drawn(4);
        let bytes = postcard::to_extend(&net, Vec::new()).expect("memory");
        assert_eq!(postcard::from_bytes::<Everything>(&bytes).expect("our own bytes"), net);
        let mut place = Everything::ZERO;
        Everything::deserialize_in_place(&mut postcard::Deserializer::from_bytes(&bytes), &mut place).expect("our own");
        assert_eq!(place, net);
        let text = serde_json::to_string(&net).expect("finite numbers");
        assert_eq!(serde_json::from_str::<Everything>(&text).expect("our own text"), net);

        let one = r#"{"weight_ih_l0":[1.0],"weight_hh_l0":[2.0],"bias_ih_l0":[3.0],"bias_hh_l0":[4.0]}"#;
        let pair: Pair = serde_json::from_str(&format!("[{one},{one}]")).expect("a pair");
        assert_eq!(pair.forward, pair.reverse);
        let error = serde_json::from_str::<Pair>(&format!("[{one}]")).expect_err("one is no pair").to_string();
        assert!(error.starts_with("invalid length 1, expected a pair of recurrent layers"), "{error}");
        assert!(serde_json::from_str::<Pair>(&format!("[{one},{one},{one}]")).is_err());
    }
}
