//! error: training `Dropout` needs the feature `rand` of constnet: `cargo add constnet --features rand` turns it on
use constnet::loss::Mse;
use constnet::optimizer::Sgd;
use constnet::train::Trainer;
use constnet::{Dense, Dropout, Network, Vector};

type Net = Network<Vector<4>, (Dense<4, 3>, Dropout<1, 5>)>;

fn main() {
    let trainer = Trainer::<Net, _, _, 2>::new(Sgd::const_new(0.1), Mse);
    let _ = trainer.steps();
}
