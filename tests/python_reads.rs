//! Python's official `safetensors` package reads what constnet writes.
#![cfg(feature = "rand")]

#[allow(dead_code)] // Scripts are not run here.
mod python;

use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::Adam;
use constnet::train::{Checkpoint, Trainer};
use constnet::{Dense, Network, Relu, Vector};
use rand::{SeedableRng, rngs::StdRng};
use std::error::Error;
use std::path::Path;

type Net = Network<Vector<3>, (Dense<3, 4>, Relu, Dense<4, 2>)>;

/// Prints every tensor of a file: name, shape, and numbers that `repr` keeps to the bit.
const PRINT: &str = "
import sys
from safetensors.numpy import load_file
for name, tensor in sorted(load_file(sys.argv[1]).items()):
    print(name, *tensor.shape, '|', *(repr(float(x)) for x in tensor.ravel()))
";

/// Would catch: a header that only our own reader takes, columns where rows belong, numbers changed on the way.
#[test]
fn python_reads_what_we_write() -> Result<(), Box<dyn Error>> {
    let Some(python) = python::find(&["safetensors", "numpy"])? else { return Ok(()) };
    let mut net = Net::ZERO;
    net.init_with(constnet::init::Init::TorchDefault, &mut StdRng::seed_from_u64(3));
    let read = |path: &Path| -> Result<Vec<String>, Box<dyn Error>> {
        let output = python.run(&["-c", PRINT, path.to_str().ok_or("a path in UTF-8")?])?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.lines().map(String::from).collect())
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));

    let path = folder.join("python_reads.safetensors");
    net.save_file(&path)?;
    let lines = read(&path)?;
    let weight = &net.layers.0.weight;
    let rows = (0..4).flat_map(|row| (0..3).map(move |column| (row, column)));
    let numbers: Vec<f64> = rows.map(|place| f64::from(weight[place])).collect();
    let (shape, printed) = lines[1].split_once(" | ").ok_or("numbers after the shape")?;
    assert_eq!(shape, "0.weight 4 3");
    assert_eq!(printed.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?, numbers);
    assert_eq!(lines.len(), 4);

    let mut trainer = Trainer::<Net, _, _, 1>::new(Adam::new(0.1)?, Mse);
    trainer.step(&mut net, &[SVector::from([1.0, 2.0, 3.0])], &[SVector::<f32, 2>::from([1.0, 0.0])]);
    let path = folder.join("python_reads_checkpoint.safetensors");
    Checkpoint { net: &mut net, trainer: &mut trainer, scaler: &mut () }.save_file(&path)?;
    let lines = read(&path)?;
    assert_eq!(lines.len(), 3 * 4 + 3, "three sets of tensors, corrections, progress, factor");
    assert!(lines.contains(&"trainer.progress 4 | 0.0 1.0 0.0 1.0".into()), "{lines:?}");
    Ok(())
}
