//! XOR, the smallest problem that needs a hidden layer: a 2-4-1 network of sigmoids, trained on squared error.
//!
//! First as a textbook does it: backpropagation with plain gradient descent, learning rate 0.1, 10,000 epochs, one update after
//! each sample. Then the same network from the same start with Adam.
//!
//! ```text
//! cargo run --release --example xor
//! ```

use constnet::data::Dataset;
use constnet::loss::Mse;
use constnet::nalgebra::{Vector1, Vector2};
use constnet::optimizer::{Adam, Optimizer, Sgd};
use constnet::train::{Fit, Trainer};
use constnet::{Dense, Network, Sigmoid, Vector};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::error::Error;

type Xor = Network<Vector<2>, (Dense<2, 4>, Sigmoid, Dense<4, 1>, Sigmoid)>;

const INPUTS: [Vector2<f32>; 4] =
    [Vector2::new(0.0, 0.0), Vector2::new(0.0, 1.0), Vector2::new(1.0, 0.0), Vector2::new(1.0, 1.0)];
const TARGETS: [Vector1<f32>; 4] = [Vector1::new(0.0), Vector1::new(1.0), Vector1::new(1.0), Vector1::new(0.0)];

const EPOCHS: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    // The last parameter of a trainer is how many samples each update sees: one, for the textbook.
    let gradient_descent = Trainer::<Xor, _, _, 1>::new(Sgd::new(0.1)?, Mse);
    show("gradient descent, learning rate 0.1, one sample an update", gradient_descent)?;

    let adam = Trainer::<Xor, _, _, 4>::new(Adam::new(0.01)?, Mse);
    show("Adam, learning rate 0.01, all four samples an update", adam)?;
    Ok(())
}

/// Trains a network from the same start as every other and prints what it makes of the four inputs.
fn show<O: Optimizer<f32>, const BATCH: usize>(
    title: &str,
    mut trainer: Trainer<Xor, O, Mse, BATCH>,
) -> Result<(), Box<dyn Error>> {
    let data = Dataset::new(&INPUTS, &TARGETS)?;
    let mut net = Xor::ZERO;
    net.init(&mut StdRng::seed_from_u64(1));

    println!("{title}");
    println!("  loss before training       {:.6}", trainer.evaluate(&net, data));
    let report = trainer.fit(&mut net, data, Fit::epochs(EPOCHS), &mut ())?;
    println!("  loss after {} epochs   {:.6}  ({} updates)", report.epochs, trainer.evaluate(&net, data), report.steps);
    for (x, target) in data.iter() {
        println!("  {} xor {} = {}   the network says {:.4}", x[0], x[1], target[0], net.predict(x)[0]);
    }
    Ok(())
}
