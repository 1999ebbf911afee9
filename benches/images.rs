//! Convolutions beside the same loops by hand, and a network of the size of `LeNet`: `cargo bench --bench images`.

#[path = "by_hand/conv.rs"]
mod by_hand;

use by_hand::Conv;
use constnet::init::Init;
use constnet::layer::{Differentiable, Gradient, Layer, Parameters};
use constnet::loss::CrossEntropy;
use constnet::nalgebra::SMatrix;
use constnet::optimizer::Adam;
use constnet::train::Trainer;
use constnet::{Class, ConstZero, Conv2d, Dense, Flatten, Image, MaxPool2d, Network, Relu};
use criterion::{Criterion, Throughput};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::hint::black_box;
use std::time::Duration;

type Convolution = (Conv2d<1, 8, 5>, Relu, MaxPool2d<2>, Conv2d<8, 16, 5>, Relu, MaxPool2d<2>);
type Lenet = Network<Image<1, 28, 28>, (Convolution, Flatten, Dense<256, 64>, Relu, Dense<64, 10>)>;

/// Both must agree to this, relative to 1 or to the value if it is larger.
const TOLERANCE: f32 = 1e-4;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_millis(1500))
        .configure_from_args();
    convolution::<1, 8, 5, 28, 24>(&mut criterion, "1 to 8 channels, 5 by 5, on 28 by 28");
    convolution::<8, 16, 5, 12, 8>(&mut criterion, "8 to 16 channels, 5 by 5, on 12 by 12");
    convolution::<32, 32, 3, 16, 14>(&mut criterion, "32 to 32 channels, 3 by 3, on 16 by 16");
    lenet(&mut criterion);
    criterion.final_summary();
}

fn image<const C: usize, const N: usize>(rng: &mut StdRng) -> [SMatrix<f32, C, N>; N] {
    std::array::from_fn(|_| SMatrix::from_fn(|_, _| rng.random_range(-1.0..1.0)))
}

fn assert_close(name: &str, ours: &[f32], by_hand: &[f32]) {
    assert_eq!(ours.len(), by_hand.len(), "{name}: as many numbers");
    for (a, b) in ours.iter().zip(by_hand) {
        assert!((a - b).abs() <= TOLERANCE * a.abs().max(1.0), "{name}: constnet gives {a}, by hand it is {b}");
    }
}

/// Forward and backward on one square image of `N` by `N`, from which `M` by `M` comes.
fn convolution<const IN: usize, const OUT: usize, const K: usize, const N: usize, const M: usize>(
    criterion: &mut Criterion,
    name: &str,
) where
    Conv2d<IN, OUT, K>: Layer<Image<IN, N, N>, Out = Image<OUT, M, M>> + Differentiable<Image<IN, N, N>>,
{
    let rng = &mut StdRng::seed_from_u64(1);
    let (mut layer, mut gradient) = (Conv2d::<IN, OUT, K>::ZERO, Conv2d::<IN, OUT, K>::ZERO);
    Parameters::<f32>::zip([&mut layer], &mut |parameter, [values]| {
        Init::TorchDefault.fill(parameter.role, values, rng);
    });
    let (x, dy) = ([image::<IN, N>(rng)], [image::<OUT, M>(rng)]);
    let (mut y, mut dx) = (dy, x);
    let mut cache = <<Conv2d<IN, OUT, K> as Differentiable<Image<IN, N, N>>>::Cache<1>>::ZERO;

    let [bias] = layer.bias.data.0;
    let hand = Conv { weight: &layer.weight, bias };
    let (hand_x, hand_dy) = (x[0].map(|row| row.data.0), dy[0].map(|row| row.data.0));
    let (mut outputs, mut slopes, mut hand_gradient) = (hand_dy, hand_x, [[[[0.0; OUT]; IN]; K]; K]);

    layer.forward(&x[0], &mut y[0]);
    hand.forward(&hand_x, &mut outputs);
    let flat = |rows: &[SMatrix<f32, OUT, M>]| rows.iter().flatten().copied().collect::<Vec<_>>();
    assert_close(name, &flat(&y[0]), outputs.as_flattened().as_flattened());
    layer.backward(&x, &y, &mut cache, &dy, Gradient::adding(&mut gradient), Some(&mut dx));
    hand.backward(&hand_x, &hand_dy, &mut hand_gradient, &mut slopes);
    let ours: Vec<_> = dx[0].iter().flatten().copied().collect();
    assert_close(name, &ours, slopes.as_flattened().as_flattened());
    let ours = gradient.weight.as_flattened().as_flattened().as_flattened();
    assert_close(name, ours, hand_gradient.as_flattened().as_flattened().as_flattened());

    let multiply_adds = (IN * OUT * K * K * M * M) as u64;
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(multiply_adds));
    group.bench_function("forward/constnet", |bencher| {
        bencher.iter(|| black_box(&layer).forward(black_box(&x[0]), black_box(&mut y[0])));
    });
    group.bench_function("forward/by hand", |bencher| {
        bencher.iter(|| black_box(&hand).forward(black_box(&hand_x), black_box(&mut outputs)));
    });
    group.throughput(Throughput::Elements(2 * multiply_adds));
    group.bench_function("backward/constnet", |bencher| {
        bencher.iter(|| {
            black_box(&layer).backward(
                &x,
                &y,
                &mut cache,
                black_box(&dy),
                Gradient::adding(&mut gradient),
                Some(&mut dx),
            );
        });
    });
    group.bench_function("backward/by hand", |bencher| {
        bencher.iter(|| black_box(&hand).backward(&hand_x, black_box(&hand_dy), &mut hand_gradient, &mut slopes));
    });
    group.finish();
}

/// The network of the example `mnist_cnn`. At the rate 0 the optimiser does all its work and the network stays as it is.
fn lenet(criterion: &mut Criterion) {
    const B: usize = 32;
    let rng = &mut StdRng::seed_from_u64(2);
    let mut net = Box::new(Lenet::ZERO);
    net.init(rng);
    let x: Box<[_; B]> = Box::new(std::array::from_fn(|_| image::<1, 28>(rng)));
    let t: [Class<10>; B] = std::array::from_fn(|_| Class::const_new(rng.random_range(0..10)));
    let mut trainer = Box::new(Trainer::<Lenet, _, _, B>::new(Adam::const_new(0.0), CrossEntropy));
    let mut group = criterion.benchmark_group("LeNet");
    group.bench_function("predict", |bencher| bencher.iter(|| black_box(&*net).predict(black_box(&x[0]))));
    group.throughput(Throughput::Elements(B as u64));
    group.bench_function("step, batch 32", |bencher| {
        bencher.iter(|| trainer.step(black_box(&mut *net), black_box(&*x), black_box(&t)));
    });
    group.finish();
}
