//! Step by step gives the bits of the whole sequence.
//!
//! Would catch: a state that is updated in another order, a sum that runs in another, a step that forgets or looks ahead.
#![cfg(feature = "rand")]

use constnet::bound::{LstmState, RecurrentState};
use constnet::init::Init;
use constnet::layer::{Layer, Parameters};
use constnet::nalgebra::{SMatrix, SVector};
use constnet::network::StateOf;
use constnet::shape::Tensor;
use constnet::streaming::Streaming;
use constnet::{
    Causal, Concat, ConstZero, Conv1d, Dense, Dilation, Dropout, GlobalAvgPool, GlobalMaxPool, Gru, Last, LayerNorm,
    Lstm, Network, Parallel, Relu, Residual, RmsNorm, Rnn, Sequence, Sigmoid, Softmax, Stride, Sum, Tanh,
    TimeDistributed, Vector,
};
use rand::{Rng, SeedableRng, rngs::Xoshiro128PlusPlus};

const C: usize = 3;
const L: usize = 23;

type Steps = Sequence<C, L>;

fn drawn<N: Layer<Steps> + Parameters<f32>>(seed: u64) -> (Network<Steps, N>, SMatrix<f32, C, L>) {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed);
    let mut net = Network::ZERO;
    net.init_with(Init::TorchDefault, &mut rng);
    let mut number = || f32::from(u16::try_from(rng.next_u32() >> 16).expect("16 bits")) / 16384.0 - 2.0;
    (net, SMatrix::from_fn(|_, _| number()))
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// A network that gives an output for each step.
fn every_step<N>()
where
    N: Layer<Steps> + Parameters<f32> + Streaming<Vector<C>>,
{
    for seed in 0..3 {
        let (net, x) = drawn::<N>(seed);
        let whole = net.predict(&x);
        let mut state = Network::<Steps, N>::start();
        let streamed: Vec<f32> =
            x.column_iter().flat_map(|x| net.step(&mut state, &x.clone_owned()).as_slice().to_vec()).collect();
        assert_eq!(bits(&streamed), bits(whole.as_slice()), "{}", core::any::type_name::<N>());
        assert!(streamed.iter().any(|&y| y != 0.0), "all 0");
    }
}

/// A network that gives one output for the whole: at each step that for the sequence up to there, at the last that of `predict`.
fn so_far<N>()
where
    N: Layer<Steps> + Layer<Sequence<C, 1>> + Layer<Sequence<C, 7>> + Parameters<f32> + Streaming<Vector<C>>,
{
    for seed in 0..3 {
        let (net, x) = drawn::<N>(seed);
        let mut state = Network::<Steps, N>::start();
        for (i, step) in x.column_iter().enumerate() {
            let y = net.step(&mut state, &step.clone_owned());
            let whole = match i + 1 {
                1 => bits(begun::<N, 1>(&net.layers, &x).as_slice()),
                7 => bits(begun::<N, 7>(&net.layers, &x).as_slice()),
                L => bits(net.predict(&x).as_slice()),
                _ => continue,
            };
            assert_eq!(bits(y.as_slice()), whole, "{} after {} steps", core::any::type_name::<N>(), i + 1);
        }
    }
}

/// What the layers make of the first steps alone.
fn begun<N: Layer<Sequence<C, FIRST>>, const FIRST: usize>(layers: &N, x: &SMatrix<f32, C, L>) -> impl Tensor<f32> {
    let mut y = ConstZero::ZERO;
    layers.forward(&x.fixed_columns::<FIRST>(0).clone_owned(), &mut y);
    y
}

type Dilated<const IN: usize, const OUT: usize, const D: usize> = Conv1d<IN, OUT, 3, Stride, Causal, Dilation<D>>;

#[test]
fn outputs_at_every_step() {
    every_step::<Rnn<C, 5>>();
    every_step::<Rnn<C, 5, Relu>>();
    every_step::<Gru<C, 5>>();
    every_step::<Gru<C, 19>>();
    every_step::<Lstm<C, 5>>();
    every_step::<(Gru<C, 4>, Lstm<4, 6>, Rnn<6, 2>)>();
    every_step::<(Dense<C, 4>, Residual<(LayerNorm<4>, Gru<4, 4>, Dense<4, 4>, Tanh)>, Dropout, Dense<4, 2>, Softmax)>(
    );
    every_step::<Dilated<C, 4, 1>>();
    every_step::<(Dilated<C, 4, 1>, Relu, Dilated<4, 4, 5>, Sigmoid, Gru<4, 3>)>();
    every_step::<(RmsNorm<C>, Residual<(Dilated<C, 5, 2>, Relu, Dilated<5, C, 4>)>, (Dense<C, 2>,))>();
    every_step::<(Parallel<Gru<C, 4>, Dilated<C, 4, 2>, Sum>, Tanh)>();
    every_step::<(Parallel<Gru<C, 4>, Lstm<C, 2>, Concat>, Dense<6, 2>)>();
    every_step::<(TimeDistributed<(Dense<C, 4>, Relu)>, Lstm<4, 3>)>();
}

#[test]
fn outputs_for_the_sequence_so_far() {
    so_far::<(Gru<C, 5>, Last, Dense<5, 2>)>();
    so_far::<(Lstm<C, 5>, Lstm<5, 3>, Last)>();
    so_far::<(Gru<C, 5>, GlobalAvgPool, Dense<5, 2>)>();
    so_far::<(Dilated<C, 4, 3>, Relu, GlobalMaxPool, Dense<4, 2>)>();
    so_far::<(Rnn<C, 5>, GlobalAvgPool, LayerNorm<5>, Tanh, Dense<5, 2>)>();
}

/// Would catch: a greatest number that begins at 0.
#[test]
fn the_greatest_below_zero() {
    type Net = Network<Steps, (GlobalMaxPool,)>;
    let x = drawn::<(GlobalMaxPool,)>(6).1.map(|x| x - 2.5);
    let (net, mut state) = (Net::ZERO, Net::start());
    let last = x.column_iter().map(|x| net.step(&mut state, &x.clone_owned())).last().expect("steps");
    assert!(last.iter().all(|&y| y < 0.0), "{last}");
    assert_eq!(bits(last.as_slice()), bits(net.predict(&x).as_slice()));
}

/// A state is a value: one kept is one returned to, and two streams do not meet.
#[test]
fn states() {
    type Net = Network<Steps, (Gru<C, 4>, Lstm<4, 2>)>;
    let (net, x) = drawn::<(Gru<C, 4>, Lstm<4, 2>)>(5);
    let (mut one, mut other): (StateOf<Net>, StateOf<Net>) = (Net::start(), Net::start());
    let first = net.step(&mut one, &SVector::from(x.column(0)));
    let kept: (RecurrentState<4>, LstmState<2>) = one;
    let second = net.step(&mut one, &SVector::from(x.column(1)));
    assert_eq!(net.step(&mut other, &SVector::from(x.column(0))), first);
    one = kept;
    assert_eq!(net.step(&mut one, &SVector::from(x.column(1))), second);
    assert_eq!(SVector::from(one.1.hidden), second, "the output is a part of the state");
    assert_ne!(one, other);
    one = Net::start();
    assert_eq!(net.step(&mut one, &SVector::from(x.column(0))), first);
}
