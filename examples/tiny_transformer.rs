//! A transformer that reads and writes sonnets, character by character.
//!
//! Two causal blocks with the norms in front learn the first 36 of Shakespeare's sonnets and are tested on the next four. Beside
//! the loss stand the entropies that a reader without memory, and one who remembers a single character, would reach. The network,
//! its trainer and the batch are statics: nothing is allocated but what `println!` needs.
//!
//! ```text
//! cargo run --release --example tiny_transformer
//! ```

#[path = "support/exit.rs"]
mod exit;

use constnet::data::Dataset;
use constnet::loss::CrossEntropy;
use constnet::nalgebra::SMatrix;
use constnet::optimizer::schedule::{Cosine, Schedule, WarmUp};
use constnet::optimizer::{AdamW, Clip};
use constnet::train::Trainer;
use constnet::{
    Causal, Class, Dense, Embedding, Gelu, LayerNorm, LearnedPositions, Network, Residual, SelfAttention, Tokens,
};
use rand::rngs::Xoshiro128PlusPlus;
use rand::{Rng, RngExt, SeedableRng};
use std::error::Error;
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

const TEXT: &[u8] = include_bytes!("data/sonnets.txt");

/// How many different characters there are.
const N: usize = {
    let mut count = 0;
    let mut byte = 0;
    while byte < IS_USED.len() {
        count += IS_USED[byte] as usize;
        byte += 1;
    }
    count
};

const IS_USED: [bool; 256] = {
    let mut used = [false; 256];
    let mut i = 0;
    while i < TEXT.len() {
        used[TEXT[i] as usize] = true;
        i += 1;
    }
    used
};

/// How many characters the network sees at once.
const L: usize = 64;

/// How wide a step is, and how much wider it is inside a block.
const E: usize = 48;
const F: usize = 192;

type Attend = Residual<(LayerNorm<E>, SelfAttention<E, 4, Causal>)>;
type Think = Residual<(LayerNorm<E>, Dense<E, F>, Gelu, Dense<F, E>)>;
type Block = (Attend, Think);
type Writer = Network<Tokens<N, L>, (Embedding<N, E>, LearnedPositions<E, L>, Block, Block, LayerNorm<E>, Dense<E, N>)>;

const BATCH: usize = 16;
const STEPS: u64 = 800;

type Writing = Trainer<Writer, AdamW, CrossEntropy, BATCH>;
type Window = [Class<N>; L];

static NET: Mutex<Writer> = Mutex::new(Writer::ZERO);
static TRAINER: Mutex<Writing> = Mutex::new(Trainer::new(AdamW::const_new(4e-3), CrossEntropy));
static INPUTS: Mutex<[Window; BATCH]> = Mutex::new([[Class::const_new(0); L]; BATCH]);
static TARGETS: Mutex<[Window; BATCH]> = Mutex::new([[Class::const_new(0); L]; BATCH]);

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let (train, test) = TEXT.split_at(start_of_sonnet(36));
    println!("{} characters to learn from, {} to be tested on, {N} different ones", train.len(), test.len());
    println!(
        "{} parameters; the network takes {} bytes, its trainer {}",
        Writer::PARAMETERS,
        size_of::<Writer>(),
        size_of::<Writing>()
    );
    let [single, pairs] = entropies(train, test)?;
    println!("without memory: {single:.3} nats a character; from the character before: {pairs:.3}");
    if cfg!(debug_assertions) {
        println!("this is a debug build: `cargo run --release --example tiny_transformer` is many times faster");
    }

    let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
    let (mut net, mut trainer) = (NET.lock()?, TRAINER.lock()?);
    net.init(&mut rng);
    trainer.clip = Clip::norm(1.0)?;
    let schedule = WarmUp::new(50, Cosine::new(STEPS, 0.05)?)?;
    let start = Instant::now();
    let (mut sum, mut count) = (0.0, 0.0);
    for step in 0..STEPS {
        let (mut x, mut y) = (INPUTS.lock()?, TARGETS.lock()?);
        for (x, y) in x.iter_mut().zip(&mut *y) {
            let at = rng.random_range(0..train.len() - L);
            (*x, *y) = (window(&train[at..])?, window(&train[at + 1..])?);
        }
        trainer.learning_rate_factor = schedule.factor(step);
        sum += trainer.step(&mut *net, &*x, &*y);
        count += 1.0;
        if (step + 1) % (STEPS / 8) == 0 {
            let seconds = start.elapsed().as_secs_f64();
            let test = evaluate(&net, &trainer, test)?;
            println!("step {:4}: training loss {:.3}, test loss {test:.3}, {seconds:.1} s", step + 1, sum / count);
            (sum, count) = (0.0, 0.0);
        }
    }
    write(&net, b"Shall I compare thee to ", 400, 0.7, &mut rng)
}

/// The characters in front of the sonnet with this index: they are divided by empty lines.
fn start_of_sonnet(index: usize) -> usize {
    let mut ends = TEXT.windows(2).enumerate().filter(|(_, two)| two == b"\n\n").map(|(at, _)| at + 2);
    ends.nth(index - 1).unwrap_or(TEXT.len())
}

/// The characters used, in order; a token is a place among them.
fn alphabet() -> impl Iterator<Item = u8> + Clone {
    (0..=u8::MAX).filter(|&byte| IS_USED[usize::from(byte)])
}

fn token(byte: u8) -> Result<Class<N>, Box<dyn Error>> {
    let place = alphabet().position(|used| used == byte).ok_or("a character that the text does not have")?;
    Ok(Class::new(place)?)
}

/// The tokens that a text begins with.
fn window(text: &[u8]) -> Result<Window, Box<dyn Error>> {
    let mut window = [Class::const_new(0); L];
    for (place, &byte) in window.iter_mut().zip(text) {
        *place = token(byte)?;
    }
    Ok(window)
}

/// The mean loss over a text, cut into windows that do not overlap.
fn evaluate(net: &Writer, trainer: &Writing, text: &[u8]) -> Result<f32, Box<dyn Error>> {
    let (mut sum, mut count) = (0.0, 0.0);
    for at in (0..text.len() - L).step_by(L) {
        let (x, y) = ([window(&text[at..])?], [window(&text[at + 1..])?]);
        sum += trainer.evaluate(net, Dataset::new(&x, &y)?);
        count += 1.0;
    }
    Ok(sum / count)
}

/// What a character of `test` costs, in nats, by the frequencies of characters in `train`, and by those of pairs. Every one and every
/// pair counts once more than it was seen.
fn entropies(train: &[u8], test: &[u8]) -> Result<[f64; 2], Box<dyn Error>> {
    let mut singles = [1_u32; N];
    let mut pairs = [[1_u32; N]; N];
    for two in train.windows(2) {
        let [before, now] = [token(two[0])?.index(), token(two[1])?.index()];
        singles[now] += 1;
        pairs[before][now] += 1;
    }
    let cost = |counts: &[u32; N], now: usize| (f64::from(counts.iter().sum::<u32>()) / f64::from(counts[now])).ln();
    let (mut sums, mut count) = ([0.0; 2], 0.0);
    for two in test.windows(2) {
        let [before, now] = [token(two[0])?.index(), token(two[1])?.index()];
        sums[0] += cost(&singles, now);
        sums[1] += cost(&pairs[before], now);
        count += 1.0;
    }
    Ok(sums.map(|sum| sum / count))
}

/// Prints what the network makes of a beginning. The lower the temperature, the surer the choice.
fn write(net: &Writer, start: &[u8], count: usize, temperature: f32, rng: &mut impl Rng) -> Result<(), Box<dyn Error>> {
    let mut text = window(start)?;
    let mut len = start.len().min(L);
    print!("\n{}", String::from_utf8_lossy(start));
    for _ in 0..count {
        // Attention is causal: what stands behind the text makes no difference to its last character.
        let logits = net.predict(&text);
        let drawn = draw(&logits, len - 1, temperature, rng);
        if len == L {
            text.rotate_left(1);
            len -= 1;
        }
        text[len] = drawn;
        len += 1;
        print!("{}", alphabet().nth(drawn.index()).map_or(' ', char::from));
        stdout().flush()?;
    }
    println!();
    Ok(())
}

/// A token by chance, as likely as the scores of a step say.
fn draw(scores: &SMatrix<f32, N, L>, step: usize, temperature: f32, rng: &mut impl Rng) -> Class<N> {
    let scores = scores.column(step);
    let weight = |score: f32| ((score - scores.max()) / temperature).exp();
    let mut left = rng.random_range(0.0..1.0) * scores.iter().map(|&score| weight(score)).sum::<f32>();
    let mut tokens = Class::all().zip(&scores);
    let chosen = tokens.find(|&(_, &score)| {
        left -= weight(score);
        left <= 0.0
    });
    chosen.map_or(Class::const_new(0), |(token, _)| token)
}
