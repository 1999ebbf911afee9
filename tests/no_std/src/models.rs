//! Every layer, loss and optimiser is in one of these models, so that `check.sh` sees the code of each.

use crate::Exclusive;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::network::Workspace;
use constnet::optimizer::{Adagrad, Adam, AdamW, Momentum, RmsProp, Sgd};
use constnet::streaming::Streaming;
use constnet::train::Trainer;
use constnet::{
    AvgPool1d, AvgPool2d, BatchNorm, Bidirectional, Causal, Class, Concat, Conv1d, Conv2d, Conv2dNoBias,
    ConvTranspose1d, ConvTranspose2d, Dense, DenseNoBias, DepthwiseConv2d, Dilation, Elu, Embedding, Flatten, Gelu,
    GeluTanh, GlobalAvgPool, GlobalMaxPool, GroupNorm, GroupedConv1d, GroupedConv2d, Gru, HardSigmoid, HardSwish,
    Identity, Image, Last, LayerNorm, LeakyRelu, LearnedPositions, LogSoftmax, Lstm, MaxPool1d, MaxPool2d, Network,
    Pad, Parallel, PositionalEncoding, Relu, Reshape, Residual, RmsNorm, Rnn, Same, SelfAttention, Sequence, Sigmoid,
    Silu, Softmax, Softplus, Stride, Tanh, TimeDistributed, Tokens, Upsample, Valid, Vector, loss,
};

/// A network and its trainer as statics, and two functions: one predicts, one makes a training step.
macro_rules! model {
    (
        $name:ident, $batch:literal, $predict:ident, $step:ident,
        Network<$In:ty, $Layers:ty>: [$x:ty => $y:ty],
        $optimizer:ty = $new_optimizer:expr,
        $loss:ty = $new_loss:expr, |$target:ident: $raw:ty| $checked:expr
    ) => {
        mod $name {
            use super::*;

            type Net = Network<$In, $Layers>;

            static NET: Exclusive<Net> = Exclusive::new(Net::ZERO);
            static WORKSPACE: Exclusive<Workspace<Net>> = Exclusive::new(Workspace::ZERO);
            static TRAINER: Exclusive<Trainer<Net, $optimizer, $loss, $batch>> =
                Exclusive::new(Trainer::new($new_optimizer, $new_loss));

            #[unsafe(no_mangle)]
            extern "C" fn $predict(x: &$x, y: &mut $y, on_stack: bool) {
                *y = if on_stack { NET.get().predict(x) } else { NET.get().predict_in(WORKSPACE.get(), x) };
            }

            /// The loss; NaN for a target that is none.
            #[unsafe(no_mangle)]
            extern "C" fn $step(x: &[$x; $batch], $target: &[$raw; $batch]) -> f32 {
                match $checked {
                    Some(targets) => TRAINER.get().step(NET.get(), x, targets),
                    None => f32::NAN,
                }
            }
        }
    };
}

/// The labels, if each is one of `N` classes.
fn classes<const N: usize, const B: usize>(labels: &[usize; B]) -> Option<[Class<N>; B]> {
    let mut all = [const { Class::const_new(0) }; B];
    for (class, &label) in all.iter_mut().zip(labels) {
        *class = Class::new(label).ok()?;
    }
    Some(all)
}

/// An optimiser with every option set; wrong options fail the build.
macro_rules! built {
    ($result:expr) => {
        const {
            match $result {
                Ok(built) => built,
                Err(_) => panic!("a hyperparameter is out of its range"),
            }
        }
    };
}

model! {
    xor, 4, constnet_xor_predict, constnet_xor_step,
    Network<Vector<2>, (Dense<2, 4>, Sigmoid, Dense<4, 1>, Sigmoid)>: [SVector<f32, 2> => SVector<f32, 1>],
    Sgd = Sgd::const_new(0.1),
    loss::Mse = loss::Mse, |targets: SVector<f32, 1>| Some(targets)
}

model! {
    digits, 32, constnet_digits_predict, constnet_digits_step,
    Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>: [SVector<f32, 64> => SVector<f32, 10>],
    Adam = Adam::const_new(1e-3),
    loss::CrossEntropy = loss::CrossEntropy, |labels: usize| classes::<10, 32>(labels).as_ref()
}

model! {
    probabilities, 3, constnet_probabilities_predict, constnet_probabilities_step,
    Network<Sequence<4, 6>, (
        Dense<4, 8>, Gelu, Residual<(Dense<8, 8>, GeluTanh, DenseNoBias<8, 8>)>, Elu, Flatten, Dense<48, 5>, Softmax,
    )>: [SMatrix<f32, 4, 6> => SVector<f32, 5>],
    Momentum = built!(Sgd::const_new(0.1).with_momentum(0.9)).nesterov(),
    loss::CategoricalCrossEntropy = loss::CategoricalCrossEntropy, |labels: usize| classes::<5, 3>(labels).as_ref()
}

model! {
    log_probabilities, 3, constnet_log_probabilities_predict, constnet_log_probabilities_step,
    Network<Vector<12>, (LeakyRelu, Reshape<Sequence<3, 4>>, Silu, Dense<3, 5>, Flatten, Dense<20, 6>, LogSoftmax)>:
        [SVector<f32, 12> => SVector<f32, 6>],
    AdamW = AdamW::const_new(1e-3),
    loss::Nll = loss::Nll, |labels: usize| classes::<6, 3>(labels).as_ref()
}

model! {
    smoothed, 2, constnet_smoothed_predict, constnet_smoothed_step,
    Network<Image<2, 3, 4>, (Softplus, Flatten, Dense<24, 7>)>: [[SMatrix<f32, 2, 4>; 3] => SVector<f32, 7>],
    Adam = built!(Adam::const_new(1e-3).with_weight_decay(1e-2)),
    loss::SmoothedCrossEntropy = loss::CrossEntropy::const_smoothed(0.1), |labels: usize| classes::<7, 2>(labels).as_ref()
}

model! {
    huber, 5, constnet_huber_predict, constnet_huber_step,
    Network<Vector<7>, (Dense<7, 11>, HardSwish, Dense<11, 3>, Identity)>: [SVector<f32, 7> => SVector<f32, 3>],
    RmsProp = RmsProp::const_new(1e-3),
    loss::Huber = loss::Huber::const_new(1.0), |targets: SVector<f32, 3>| Some(targets)
}

model! {
    absolute, 1, constnet_absolute_predict, constnet_absolute_step,
    Network<Vector<13>, (Dense<13, 64>, Tanh, Dense<64, 64>, Tanh, Dense<64, 4>)>:
        [SVector<f32, 13> => SVector<f32, 4>],
    Adagrad = Adagrad::const_new(1e-2),
    loss::L1 = loss::L1, |targets: SVector<f32, 4>| Some(targets)
}

model! {
    binary, 2, constnet_binary_predict, constnet_binary_step,
    Network<Vector<3>, (Dense<3, 2>, HardSigmoid)>: [SVector<f32, 3> => SVector<f32, 2>],
    Sgd = built!(Sgd::const_new(0.1).with_weight_decay(1e-4)),
    loss::BinaryCrossEntropy = loss::BinaryCrossEntropy, |targets: SVector<f32, 2>| Some(targets)
}

#[cfg(feature = "rand")]
model! {
    dropout, 4, constnet_dropout_predict, constnet_dropout_step,
    Network<Vector<9>, (Dense<9, 12>, Relu, constnet::Dropout<1, 5>, Dense<12, 1>)>:
        [SVector<f32, 9> => SVector<f32, 1>],
    Adam = Adam::const_new(1e-3),
    loss::BinaryCrossEntropyWithLogits = loss::BinaryCrossEntropyWithLogits, |targets: SVector<f32, 1>| Some(targets)
}

model! {
    picture, 2, constnet_picture_predict, constnet_picture_step,
    Network<Image<2, 12, 10>, (
        Conv2d<2, 6, 3, 3, Stride<2>, Pad<1>>, BatchNorm<6>, Relu,
        Residual<(GroupedConv2d<2, 3, 3, 3, 3, Stride<1>, Same>, DepthwiseConv2d<6, 3, 3, Stride<1>, Same>, GroupNorm<2, 6>)>,
        Parallel<(Conv2d<6, 4, 1>, MaxPool2d<2>), (AvgPool2d<2>, Conv2dNoBias<6, 3, 1>), Concat>,
        ConvTranspose2d<7, 7, 2, 2, Stride<2>>, Upsample, Conv2d<7, 5, 3, 3, Stride<1>, Valid, Dilation<1>>, GlobalAvgPool, Dense<5, 4>,
    )>: [[SMatrix<f32, 2, 10>; 12] => SVector<f32, 4>],
    Adam = Adam::const_new(1e-3),
    loss::CrossEntropy = loss::CrossEntropy, |labels: usize| classes::<4, 2>(labels).as_ref()
}

model! {
    signal, 2, constnet_signal_predict, constnet_signal_step,
    Network<Sequence<3, 16>, (
        Conv1d<3, 8, 3, Stride<1>, Causal, Dilation<2>>, LayerNorm<8>, Rnn<8, 8>, Gru<8, 8>, RmsNorm<8>, Lstm<8, 8>, Last, Dense<8, 2>,
    )>: [SMatrix<f32, 3, 16> => SVector<f32, 2>],
    Adam = Adam::const_new(1e-3),
    loss::Mse = loss::Mse, |targets: SVector<f32, 2>| Some(targets)
}

model! {
    both_ways, 2, constnet_both_ways_predict, constnet_both_ways_step,
    Network<Sequence<3, 16>, (
        Bidirectional<Gru<3, 4>>, GroupedConv1d<2, 4, 4, 3, Stride<1>, Same>, ConvTranspose1d<8, 8, 2, Stride<2>>, MaxPool1d<2>, AvgPool1d<2>, TimeDistributed<(Dense<8, 6>, Tanh)>, GlobalMaxPool, Dense<6, 2>,
    )>: [SMatrix<f32, 3, 16> => SVector<f32, 2>],
    Adam = Adam::const_new(1e-3),
    loss::Mse = loss::Mse, |targets: SVector<f32, 2>| Some(targets)
}

model! {
    text, 2, constnet_text_predict, constnet_text_step,
    Network<Tokens<9, 6>, (
        Embedding<9, 8>, PositionalEncoding, LearnedPositions<8, 6>,
        Residual<(LayerNorm<8>, SelfAttention<8, 2, Causal>)>, Residual<(LayerNorm<8>, Dense<8, 16>, Gelu, Dense<16, 8>)>,
        SelfAttention<8, 4>, Last, Dense<8, 9>,
    )>: [[Class<9>; 6] => SVector<f32, 9>],
    Adam = Adam::const_new(1e-3),
    loss::CrossEntropy = loss::CrossEntropy, |labels: usize| classes::<9, 2>(labels).as_ref()
}

/// One step of a signal at a time.
mod control {
    use super::*;

    type Layers = (
        Conv1d<3, 8, 3, Stride<1>, Causal, Dilation<2>>,
        LayerNorm<8>,
        Rnn<8, 8>,
        Gru<8, 8>,
        Lstm<8, 8>,
        Last,
        Dense<8, 2>,
    );
    type State = <Layers as Streaming<Vector<3>>>::State;

    static NET: Network<Sequence<3, 16>, Layers> = Network::ZERO;

    #[unsafe(no_mangle)]
    extern "C" fn constnet_control_step(state: &mut State, x: &SVector<f32, 3>, y: &mut SVector<f32, 2>) {
        *y = NET.step(state, x);
    }
}
