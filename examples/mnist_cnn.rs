//! MNIST, the classic: 60,000 handwritten digits of 28x28 pixels to learn from, 10,000 to be tested on.
//!
//! A convolutional network in the manner of `LeNet`: two convolutions of 5 by 5, each with ReLU and a pooling, then two dense layers.
//! Cross-entropy, Adam with a rate that falls as a cosine, 3 epochs of mini-batches of 32. The network and its trainer are statics, so
//! they take no stack: this works in a debug build too, though slowly.
//!
//! ```text
//! sh examples/data/fetch.sh mnist
//! cargo run --release --example mnist_cnn
//! ```

#[path = "support/exit.rs"]
mod exit;
#[path = "support/mnist.rs"]
mod mnist;

use constnet::data::Dataset;
use constnet::loss::CrossEntropy;
use constnet::nalgebra::SMatrix;
use constnet::optimizer::Adam;
use constnet::optimizer::schedule::Cosine;
use constnet::train::{Fit, Trainer};
use constnet::{Conv2d, Dense, Flatten, Image, MaxPool2d, Network, Relu};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

#[rustfmt::skip]
type Mnist = Network<Image<1, 28, 28>, (
    Conv2d<1, 8, 5>, Relu, MaxPool2d<2>,    // Image<8, 12, 12>
    Conv2d<8, 16, 5>, Relu, MaxPool2d<2>,   // Image<16, 4, 4>
    Flatten, Dense<256, 64>, Relu, Dense<64, 10>,
)>;
type MnistTrainer = Trainer<Mnist, Adam, CrossEntropy, BATCH>;

static NET: Mutex<Mnist> = Mutex::new(Mnist::ZERO);
static TRAINER: Mutex<MnistTrainer> = Mutex::new(Trainer::new(Adam::const_new(2e-3), CrossEntropy));

const EPOCHS: u32 = 3;
const BATCH: usize = 32;

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let (train_x, train_y) = mnist::load("train", picture)?;
    let (test_x, test_y) = mnist::load("t10k", picture)?;
    let (train, test) = (Dataset::new(&train_x, &train_y)?, Dataset::new(&test_x, &test_y)?);
    println!("{} digits to learn from, {} to be tested on", train.len(), test.len());
    println!(
        "{} parameters; the network takes {} bytes, its trainer {}",
        Mnist::PARAMETERS,
        size_of::<Mnist>(),
        size_of::<MnistTrainer>()
    );
    if cfg!(debug_assertions) {
        println!("this is a debug build: `cargo run --release --example mnist_cnn` is many times faster");
    }

    let (mut net, mut trainer) = (NET.lock()?, TRAINER.lock()?);
    net.init(&mut StdRng::seed_from_u64(1));
    let start = Instant::now();
    let mut schedule = Cosine::new(u64::from(EPOCHS) * train.batches(BATCH) as u64, 0.0)?;
    let plan = Fit::epochs(EPOCHS as usize).schedule(&mut schedule);
    trainer.fit(&mut net, train, plan, &mut mnist::Clock { epoch_start: start })?;
    println!("seconds per epoch: {:.2}", start.elapsed().as_secs_f64() / f64::from(EPOCHS));

    println!("test accuracy: {:.4}", mnist::accuracy(&net, test));
    Ok(())
}

/// An image of one channel, pixels from 0 to 1.
fn picture(image: &mnist::Pixels) -> [SMatrix<f32, 1, 28>; 28] {
    image.map(|row| SMatrix::from(row.map(|x| [f32::from(x) / 255.0])))
}
