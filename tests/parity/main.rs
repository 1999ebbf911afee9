//! PyTorch's own results, `tests/data/*.safetensors`: outputs, losses, gradients, and parameters after optimiser steps.
//!
//! Would catch: a formula, a default, a reduction or a layout that is not PyTorch's. A number passes that differs by 1e-5 of
//! itself at most, or by 2.4e-7: both PyTorch and we round the numbers that cancel in it, which are of the order of 1.

mod case;

use case::Case;
use constnet::layer::{Differentiable, Gradient, Layer, Parameters};
use constnet::loss::{self, CrossEntropy, Loss, Mse};
use constnet::optimizer::{Adagrad, Adam, AdamW, Optimizer, RmsProp, Sgd};
use constnet::shape::argument::TensorFor;
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::train::Trainer;
use constnet::{
    AvgPool1d, AvgPool2d, BatchNorm, Causal, Class, ConstZero, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Dense,
    DenseNoBias, DepthwiseConv1d, DepthwiseConv2d, Dilation, Elu, Flatten, Gelu, GeluTanh, GlobalAvgPool,
    GlobalMaxPool, GroupNorm, GroupedConv1d, GroupedConv2d, HardSigmoid, HardSwish, Identity, Image, LayerNorm,
    LeakyRelu, LogSoftmax, MaxPool1d, MaxPool2d, Network, NoBias, OutputPadding, Pad, Relu, Residual, RmsNorm,
    SelfAttention, Sequence, Sigmoid, Silu, Softmax, Softplus, Stride, Tanh, Upsample, Vector,
};
use constnet::{Bidirectional, Gru, Last, Lstm, Rnn};
use std::path::Path;

/// A gradient below this is in large part rounding: three times what passes as equal.
const NOISE: f32 = 3e-7;

fn flat<P: Parameters<f32>>(parameters: &P) -> Vec<f32> {
    let mut all = Vec::new();
    parameters.visit(&mut |_, values| all.extend_from_slice(values));
    all
}

/// `B` tensors, batch first.
fn batch<X: Tensor<f32>, const B: usize>(numbers: &[f32]) -> [X; B] {
    let mut all = <[X; B]>::ZERO;
    let each = numbers.len() / B;
    for (x, numbers) in all.iter_mut().zip(numbers.chunks_exact(each)) {
        x.as_mut_slice().copy_from_slice(numbers);
    }
    all
}

/// Everything that a file holds, against a network of the layers `N`.
fn check<In, N, O, L, Y, const B: usize>(case: &Case, optimizer: O, loss: L, targets: &[Y; B])
where
    In: Shape,
    N: Differentiable<In>,
    O: Optimizer<f32>,
    L: Loss<N::Out, Y>,
    TensorOf<In, f32>: TensorFor<In, f32>,
{
    let mut net = Network::<In, N>::ZERO;
    let mut before = case.parameters("", &net).into_iter();
    Network::zip([&mut net], &mut |_, [values]| values.fill_with(|| before.next().expect("as many parameters")));
    assert_eq!(flat(&net).len(), case.parameter_count(), "{}: parameters left over", case.name);

    let x: [TensorOf<In, f32>; B] = batch(case.numbers("x"));
    let mut y: [TensorOf<N::Out, f32>; B] = ConstZero::ZERO;
    for (x, y) in x.iter().zip(&mut y) {
        net.forward(x, y);
    }
    let flat_batch = |y: &[TensorOf<N::Out, f32>; B]| y.iter().flat_map(Tensor::as_slice).copied().collect::<Vec<_>>();
    // A normalisation predicts by running averages, which the file has after the forward pass.
    let predicts_otherwise = case.tensors.contains_key("y_eval");
    if !predicts_otherwise {
        case.assert_near("y", &flat_batch(&y), case.numbers("y"));
    }

    let mut cache = N::Cache::<B>::ZERO;
    let (mut dy, mut dx) = (<[TensorOf<N::Out, f32>; B]>::ZERO, <[TensorOf<In, f32>; B]>::ZERO);
    let mut gradient = Network::ZERO;
    net.forward_train(&x, &mut cache, &mut y);
    case.assert_near("y in training", &flat_batch(&y), case.numbers("y"));
    let mut tracked = Network::<In, N>::ZERO;
    Network::zip([&mut tracked, &mut net], &mut |_, [to, from]| to.copy_from_slice(from));
    tracked.track_statistics(&cache);
    tracked.visit(&mut |parameter, values| {
        if !parameter.role.is_trained() {
            let key = format!("after_forward.{parameter}");
            case.assert_near(&key, values, case.numbers(&key));
        }
    });
    if predicts_otherwise {
        let mut y: [TensorOf<N::Out, f32>; B] = ConstZero::ZERO;
        for (x, y) in x.iter().zip(&mut y) {
            tracked.forward(x, y);
        }
        case.assert_near("y after training", &flat_batch(&y), case.numbers("y_eval"));
    }
    let scale = 1.0 / f32::from(u8::try_from(B).expect("a small batch"));
    let mut mean = 0.0;
    for ((y, target), dy) in y.iter().zip(targets).zip(&mut dy) {
        mean += scale * loss.gradient(y, target, scale, dy);
    }
    case.assert_near("loss", &[mean], case.numbers("loss"));
    net.backward(&x, &y, &mut cache, &dy, Gradient::adding(&mut gradient), Some(&mut dx));
    case.assert_near("gradient", &flat(&gradient), &case.parameters("grad.", &net));
    let dx: Vec<f32> = dx.iter().flat_map(Tensor::as_slice).copied().collect();
    case.assert_near("gradient of x", &dx, case.numbers("grad.x"));

    let steps: usize = case.metadata["steps"].parse().expect("a number of steps");
    let mut trainer = Trainer::<Network<In, N>, O, L, B>::new(optimizer, loss);
    for step in 0..steps {
        let mean = trainer.step(&mut net, &x, targets);
        if step == 0 {
            case.assert_near("loss of a step", &[mean], case.numbers("loss"));
        }
    }
    if steps > 0 {
        // A gradient that is 0 but for rounding, such as that of the keys' biases, which shift all scores alike: Adam divides it by
        // its own size, and what comes out is chance.
        let (before, after) = (case.parameters("", &net), case.parameters("after.", &net));
        let slopes = case.parameters("grad.", &net);
        let is_chance = |i: usize| slopes[i].abs() < NOISE && before[i].to_bits() != after[i].to_bits();
        let known = |all: &[f32]| -> Vec<f32> {
            all.iter().enumerate().filter(|&(i, _)| !is_chance(i)).map(|(_, &parameter)| parameter).collect()
        };
        case.assert_near("parameters after the steps", &known(&flat(&net)), &known(&after));
    }
}

/// [`check`] with targets that are tensors.
fn numbers<In, N, O, L, const B: usize>(case: &Case, optimizer: O, loss: L)
where
    In: Shape,
    N: Differentiable<In>,
    O: Optimizer<f32>,
    L: Loss<N::Out, TensorOf<N::Out, f32>>,
    TensorOf<In, f32>: TensorFor<In, f32>,
{
    check::<In, N, O, L, _, B>(case, optimizer, loss, &batch(case.numbers("target")));
}

/// [`check`] with targets that are classes.
fn classes<In, N, O, L, const C: usize, const B: usize>(case: &Case, optimizer: O, loss: L)
where
    In: Shape,
    N: Differentiable<In>,
    O: Optimizer<f32>,
    L: Loss<N::Out, Class<C>>,
    TensorOf<In, f32>: TensorFor<In, f32>,
{
    let targets = case.numbers("target");
    assert_eq!(targets.len(), B);
    // PyTorch wrote the labels as floats.
    let label = |target: f32| (0..C).position(|class| target.to_string() == class.to_string()).expect("a class");
    let targets: [Class<C>; B] = core::array::from_fn(|i| Class::new(label(targets[i])).expect("in range"));
    check::<In, N, O, L, _, B>(case, optimizer, loss, &targets);
}

type Linear = (Dense<4, 3>,);
type Small = (Dense<5, 9>, Tanh, Dense<9, 2>);
type Inner = (Dense<16, 16>, Relu, Dense<16, 16>);
type Policy = (Dense<13, 64>, Tanh, Dense<64, 64>, Tanh, Dense<64, 4>);

/// What no optimiser step is taken with.
const NONE: Sgd = Sgd::const_new(0.0);

/// Runs one file. The strings are those of its header: a file that changed its meaning fails.
#[allow(clippy::too_many_lines)] // One arm for each file.
fn run(case: &Case) -> Option<(&'static str, &'static str)> {
    let sgd = Sgd::const_new(0.05);
    let momentum = sgd.with_momentum(0.9).expect("in range");
    Some(match case.name.as_str() {
        "activation_elu" => mean_squared::<Elu>(case),
        "activation_gelu" => mean_squared::<Gelu>(case),
        "activation_gelu_tanh" => mean_squared::<GeluTanh>(case),
        "activation_hard_sigmoid" => mean_squared::<HardSigmoid>(case),
        "activation_hard_swish" => mean_squared::<HardSwish>(case),
        "activation_leaky_relu" => mean_squared::<LeakyRelu>(case),
        "activation_log_softmax" => mean_squared::<LogSoftmax>(case),
        "activation_relu" => mean_squared::<Relu>(case),
        "activation_sigmoid" => mean_squared::<Sigmoid>(case),
        "activation_silu" => mean_squared::<Silu>(case),
        "activation_softmax" => mean_squared::<Softmax>(case),
        "activation_softplus" => mean_squared::<Softplus>(case),
        "activation_tanh" => mean_squared::<Tanh>(case),
        "embedding" => {
            numbers::<Vector<5>, (DenseNoBias<5, 4>,), _, _, 3>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "batch_norm2d" => {
            numbers::<Image<2, 5, 5>, (Conv2d<2, 3, 3>, BatchNorm<3>, Relu), _, _, 4>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "layer_norm" => {
            numbers::<Vector<5>, (Dense<5, 16>, LayerNorm<16>), _, _, 3>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "loss_bce" => {
            let loss = loss::BinaryCrossEntropy;
            numbers::<Vector<4>, (Dense<4, 3>, Sigmoid), _, _, 5>(case, NONE, loss);
            ("BCELoss()", "none")
        }
        "loss_bce_with_logits" => {
            numbers::<Vector<4>, Linear, _, _, 5>(case, NONE, loss::BinaryCrossEntropyWithLogits);
            ("BCEWithLogitsLoss()", "none")
        }
        "loss_cross_entropy" => {
            classes::<Vector<4>, Linear, _, _, 3, 5>(case, NONE, CrossEntropy);
            ("CrossEntropyLoss()", "none")
        }
        "loss_cross_entropy_smoothed" => {
            classes::<Vector<4>, Linear, _, _, 3, 5>(case, NONE, CrossEntropy::const_smoothed(0.1));
            ("CrossEntropyLoss()", "none")
        }
        "loss_huber" => {
            numbers::<Vector<4>, Linear, _, _, 5>(case, NONE, loss::Huber::default());
            ("HuberLoss()", "none")
        }
        "loss_l1" => {
            numbers::<Vector<4>, Linear, _, _, 5>(case, NONE, loss::L1);
            ("L1Loss()", "none")
        }
        "loss_mse" => {
            numbers::<Vector<4>, Linear, _, _, 5>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "loss_nll" => {
            classes::<Vector<4>, (Dense<4, 3>, LogSoftmax), _, _, 3, 5>(case, NONE, loss::Nll);
            ("NLLLoss()", "none")
        }
        "optimiser_adagrad" => stepped(case, Adagrad::const_new(0.05), "Adagrad lr=0.05"),
        "optimiser_adam" => stepped(case, Adam::const_new(0.01), "Adam lr=0.01 betas=(0.9,0.999) eps=1e-8"),
        "optimiser_adamw" => {
            let adamw = AdamW::const_new(0.01).with_weight_decay(0.1).expect("in range");
            stepped(case, adamw, "AdamW lr=0.01 weight_decay=0.1")
        }
        "optimiser_rmsprop" => stepped(case, RmsProp::const_new(0.01), "RMSprop lr=0.01 alpha=0.99 eps=1e-8"),
        "optimiser_sgd_momentum" => stepped(case, momentum, "SGD lr=0.05 momentum=0.9"),
        "optimiser_sgd_nesterov" => stepped(case, momentum.nesterov(), "SGD lr=0.05 momentum=0.9 nesterov"),
        "optimiser_sgd_weight_decay" => {
            stepped(case, sgd.with_weight_decay(0.1).expect("in range"), "SGD lr=0.05 weight_decay=0.1")
        }
        "self_attention" => {
            numbers::<Sequence<16, 8>, SelfAttention<16, 4>, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "causal_attention" => {
            numbers::<Sequence<8, 6>, SelfAttention<8, 2, Causal>, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "rms_norm" => {
            numbers::<Vector<5>, (Dense<5, 16>, RmsNorm<16>), _, _, 3>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "group_norm" => {
            numbers::<Image<2, 5, 4>, (Conv2d<2, 6, 3>, GroupNorm<3, 6>, Relu), _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "global_max_pool2d" => {
            numbers::<Image<3, 5, 4>, (GlobalMaxPool, Flatten, Dense<3, 2>), _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "max_pool1d_padded" => {
            numbers::<Sequence<3, 10>, (MaxPool1d<3, Stride<2>, Pad<1>>,), _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "avg_pool1d" => {
            type Net = (AvgPool1d<3, Stride<2>, Pad<1>>, AvgPool1d<2>);
            numbers::<Sequence<3, 10>, Net, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "conv1d_grouped" => {
            type First = GroupedConv1d<2, 3, 2, 3, Stride<2>, Pad<1>>;
            type Net = (First, DepthwiseConv1d<4, 3, Stride, Pad<2>, Dilation<2>>);
            numbers::<Sequence<6, 9>, Net, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "avg_pool2d" => {
            numbers::<Image<3, 6, 4>, (AvgPool2d<2>,), _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "cnn" => {
            type Second = Conv2d<8, 16, 3, 3, Stride, Pad<1>>;
            type Net = (Conv2d<1, 8, 3>, Relu, MaxPool2d<2>, Second, Relu, Flatten, Dense<144, 10>);
            classes::<Image<1, 8, 8>, Net, _, _, 10, 3>(case, Adam::const_new(0.01), CrossEntropy);
            ("CrossEntropyLoss()", "Adam lr=0.01")
        }
        "conv1d" => {
            type Net = (Conv1d<6, 8, 5>, Relu, MaxPool1d<2>, Conv1d<8, 4, 3, Stride<2>>);
            numbers::<Sequence<6, 32>, Net, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "conv1d_dilated_causal" => {
            // There the padding is a layer of its own.
            type Net = (Identity, Conv1d<3, 4, 3, Stride, Causal, Dilation<2>>);
            numbers::<Sequence<3, 12>, Net, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "conv2d_depthwise" => {
            type Net = (DepthwiseConv2d<4, 3, 3, Stride, Pad<1>>, Conv2d<4, 5, 1>);
            numbers::<Image<4, 6, 6>, Net, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "conv2d_grouped" => {
            type Net = (GroupedConv2d<2, 3, 2, 3, 2, Stride<2, 1>, Pad<1, 0>, Dilation<1, 2>>,);
            numbers::<Image<6, 5, 6>, Net, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "conv_transpose1d" => {
            type Net = (ConvTranspose1d<3, 4, 4, Stride<2>, Pad<1>, OutputPadding, f32, NoBias>,);
            numbers::<Sequence<3, 5>, Net, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "conv_transpose2d" => {
            type Net = (ConvTranspose2d<3, 2, 3, 2, Stride<2, 3>, Pad<1, 0>, OutputPadding<1, 2>>,);
            numbers::<Image<3, 3, 2>, Net, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "avg_pool2d_padded" => {
            numbers::<Image<3, 6, 4>, (AvgPool2d<3, 2, Stride<2, 1>, Pad<1>>,), _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "max_pool2d_padded" => {
            numbers::<Image<3, 6, 4>, (MaxPool2d<3, 2, Stride<2, 1>, Pad<1>>,), _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "upsample2d" => {
            numbers::<Image<3, 2, 3>, (Upsample<2, 3>,), _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "conv2d_stride_padding" => {
            numbers::<Image<2, 7, 9>, (Conv2d<2, 4, 3, 3, Stride<2>, Pad<1>>,), _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "global_avg_pool2d" => {
            numbers::<Image<3, 5, 4>, (GlobalAvgPool, Flatten, Dense<3, 2>), _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "transformer_block" => {
            type Attend = Residual<(LayerNorm<16>, SelfAttention<16, 4>)>;
            type Think = Residual<(LayerNorm<16>, Dense<16, 32>, Gelu, Dense<32, 16>)>;
            numbers::<Sequence<16, 8>, (Attend, Think), _, _, 2>(case, Adam::const_new(0.01), Mse);
            ("MSELoss()", "Adam lr=0.01")
        }
        "bidirectional_gru" => {
            type Net = (Bidirectional<Gru<3, 4>>, Last, Dense<8, 2>);
            numbers::<Sequence<3, 7>, Net, _, _, 2>(case, Adam::const_new(0.01), Mse);
            ("MSELoss()", "Adam lr=0.01")
        }
        "bidirectional_lstm" => {
            numbers::<Sequence<3, 7>, Bidirectional<Lstm<3, 4>>, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "bidirectional_rnn" => {
            numbers::<Sequence<3, 7>, Bidirectional<Rnn<3, 4, Relu>>, _, _, 2>(case, NONE, Mse);
            ("MSELoss()", "none")
        }
        "gru_last" => recurrent_last::<Gru<6, 16>>(case),
        "gru_sequence" => recurrent_sequence::<Gru<6, 16>>(case),
        "lstm_last" => recurrent_last::<Lstm<6, 16>>(case),
        "lstm_sequence" => recurrent_sequence::<Lstm<6, 16>>(case),
        "rnn_last" => recurrent_last::<Rnn<6, 16>>(case),
        "rnn_sequence" => recurrent_sequence::<Rnn<6, 16>>(case),
        "xor" => {
            type Xor = (Dense<2, 4>, Sigmoid, Dense<4, 1>, Sigmoid);
            numbers::<Vector<2>, Xor, _, _, 4>(case, Sgd::const_new(0.1), Mse);
            ("MSELoss()", "SGD lr=0.1")
        }
        "residual_mlp" => {
            type Net = (Dense<5, 16>, Residual<Inner>, Dense<16, 2>);
            numbers::<Vector<5>, Net, _, _, 3>(case, Sgd::const_new(0.1), Mse);
            ("MSELoss()", "SGD lr=0.1")
        }
        "policy" => {
            numbers::<Vector<13>, Policy, _, _, 8>(case, Adam::const_new(0.01), Mse);
            ("MSELoss()", "Adam lr=0.01")
        }
        "classifier" => {
            type Net = (Dense<64, 32>, Relu, Dense<32, 10>);
            classes::<Vector<64>, Net, _, _, 10, 8>(case, Adam::const_new(0.01), CrossEntropy);
            ("CrossEntropyLoss()", "Adam lr=0.01")
        }
        _ => return None,
    })
}

fn recurrent_last<R>(case: &Case) -> (&'static str, &'static str)
where
    R: Differentiable<Sequence<6, 12>> + Layer<Sequence<6, 12>, Out = Sequence<16, 12>>,
{
    classes::<Sequence<6, 12>, (R, Last, Dense<16, 4>), _, _, 4, 3>(case, Adam::const_new(0.01), CrossEntropy);
    ("CrossEntropyLoss()", "Adam lr=0.01")
}

fn recurrent_sequence<R>(case: &Case) -> (&'static str, &'static str)
where
    R: Differentiable<Sequence<6, 12>> + Layer<Sequence<6, 12>, Out = Sequence<16, 12>>,
{
    numbers::<Sequence<6, 12>, R, _, _, 2>(case, NONE, Mse);
    ("MSELoss()", "none")
}

fn mean_squared<A>(case: &Case) -> (&'static str, &'static str)
where
    A: Differentiable<Vector<5>> + Layer<Vector<5>, Out = Vector<5>>,
{
    numbers::<Vector<6>, (Dense<6, 5>, A), _, _, 6>(case, NONE, Mse);
    ("MSELoss()", "none")
}

fn stepped(case: &Case, optimizer: impl Optimizer<f32>, name: &'static str) -> (&'static str, &'static str) {
    numbers::<Vector<5>, Small, _, _, 4>(case, optimizer, Mse);
    ("MSELoss()", name)
}

#[test]
fn every_file_agrees() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("tests/data") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            continue; // Files for other tests.
        }
        let case = Case::read(&path);
        let (loss, optimiser) = run(&case).unwrap_or_else(|| panic!("no case for {}", path.display()));
        assert_eq!((loss, optimiser), (&*case.metadata["loss"], &*case.metadata["optimiser"]), "{}", case.name);
        assert_eq!(case.metadata["case"], case.name);
        files += 1;
    }
    assert!(files >= 66, "only {files} files: some are missing");
}
