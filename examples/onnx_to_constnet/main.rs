//! Turns an ONNX model, as PyTorch exports it, into Rust: the type of the network, and its weights as a `static`.
//!
//! ```text
//! cargo run --example onnx_to_constnet -- model.onnx [out_dir]
//! ```
//!
//! writes `model.rs` and `model.safetensors` into `out_dir` (the current directory if none is given). Put both into a crate that
//! depends on constnet, and `mod model;` gives `model::NET`; the files of `my-net.onnx` are called `my_net`. What a network of this
//! crate cannot express is refused, and the message names the node. `examples/import/README.md` has the whole way from PyTorch, and
//! what is understood.

mod convert;
#[path = "../support/exit.rs"]
mod exit;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let (model, folder) = match &arguments[..] {
        [model] => (model, Path::new(".")),
        [model, folder] => (model, folder.as_path()),
        _ => {
            eprintln!("usage: cargo run --example onnx_to_constnet -- model.onnx [out_dir]");
            return ExitCode::from(2);
        }
    };
    exit::exit(run(model, folder).map_err(Into::into))
}

fn run(model: &Path, folder: &Path) -> Result<(), String> {
    let about = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let stem = model.file_stem().and_then(|stem| stem.to_str()).ok_or("the model's file name is not UTF-8")?;
    let bytes = std::fs::read(model).map_err(|error| about(model, &error))?;
    let converted = convert::convert(&bytes, stem).map_err(|error| about(model, &error))?;

    let module = &converted.module;
    std::fs::create_dir_all(folder).map_err(|error| about(folder, &error))?;
    let (source, weights) = (folder.join(format!("{module}.rs")), folder.join(format!("{module}.safetensors")));
    std::fs::write(&weights, &converted.weights).map_err(|error| about(&weights, &error))?;
    std::fs::write(&source, &converted.source).map_err(|error| about(&source, &error))?;
    println!("{}\n\nwritten: {} and {}; `mod {module};`", converted.network, source.display(), weights.display());
    Ok(())
}
