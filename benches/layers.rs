//! Every layer by itself: one prediction, and one forward and backward pass of a batch of one. `cargo bench --bench layers`, with a part of a
//! name behind `--` for some of them.

use constnet::layer::{Differentiable, Gradient};
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::{
    AvgPool1d, AvgPool2d, BatchNorm, Bidirectional, Causal, Class, Concat, ConstZero, Conv1d, Conv2d, ConvTranspose1d,
    ConvTranspose2d, Dense, DepthwiseConv1d, DepthwiseConv2d, Dilation, Dropout, Elu, Embedding, Flatten, Full, Gelu,
    GeluTanh, GlobalAvgPool, GlobalMaxPool, GroupNorm, GroupedConv1d, GroupedConv2d, Gru, HardSigmoid, HardSwish,
    Identity, Image, Last, LayerNorm, LeakyRelu, LearnedPositions, LogSoftmax, Lstm, MaxPool1d, MaxPool2d, Parallel,
    PositionalEncoding, Relu, Reshape, Residual, RmsNorm, Rnn, Same, SelfAttention, Sequence, Sigmoid, Silu, Softmax,
    Softplus, Stride, Sum, Tanh, TimeDistributed, Tokens, Upsample, Vector,
};
use criterion::Criterion;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::hint::black_box;
use std::time::Duration;

/// A batch of one.
type One<S> = [TensorOf<S, f32>; 1];

fn layer<In: Shape, L: Differentiable<In>>(criterion: &mut Criterion, name: &str, x: &One<In>) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut layer = Box::new(L::ZERO);
    L::zip([&mut *layer], &mut |_, [values]| values.fill_with(|| rng.random_range(0.1..0.3)));
    let mut group = criterion.benchmark_group(name);
    let mut y: Box<One<L::Out>> = Box::new(ConstZero::ZERO);
    group.bench_function("predict", |bencher| bencher.iter(|| layer.forward(black_box(&x[0]), &mut y[0])));

    let (mut cache, mut gradient) = (Box::new(L::Cache::<1>::ZERO), Box::new(L::ZERO));
    let (dy, mut dx): (Box<One<L::Out>>, Box<One<In>>) = (y.clone(), Box::new(ConstZero::ZERO));
    layer.sample(&mut cache, &mut rng);
    group.bench_function("train", |bencher| {
        bencher.iter(|| {
            layer.forward_train(black_box(x), &mut cache, &mut y);
            layer.backward(x, &y, &mut cache, &dy, Gradient::adding(&mut gradient), Some(&mut dx));
        });
    });
    group.finish();
}

/// [`layer`] with numbers between -1 and 1.
fn numbers<In: Shape, L: Differentiable<In>>(criterion: &mut Criterion, name: &str) {
    let mut rng = StdRng::seed_from_u64(2);
    let mut x: Box<One<In>> = Box::new(ConstZero::ZERO);
    x[0].as_mut_slice().fill_with(|| rng.random_range(-1.0..1.0));
    layer::<In, L>(criterion, name, &x);
}

macro_rules! layers {
    ($criterion:ident, $($In:ty => $($L:ty),+;)+) => { $($(
        numbers::<$In, $L>($criterion, concat!(stringify!($L), " on ", stringify!($In)));
    )+)+ };
}

/// The list: a new layer has its line here.
fn all(criterion: &mut Criterion) {
    layers!(criterion,
        Vector<256> => Identity, Sigmoid, Tanh, Relu, LeakyRelu, Elu, Gelu, GeluTanh, Silu, Softplus, HardSigmoid, HardSwish, Softmax,
            LogSoftmax, Dropout, Reshape<Sequence<16, 16>>, Dense<256, 64>, LayerNorm<256>, RmsNorm<256>, Residual<Relu>,
            Parallel<Relu, Tanh, Sum>, Parallel<Relu, Tanh, Concat>;
        Sequence<8, 32> => Conv1d<8, 8, 7, Stride<1>, Causal, Dilation<2>>, GroupedConv1d<2, 4, 4, 3>, DepthwiseConv1d<8, 3>, ConvTranspose1d<8, 8, 2, Stride<2>>,
            MaxPool1d<2>, AvgPool1d<2>, GlobalAvgPool, GlobalMaxPool, Upsample<2>, Flatten, Rnn<8, 16>, Gru<8, 16>, Lstm<8, 16>,
            Bidirectional<Gru<8, 16>>, Last, TimeDistributed<Dense<8, 16>>;
        Sequence<32, 16> => SelfAttention<32, 4, Full>, SelfAttention<32, 4, Causal>, PositionalEncoding, LearnedPositions<32, 16>;
        Image<8, 16, 16> => Conv2d<8, 16, 3>, Conv2d<8, 16, 3, 3, Stride<2>, Same>, GroupedConv2d<2, 4, 8, 3>, DepthwiseConv2d<8, 3>,
            ConvTranspose2d<8, 8, 2, 2, Stride<2>>, MaxPool2d<2>, AvgPool2d<2>, GroupNorm<2, 8>, BatchNorm<8>;
    );
    let tokens = [core::array::from_fn(|i| Class::new(i % 32).expect("in range"))];
    layer::<Tokens<32, 16>, Embedding<32, 16>>(criterion, "Embedding<32, 16> on Tokens<32, 16>", &tokens);
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(200))
        .configure_from_args();
    all(&mut criterion);
    criterion.final_summary();
}
