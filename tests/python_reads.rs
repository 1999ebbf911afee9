//! Python's official `safetensors` package reads what constnet writes.
#![cfg(feature = "rand")]

#[allow(dead_code)] // Scripts are not run here.
mod python;

use constnet::loss::Mse;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::Adam;
use constnet::train::{Checkpoint, Trainer};
use constnet::{
    BatchNorm, Bidirectional, Causal, Conv1d, ConvTranspose1d, Dense, Dilation, GroupedConv1d, Gru, LayerNorm, Lstm,
    Network, Relu, SelfAttention, Sequence, Stride, Valid, Vector,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
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

type Signals = Network<
    Sequence<2, 8>,
    (
        Conv1d<2, 4, 3, Stride, Causal, Dilation<2>>,
        BatchNorm<4>,
        Relu,
        GroupedConv1d<2, 2, 3, 2>,
        ConvTranspose1d<6, 4, 3, Stride<2>, Valid>,
        LayerNorm<4>,
        Gru<4, 3>,
        Bidirectional<Lstm<3, 2>>,
        SelfAttention<4, 2, Causal>,
        Dense<4, 2>,
    ),
>;

/// Loads the file into PyTorch's modules by their keys, and prints what they make of numbers: the inputs are the other arguments.
const LOAD: &str = "
import sys, torch
from torch import nn
from safetensors.torch import load_file

class Turned(nn.Module):
    def forward(self, x):
        return x.transpose(1, 2)

class Norm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.transpose(1, 2))

class Gru(nn.GRU):
    def forward(self, x):
        return super().forward(x)[0]

class Lstm(nn.LSTM):
    def forward(self, x):
        return super().forward(x)[0]

class Attention(nn.MultiheadAttention):
    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.size(1))
        return super().forward(x, x, x, attn_mask=mask, need_weights=False)[0]

class Padded(nn.Conv1d):
    def forward(self, x):
        return super().forward(nn.functional.pad(x, (4, 0)))

net = nn.Sequential(
    Padded(2, 4, 3, dilation=2), nn.BatchNorm1d(4), nn.ReLU(), nn.Conv1d(4, 6, 2, groups=2), nn.ConvTranspose1d(6, 4, 3, 2),
    Norm(4), Gru(4, 3, batch_first=True), Lstm(3, 2, batch_first=True, bidirectional=True),
    Attention(4, 2, batch_first=True), nn.Linear(4, 2),
).eval()
net.load_state_dict(load_file(sys.argv[1]))
x = torch.tensor([float(x) for x in sys.argv[2:]]).reshape(1, 8, 2).transpose(1, 2)
with torch.no_grad():
    print(*net(x).flatten().tolist())
";

/// Would catch: a key, a shape or an order in memory that is not PyTorch's, on the way out.
#[test]
fn pytorch_loads_what_we_save() -> Result<(), Box<dyn Error>> {
    let Some(python) = python::find(&["torch", "safetensors"])? else { return Ok(()) };
    let mut rng = StdRng::seed_from_u64(4);
    let mut net = Signals::ZERO;
    net.init_with(constnet::init::Init::TorchDefault, &mut rng);
    net.layers.1.running_mean = SVector::from([0.5, -0.25, 0.125, 1.0]);
    net.layers.1.running_var = SVector::from([0.5, 1.5, 2.0, 0.75]);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pytorch_loads.safetensors");
    net.save_file(&path)?;

    let x = SMatrix::<f32, 2, 8>::from_fn(|_, _| rng.random_range(-1.0..1.0));
    let numbers: Vec<String> = x.iter().map(ToString::to_string).collect();
    let mut arguments = vec!["-c", LOAD, path.to_str().ok_or("a path in UTF-8")?];
    arguments.extend(numbers.iter().map(String::as_str));
    let output = python.run(&arguments)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = String::from_utf8(output.stdout)?;
    let expected = expected.split_whitespace().map(str::parse).collect::<Result<Vec<f32>, _>>()?;
    let actual = net.predict(&x);
    assert_eq!(actual.len(), expected.len());
    for (actual, expected) in actual.iter().zip(expected) {
        let near = approx::relative_eq!(*actual, expected, epsilon = 1e-7, max_relative = 1e-5);
        assert!(near, "{actual}, PyTorch has {expected}");
    }
    Ok(())
}
