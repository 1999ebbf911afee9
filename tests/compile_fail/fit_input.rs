//! twin: fitting
//! error: a tensor of shape `Vector<4>` is wanted here, and this one is 3 by 1
use constnet::data::Dataset;
use constnet::loss::CrossEntropy;
use constnet::nalgebra::SVector;
use constnet::optimizer::Adam;
use constnet::train::{Fit, Trainer};
use constnet::{Class, Dense, Network, Relu, Vector};

type Net = Network<Vector<4>, (Dense<4, 8>, Relu, Dense<8, 3>)>;

fn main() {
    let inputs = vec![SVector::<f32, 3>::zeros(); 50];
    let labels = vec![Class::<3>::const_new(1); 50];
    let data = Dataset::new(&inputs, &labels).unwrap();
    let mut net = Net::ZERO;
    let mut trainer = Trainer::<Net, _, _, 8>::new(Adam::const_new(1e-3), CrossEntropy);
    trainer.fit(&mut net, data, Fit::epochs(1), &mut ()).unwrap();
    let loss = trainer.evaluate(&net, data);
    let _ = loss;
}
