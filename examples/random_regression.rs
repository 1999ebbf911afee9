//! Regression where every size is a const parameter, and the memory of all of it is known before it starts.
//!
//! 100 samples come from a random network, the teacher, and a little noise. A network learns from them for 1,000 epochs and then
//! predicts 10 new ones, which the teacher knows without noise. All data lie in arrays: nothing here needs a heap.
//!
//! ```text
//! cargo run --release --example random_regression
//! ```

use constnet::data::Dataset;
use constnet::loss::Mse;
use constnet::metrics::Regression;
use constnet::nalgebra::SVector;
use constnet::optimizer::{Adam, AdamState};
use constnet::train::{Fit, Memory, Trainer};
use constnet::{ConstZero, Dense, Network, Tanh, Vector};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::error::Error;

type Net<const IN: usize, const HIDDEN: usize, const OUT: usize> =
    Network<Vector<IN>, (Dense<IN, HIDDEN>, Tanh, Dense<HIDDEN, OUT>)>;

const SAMPLES: usize = 100;
const NEW: usize = 10;
const BATCH: usize = 10;
const EPOCHS: usize = 1_000;
const NOISE: f32 = 0.05;

fn main() -> Result<(), Box<dyn Error>> {
    // Change the numbers, and everything that follows changes with them.
    experiment::<3, 16, 2>()
}

fn experiment<const IN: usize, const HIDDEN: usize, const OUT: usize>() -> Result<(), Box<dyn Error>> {
    let mut rng = StdRng::seed_from_u64(1);
    let mut teacher = Net::<IN, 4, OUT>::ZERO;
    teacher.init(&mut rng);

    let mut inputs: [SVector<f32, IN>; SAMPLES] = ConstZero::ZERO;
    let mut targets: [SVector<f32, OUT>; SAMPLES] = ConstZero::ZERO;
    for (x, y) in inputs.iter_mut().zip(&mut targets) {
        *x = SVector::from_fn(|_, _| rng.random_range(-1.0..1.0));
        *y = teacher.predict(x).map(|y| y + rng.random_range(-NOISE..NOISE));
    }

    let mut net = Net::<IN, HIDDEN, OUT>::ZERO;
    net.init(&mut rng);
    let mut trainer = Trainer::<Net<IN, HIDDEN, OUT>, _, _, BATCH>::new(Adam::new(3e-3)?, Mse);
    let data = Dataset::new(&inputs, &targets)?;
    println!("{SAMPLES} random samples, {IN} numbers in, {OUT} out; {HIDDEN} hidden units; {EPOCHS} epochs");
    println!("  loss before training  {:.6}", trainer.evaluate(&net, data));
    trainer.fit(&mut net, data, Fit::epochs(EPOCHS), &mut ())?;
    println!("  loss after it         {:.6}", trainer.evaluate(&net, data));
    println!("  the noise alone       {:.6}", NOISE * NOISE / 3.0);

    println!("\n{NEW} new samples:");
    let mut errors = Regression::NEW;
    for _ in 0..NEW {
        let x = SVector::from_fn(|_, _| rng.random_range(-1.0..1.0));
        let (predicted, actual) = (net.predict(&x), teacher.predict(&x));
        errors.add::<Vector<OUT>, f32>(&predicted, &actual);
        println!("  predicted {:+.3?}  teacher {:+.3?}", predicted.as_slice(), actual.as_slice());
    }
    println!("  root mean squared error {:.4}, R2 {:.4}", errors.rmse(), errors.r2());

    println!("\nMemory in bytes:");
    println!("  network, {:3} parameters    {:6}", Net::<IN, HIDDEN, OUT>::PARAMETERS, size_of_val(&net));
    println!("  trainer                    {:6}", size_of_val(&trainer));
    println!("    of it gradient           {:6}", Memory::<Net<IN, HIDDEN, OUT>, Adam, BATCH>::GRADIENT_BYTES);
    println!("    of it Adam's moments     {:6}", size_of::<AdamState<Net<IN, HIDDEN, OUT>>>());
    println!("  inputs and targets         {:6}", size_of_val(&inputs) + size_of_val(&targets));
    let all = size_of_val(&net) + size_of_val(&trainer) + size_of_val(&inputs) + size_of_val(&targets);
    println!("  all                        {all:6}");
    Ok(())
}
