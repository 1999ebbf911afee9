//! The library that all of this is about.

use crate::nets::{Batch, Net};
use crate::peer::Peer;
use crate::peers::view;
use constnet::loss::{CrossEntropy, Mse};
use constnet::nalgebra::SVector;
use constnet::network::StateOf;
use constnet::optimizer::Adam;
use constnet::shape::TensorOf;
use constnet::train::Trainer;
use constnet::{
    Causal, Class, Conv1d, Conv2d, Dense, Dilation, Flatten, Gru, Image, Lstm, MaxPool2d, Network, Relu, Sequence,
    Sigmoid, Softmax, Stride, Tanh, Vector,
};

type XorNet = Network<Vector<2>, (Dense<2, 4>, Sigmoid, Dense<4, 1>, Sigmoid)>;
type PolicyNet = Network<Vector<13>, (Dense<13, 64>, Tanh, Dense<64, 64>, Tanh, Dense<64, 4>)>;
type SmallNet = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
type MnistNet = Network<Vector<784>, (Dense<784, 64>, Relu, Dense<64, 64>, Relu, Dense<64, 10>)>;
type LeNetNet = Network<
    Image<1, 28, 28>,
    (Conv2d<1, 8, 3>, Relu, MaxPool2d<2>, Conv2d<8, 16, 3>, Relu, MaxPool2d<2>, Flatten, Dense<400, 10>),
>;
type LstmNet = Network<Sequence<1, 100>, (Lstm<1, 20>, Dense<20, 1>)>;
type GruNet = Network<Sequence<1, 100>, (Gru<1, 8>, Dense<8, 1>)>;
type Conv1dNet = Network<Sequence<8, 100>, (Conv1d<8, 8, 7, Stride<1>, Causal, Dilation<2>>,)>;

/// With a softmax behind, to predict; training takes the logits.
type SmallPredictor = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>, Softmax)>;
type MnistPredictor = Network<Vector<784>, (Dense<784, 64>, Relu, Dense<64, 64>, Relu, Dense<64, 10>, Softmax)>;
type LeNetPredictor = Network<
    Image<1, 28, 28>,
    (Conv2d<1, 8, 3>, Relu, MaxPool2d<2>, Conv2d<8, 16, 3>, Relu, MaxPool2d<2>, Flatten, Dense<400, 10>, Softmax),
>;

pub(super) fn make(net: Net, batch: usize, rate: f64) -> Option<Box<dyn Peer>> {
    match batch {
        1 => Some(of_batch::<1>(net, rate)),
        32 => Some(of_batch::<32>(net, rate)),
        _ => None,
    }
}

fn of_batch<const B: usize>(net: Net, rate: f64) -> Box<dyn Peer> {
    match net {
        Net::Xor => Box::new(Xor::<B>::new(net, rate)),
        Net::Policy => Box::new(Policy::<B>::new(net, rate)),
        Net::Small => Box::new(Small::<B>::new(net, rate)),
        Net::Mnist => Box::new(Mnist::<B>::new(net, rate)),
        Net::LeNet => Box::new(LeNet::<B>::new(net, rate)),
        Net::Lstm => Box::new(Lstm20::new(net)),
        Net::Gru => Box::new(Gru8::new(net)),
        Net::Conv1d => Box::new(Conv1d8::new(net)),
    }
}

/// The target of each sample, as `CrossEntropy` takes it.
fn classes<const N: usize, const B: usize>(batch: &Batch<'_>) -> [Class<N>; B] {
    let mut labels = batch.labels.iter();
    std::array::from_fn(|_| labels.next().and_then(|&label| Class::new(label).ok()).expect("a class for each sample"))
}

/// A network that is trained. The one that predicts is another where a softmax comes behind it.
macro_rules! trained {
    ($name:ident, $predictor:ty, $net:ty, $loss:ident, $x:ty, |$batch:ident| $targets:expr) => {
        struct $name<const B: usize> {
            predictor: Box<$predictor>,
            net: Box<$net>,
            trainer: Box<Trainer<$net, Adam, $loss, B>>,
        }

        impl<const B: usize> $name<B> {
            fn new(net: Net, rate: f64) -> Self {
                let file = net.file();
                let mut predictor = Box::new(<$predictor>::ZERO);
                predictor.load(&file).expect("the predictor's file");
                let mut net = Box::new(<$net>::ZERO);
                net.load(&file).expect("the network's file");
                let adam = Adam::new(rate).expect("a valid rate");
                Self { predictor, net, trainer: Box::new(Trainer::new(adam, $loss)) }
            }
        }

        impl<const B: usize> Peer for $name<B> {
            fn predict(&mut self, x: &[f32], y: &mut [f32]) {
                y.copy_from_slice(self.predictor.predict(view::<$x>(x)).as_slice());
            }

            fn step(&mut self, $batch: Batch<'_>) -> Option<f32> {
                Some(self.trainer.step(&mut *self.net, view::<[$x; B]>($batch.x), $targets))
            }
        }
    };
}

trained!(Xor, XorNet, XorNet, Mse, SVector<f32, 2>, |batch| view::<[SVector<f32, 1>; B]>(batch.y));
trained!(Policy, PolicyNet, PolicyNet, Mse, SVector<f32, 13>, |batch| view::<[SVector<f32, 4>; B]>(batch.y));
trained!(Small, SmallPredictor, SmallNet, CrossEntropy, SVector<f32, 64>, |batch| &classes::<10, B>(&batch));
trained!(Mnist, MnistPredictor, MnistNet, CrossEntropy, SVector<f32, 784>, |batch| &classes::<10, B>(&batch));
trained!(LeNet, LeNetPredictor, LeNetNet, CrossEntropy, TensorOf<Image<1, 28, 28>, f32>, |batch| &classes::<10, B>(
    &batch
));

/// A network that runs step by step.
macro_rules! stream {
    ($name:ident, $net:ty, $x:ty) => {
        struct $name {
            net: Box<$net>,
            state: StateOf<$net>,
        }

        impl $name {
            fn new(net: Net) -> Self {
                let file = net.file();
                let mut net = Box::new(<$net>::ZERO);
                net.load(&file).expect("the network's file");
                Self { net, state: <$net>::start() }
            }
        }

        impl Peer for $name {
            fn predict(&mut self, x: &[f32], y: &mut [f32]) {
                y.copy_from_slice(self.net.step(&mut self.state, view::<$x>(x)).as_slice());
            }
        }
    };
}

stream!(Lstm20, LstmNet, SVector<f32, 1>);
stream!(Gru8, GruNet, SVector<f32, 1>);
stream!(Conv1d8, Conv1dNet, SVector<f32, 8>);
