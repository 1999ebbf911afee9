//! MNIST, the classic: 60,000 handwritten digits of 28x28 pixels to learn from, 10,000 to be tested on.
//!
//! A 784-64-64-10 network with ReLU, cross-entropy, Adam, 5 epochs of mini-batches of 32. The network and its trainer are
//! statics, so they take no stack: this works in a debug build too, though slowly.
//!
//! ```text
//! sh examples/data/fetch.sh mnist
//! cargo run --release --example mnist
//! ```

#[path = "support/exit.rs"]
mod exit;
#[path = "support/mnist.rs"]
mod mnist;

use constnet::data::Dataset;
use constnet::loss::CrossEntropy;
use constnet::nalgebra::SVector;
use constnet::optimizer::Adam;
use constnet::train::{Fit, Trainer};
use constnet::{Dense, Network, Relu, Vector};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

type Mnist = Network<Vector<784>, (Dense<784, 64>, Relu, Dense<64, 64>, Relu, Dense<64, 10>)>;
type MnistTrainer = Trainer<Mnist, Adam, CrossEntropy, 32>;

static NET: Mutex<Mnist> = Mutex::new(Mnist::ZERO);
static TRAINER: Mutex<MnistTrainer> = Mutex::new(Trainer::new(Adam::const_new(1e-3), CrossEntropy));

const EPOCHS: u32 = 5;

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let (train_x, train_y) = mnist::load("train", vector)?;
    let (test_x, test_y) = mnist::load("t10k", vector)?;
    let (train, test) = (Dataset::new(&train_x, &train_y)?, Dataset::new(&test_x, &test_y)?);
    println!("{} digits to learn from, {} to be tested on", train.len(), test.len());
    println!(
        "{} parameters; the network takes {} bytes, its trainer {}",
        Mnist::PARAMETERS,
        size_of::<Mnist>(),
        size_of::<MnistTrainer>()
    );
    if cfg!(debug_assertions) {
        println!("this is a debug build: `cargo run --release --example mnist` is many times faster");
    }

    let (mut net, mut trainer) = (NET.lock()?, TRAINER.lock()?);
    net.init(&mut StdRng::seed_from_u64(1));
    let start = Instant::now();
    trainer.fit(&mut net, train, Fit::epochs(EPOCHS as usize), &mut mnist::Clock { epoch_start: start })?;
    println!("seconds per epoch: {:.2}", start.elapsed().as_secs_f64() / f64::from(EPOCHS));

    println!("test accuracy: {:.4}", mnist::accuracy(&net, test));
    Ok(())
}

/// The pixels of an image in a row, from 0 to 1.
fn vector(image: &mnist::Pixels) -> SVector<f32, 784> {
    SVector::from_iterator(image.as_flattened().iter().map(|&x| f32::from(x) / 255.0))
}
