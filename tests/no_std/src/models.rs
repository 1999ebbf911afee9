//! Every layer, loss and optimiser is in one of these models, so that `check.sh` sees the code of each.

use crate::Exclusive;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::{Adagrad, Adam, AdamW, Momentum, RmsProp, Sgd};
use constnet::train::Trainer;
use constnet::{
    Class, Dense, DenseNoBias, Elu, Flatten, Gelu, GeluTanh, HardSigmoid, HardSwish, Identity, Image, LeakyRelu,
    LogSoftmax, Network, Relu, Reshape, Residual, Sequence, Sigmoid, Silu, Softmax, Softplus, Tanh, Vector, loss,
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
            static TRAINER: Exclusive<Trainer<Net, $optimizer, $loss, $batch>> =
                Exclusive::new(Trainer::new($new_optimizer, $new_loss));

            #[unsafe(no_mangle)]
            extern "C" fn $predict(x: &$x, y: &mut $y) {
                *y = NET.get().predict(x);
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
