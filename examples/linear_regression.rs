//! A straight line through the squares of 1 to 5, and what lies beyond its reach.
//!
//! One `Dense<1, 1>` is `y = w x + b`. Trained on squared error it must find the least-squares line, which has a closed form to
//! compare with. Then a small tanh network bends to the same points.
//!
//! ```text
//! cargo run --release --example linear_regression
//! ```

use constnet::data::{Dataset, Standardizer};
use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::Adam;
use constnet::train::{Fit, Trainer};
use constnet::{Dense, Network, Tanh, Vector};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::error::Error;

type Line = Network<Vector<1>, (Dense<1, 1>,)>;
type Curve = Network<Vector<1>, (Dense<1, 8>, Tanh, Dense<8, 1>)>;
type Number = SVector<f32, 1>;

const X: [Number; 5] = [Number::new(1.0), Number::new(2.0), Number::new(3.0), Number::new(4.0), Number::new(5.0)];
const Y: [Number; 5] = [Number::new(1.0), Number::new(4.0), Number::new(9.0), Number::new(16.0), Number::new(25.0)];

fn main() -> Result<(), Box<dyn Error>> {
    line()?;
    curve()
}

fn line() -> Result<(), Box<dyn Error>> {
    let mut net = Line::ZERO;
    let mut trainer = Trainer::<Line, _, _, 5>::new(Adam::new(0.1)?, Mse);
    trainer.fit(&mut net, Dataset::new(&X, &Y)?, Fit::epochs(2_000), &mut ())?;

    let (slope, intercept) = least_squares();
    let Dense { weight, bias } = &net.layers.0;
    println!("A line through (1, 1), (2, 4), (3, 9), (4, 16), (5, 25):");
    println!("  Adam           y = {:.3} x {:+.3}, at 6: {:.3}", weight[0], bias[0], net.predict(&Number::new(6.0))[0]);
    println!("  least squares  y = {slope:.3} x {intercept:+.3}, at 6: {:.3}", slope * 6.0 + intercept);
    println!("  The points lie on x^2, which is 36 at 6. No training brings a line there: it has one slope, and");
    println!("  the best for these five points is {slope:.0}. A better fit takes a function that can bend.");
    Ok(())
}

/// Slope and intercept of the line with the least squared error: covariance over variance, and through the means.
fn least_squares() -> (f32, f32) {
    let (x, y) = (X.map(|x| x[0]), Y.map(|y| y[0]));
    let (mean_x, mean_y) = (mean(&x), mean(&y));
    let covariance: f32 = x.iter().zip(&y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f32 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
    let slope = covariance / variance;
    (slope, mean_y - slope * mean_x)
}

#[allow(clippy::cast_precision_loss)] // Five numbers.
fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

fn curve() -> Result<(), Box<dyn Error>> {
    // A tanh is only curved around 0 and never leaves -1..1: inputs and targets are brought to mean 0 and deviation 1. The line
    // did without, its inputs being small.
    let (scale_x, scale_y) = (Standardizer::<Vector<1>>::fit(&X)?, Standardizer::<Vector<1>>::fit(&Y)?);
    let (mut x, mut y) = (X, Y);
    for (x, y) in x.iter_mut().zip(&mut y) {
        scale_x.apply(x);
        scale_y.apply(y);
    }

    let mut net = Curve::ZERO;
    net.init(&mut StdRng::seed_from_u64(1));
    let mut trainer = Trainer::<Curve, _, _, 5>::new(Adam::new(0.01)?, Mse);
    let report = trainer.fit(&mut net, Dataset::new(&x, &y)?, Fit::epochs(5_000), &mut ())?;

    println!(
        "\nA tanh network with {} parameters on the same points, loss {:.1e} in their own scale:",
        Curve::PARAMETERS,
        report.loss
    );
    for x in [1.0, 2.0, 2.5, 3.0, 4.0, 4.5, 5.0, 6.0] {
        let mut input = Number::new(x);
        scale_x.apply(&mut input);
        let mut output = net.predict(&input);
        scale_y.invert(&mut output);
        println!("  at {x:.1}: {:7.3}   x^2 is {:6.2}", output[0], x * x);
    }
    println!(
        "  It bends through the points and between them. 6 lies outside: nothing that it was shown says how to go on."
    );
    Ok(())
}
