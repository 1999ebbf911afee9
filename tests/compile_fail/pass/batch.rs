//! A trainer of batches of 1.
use constnet::loss::Mse;
use constnet::optimizer::Sgd;
use constnet::train::Trainer;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<2>, (Dense<2, 1>,)>;

const BATCH: usize = 1;

const _: Trainer<Net, Sgd, Mse, BATCH> = Trainer::new(Sgd::const_new(0.1), Mse);

fn main() {
    let trainer = Trainer::<Net, _, _, BATCH>::new(Sgd::const_new(0.1), Mse);
    let _ = trainer.steps();
}
