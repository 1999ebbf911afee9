//! twin: untrainable
//! error: layer `Table` cannot be trained with inputs of shape `Vector<2>` (of `f32`)
use constnet::layer::{Both, Layer};
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::Sgd;
use constnet::train::Trainer;
use constnet::{ConstZero, Dense, Network, Tanh, Vector};

struct Table;

impl ConstZero for Table {
    const ZERO: Self = Self;
}

impl Layer<Vector<2>> for Table {
    type Out = Vector<2>;
    type Peak<X, Y> = Both<X, Y>;
    fn forward(&self, x: &SVector<f32, 2>, y: &mut SVector<f32, 2>) {
        *y = x * 2.0;
    }
}

type Predicts = Network<Vector<2>, (Table, Dense<2, 2>)>;
type Trains = Network<Vector<2>, (Table, Dense<2, 2>)>;

fn main() {
    let y = Predicts::ZERO.predict(&SVector::<f32, 2>::zeros());
    let mut net = Trains::ZERO;
    let mut trainer = Trainer::<Trains, _, _, 1>::new(Sgd::const_new(0.1), Mse);
    trainer.step(&mut net, &[SVector::<f32, 2>::zeros()], &[y]);
}
