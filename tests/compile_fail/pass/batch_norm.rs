//! A batch normalisation that trains on two samples.
use constnet::nalgebra::SVector;
use constnet::{BatchNorm, Epsilon, Network, Vector};
use constnet::{loss::Mse, optimizer::Sgd, train::Trainer};

type Net = Network<Vector<3>, (BatchNorm<3, Epsilon<1, 1000>>,)>;

const BATCH: usize = 2;

const _: Trainer<Net, Sgd, Mse, BATCH> = Trainer::new(Sgd::const_new(0.1), Mse);
const _: () = Net::CHECK;

fn main() {
    let mut net = Net::ZERO;
    let x = [SVector::<f32, 3>::zeros(); BATCH];
    let mut trainer = Trainer::<Net, _, _, BATCH>::new(Sgd::const_new(0.1), Mse);
    trainer.step(&mut net, &x, &x);
}
