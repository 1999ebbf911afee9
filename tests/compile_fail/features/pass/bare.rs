//! What needs no feature: prediction, with `Dropout` too, and training without it.
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::Sgd;
use constnet::train::Trainer;
use constnet::{Dense, Dropout, Network, Vector};

type Net = Network<Vector<4>, (Dense<4, 3>, Dropout<1, 5>)>;
type Trained = Network<Vector<4>, (Dense<4, 3>,)>;

fn main() {
    let x = SVector::from([0.5; 4]);
    let y = Net::ZERO.predict(&x);
    Trainer::<Trained, _, _, 1>::new(Sgd::const_new(0.1), Mse).step(&mut Trained::ZERO, &[x], &[y]);
}
