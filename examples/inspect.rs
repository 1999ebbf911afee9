//! What is in a safetensors file, and what a network of its tensors would need.
//!
//! `cargo run --example inspect -- net.safetensors`

#[path = "support/exit.rs"]
mod exit;

use constnet::safetensors::{Dtype, Tensors, View};
use std::error::Error;
use std::fmt;
use std::process::ExitCode;

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: inspect FILE.safetensors")?;
    let name = path.to_string_lossy();
    let file = std::fs::read(&path).map_err(|error| format!("{name}: {error}"))?;
    let tensors = Tensors::parse(&file).map_err(|error| format!("{name}: {error}"))?;
    println!("{name}: {} bytes, {} tensors\n", file.len(), tensors.len());
    list(&tensors);
    need(&tensors);
    suggest(&tensors);
    Ok(())
}

/// Every tensor: its key, type, shape and size.
fn list(tensors: &Tensors<'_>) {
    let keys = tensors.iter().map(|view| Plain(&view.key().to_string()).to_string().chars().count());
    let width = keys.max().unwrap_or(0).max(3);
    println!("{:width$}  {:8}  {:>10}  shape", "key", "type", "bytes");
    for view in tensors.iter() {
        let key = Plain(&view.key().to_string()).to_string();
        let note = if is_finite(&view) { "" } else { "  (holds a number that is not finite: no network takes it)" };
        let more = if view.dimensions() > view.shape().len() { " and more" } else { "" };
        println!("{key:width$}  {:8}  {:>10}  {:?}{more}{note}", view.dtype.name(), view.data.len(), view.shape());
    }
}

/// The memory of a network of all the numbers that can be weights.
fn need(tensors: &Tensors<'_>) {
    let weights = || tensors.iter().filter(|view| is_weight(view.dtype));
    let numbers: usize = weights().map(|view| elements(&view)).sum();
    let others = tensors.len() - weights().count();
    println!("\n{numbers} parameters");
    if others > 0 {
        println!("{others} tensors are of types that no network takes; they are not counted");
    }
    let bytes = |copies: usize| Bytes(4 * numbers * copies);
    println!("\nA network of them over f32, at 4 bytes each:");
    println!("  flash, as a static                  {}", bytes(1));
    println!("  RAM, loaded at run time             {}", bytes(1));
    println!("  RAM, training with Sgd              {}  parameters, gradient", bytes(2));
    println!("  RAM, training with Momentum         {}  parameters, gradient, velocity", bytes(3));
    println!("  RAM, training with Adam             {}  parameters, gradient, two moments", bytes(4));
    println!(
        "  Not included: the outputs between the layers and their gradients, for each sample of a batch; `size_of` tells"
    );
    println!("  the exact memory of a network and its trainer. A network over f64 needs twice as much.");
    if weights().any(|view| view.dtype == Dtype::F64) {
        println!("  The file holds F64, which only a network over f64 takes.");
    }
}

/// The dense layers that the pairs of weight and bias would be.
fn suggest(tensors: &Tensors<'_>) {
    let mut layers = Vec::new();
    for weight in tensors.iter().filter(|view| is_weight(view.dtype)) {
        let (key, &[outputs, inputs]) = (weight.key().to_string(), weight.shape()) else { continue };
        let Some(path) = key.strip_suffix("weight").filter(|path| path.is_empty() || path.ends_with('.')) else {
            continue;
        };
        let bias = tensors.get(&format!("{path}bias")).filter(|bias| bias.shape() == [outputs]);
        let kind = if bias.is_some() { "Dense" } else { "DenseNoBias" };
        layers.push((order(path), path.trim_end_matches('.').to_owned(), format!("{kind}<{inputs}, {outputs}>")));
    }
    if layers.is_empty() {
        println!("\nNo dense layers: there is no matrix with a key that ends in `weight`.");
        return;
    }
    layers.sort();
    println!("\nDense layers, if that is what the matrices are:");
    for (_, path, layer) in &layers {
        println!("  {:20} {layer}", Plain(if path.is_empty() { "(the network)" } else { path }).to_string());
    }
    println!("The file has no activations: they are yours to put between. A layer `2` is item 2 of the tuple.");
}

/// The parts of a path, numbers by their value: `10` comes after `9`.
fn order(path: &str) -> Vec<(usize, String)> {
    path.split('.').map(|part| (part.parse().unwrap_or(usize::MAX), part.to_owned())).collect()
}

/// How many numbers a tensor holds.
fn elements(view: &View<'_>) -> usize {
    8 * view.data.len() / view.dtype.bits()
}

/// Whether a network takes this type, if it computes with `f64`.
fn is_weight(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16)
}

/// Whether no number of a type that a network takes is infinite or NaN: all bits of the exponent say which are.
fn is_finite(view: &View<'_>) -> bool {
    let exponent: u16 = match view.dtype {
        Dtype::F64 => 0x7ff0,
        Dtype::F32 | Dtype::BF16 => 0x7f80,
        Dtype::F16 => 0x7c00,
        _ => return true,
    };
    let tops = view.data.chunks_exact(view.dtype.bits() / 8).filter_map(|number| number.last_chunk::<2>());
    tops.map(|&top| u16::from_le_bytes(top)).all(|top| top & exponent != exponent)
}

/// A key without what a terminal would act on.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| write!(f, "{}", if c.is_control() { '\u{fffd}' } else { c }))
    }
}

/// A number of bytes, in a unit that can be read.
struct Bytes(usize);

impl fmt::Display for Bytes {
    #[allow(clippy::cast_precision_loss)] // Rounded to a tenth anyway.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        match bytes {
            0..1024 => write!(f, "{bytes:>9} bytes"),
            1024..1_048_576 => write!(f, "{:>9.1} KiB", bytes as f64 / 1024.0),
            _ => write!(f, "{:>9.1} MiB", bytes as f64 / 1_048_576.0),
        }
    }
}
