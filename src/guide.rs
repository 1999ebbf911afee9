//! Train in PyTorch, check at compile time, run on the chip: a guide.
//!
//! Handwritten digits of 8x8 pixels, from a Python script to a microcontroller. The files are in the folder `examples/guide`, and
//! `examples/guide/guide.sh` takes every step.
//!
//! # 1. Train in PyTorch
//!
//! An `nn.Sequential` of what has a counterpart here, saved by the package `safetensors`. The script is `train.py`:
//!
//! ```python
#![doc = include_str!("../examples/guide/train.py")]
//! ```
//!
//! It is given the data and a folder for what it makes:
//!
//! ```sh
//! python "$train" "$digits" examples/guide
//! ```
//!
//! The file holds the tensors `0.weight`, `0.bias`, `2.weight` and `2.bias`: number 1 is the ReLU. A model whose layers have
//! names, such as `fc1`, needs a table of them: [`Names`](crate::safetensors::Names).
//!
//! # 2. Check at compile time
//!
//! The same layers as a type, and the file as a constant. `NET` is done when the program is compiled: nothing is parsed when it runs.
//! A `src/main.rs`:
//!
//! ```
#![doc = include_str!("../examples/guide/main.rs")]
//! ```
//!
//! ```sh
//! cargo check
//! cargo run --release
//! ```
//!
//! A file that does not fit is an error of `cargo check`, and of the editor. Write `Dense<32, 11>` for the last layer:
//!
//! ```text
#![doc = include_str!("../examples/guide/error.txt")]
//! ```
//!
//! The same for a tensor that is missing, or of another type, or not finite, and for one that the network has no place for.
//!
//! # 3. Run on the chip
//!
//! The static lies in flash, and a prediction takes the stack for its tensors and nothing else. The library of a firmware, below its
//! `#![no_std]`:
//!
//! ```
#![doc = include_str!("../examples/guide/chip.rs")]
//! # assert!(classify([0.0; 64]).is_some() && classify([f32::NAN; 64]).is_none());
//! ```
//!
//! with `constnet = { version = "0.1", default-features = false }` in its `Cargo.toml`:
//!
//! ```sh
//! cargo build --release --target thumbv7em-none-eabihf
//! ```
//!
//! # Where to go on
//!
//! [`safetensors`](crate::safetensors) tells which types and keys are read, and how weights are loaded and saved at run time. To
//! train on the chip itself, or to go on with what PyTorch began, see [`train`](crate::train).
