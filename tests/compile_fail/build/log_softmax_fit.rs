//! twin: pairs
//! error: `CrossEntropy` takes logits, and the network ends with log-probabilities: leave out its last `LogSoftmax`, or train with `Nll`
use constnet::data::Dataset;
use constnet::loss::{BinaryCrossEntropyWithLogits, CategoricalCrossEntropy, CrossEntropy, Nll, Unchecked};
use constnet::nalgebra::SVector;
use constnet::optimizer::Sgd;
use constnet::train::{Fit, Trainer};
use constnet::{Class, Dense, Flatten, Identity, LogSoftmax, Network, Sigmoid, Softmax, Vector};

type Stepped = Network<Vector<4>, (Dense<4, 3>, Identity)>;
type Accumulated = Network<Vector<4>, (Dense<4, 3>, Identity, (Flatten, Identity))>;
type Fitted = Network<Vector<4>, (Dense<4, 3>, (LogSoftmax, Flatten))>;
type Evaluated = Network<Vector<4>, (Network<Vector<4>, (Dense<4, 3>, Identity)>, Flatten)>;
type Binary = Network<Vector<4>, (Dense<4, 1>, Identity)>;
type Logarithms = Network<Vector<4>, (Dense<4, 3>, LogSoftmax)>;
type Probabilities = Network<Vector<4>, (Dense<4, 3>, Softmax)>;
type Hidden = Network<Vector<4>, (Dense<4, 3>, Sigmoid, Dense<3, 3>)>;

const SGD: Sgd = Sgd::const_new(0.1);

fn main() {
    let (inputs, labels) = ([SVector::<f32, 4>::zeros()], [Class::<3>::const_new(1)]);
    Trainer::<Stepped, _, _, 1>::new(SGD, CrossEntropy).step(&mut Stepped::ZERO, &inputs, &labels);
    let smoothed = CrossEntropy::const_smoothed(0.1);
    Trainer::<Accumulated, _, _, 1>::new(SGD, smoothed).accumulate(&mut Accumulated::ZERO, &inputs, &labels);
    if let Ok(data) = Dataset::new(&inputs, &labels) {
        let _ = Trainer::<Fitted, _, _, 1>::new(SGD, CrossEntropy).fit(&mut Fitted::ZERO, data, Fit::epochs(1), &mut ());
        Trainer::<Evaluated, _, _, 1>::new(SGD, CrossEntropy).evaluate(&Evaluated::ZERO, data);
    }
    let targets = [SVector::<f32, 1>::zeros()];
    Trainer::<Binary, _, _, 1>::new(SGD, BinaryCrossEntropyWithLogits).step(&mut Binary::ZERO, &inputs, &targets);
    Trainer::<Logarithms, _, _, 1>::new(SGD, Nll).step(&mut Logarithms::ZERO, &inputs, &labels);
    let mut net = Probabilities::ZERO;
    Trainer::<Probabilities, _, _, 1>::new(SGD, CategoricalCrossEntropy).step(&mut net, &inputs, &labels);
    Trainer::<Probabilities, _, _, 1>::new(SGD, Unchecked(CrossEntropy)).step(&mut net, &inputs, &labels);
    Trainer::<Hidden, _, _, 1>::new(SGD, CrossEntropy).step(&mut Hidden::ZERO, &inputs, &labels);
}
