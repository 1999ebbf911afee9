//! twin: built
//! error: a layer gives a tensor of no numbers: every extent of a shape is 1 or above
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::Sgd;
use constnet::train::Trainer;
use constnet::{Dense, Dropout, LeakyRelu, Network, Vector};

type Net = Network<Vector<2>, (Dense<2, 3>, LeakyRelu<2, 10>, Dropout<4, 5>, Dense<3, 1>)>;
type Line = Network<Vector<2>, (Dense<2, 0>,)>;

const _: [(); 2] = [Net::CHECK, Line::CHECK];

fn main() {
    let mut net = Net::ZERO;
    let mut trainer = Trainer::<Net, _, _, 1>::new(Sgd::const_new(0.1), Mse);
    let (x, y) = ([SVector::<f32, 2>::zeros(); 1], [SVector::<f32, 1>::zeros(); 1]);
    trainer.step(&mut net, &x, &y);
    let _ = Line::ZERO.predict(&x[0]);
}
