//! The networks of MLPerf Tiny, the benchmark of microcontrollers, as types: with random weights in statics, how many parameters,
//! how many bytes, how much stack a prediction takes, and how long.
//!
//! ```text
//! cargo run --release --example mlperf_tiny
//! ```

#[path = "support/exit.rs"]
mod exit;
#[path = "support/mlperf_tiny.rs"]
mod mlperf_tiny;

use constnet::layer::{Layer, Parameters};
use constnet::network::Workspace;
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::{ConstZero, Network};
use mlperf_tiny::{Autoencoder, DsCnn, MobileNet, ResNet8};
use rand::{RngExt, SeedableRng, rngs::Xoshiro128PlusPlus};
use std::error::Error;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Instant;
use std::{env, hint, thread};

static DS_CNN: Mutex<DsCnn> = Mutex::new(DsCnn::ZERO);
static AUTOENCODER: Mutex<Autoencoder> = Mutex::new(Autoencoder::ZERO);
static RES_NET: Mutex<ResNet8> = Mutex::new(ResNet8::ZERO);
static MOBILE_NET: Mutex<MobileNet> = Mutex::new(MobileNet::ZERO);

/// A network, and what is known of it.
struct Entry {
    name: &'static str,
    parameters: usize,
    /// What Keras counts for the reference model: running averages and biases before normalisations are in it.
    reference: usize,
    bytes: usize,
    /// What is in use at once between two layers, at most: bytes of the plan.
    workspace: usize,
    /// Microseconds of a prediction.
    time: fn() -> f64,
}

const ENTRIES: [Entry; 4] = [
    Entry {
        name: "DS-CNN, keywords",
        parameters: DsCnn::PARAMETERS,
        reference: 24_908,
        bytes: size_of::<DsCnn>(),
        workspace: Workspace::<DsCnn>::BYTES,
        time: || time(&DS_CNN),
    },
    Entry {
        name: "autoencoder, anomalies",
        parameters: Autoencoder::PARAMETERS,
        reference: 269_992,
        bytes: size_of::<Autoencoder>(),
        workspace: Workspace::<Autoencoder>::BYTES,
        time: || time(&AUTOENCODER),
    },
    Entry {
        name: "ResNet-8, pictures",
        parameters: ResNet8::PARAMETERS,
        reference: 78_666,
        bytes: size_of::<ResNet8>(),
        workspace: Workspace::<ResNet8>::BYTES,
        time: || time(&RES_NET),
    },
    Entry {
        name: "MobileNet v1 x0.25, people",
        parameters: MobileNet::PARAMETERS,
        reference: 221_794,
        bytes: size_of::<MobileNet>(),
        workspace: Workspace::<MobileNet>::BYTES,
        time: || time(&MOBILE_NET),
    },
];

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let [index, stack] = &arguments[..] {
        let entry = ENTRIES.get(index.parse::<usize>()?).ok_or("no such network")?;
        let thread = thread::Builder::new().stack_size(stack.parse()?).spawn(entry.time)?;
        thread.join().map_err(|_| "the prediction panicked")?;
        return Ok(());
    }
    if cfg!(debug_assertions) {
        println!("this is a debug build: `cargo run --release --example mlperf_tiny` is many times faster");
    }
    println!(
        "{:27} {:>10} {:>10} {:>9} {:>11} {:>9} {:>9}",
        "", "parameters", "reference", "bytes", "workspace", "stack", "µs"
    );
    for (index, entry) in ENTRIES.iter().enumerate() {
        let Entry { name, parameters, reference, bytes, workspace, time } = entry;
        let stack = least_stack(index)?;
        println!("{name:27} {parameters:10} {reference:10} {bytes:9} {workspace:11} {stack:9} {:9.0}", time());
    }
    println!();
    println!(
        "reference: what Keras counts for the models of the benchmark. Its models are quantised to bytes, these compute in f32."
    );
    println!(
        "workspace: bytes of a layer's input and output where these are largest together, and of what waits beside them."
    );
    println!("stack: the least that a thread predicts with, in steps of 4 KiB, the thread's own needs included.");
    Ok(())
}

/// The least stack with which a prediction ends well, by halving: each try is a process of its own, since one that needs more is
/// killed.
fn least_stack(index: usize) -> Result<usize, Box<dyn Error>> {
    const PAGE: usize = 4 << 10;
    let program = env::current_exe()?;
    let (mut too_small, mut enough) = (3, (16 << 20) / PAGE);
    while enough - too_small > 1 {
        let pages = usize::midpoint(too_small, enough);
        let arguments = [index.to_string(), (pages * PAGE).to_string()];
        let status = Command::new(&program).args(arguments).stderr(Stdio::null()).status()?;
        *(if status.success() { &mut enough } else { &mut too_small }) = pages;
    }
    Ok(enough * PAGE)
}

/// Draws the weights of a network, and takes the time of the fastest of some predictions, in microseconds. Nothing that is large lies
/// on the stack here: input and output are on the heap.
fn time<In: Shape, L: Layer<In> + Parameters<f32>>(net: &'static Mutex<Network<In, L>>) -> f64 {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
    let Ok(mut net) = net.lock() else { return f64::NAN };
    net.init(&mut rng);
    let mut x = Box::new(TensorOf::<In, f32>::ZERO);
    for x in x.as_mut_slice() {
        *x = rng.random_range(0.0..1.0);
    }
    let mut y = Box::new(TensorOf::<L::Out, f32>::ZERO);
    let mut fastest = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        net.layers.forward(hint::black_box(&*x), &mut y);
        fastest = fastest.min(start.elapsed().as_secs_f64() * 1e6);
        hint::black_box(&*y);
    }
    fastest
}
