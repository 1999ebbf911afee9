//! Every layer, activation and loss, and whole networks, against central differences: relative error below 1e-6.
//!
//! Would catch: any wrong backward pass, one that overwrites a gradient where it must add, or adds where it must overwrite.
#![cfg(feature = "rand")]

mod faulty;
mod losses;
mod networks;

use constnet::gradcheck::{self, Report};
use constnet::layer::{Differentiable, Gradient, Parameters};
use constnet::memcheck;
use constnet::shape::argument::TensorFor;
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::{
    AvgPool1d, AvgPool2d, Causal, ConstZero, Conv1d, Conv1dNoBias, Conv2d, Conv2dNoBias, ConvTranspose1d,
    ConvTranspose2d, Dense, DenseNoBias, DepthwiseConv1d, DepthwiseConv2d, Dilation, Dropout, Elu, Flatten, FlattenTo,
    Gelu, GeluTanh, GlobalAvgPool, GlobalMaxPool, GroupedConv1d, GroupedConv2d, HardSigmoid, HardSwish, Identity,
    Image, LeakyRelu, LogSoftmax, MaxPool1d, MaxPool2d, NoBias, OutputPadding, Pad, Relu, Reshape, Residual, Same,
    Sequence, Sigmoid, Silu, Softmax, Softplus, Stride, Tanh, To, Upsample, Valid, Vector,
};
use constnet::{BatchNorm, Concat, Epsilon, GroupNorm, LayerNorm, Momentum, Parallel, RmsNorm, Sum, TimeDistributed};
use constnet::{Bidirectional, Gru, Last, Lstm, Rnn};
use rand::{Rng, SeedableRng, rngs::Xoshiro128PlusPlus};

const LIMIT: f64 = 1e-6;

/// Between -`size` and `size`, the same numbers on every machine.
fn random(rng: &mut impl Rng, size: f64) -> f64 {
    (f64::from(rng.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0) * size
}

fn randomise<P: Parameters<f64>>(parameters: &mut P, rng: &mut impl Rng) {
    P::zip([parameters], &mut |_, [values]| values.fill_with(|| random(rng, 0.8)));
}

/// Three samples between -4 and 4: beyond every bend of the activations, and on none of them.
fn inputs<X: Tensor<f64>>(rng: &mut impl Rng) -> [X; 3] {
    let mut x = <[X; 3]>::ZERO;
    x.iter_mut().flat_map(Tensor::as_mut_slice).for_each(|x| *x = random(rng, 4.0));
    x
}

fn passes(name: &str, report: &Report, compared: usize) {
    assert_eq!(report.compared, compared, "{name}");
    assert!(report.max_relative_error < LIMIT, "{name}: {report}");
}

/// Checks a layer of random parameters on a batch of three.
fn layer<In, L>()
where
    In: Shape,
    L: Differentiable<In, f64>,
    TensorOf<In, f64>: TensorFor<In, f64>,
{
    let name = core::any::type_name::<(L, In)>();
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(7);
    let mut layer = L::ZERO;
    randomise(&mut layer, &mut rng);
    let x: [TensorOf<In, f64>; 3] = inputs(&mut rng);
    passes(name, &gradcheck::layer::<In, L, 3>(&mut layer, &x), 4 * L::COUNT + 2 * 3 * In::LEN);
    adds_and_overwrites(name, &layer, &x, &mut rng);
    memcheck::layer(&layer, &x[0]).unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// The gradient of the parameters is added to what is there, that of the inputs overwrites it, whatever the outputs hold before.
fn adds_and_overwrites<In: Shape, L: Differentiable<In, f64>>(
    name: &str,
    layer: &L,
    x: &[TensorOf<In, f64>; 3],
    rng: &mut impl Rng,
) {
    let mut y = <[TensorOf<L::Out, f64>; 3]>::ZERO;
    let mut dx = <[TensorOf<In, f64>; 3]>::ZERO;
    let dy = inputs(rng);
    let mut cache = L::Cache::<3>::ZERO;
    let (mut once, mut many) = (L::ZERO, L::ZERO);
    layer.sample(&mut cache, &mut Xoshiro128PlusPlus::seed_from_u64(0));
    layer.forward_train(x, &mut cache, &mut y);
    layer.backward(x, &y, &mut cache, &dy, Gradient::adding(&mut once), Some(&mut dx));
    let first = dx.clone();

    let dirt = 100.0;
    y.iter_mut().flat_map(Tensor::as_mut_slice).for_each(|y| *y = dirt);
    dx.iter_mut().flat_map(Tensor::as_mut_slice).for_each(|dx| *dx = dirt);
    L::zip([&mut many], &mut |_, [values]| values.fill(1.0));
    layer.forward_train(x, &mut cache, &mut y);
    layer.backward(x, &y, &mut cache, &dy, Gradient::adding(&mut many), Some(&mut dx));
    layer.forward_train(x, &mut cache, &mut y);
    layer.backward(x, &y, &mut cache, &dy, Gradient::adding(&mut many), None);
    assert_eq!(dx, first, "{name}: the gradient of the inputs depends on what was there");
    L::zip([&mut once, &mut many], &mut |_, [once, many]| {
        for (once, many) in once.iter().zip(many) {
            let expected = 1.0 + 2.0 * *once;
            assert!((*many - expected).abs() < 1e-9, "{name}: {many} was to be {expected}");
        }
    });
}

/// An activation on every kind of shape.
fn activation<A>()
where
    A: Differentiable<Vector<7>, f64> + Differentiable<Sequence<3, 4>, f64> + Differentiable<Image<2, 3, 2>, f64>,
{
    layer::<Vector<7>, A>();
    layer::<Sequence<3, 4>, A>();
    layer::<Image<2, 3, 2>, A>();
}

#[test]
fn activations() {
    activation::<Identity>();
    activation::<Sigmoid>();
    activation::<Tanh>();
    activation::<Relu>();
    activation::<LeakyRelu>();
    activation::<LeakyRelu<2, 10>>();
    activation::<Elu>();
    activation::<Elu<3, 2>>();
    activation::<Gelu>();
    activation::<GeluTanh>();
    activation::<Silu>();
    activation::<Softplus>();
    activation::<HardSigmoid>();
    activation::<HardSwish>();
    activation::<Softmax>();
    activation::<LogSoftmax>();
    activation::<Dropout>();
    activation::<Dropout<1, 5>>();
    activation::<Dropout<0, 1>>();
}

#[test]
fn dense() {
    layer::<Vector<3>, Dense<3, 2, f64>>();
    layer::<Vector<1>, Dense<1, 1, f64>>();
    layer::<Vector<9>, Dense<9, 37, f64>>();
    layer::<Vector<4>, DenseNoBias<4, 3, f64>>();
    layer::<Sequence<3, 5>, Dense<3, 4, f64>>();
    layer::<Sequence<3, 2>, DenseNoBias<3, 4, f64>>();
}

#[test]
fn shapes_that_change() {
    layer::<Vector<5>, Flatten>();
    layer::<Sequence<3, 4>, Flatten>();
    layer::<Image<2, 3, 4>, Flatten>();
    layer::<Image<2, 3, 4>, FlattenTo<24>>();
    layer::<Vector<12>, Reshape<Sequence<3, 4>>>();
    layer::<Sequence<3, 4>, Reshape<Sequence<4, 3>>>();
    layer::<Image<2, 3, 4>, Reshape<Sequence<6, 4>>>();
    layer::<Sequence<6, 2>, Reshape<Image<3, 2, 2>>>();
    layer::<Image<2, 3, 4>, Reshape<Vector<24>>>();
}

type C1<const I: usize, const O: usize, const K: usize, S = Stride, P = Valid, D = Dilation> =
    Conv1d<I, O, K, S, P, D, f64>;
type C2<const I: usize, const O: usize, const KH: usize, const KW: usize, S = Stride, P = Valid, D = Dilation> =
    Conv2d<I, O, KH, KW, S, P, D, f64>;

/// Every padding, strides that leave a rest, windows as large as the input and larger than it, tiles of every width.
#[test]
fn convolutions_of_images() {
    layer::<Image<1, 1, 1>, C2<1, 1, 1, 1>>();
    layer::<Image<2, 5, 6>, C2<2, 3, 3, 2>>();
    layer::<Image<2, 3, 4>, C2<2, 3, 3, 4>>();
    layer::<Image<1, 7, 9>, C2<1, 2, 3, 3, Stride<2>, Pad<1>>>();
    layer::<Image<2, 6, 5>, C2<2, 1, 3, 2, Stride<2, 3>, Pad<1, 2>, Dilation<2, 1>>>();
    layer::<Image<2, 5, 4>, C2<2, 3, 3, 3, Stride, Same>>();
    layer::<Image<2, 5, 4>, C2<2, 2, 2, 3, Stride<2, 2>, Same>>();
    layer::<Image<1, 2, 2>, C2<1, 2, 5, 3, Stride, Same>>();
    layer::<Image<1, 9, 8>, C2<1, 1, 3, 3, Stride, Valid, Dilation<3, 2>>>();
    layer::<Image<1, 5, 8>, C2<1, 2, 3, 3, Stride<1, 2>, To<3, 3>>>();
    layer::<Image<2, 1, 7>, C2<2, 31, 1, 2>>();
    layer::<Image<31, 1, 5>, C2<31, 2, 1, 2>>();
    layer::<Image<2, 3, 3>, Conv2dNoBias<2, 3, 2, 2, Stride, Valid, Dilation, f64>>();
}

#[test]
fn convolutions_of_signals() {
    layer::<Sequence<1, 1>, C1<1, 1, 1>>();
    layer::<Sequence<2, 1>, C1<2, 3, 4, Stride, Causal, Dilation<2>>>();
    layer::<Sequence<3, 8>, C1<3, 4, 3>>();
    layer::<Sequence<3, 4>, C1<3, 2, 4>>();
    layer::<Sequence<2, 10>, C1<2, 3, 3, Stride<3>, Pad<2>>>();
    layer::<Sequence<2, 9>, C1<2, 3, 3, Stride<2>, Same>>();
    layer::<Sequence<2, 9>, C1<2, 3, 3, Stride, Causal, Dilation<2>>>();
    layer::<Sequence<2, 9>, C1<2, 3, 3, Stride<2>, Causal>>();
    layer::<Sequence<2, 9>, C1<2, 3, 2, Stride<2>, To<4>>>();
    layer::<Sequence<2, 5>, Conv1dNoBias<2, 3, 2, Stride, Valid, Dilation, f64>>();
}

type Ln<const N: usize> = LayerNorm<N, Epsilon, f64>;
type Rms<const N: usize, E = Epsilon> = RmsNorm<N, E, f64>;
type Gn<const G: usize, const C: usize> = GroupNorm<G, C, Epsilon, f64>;
type Bn<const C: usize, E = Epsilon> = BatchNorm<C, E, Momentum, f64>;

/// A single channel, where what is normalised is 0, and tails of the eight sums.
#[test]
fn normalisation_of_positions() {
    layer::<Vector<1>, Ln<1>>();
    layer::<Vector<2>, Ln<2>>();
    layer::<Vector<19>, Ln<19>>();
    layer::<Sequence<3, 4>, Ln<3>>();
    layer::<Image<8, 2, 3>, Ln<8>>();
    layer::<Vector<5>, LayerNorm<5, Epsilon<1, 2>, f64>>();
    layer::<Vector<1>, Rms<1>>();
    layer::<Vector<11>, Rms<11, Epsilon<2, 1>>>();
    layer::<Sequence<3, 4>, Rms<3>>();
    layer::<Image<2, 3, 2>, Rms<2>>();
    layer::<Vector<4>, Residual<(Ln<4>, D<4, 4>, Rms<4>)>>();
}

#[test]
fn normalisation_of_groups() {
    layer::<Vector<1>, Gn<1, 1>>();
    layer::<Vector<6>, Gn<2, 6>>();
    layer::<Sequence<6, 1>, Gn<3, 6>>();
    layer::<Sequence<4, 5>, Gn<4, 4>>();
    layer::<Sequence<12, 3>, Gn<1, 12>>();
    layer::<Image<4, 3, 2>, Gn<2, 4>>();
    layer::<Image<4, 2, 2>, (Gn<2, 4>, Tanh, Gn<1, 4>)>();
}

/// The running averages are parameters whose gradient must stay as it was.
#[test]
fn normalisation_of_batches() {
    layer::<Vector<1>, Bn<1>>();
    layer::<Vector<5>, Bn<5>>();
    layer::<Sequence<3, 1>, Bn<3>>();
    layer::<Sequence<2, 5>, Bn<2, Epsilon<1, 4>>>();
    layer::<Image<3, 2, 4>, Bn<3>>();
    layer::<Vector<3>, (D<3, 5>, Bn<5>, Tanh, D<5, 4>, Bn<4>)>();
    layer::<Vector<4>, Residual<(Bn<4>, Silu, D<4, 4>)>>();
}

#[test]
fn branches() {
    layer::<Vector<3>, Parallel<D<3, 2>, (Tanh, D<3, 2>), Sum>>();
    layer::<Vector<3>, Parallel<D<3, 2>, Tanh, Concat>>();
    layer::<Vector<3>, Parallel<Identity, Identity, Sum>>();
    layer::<Sequence<3, 4>, Parallel<Identity, (D<3, 5>, Silu), Concat>>();
    layer::<Sequence<1, 1>, Parallel<D<1, 1>, D<1, 1>, Sum>>();
    layer::<Image<2, 3, 3>, Parallel<(C2<2, 3, 2, 2>, Bn<3>), C2<2, 1, 2, 2>, Concat>>();
    layer::<Image<2, 4, 4>, (Parallel<(C2<2, 3, 3, 3, Stride<2>, Same>, Tanh), C2<2, 3, 1, 1, Stride<2>>, Sum>, Tanh)>(
    );
    layer::<Vector<3>, Parallel<Parallel<D<3, 2>, Dropout<1, 4>, Concat>, (Dropout<1, 3>, D<3, 5>), Sum>>();
}

#[test]
fn steps_alike() {
    layer::<Sequence<3, 4>, TimeDistributed<D<3, 2>>>();
    layer::<Sequence<4, 3>, TimeDistributed<(D<4, 6>, Reshape<Sequence<3, 2>>, Softmax, Flatten)>>();
    layer::<Sequence<2, 5>, (TimeDistributed<(Dropout<1, 4>, D<2, 3>, Bn<3>)>, Tanh)>();
    layer::<Sequence<2, 1>, TimeDistributed<Tanh>>();
}

type G1<const G: usize, const I: usize, const O: usize, const K: usize, S = Stride, P = Valid, D = Dilation> =
    GroupedConv1d<G, I, O, K, S, P, D, f64>;
type G2<
    const G: usize,
    const I: usize,
    const O: usize,
    const KH: usize,
    const KW: usize,
    S = Stride,
    P = Valid,
    D = Dilation,
> = GroupedConv2d<G, I, O, KH, KW, S, P, D, f64>;

#[test]
fn convolutions_in_groups() {
    layer::<Image<1, 1, 1>, G2<1, 1, 1, 1, 1>>();
    layer::<Image<6, 4, 5>, G2<2, 3, 2, 3, 2>>();
    layer::<Image<6, 5, 4>, G2<3, 2, 1, 3, 3, Stride<2>, Pad<1>, Dilation<1, 2>>>();
    layer::<Image<4, 3, 4>, DepthwiseConv2d<4, 3, 4, Stride, Valid, Dilation, f64>>();
    layer::<Image<19, 2, 3>, DepthwiseConv2d<19, 2, 2, Stride, Same, Dilation, f64>>();
    layer::<Image<2, 5, 5>, DepthwiseConv2d<2, 3, 3, Stride<2>, Same, Dilation, f64, NoBias>>();
    layer::<Sequence<4, 7>, G1<2, 2, 3, 3, Stride<2>, Causal>>();
    layer::<Sequence<3, 1>, DepthwiseConv1d<3, 1, Stride, Valid, Dilation, f64>>();
    layer::<Sequence<5, 9>, DepthwiseConv1d<5, 3, Stride, Causal, Dilation<2>, f64>>();
}

type T1<const I: usize, const O: usize, const K: usize, S = Stride, P = Valid, Q = OutputPadding> =
    ConvTranspose1d<I, O, K, S, P, Q, f64>;
type T2<const I: usize, const O: usize, const KH: usize, const KW: usize, S = Stride, P = Valid, Q = OutputPadding> =
    ConvTranspose2d<I, O, KH, KW, S, P, Q, f64>;

#[test]
fn transposed_convolutions() {
    layer::<Image<1, 1, 1>, T2<1, 1, 1, 1>>();
    layer::<Image<2, 3, 2>, T2<2, 3, 2, 3>>();
    layer::<Image<3, 2, 3>, T2<3, 2, 3, 3, Stride<2>, Pad<1>, OutputPadding<1>>>();
    layer::<Image<2, 2, 3>, T2<2, 5, 2, 3, Stride<3, 2>, Pad<0, 1>, OutputPadding<2, 0>>>();
    layer::<Image<2, 3, 2>, T2<2, 1, 3, 2, Stride<2>, Same>>();
    layer::<Image<1, 2, 3>, T2<1, 2, 1, 1, Stride<2>, Same>>();
    layer::<Image<2, 3, 2>, T2<2, 1, 3, 2, Stride<2>, To<7, 4>>>();
    layer::<Image<2, 2, 2>, ConvTranspose2d<2, 3, 2, 2, Stride, Valid, OutputPadding, f64, NoBias>>();
    layer::<Sequence<2, 1>, T1<2, 3, 4>>();
    layer::<Sequence<3, 5>, T1<3, 17, 3, Stride<2>, Pad<1>>>();
}

#[test]
fn pools() {
    layer::<Image<1, 1, 1>, MaxPool2d<1>>();
    layer::<Image<2, 5, 6>, MaxPool2d<2>>();
    layer::<Image<2, 5, 6>, MaxPool2d<5, 6>>();
    layer::<Image<3, 5, 5>, MaxPool2d<3, 3, Stride<1>>>();
    layer::<Image<3, 5, 6>, MaxPool2d<3, 2, Stride<2, 1>, Pad<1>>>();
    layer::<Image<2, 5, 7>, MaxPool2d<3, 3, Stride<2>, Same>>();
    layer::<Image<2, 5, 7>, MaxPool2d<2, 2, Stride<2>, To<2, 3>>>();
    layer::<Sequence<2, 7>, MaxPool1d<2>>();
    layer::<Sequence<2, 1>, MaxPool1d<1>>();
    layer::<Sequence<2, 7>, MaxPool1d<3, Stride<2>, Same>>();
    layer::<Sequence<2, 7>, MaxPool1d<4, Stride<1>, Causal>>();
    layer::<Sequence<1, 2>, MaxPool1d<5, Stride<1>, Causal>>();
    layer::<Image<1, 1, 1>, AvgPool2d<1>>();
    layer::<Image<2, 5, 6>, AvgPool2d<2>>();
    layer::<Image<2, 3, 2>, AvgPool2d<3, 2>>();
    layer::<Image<3, 5, 6>, AvgPool2d<3, 2, Stride<2, 1>, Pad<1>>>();
    layer::<Image<2, 5, 7>, AvgPool2d<3, 3, Stride<2>, Same>>();
    layer::<Sequence<2, 7>, AvgPool1d<3, Stride<2>>>();
    layer::<Sequence<2, 7>, AvgPool1d<2, Stride<2>, Same>>();
    layer::<Sequence<2, 7>, AvgPool1d<4, Stride<2>, Causal>>();
    layer::<Sequence<1, 2>, AvgPool1d<5, Stride<1>, Causal>>();
    layer::<Image<3, 2, 4>, GlobalAvgPool>();
    layer::<Sequence<3, 5>, GlobalAvgPool>();
    layer::<Image<3, 2, 4>, GlobalMaxPool>();
    layer::<Sequence<3, 1>, GlobalMaxPool>();
}

#[test]
fn upsampling() {
    layer::<Image<2, 3, 2>, Upsample>();
    layer::<Image<3, 1, 2>, Upsample<3, 1>>();
    layer::<Sequence<2, 3>, Upsample<2>>();
    layer::<Sequence<1, 1>, Upsample<1>>();
}

#[test]
fn residuals() {
    layer::<Vector<4>, Residual<Dense<4, 4, f64>>>();
    layer::<Vector<4>, Residual<Tanh>>();
    layer::<Vector<4>, Residual<(Dense<4, 6, f64>, Silu, Dense<6, 4, f64>)>>();
    layer::<Sequence<3, 2>, Residual<(Softmax, Dense<3, 3, f64>)>>();
    layer::<Vector<3>, Residual<Residual<(Dense<3, 3, f64>, Dropout<1, 4>)>>>();
}

#[test]
fn recurrence() {
    layer::<Sequence<3, 5>, Rnn<3, 4, Tanh, f64>>();
    layer::<Sequence<1, 1>, Rnn<1, 1, Tanh, f64>>();
    layer::<Sequence<3, 4>, Rnn<3, 2, Relu, f64>>();
    layer::<Sequence<3, 5>, Gru<3, 4, f64>>();
    layer::<Sequence<2, 1>, Gru<2, 3, f64>>();
    layer::<Sequence<1, 4>, Gru<1, 1, f64>>();
    layer::<Sequence<2, 3>, Gru<2, 9, f64>>();
    layer::<Sequence<3, 5>, Lstm<3, 4, f64>>();
    layer::<Sequence<2, 1>, Lstm<2, 3, f64>>();
    layer::<Sequence<1, 4>, Lstm<1, 1, f64>>();
    layer::<Sequence<2, 3>, Lstm<2, 9, f64>>();
    layer::<Sequence<3, 4>, Last>();
    layer::<Sequence<2, 1>, Last>();
    layer::<Sequence<3, 4>, Bidirectional<Rnn<3, 2, Tanh, f64>>>();
    layer::<Sequence<3, 4>, Bidirectional<Gru<3, 2, f64>>>();
    layer::<Sequence<2, 1>, Bidirectional<Gru<2, 3, f64>>>();
    layer::<Sequence<3, 5>, Bidirectional<Lstm<3, 2, f64>>>();
    layer::<Sequence<3, 4>, (Gru<3, 4, f64>, Residual<Lstm<4, 4, f64>>, Tanh, Last, Dense<4, 2, f64>)>();
    layer::<Sequence<2, 3>, (Bidirectional<Lstm<2, 2, f64>>, Rnn<4, 3, Tanh, f64>, Last)>();
}

type D<const I: usize, const O: usize> = Dense<I, O, f64>;

#[rustfmt::skip]
type Sixteen = (
    D<3, 4>, Tanh, D<4, 4>, Sigmoid, D<4, 5>, Gelu, D<5, 4>, Silu, D<4, 4>, Softplus, D<4, 3>, Identity, D<3, 4>,
    Dropout<1, 8>, D<4, 2>, LogSoftmax,
);

#[test]
fn tuples() {
    layer::<Vector<3>, (D<3, 2>,)>();
    layer::<Vector<3>, (D<3, 4>, D<4, 2>)>();
    // A first layer without parameters, where the way back stops early.
    layer::<Vector<3>, (Tanh, D<3, 2>)>();
    layer::<Vector<3>, (Tanh, Sigmoid, D<3, 4>, Gelu, D<4, 2>, Softplus)>();
    layer::<Vector<3>, (Tanh, Sigmoid)>();
    layer::<Vector<3>, ((Tanh, D<3, 4>), ((Silu, D<4, 4>), Tanh), D<4, 2>)>();
    layer::<Vector<3>, ((Tanh, Gelu), (Silu, D<3, 2>))>();
    layer::<Sequence<3, 2>, (D<3, 4>, Softmax, Flatten, D<8, 3>, LogSoftmax)>();
    layer::<Image<1, 3, 3>, (Flatten, D<9, 4>, Elu<3, 2>, Reshape<Sequence<2, 2>>, D<2, 3>)>();
    layer::<Vector<3>, Sixteen>();
}
