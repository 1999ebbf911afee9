//! twin: built
//! error: dropout's probability must be below 1: write `Dropout<1, 5>` for 0.2
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::Sgd;
use constnet::train::Trainer;
use constnet::{Dense, Dropout, LeakyRelu, Network, Vector};

type Net = Network<Vector<2>, (Dense<2, 3>, LeakyRelu<2, 10>, Dropout<5, 5>, Dense<3, 1>)>;
type Line = Network<Vector<2>, (Dense<2, 1>,)>;

const _: [(); 2] = [Net::CHECK, Line::CHECK];

fn main() {
    let mut net = Net::ZERO;
    let mut trainer = Trainer::<Net, _, _, 1>::new(Sgd::const_new(0.1), Mse);
    let (x, y) = ([SVector::<f32, 2>::zeros(); 1], [SVector::<f32, 1>::zeros(); 1]);
    trainer.step(&mut net, &x, &y);
    let _ = Line::ZERO.predict(&x[0]);
}
