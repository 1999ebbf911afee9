//! twin: batch
//! error: a batch of 0 samples trains nothing: `Trainer<Net, _, _, B>` needs B of 1 or above
use constnet::loss::Mse;
use constnet::optimizer::Sgd;
use constnet::train::Trainer;
use constnet::{Dense, Network, Vector};

type Net = Network<Vector<2>, (Dense<2, 1>,)>;

const BATCH: usize = 0;

const _: Trainer<Net, Sgd, Mse, BATCH> = Trainer::new(Sgd::const_new(0.1), Mse);

fn main() {
    let trainer = Trainer::<Net, _, _, BATCH>::new(Sgd::const_new(0.1), Mse);
    let _ = trainer.steps();
}
