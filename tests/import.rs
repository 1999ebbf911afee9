//! Models of PyTorch and Keras, exported by the scripts of `examples/import`, against what the frameworks themselves predict:
//! `tests/data/import`.
#![cfg(feature = "rand")]

mod python;

use constnet::layer::{Layer, Parameters};
use constnet::shape::argument::TensorFor;
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::{
    AvgPool1d, AvgPool2d, BatchNorm, Bidirectional, Causal, Class, Concat, ConstZero, Conv1d, Conv2d, Conv2dNoBias,
    ConvTranspose1d, ConvTranspose2d, Dense, DenseNoBias, DepthwiseConv1d, DepthwiseConv2d, Dilation, Dropout, Elu,
    Embedding, Epsilon, Flatten, Gelu, GeluTanh, GlobalAvgPool, GlobalMaxPool, GroupNorm, GroupedConv1d, GroupedConv2d,
    Gru, HardSigmoid, HardSwish, Identity, Image, Last, LayerNorm, LeakyRelu, LearnedPositions, LogSoftmax, Lstm,
    MaxPool1d, MaxPool2d, Momentum, Network, NoBias, OutputPadding, Pad, Parallel, PositionalEncoding, Relu, Reshape,
    Residual, RmsNorm, Rnn, Same, SelfAttention, Sequence, Sigmoid, Silu, Softmax, Softplus, Stride, Sum, Tanh,
    TimeDistributed, Tokens, Upsample, Valid, Vector,
};
use safetensors::{Dtype, SafeTensors};
use std::any::type_name;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

/// Declares the type of each file, and checks that it is what the script wrote into it.
macro_rules! models {
    ($($name:ident $file:literal: $network:ty;)+) => {
        $(type $name = $network;)+

        /// File, and type as it is written here.
        const MODELS: &[(&str, &str)] = &[$(($file, stringify!($network))),+];
    };
}

models! {
    TorchClassifier "torch_classifier": Network<Image<2, 3, 4>, (
        Flatten, Dense<24, 16>, Relu, Dropout<1, 4>, DenseNoBias<16, 12>, LeakyRelu<1, 5>, Dropout, Dense<12, 5>, LogSoftmax
    )>;
    TorchNested "torch_nested": Network<Vector<6>, (
        Dense<6, 8>, Residual<(Tanh, Dense<8, 8>, Identity)>, (Elu<3, 2>, Dense<8, 12>, (GeluTanh,)),
        Reshape<Image<2, 2, 3>>, Softmax, Flatten, Dense<12, 4>, Sigmoid
    )>;
    TorchActivations "torch_activations": Network<Vector<5>, (
        (
            Dense<5, 5>, Elu, Dense<5, 5>, Gelu, Dense<5, 5>, Silu, Dense<5, 5>, Softplus,
            Dense<5, 5>, HardSigmoid, Dense<5, 5>, HardSwish, Dense<5, 5>, LeakyRelu, Dense<5, 5>, Relu
        ),
        (Dense<5, 3>, Softmax)
    )>;
    TorchSequence "torch_sequence": Network<Sequence<3, 4>, (Dense<3, 5>, Softmax, Flatten, Tanh, Dense<20, 2>)>;
    KerasClassifier "keras_classifier": Network<Image<2, 3, 4>, (
        Flatten, Dropout<1, 5>, Dense<24, 16>, Relu, DenseNoBias<16, 12>, LeakyRelu<3, 10>,
        Dense<12, 8>, LeakyRelu<1, 5>, Dense<8, 5>, LogSoftmax
    )>;
    KerasFunctional "keras_functional": Network<Vector<6>, (
        (
            Dense<6, 6>, Elu, Dense<6, 6>, Gelu, Dense<6, 6>, Sigmoid, Dense<6, 6>, Tanh,
            Dense<6, 6>, Silu, Dense<6, 6>, Softplus, Dense<6, 6>, HardSigmoid, Dense<6, 6>, HardSwish
        ),
        (Dense<6, 6>, Tanh, Residual<(LeakyRelu<1, 8>, Dense<6, 6>, Identity)>, (Elu<3, 2>, Dense<6, 3>), Relu, Softmax)
    )>;
    KerasSequence "keras_sequence": Network<Sequence<3, 4>, (Dense<3, 5>, Softmax, Flatten, Dense<20, 2>)>;
    TorchImage "torch_image": Network<Image<1, 12, 10>, (
        Conv2d<1, 4, 3, 3, Stride, Pad<1>>, BatchNorm<4>, Relu, MaxPool2d<2>,
        DepthwiseConv2d<4, 3, 3, Stride, Same>, Conv2dNoBias<4, 6, 1>, GroupNorm<2, 6>,
        GroupedConv2d<2, 3, 2, 3, 2, Stride<2, 1>, Pad<1, 0>>, Silu, AvgPool2d<1, 2, Stride<1, 2>, Pad<0, 1>>,
        Upsample<2, 1>, Conv2d<4, 3, 2, 2, Stride, Pad<1>, Dilation<2>>, Flatten, Dense<54, 3>
    )>;
    TorchDecoder "torch_decoder": Network<Vector<6>, (
        Dense<6, 12>, Reshape<Image<3, 2, 2>>, Relu, ConvTranspose2d<3, 4, 3, 3, Stride<2>, Pad<1>, OutputPadding<1>>, Relu,
        ConvTranspose2d<4, 2, 2, 2, Stride<2>>, Upsample, ConvTranspose2d<2, 1, 1, 3, Stride, Valid, OutputPadding, f32, NoBias>, GlobalMaxPool, Flatten, Dense<1, 2>
    )>;
    TorchBranches "torch_branches": Network<Image<2, 7, 6>, (
        Parallel<
            (Conv2d<2, 4, 3, 3, Stride<2>, Pad<1>>, Relu, Conv2dNoBias<4, 4, 3, 3, Stride, Pad<1>>, BatchNorm<4>),
            Conv2d<2, 4, 1, 1, Stride<2>>, Sum
        >,
        Relu, Parallel<Conv2d<4, 2, 1>, Conv2d<4, 3, 1, 3, Stride, Pad<0, 1>>, Concat>, GlobalAvgPool
    )>;
    TorchSignal "torch_signal": Network<Sequence<2, 16>, (
        Identity, Conv1d<2, 4, 3, Stride, Causal, Dilation<2>>, BatchNorm<4>, Tanh, MaxPool1d<3, Stride<2>, Pad<1>>,
        GroupedConv1d<2, 2, 3, 3, Stride, Same>, AvgPool1d<2>, Identity, LayerNorm<6>, Dense<6, 4>, Identity,
        ConvTranspose1d<4, 3, 2, Stride<2>>, GlobalAvgPool, Flatten, BatchNorm<3, Epsilon<1, 1000>, Momentum<1, 100>>
    )>;
    TorchRecurrent "torch_recurrent": Network<Sequence<3, 6>, (
        (Gru<3, 4>, Dropout<1, 10>, Gru<4, 4>), Bidirectional<Lstm<4, 3>>, Rnn<6, 4, Relu>, Last, Dense<4, 2>
    )>;
    TorchAttention "torch_attention": Network<Sequence<4, 5>, (
        PositionalEncoding, Residual<(LayerNorm<4, Epsilon<1, 1_000_000>>, SelfAttention<4, 2>)>, Flatten, Dense<20, 2>
    )>;
    TorchTransformer "torch_transformer": Network<Tokens<7, 5>, (
        Embedding<7, 4>, LearnedPositions<4, 5>, Residual<(LayerNorm<4>, SelfAttention<4, 2, Causal>)>,
        Residual<(LayerNorm<4>, Dense<4, 6>, Gelu, Dense<6, 4>)>, RmsNorm<4, Epsilon<1, 8_388_608>>, Dense<4, 7>
    )>;
    KerasImage "keras_image": Network<Image<1, 11, 8>, (
        (
            Conv2d<1, 4, 3, 3, Stride<2>, Same>, Relu, BatchNorm<4, Epsilon<1, 1000>, Momentum<1, 100>>, Identity,
            GroupedConv2d<2, 2, 2, 2, 3, Stride, Same>, Silu, MaxPool2d<3, 3, Stride<2>, Same>,
            GroupedConv2d<4, 1, 2, 2, 2, Stride, Same>, GroupNorm<4, 8, Epsilon<1, 1000>>, Upsample<2, 3>,
            (DepthwiseConv2d<8, 3, 3, Stride, Valid, Dilation, f32, NoBias>, Conv2d<8, 5, 1>), Tanh, AvgPool2d<2, 1>, Conv2dNoBias<5, 3, 1>, Flatten,
            BatchNorm<24, Epsilon<1, 100>, Momentum<1, 100>>
        ),
        (Dense<24, 3>,)
    )>;
    KerasDecoder "keras_decoder": Network<Image<2, 2, 3>, (
        ConvTranspose2d<2, 3, 4, 4, Stride<2>, Same>, Relu,
        ConvTranspose2d<3, 2, 1, 2, Stride<2>, Valid, OutputPadding<1, 0>, f32, NoBias>,
        ConvTranspose2d<2, 2, 2, 2, Stride<3>, Same>,
        ConvTranspose2d<2, 2, 3, 1, Stride<2>, Same>, Sigmoid,
        AvgPool2d<4, 4, Stride<2>, Same>, GlobalMaxPool
    )>;
    KerasBranches "keras_branches": Network<Image<2, 8, 8>, (
        Parallel<
            (Conv2dNoBias<2, 4, 3, 3, Stride<2>, Same>, BatchNorm<4, Epsilon<1, 1000>, Momentum<1, 100>>),
            Conv2d<2, 4, 1, 1, Stride<2>>, Sum
        >,
        Relu, Parallel<Conv2d<4, 2, 1>, DepthwiseConv2d<4, 3, 3, Stride, Same>, Concat>, GlobalAvgPool, Dense<6, 2>
    )>;
    KerasSignal "keras_signal": Network<Sequence<2, 16>, (
        Conv1d<2, 4, 3, Stride, Causal, Dilation<2>>, Relu, MaxPool1d<2>, DepthwiseConv1d<4, 3>,
        (DepthwiseConv1d<4, 2, Stride, Same, Dilation, f32, NoBias>, Conv1d<4, 4, 1>), Upsample, ConvTranspose1d<4, 3, 2, Stride<2>>,
        AvgPool1d<3, Stride<2>>, LayerNorm<3, Epsilon<1, 1000>>, TimeDistributed<(Dense<3, 4>, Tanh, Dense<4, 2>)>,
        RmsNorm<2, Epsilon<1, 1_000_000>>, GlobalAvgPool
    )>;
    KerasRecurrent "keras_recurrent": Network<Tokens<7, 6>, (
        Embedding<7, 3>, Gru<3, 4>, Bidirectional<Lstm<4, 3>>, Rnn<6, 4>, Dropout<1, 4>, Gru<4, 3>, Lstm<3, 4>, Last,
        Dense<4, 2>
    )>;
}

/// The golden files.
fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import")
}

/// The shape and the numbers of a tensor.
fn tensor(file: &[u8], name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
    let tensors = SafeTensors::deserialize(file)?;
    let view = tensors.tensor(name)?;
    assert_eq!(view.dtype(), Dtype::F32, "{name}");
    let numbers = view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    Ok((view.shape().to_vec(), numbers.collect()))
}

fn assert_near(what: &str, actual: &[f32], expected: &[f32]) {
    assert_eq!(actual.len(), expected.len(), "{what}: numbers");
    for (i, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        // Numbers around 1 are summed in another order than the framework's, and may leave a small one.
        let near = approx::relative_eq!(actual, expected, epsilon = 1e-6, max_relative = 1e-5);
        assert!(near, "{what}, number {i}: {actual}, the framework has {expected}");
    }
}

/// A shape whose tensors are read from the numbers of one sample.
trait Input: Shape {
    /// The tensor; `is_outermost` says that the numbers come channel by channel, and not step by step or pixel by pixel.
    fn read(x: &[f32], is_outermost: bool) -> TensorOf<Self, f32>;
}

macro_rules! input_of_numbers {
    ($([$($n:ident)+] $shape:ty;)+) => { $(
        impl<$(const $n: usize),+> Input for $shape {
            fn read(x: &[f32], is_outermost: bool) -> TensorOf<Self, f32> {
                let (channels, positions) = (Self::CHANNELS, Self::LEN / Self::CHANNELS);
                let mut tensor = TensorOf::<Self, f32>::ZERO;
                for (i, number) in Tensor::as_mut_slice(&mut tensor).iter_mut().enumerate() {
                    *number = x[if is_outermost { i % channels * positions + i / channels } else { i }];
                }
                tensor
            }
        }
    )+ };
}
input_of_numbers! { [N] Vector<N>; [C L] Sequence<C, L>; [C H W] Image<C, H, W>; }

impl<const N: usize, const L: usize> Input for Tokens<N, L> {
    fn read(x: &[f32], _: bool) -> TensorOf<Self, f32> {
        let index = |x: f32| (0..u16::MAX).position(|i| f32::from(i) >= x).unwrap_or(0);
        std::array::from_fn(|place| Class::new(index(x[place])).expect("an index below N"))
    }
}

/// Predicts for the inputs of `NAME.io.safetensors`, and compares with its outputs.
fn check<In: Input, L: Layer<In>>(folder: &Path, name: &str, net: &Network<In, L>) -> Result
where
    TensorOf<In, f32>: TensorFor<In, f32>,
{
    let file = fs::read(folder.join(format!("{name}.io.safetensors")))?;
    let ((shape, x), (_, y)) = (tensor(&file, "x")?, tensor(&file, "y")?);
    // PyTorch has the channels of images and signals outermost; in memory they are innermost, as Keras has them.
    let is_outermost = name == "torch_signal" || name.starts_with("torch") && shape.len() == 4;
    let mut actual = Vec::new();
    for x in x.chunks_exact(x.len() / shape[0]) {
        actual.extend_from_slice(net.predict(&In::read(x, is_outermost)).as_slice());
    }
    assert_near(name, &actual, &y);
    Ok(())
}

/// Loads `NAME.safetensors`, and checks its predictions.
fn load_and_check<In: Input, L: Layer<In> + Parameters<f32>>(
    folder: &Path,
    name: &str,
    mut net: Network<In, L>,
) -> Result
where
    TensorOf<In, f32>: TensorFor<In, f32>,
{
    net.load_file(folder.join(format!("{name}.safetensors"))).map_err(|error| format!("{name}: {error}"))?;
    check(folder, name, &net)
}

fn load_and_check_all(folder: &Path) -> Result {
    load_and_check(folder, "torch_classifier", TorchClassifier::ZERO)?;
    load_and_check(folder, "torch_nested", TorchNested::ZERO)?;
    load_and_check(folder, "torch_activations", TorchActivations::ZERO)?;
    load_and_check(folder, "torch_sequence", TorchSequence::ZERO)?;
    load_and_check(folder, "keras_classifier", KerasClassifier::ZERO)?;
    load_and_check(folder, "keras_functional", KerasFunctional::ZERO)?;
    load_and_check(folder, "keras_sequence", KerasSequence::ZERO)?;
    load_and_check(folder, "torch_image", TorchImage::ZERO)?;
    load_and_check(folder, "torch_decoder", TorchDecoder::ZERO)?;
    load_and_check(folder, "torch_branches", TorchBranches::ZERO)?;
    load_and_check(folder, "torch_signal", TorchSignal::ZERO)?;
    load_and_check(folder, "torch_recurrent", TorchRecurrent::ZERO)?;
    load_and_check(folder, "torch_attention", TorchAttention::ZERO)?;
    load_and_check(folder, "torch_transformer", TorchTransformer::ZERO)?;
    load_and_check(folder, "keras_image", KerasImage::ZERO)?;
    load_and_check(folder, "keras_decoder", KerasDecoder::ZERO)?;
    load_and_check(folder, "keras_branches", KerasBranches::ZERO)?;
    load_and_check(folder, "keras_signal", KerasSignal::ZERO)?;
    load_and_check(folder, "keras_recurrent", KerasRecurrent::ZERO)
}

/// Would catch: a kernel that is not transposed, an order of flattening, an option or a key that is not the framework's.
#[test]
fn loaded_at_run_time() -> Result {
    load_and_check_all(&golden())
}

/// Writes a static of a file of `tests/data/import`.
macro_rules! constant {
    ($name:ident, $weights:ident, $network:ty, $file:literal) => {
        struct $weights;
        impl constnet::safetensors::File for $weights {
            const BYTES: &'static [u8] = include_bytes!(concat!("data/import/", $file));
        }
        static $name: $network = <$network>::from_file::<$weights>();
    };
}
constant!(TORCH, TorchWeights, TorchNested, "torch_nested.safetensors");
constant!(KERAS, KerasWeights, KerasClassifier, "keras_classifier.safetensors");

/// The same files, read by the compiler.
#[test]
fn read_at_compile_time() -> Result {
    check(&golden(), "torch_nested", &TORCH)?;
    check(&golden(), "keras_classifier", &KERAS)
}

/// Would catch: a script that prints another type than the one that fits its file.
#[test]
fn the_types_that_the_scripts_print() -> Result {
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    for (name, network) in MODELS {
        let file = fs::read(golden().join(format!("{name}.safetensors")))?;
        let (_, metadata) = SafeTensors::read_metadata(&file)?;
        let printed = metadata.metadata().as_ref().and_then(|map| map.get("network")).ok_or("no type in the file")?;
        assert_eq!(plain(printed), plain(network), "{name}");
    }
    assert!(type_name::<TorchSequence>().contains("Sequence<3, 4>"));
    Ok(())
}

/// Where PyTorch and Keras are, the scripts write the golden files again.
#[test]
fn the_scripts_write_the_golden_files() -> Result {
    let Some(python) = python::find(&["torch", "keras", "safetensors"])? else { return Ok(()) };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("import");
    let path = folder.to_str().ok_or("the path of the target folder is UTF-8")?;
    python.succeed(&["export_pytorch.py", "--demos", path])?;
    python.succeed(&["export_keras.py", "--demos", path])?;
    load_and_check_all(&folder)?;
    for (name, _) in MODELS {
        let (written, golden) = (folder.join(name), golden().join(name));
        let weights = |path: &Path| fs::read(path.with_extension("safetensors"));
        assert!(weights(&written)? == weights(&golden)?, "{name}: the weights differ");
        let outputs = |path: &Path| tensor(&fs::read(path.with_extension("io.safetensors"))?, "y");
        assert_near(name, &outputs(&written)?.1, &outputs(&golden)?.1);
    }
    Ok(())
}

/// Where PyTorch and Keras are, the scripts export a user's own model, and refuse what does not exist here in the words of
/// `tests/python/refused_*.py`.
#[test]
fn what_the_scripts_refuse() -> Result {
    let Some(python) = python::find(&["torch", "keras", "safetensors"])? else { return Ok(()) };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("import_own");
    fs::create_dir_all(&folder)?;
    let (model, file) = (folder.join("model.py"), folder.join("net.safetensors"));
    fs::write(&model, OWN_MODELS)?;
    let (model, file) = (model.to_str().ok_or("UTF-8")?, file.to_str().ok_or("UTF-8")?);

    python.succeed(&["export_pytorch.py", &format!("{model}:wrapped"), "3", file])?;
    let mut net = Network::<Vector<3>, (Dense<3, 2>,)>::ZERO;
    net.load_file(file)?;

    python.succeed(&["export_pytorch.py", &format!("{model}:shared"), "3", file])?;
    let mut net = Network::<Vector<3>, (Dense<3, 3>, Relu, Dense<3, 3>, Residual<(Dense<3, 3>, Relu)>)>::ZERO;
    net.load_file(file)?;
    assert_eq!(net.layers.0, net.layers.2, "the same module");

    for script in ["export_pytorch.py", "export_keras.py"] {
        let usage = python.run(&[script])?;
        let message = String::from_utf8_lossy(&usage.stderr);
        assert!(usage.status.code() == Some(2) && message.contains("--demos FOLDER"), "{message}");
    }
    let place = format!("{model}:wrapped");
    let refused = python.run(&["export_pytorch.py", &place, "3", "missing_folder/net.safetensors"])?;
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(message.starts_with("error: missing_folder/net.safetensors cannot be written: "), "{message}");

    let refused = python.run(&["export_pytorch.py", &format!("{model}:missing"), "3", file])?;
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && message.ends_with("model.py has no `missing`\n"), "{message}");

    python.succeed(&["../../tests/python/refused_torch.py", file])?;
    python.succeed(&["../../tests/python/refused_keras.py", file])?;
    Ok(())
}

/// A user's models.
const OWN_MODELS: &str = "
from torch import nn

class Wrapper(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x):
        return self.linear(x)

class Skip(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.inner = nn.Sequential(*layers)

    def forward(self, x):
        return self.inner(x) + x

linear = nn.Linear(3, 3)
shared = nn.Sequential(linear, nn.ReLU(), linear, Skip(linear, nn.ReLU(inplace=True)))
wrapped = Wrapper()
";
