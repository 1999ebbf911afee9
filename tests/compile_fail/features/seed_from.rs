//! error: random numbers need the feature `rand` of constnet: `cargo add constnet --features rand` turns it on
use constnet::loss::Mse;
use constnet::optimizer::Sgd;
use constnet::train::Trainer;
use constnet::{Dense, Network, Relu, Vector};

type Net = Network<Vector<4>, (Dense<4, 8>, Relu, Dense<8, 3>)>;

fn main() {
    let (mut trainer, mut rng) = (Trainer::<Net, _, _, 2>::new(Sgd::const_new(0.1), Mse), 1_u64);
    trainer.seed_from(&mut rng);
}
