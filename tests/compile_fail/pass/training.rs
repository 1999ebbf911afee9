//! Training that fits its network.
use constnet::loss::{CrossEntropy, Mse};
use constnet::nalgebra::SVector;
use constnet::optimizer::{Adam, Sgd};
use constnet::train::{NotFinite, Trainer};
use constnet::{Class, Dense, Network, Relu, Vector};

type Net = Network<Vector<4>, (Dense<4, 8>, Relu, Dense<8, 3>)>;
type Wider = Network<Vector<4>, (Dense<4, 9>, Relu, Dense<9, 3>)>;
type Line = Network<Vector<1>, (Dense<1, 1>,)>;

fn main() -> Result<(), NotFinite> {
    let mut net = Net::ZERO;
    let mut wider = Wider::ZERO;
    let mut line = Line::ZERO;

    let mut trainer = Trainer::<Net, _, _, 32>::new(Adam::const_new(1e-3), CrossEntropy);
    let inputs = [SVector::<f32, 4>::zeros(); 32];
    let labels = [Class::<3>::const_new(0); 32];
    trainer.step(&mut net, &inputs, &labels);
    trainer.accumulate(&mut net, &inputs, &labels);
    trainer.apply(&mut net)?;

    let mut other = Trainer::<Wider, _, _, 1>::new(Adam::const_new(1e-3), CrossEntropy);
    other.step(&mut wider, &[SVector::<f32, 4>::zeros()], &[Class::<3>::const_new(0)]);

    let mut regression = Trainer::<Line, _, _, 2>::new(Sgd::const_new(1e-3), Mse);
    let (x, y) = ([SVector::<f32, 1>::zeros(); 2], [SVector::<f32, 1>::zeros(); 2]);
    regression.step(&mut line, &x, &y);
    Ok(())
}
