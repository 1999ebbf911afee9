//! What is computed on each set of instructions: predictions and steps of training of networks that have most layers.

use constnet::init::Init;
use constnet::isa::in_use;
use constnet::layer::Layer;
use constnet::loss::{CrossEntropy, Mse};
use constnet::nalgebra::SMatrix;
use constnet::network::{InputOf, Model, OutOf, OutputOf, StateOf};
use constnet::optimizer::{Adagrad, Adam, AdamW, Momentum as SgdMomentum, Optimizer, RmsProp, Sgd};
use constnet::scalar::{ConstZero, Scalar};
use constnet::shape::{Tensor, TensorOf};
use constnet::train::argument::{InputBatch, TargetBatch};
use constnet::train::{Memory, Trainer};
use constnet::{
    AvgPool1d, AvgPool2d, BatchNorm, Bidirectional, Causal, Class, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d,
    Dense, DepthwiseConv1d, DepthwiseConv2d, Dilation, Elu, Epsilon, Flatten, Gelu, GeluTanh, GlobalAvgPool,
    GlobalMaxPool, GroupNorm, GroupedConv1d, GroupedConv2d, Gru, HardSwish, Image, Last, LayerNorm, LeakyRelu,
    LogSoftmax, Lstm, MaxPool2d, Network, OutputPadding, Pad, Parallel, Relu, Residual, RmsNorm, Rnn, Same,
    SelfAttention, Sequence, Sigmoid, Silu, Softmax, Softplus, Stride, Sum, Tanh, Upsample, Valid, Vector,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What was computed on a set of instructions, tensor by tensor.
pub(crate) type Results = Vec<Vec<f64>>;

const SGD: Sgd = Sgd::const_new(0.05);
const ADAM: Adam = Adam::const_new(1e-3);

fn momentum() -> SgdMomentum {
    SGD.with_momentum(0.9).expect("in range")
}

fn drawn<X: Tensor<T>, T: Scalar>(rng: &mut StdRng) -> X {
    let mut x = X::ZERO;
    x.as_mut_slice().fill_with(|| T::from_f64(f64::from(rng.random::<f32>() * 2.0 - 1.0)));
    x
}

fn numbers<T: Scalar>(values: &[T]) -> Vec<f64> {
    values.iter().map(|x| x.to_f64()).collect()
}

/// The losses of three steps of training, then a prediction and the parameters.
fn train<N, O, L, Y, const B: usize>(results: &mut Results, optimizer: O, loss: L, target: impl Fn(&mut StdRng) -> Y)
where
    N: Model,
    O: Optimizer<N::Scalar>,
    [InputOf<N>; B]: InputBatch<N::In, N::Scalar, B>,
    [Y; B]: TargetBatch<L, OutOf<N>, N::Scalar, B>,
{
    let mut rng = StdRng::seed_from_u64(3);
    let mut net = Box::new(N::ZERO);
    N::zip([&mut *net], &mut |parameter, [values]| Init::TorchDefault.fill(parameter.role, values, &mut rng));
    let mut memory = Box::new(Memory::ZERO);
    let mut trainer = Trainer::<N, O, L, B, _>::with_memory(optimizer, loss, &mut *memory);
    for _ in 0..3 {
        let x = [(); B].map(|()| drawn::<InputOf<N>, _>(&mut rng));
        let y = [(); B].map(|()| target(&mut rng));
        results.push(vec![trainer.step(&mut *net, &x, &y).to_f64()]);
    }
    let mut y = OutputOf::<N>::ZERO;
    net.forward(&drawn(&mut rng), &mut y);
    results.push(numbers(y.as_slice()));
    net.visit(&mut |_, values| results.push(numbers(values)));
}

/// The same by least squares.
fn fit<N, O, const B: usize>(results: &mut Results, optimizer: O)
where
    N: Model,
    O: Optimizer<N::Scalar>,
    [InputOf<N>; B]: InputBatch<N::In, N::Scalar, B>,
    [OutputOf<N>; B]: TargetBatch<Mse, OutOf<N>, N::Scalar, B>,
{
    train::<N, O, Mse, OutputOf<N>, B>(results, optimizer, Mse, drawn);
}

/// Rows of a network's input and its layers, a batch and an optimiser.
macro_rules! fit {
    ($results:ident, $T:ty; $($In:ty => $layers:ty, $batch:literal, $optimizer:expr;)+) => {
        $(fit::<Network<$In, $layers, $T>, _, $batch>(&mut $results, $optimizer);)+
    };
}

/// Three dense layers, of any scalar: outputs that fill no vector.
pub(crate) fn dense<T: Scalar>() -> Results {
    let mut results = Vec::new();
    fit! { results, T;
        Vector<9> => (Dense<9, 33, T>, Tanh, Dense<33, 10, T>, Sigmoid, Dense<10, 3, T>), 5, ADAM;
    }
    results
}

/// Predictions of dense layers over a sequence, of any scalar: sizes of which those of 4 bytes and more share their kernels.
pub(crate) fn over_sequences<T: Scalar>() -> Results {
    fn of<T: Scalar, const OUT: usize>() -> Vec<f64> {
        let mut layer = Dense::<32, OUT, T>::ZERO;
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            T::from_f64(f64::from(state >> 24) / 128.0 - 1.0)
        };
        layer.weight.as_mut_slice().fill_with(&mut next);
        let mut x = TensorOf::<Sequence<32, 5>, T>::ZERO;
        x.as_mut_slice().fill_with(&mut next);
        let mut y = TensorOf::<Sequence<OUT, 5>, T>::ZERO;
        Layer::<Sequence<32, 5>, T>::forward(&layer, &x, &mut y);
        y.as_slice().iter().map(|y| y.to_f64()).collect()
    }
    vec![of::<T, 16>(), of::<T, 17>(), of::<T, 31>(), of::<T, 64>()]
}

/// As [`all`], of `f64`: fewer.
pub(crate) fn in_f64() -> Results {
    let mut results = dense::<f64>();
    fit! { results, f64;
        Sequence<3, 6> => (
            Conv1d<3, 10, 2, Stride, Valid, Dilation, f64>, RmsNorm<10, Epsilon, f64>, Gru<10, 7, f64>, Last, Dense<7, 1, f64>,
        ), 4, momentum();
    }
    results
}

/// Every layer and optimiser, and every width of tile: one output, a few, a vector and a bit, several vectors and a bit.
pub(crate) fn all() -> Results {
    let mut results = dense::<f32>();
    fit! { results, f32;
        Vector<2> => (Dense<2, 4>, Sigmoid, Dense<4, 1>, Sigmoid), 32, ADAM;
        Vector<64> => (Dense<64, 32>, Relu, Dense<32, 10>, Softmax), 3, momentum().nesterov();
        Vector<37> => (Dense<37, 83>, Gelu, Dense<83, 19>, Relu, Dense<19, 5>), 4, AdamW::const_new(1e-3);
        Vector<200> => (Dense<200, 129>,), 1, SGD;
        Vector<9> => (Dense<9, 100>, Silu, Dense<100, 33>, Elu, Dense<33, 20>, GeluTanh), 32, RmsProp::const_new(1e-4);
        Vector<20> => (Dense<20, 15>, Softplus, Dense<15, 7>, LeakyRelu, Dense<7, 3>, HardSwish), 1, Adagrad::const_new(0.01);
        Image<6, 9, 9> => (
            GroupedConv2d<3, 2, 5, 3>, BatchNorm<15>, Relu, DepthwiseConv2d<15, 3, 3, Stride<2>, Same>, GroupNorm<3, 15>, Tanh,
            AvgPool2d<2>, Flatten, Dense<60, 7>,
        ), 4, SGD;
        Image<3, 5, 4> => (
            ConvTranspose2d<3, 7, 3, 3, Stride<2>, Pad<1>, OutputPadding<1>>, Elu, Upsample, AvgPool2d<3, 3, Stride<2>, Pad<1>>,
            GlobalAvgPool, Dense<7, 3>,
        ), 3, SGD;
        Sequence<3, 9> => (
            Conv1d<3, 12, 4, Stride<1>, Causal, Dilation<2>>, LayerNorm<12>, SelfAttention<12, 3>, Gru<12, 20>, Lstm<20, 7>, Last,
            Dense<7, 2>,
        ), 2, SGD;
        Sequence<4, 10> => (
            GroupedConv1d<2, 2, 5, 3>, BatchNorm<10>, Rnn<10, 15>, RmsNorm<15>, Bidirectional<Gru<15, 10>>, Last, Dense<20, 3>,
        ), 5, momentum();
        Sequence<5, 6> => (
            ConvTranspose1d<5, 8, 2, Stride<2>>, Residual<(SelfAttention<8, 2, Causal>, DepthwiseConv1d<8, 3, Stride, Same>)>,
            AvgPool1d<2>, Parallel<Bidirectional<Lstm<8, 5>>, Bidirectional<Rnn<8, 5>>, Sum>, GlobalMaxPool, LogSoftmax,
        ), 1, SGD;
    }
    images(&mut results);
    stream(&mut results);
    results
}

fn images(results: &mut Results) {
    type Layers =
        (Conv2d<1, 8, 3>, Relu, MaxPool2d<2>, Conv2d<8, 16, 3, 3, Stride<1>, Same>, Relu, Flatten, Dense<576, 10>);
    type Net = Network<Image<1, 14, 14>, Layers>;
    train::<Net, _, _, _, 3>(results, SGD, CrossEntropy, |rng| {
        Class::<10>::new(rng.random_range(0..10)).expect("below")
    });
}

/// A whole sequence and the same one streamed: the same bits, on every set.
fn stream(results: &mut Results) {
    type Layers = (
        Conv1d<8, 8, 7, Stride<1>, Causal, Dilation<2>>,
        Lstm<8, 20>,
        RmsNorm<20>,
        Gru<20, 8>,
        Rnn<8, 15>,
        Dense<15, 3>,
    );
    type Net = Network<Sequence<8, 16>, Layers>;
    let mut rng = StdRng::seed_from_u64(3);
    let mut net = Box::new(Net::ZERO);
    net.init(&mut rng);
    let x: SMatrix<f32, 8, 16> = drawn(&mut rng);
    let whole = net.predict(&x);
    let mut state: StateOf<Net> = Net::start();
    for (step, whole) in x.column_iter().zip(whole.column_iter()) {
        let y = net.step(&mut state, &step.into_owned());
        assert_eq!(y, whole, "streamed on {:?}", in_use());
        results.push(numbers(y.as_slice()));
    }
}
