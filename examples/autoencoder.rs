//! Digits through a bottleneck: a network that learns to draw what it sees from 8 numbers in the middle.
//!
//! The network's targets are its own inputs. Nothing tells it what a digit is, and 8 numbers for 64 pixels leave no room to copy: it
//! has to find out what the pictures have in common. How well it does is measured on digits that it has never seen, beside the one
//! picture that is best without looking, the mean of the training part.
//!
//! ```text
//! cargo run --release --example autoencoder
//! ```

#[path = "support/digits.rs"]
mod data;
#[path = "support/exit.rs"]
mod exit;

use constnet::data::{Dataset, shuffle, stratified_split};
use constnet::init::Init;
use constnet::loss::Mse;
use constnet::optimizer::Adam;
use constnet::optimizer::schedule::Cosine;
use constnet::train::{Fit, Trainer};
use constnet::{BatchNorm, Class, Dense, Network, Relu, Sigmoid, Vector};
use data::{Digit, Pixels};
use plotters::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use std::error::Error;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

type Encoder = (Dense<64, 64>, BatchNorm<64>, Relu, Dense<64, 8>);
type Decoder = (Dense<8, 64>, BatchNorm<64>, Relu, Dense<64, 64>, Sigmoid);
type Autoencoder = Network<Vector<64>, (Encoder, Decoder)>;

const BATCH: usize = 32;
const EPOCHS: usize = 100;

static NET: Mutex<Autoencoder> = Mutex::new(Autoencoder::ZERO);
static TRAINER: Mutex<Trainer<Autoencoder, Adam, Mse, BATCH>> = Mutex::new(Trainer::new(Adam::const_new(5e-3), Mse));

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let (mut pixels, mut digits) = data::load()?;
    for pixels in &mut pixels {
        *pixels /= 16.0;
    }
    shuffle(&mut pixels, &mut digits, &mut StdRng::seed_from_u64(0));
    let ((train_x, _), (test_x, test_y)) = stratified_split(&mut pixels, &mut digits, 0.8)?;
    let (train, test) = (Dataset::new(train_x, train_x)?, Dataset::new(test_x, test_x)?);
    println!("{} digits to learn from, {} to be tested on", train.len(), test.len());

    let (mut net, mut trainer) = (NET.lock()?, TRAINER.lock()?);
    net.init_with(Init::KaimingUniform, &mut StdRng::seed_from_u64(0));
    println!("{} numbers in the network, 8 of 64 in the bottleneck", Autoencoder::PARAMETERS);
    let mut schedule = Cosine::new((train.batches(BATCH) * EPOCHS) as u64, 0.0)?;
    let start = Instant::now();
    trainer.fit(&mut net, train, Fit::epochs(EPOCHS).schedule(&mut schedule), &mut ())?;
    println!("training time: {:.2} s for {EPOCHS} epochs", start.elapsed().as_secs_f64());

    // For a normalisation, predicting is not what it was while it trained: the running averages of the batches take their place.
    let mean = mean(train_x);
    let without = test_x.iter().map(|x| (x - mean).norm_squared() / 64.0).sum::<f32>() / count(test_x);
    println!("mean squared error on the test part, of pixels from 0 to 1");
    println!("  the mean picture:  {without:.4}");
    println!("  the autoencoder:   {:.4}", trainer.evaluate(&net, test));

    let pairs = one_of_each(test_x, test_y, |x| net.predict(x));
    for four in pairs.chunks(4).take(2) {
        print_pictures(four);
    }
    let picture = std::env::temp_dir().join("constnet-autoencoder.svg");
    std::fs::write(&picture, draw(&pairs)?).map_err(|error| format!("{}: {error}", picture.display()))?;
    println!("inputs above what came out, one of each digit: {}", picture.display());
    Ok(())
}

fn mean(pictures: &[Pixels]) -> Pixels {
    pictures.iter().sum::<Pixels>() / count(pictures)
}

#[allow(clippy::cast_precision_loss)] // There are not that many.
fn count(pictures: &[Pixels]) -> f32 {
    pictures.len() as f32
}

/// The first picture of each digit, with what the network makes of it.
fn one_of_each(pictures: &[Pixels], digits: &[Digit], copy: impl Fn(&Pixels) -> Pixels) -> Vec<[Pixels; 2]> {
    let first = |class: Digit| pictures.iter().zip(digits).find(|(_, digit)| **digit == class);
    Class::all().filter_map(first).map(|(x, _)| [*x, copy(x)]).collect()
}

/// Pictures side by side: inputs, and below them what came out. A pixel is two characters wide, as it is high.
fn print_pictures(pairs: &[[Pixels; 2]]) {
    for which in 0..2 {
        println!();
        for row in 0..8 {
            let line =
                |pair: &[Pixels; 2]| (0..8).map(|column| shade(pair[which][8 * row + column])).collect::<String>();
            println!("  {}", pairs.iter().map(line).collect::<Vec<_>>().join("  "));
        }
    }
    println!();
}

/// Ink for a pixel from 0 to 1.
fn shade(pixel: f32) -> &'static str {
    let inks = ["  ", "..", "::", "++", "##", "@@"];
    let ink = inks.iter().zip([0.1, 0.3, 0.5, 0.7, 0.9]).find(|(_, most)| pixel <= *most);
    ink.map_or("@@", |(ink, _)| ink)
}

/// All pairs as the text of an SVG file, the inputs in the upper row.
fn draw(pairs: &[[Pixels; 2]]) -> Result<String, Box<dyn Error>> {
    let (side, gap) = (10, 20);
    let each = 8 * side + gap;
    let (width, height) = (each * i32::try_from(pairs.len())? + gap, 2 * each + gap);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width.try_into()?, height.try_into()?)).into_drawing_area();
        area.fill(&WHITE)?;
        for (pair, left) in pairs.iter().zip((gap..).step_by(each.try_into()?)) {
            for (picture, top) in pair.iter().zip([gap, gap + each]) {
                for (i, pixel) in (0..).zip(picture) {
                    let (x, y) = (left + i % 8 * side, top + i / 8 * side);
                    let square = Rectangle::new([(x, y), (x + side, y + side)], BLACK.mix(f64::from(*pixel)).filled());
                    area.draw(&square)?;
                }
                let frame = [(left, top), (left + 8 * side, top + 8 * side)];
                area.draw(&Rectangle::new(frame, BLACK.mix(0.3)))?;
            }
        }
        area.present()?;
    }
    Ok(svg)
}
