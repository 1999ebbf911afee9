//! Trains the digits classifier of the firmware in `examples/firmware`, and writes what goes into its flash: the weights, and the
//! digits that the network has not seen.
//!
//! ```text
//! cargo run --release --example export_digits                       # into examples/firmware/data
//! cargo run --release --example export_digits -- FOLDER             # into a folder of yours
//! ```

#[path = "support/digits.rs"]
mod data;

use constnet::data::{Dataset, shuffle, stratified_split};
use constnet::init::Init;
use constnet::loss::CrossEntropy;
use constnet::metrics::ConfusionMatrix;
use constnet::optimizer::Adam;
use constnet::optimizer::schedule::Cosine;
use constnet::train::{Fit, Trainer};
use constnet::{Dense, Dropout, Network, Relu, Vector};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::error::Error;
use std::path::Path;
use std::sync::Mutex;
use std::{env, fs};

/// The network as it is trained: the chip leaves out the dropout.
type Trained = Network<Vector<64>, (Dropout<1, 20>, Dense<64, 32>, Relu, Dropout<1, 10>, Dense<32, 10>)>;
type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;

const BATCH: usize = 32;
const EPOCHS: usize = 120;

static NET: Mutex<Trained> = Mutex::new(Trained::ZERO);
static TRAINER: Mutex<Trainer<Trained, Adam, CrossEntropy, BATCH>> =
    Mutex::new(Trainer::new(Adam::const_new(5e-3), CrossEntropy));

fn main() -> Result<(), Box<dyn Error>> {
    let (mut pixels, mut digits) = data::load()?;
    shuffle(&mut pixels, &mut digits, &mut StdRng::seed_from_u64(0));
    for x in &mut pixels {
        *x /= 16.0; // from 0 to 1
    }
    let ((train_x, train_y), (test_x, test_y)) = stratified_split(&mut pixels, &mut digits, 0.8)?;
    let train = Dataset::new(train_x, train_y)?;

    let (mut net, mut trainer) = (NET.lock()?, TRAINER.lock()?);
    net.init_with(Init::KaimingUniform, &mut StdRng::seed_from_u64(1));
    let mut schedule = Cosine::new((train.batches(BATCH) * EPOCHS) as u64, 0.0)?;
    let report = trainer.fit(&mut net, train, Fit::epochs(EPOCHS).schedule(&mut schedule), &mut ())?;
    println!("{} digits, training loss {:.4}", train.len(), report.loss);

    // The chip takes the pixels as they are, from 0 to 16: the first layer's weights are a sixteenth, which is exact.
    let (_, first, _, _, second) = &net.layers;
    let mut chip = Digits::new((first.clone(), Relu, second.clone()));
    chip.layers.0.weight /= 16.0;
    let mut matrix = ConfusionMatrix::NEW;
    let mut images = Vec::with_capacity(test_x.len() * 65);
    for (x, digit) in test_x.iter().zip(&*test_y) {
        let x = x * 16.0;
        matrix.add_scores(&chip.predict(&x), *digit);
        // Whole numbers from 0 to 16, and below 10.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        images.extend(x.iter().map(|&pixel| pixel as u8).chain([digit.index() as u8]));
    }

    let folder =
        env::args().nth(1).unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/examples/firmware/data").into());
    let folder = Path::new(&folder);
    let mut file = vec![0; 4 * Digits::PARAMETERS + 4096];
    let length = chip.save(&mut file)?;
    for (name, bytes) in [("digits.safetensors", &file[..length]), ("digits.bin", &images)] {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}: {} bytes", path.display(), bytes.len());
    }
    println!("test accuracy: {:.4}", matrix.accuracy());
    Ok(())
}
