//! The example `onnx_to_constnet`, against models that PyTorch exported and what onnxruntime made of them:
//! `tests/data/onnx`, written by `examples/import/export_onnx.py`.

#[path = "../examples/onnx_to_constnet/convert/mod.rs"]
mod convert;
mod python;

use convert::proto::{AttributeProto, ModelProto, TensorProto};
use convert::{Converted, convert};
use prost::Message;
use safetensors::SafeTensors;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

/// What each model must become.
const MODELS: [(&str, &str); 24] = [
    ("batch_dynamo", CLASSIFIER),
    ("classifier_dynamo", CLASSIFIER),
    ("classifier_legacy", CLASSIFIER),
    ("activations_dynamo", ACTIVATIONS),
    ("activations_dynamo_18", ACTIVATIONS),
    ("activations_legacy_13", ACTIVATIONS),
    ("residual_dynamo", RESIDUAL),
    ("residual_legacy", RESIDUAL),
    ("sequence_dynamo", SEQUENCE),
    ("sequence_legacy", SEQUENCE),
    ("image_dynamo", IMAGE),
    ("image_legacy", IMAGE),
    ("decoder_dynamo", DECODER),
    ("branches_dynamo", BRANCHES),
    ("branches_legacy", BRANCHES),
    (
        "signal_dynamo",
        "Network<Sequence<2, 10>, (Conv1d<2, 4, 3, Stride, Pad<1>>, Tanh, AvgPool1d<2, Stride<2>, Pad<1>>, \
        ConvTranspose1d<4, 3, 2, Stride<2>>, Upsample, MaxPool1d<3>, LayerNorm<3, Epsilon<1, 1000>>, Dense<3, 2>, \
        GlobalAvgPool)>",
    ),
    (
        "signal_legacy",
        "Network<Sequence<2, 10>, (Conv1d<2, 4, 3, Stride, Same>, Tanh, AvgPool1d<2, Stride<2>, Pad<1>>, \
        ConvTranspose1d<4, 3, 2, Stride<2>>, Upsample, MaxPool1d<3>, LayerNorm<3, Epsilon<1, 1000>>, Dense<3, 2>, \
        GlobalAvgPool)>",
    ),
    ("signal_causal", "Network<Sequence<2, 9>, (Conv1d<2, 3, 3, Stride, Causal, Dilation<2>>, GlobalAvgPool)>"),
    (
        "norms_dynamo",
        "Network<Image<2, 3, 2>, (Conv2d<2, 4, 2>, GroupNorm<2, 4>, Flatten, RmsNorm<8, Epsilon<1, 8_388_608>>, LayerNorm<8>)>",
    ),
    ("recurrent_dynamo", "Network<Sequence<3, 5>, (Gru<3, 4>, Gru<4, 4>, Gru<4, 3>, Lstm<3, 4>, Last, Dense<4, 2>)>"),
    (
        "recurrent_legacy",
        "Network<Sequence<3, 5>, (Gru<3, 4>, Gru<4, 4>, Rnn<4, 3, Relu>, Lstm<3, 4>, Last, Dense<4, 2>)>",
    ),
    ("recurrent_batch", "Network<Sequence<3, 5>, (Gru<3, 4>, Gru<4, 4>, Lstm<4, 3>, Lstm<3, 4>, Last, Dense<4, 2>)>"),
    ("directions_dynamo", DIRECTIONS),
    ("directions_legacy", DIRECTIONS),
];
const CLASSIFIER: &str =
    "Network<Image<2, 3, 4>, (Flatten, Dense<24, 16>, Relu, DenseNoBias<16, 12>, Tanh, Dense<12, 5>, LogSoftmax)>";
const ACTIVATIONS: &str = "Network<Vector<6>, (\
    (Dense<6, 6>, LeakyRelu<1, 5>, Dense<6, 6>, Elu<3, 2>, Dense<6, 6>, Sigmoid, Dense<6, 6>, Tanh, Dense<6, 6>, Gelu, \
    Dense<6, 6>, GeluTanh, Dense<6, 6>, Softplus, Dense<6, 6>, HardSigmoid), \
    (Dense<6, 6>, HardSwish, Dense<6, 6>, Silu, Dense<6, 6>, Relu, Dense<6, 6>, Elu, Dense<6, 6>, LeakyRelu, \
    Dense<6, 6>, Softmax))>";
const RESIDUAL: &str = "Network<Image<1, 2, 3>, (Flatten, Dense<6, 8>, \
    Residual<(Dense<8, 8>, Silu, Residual<(Relu, DenseNoBias<8, 8>)>)>, Dense<8, 3>, Sigmoid)>";
const SEQUENCE: &str = "Network<Sequence<3, 4>, (Dense<3, 5>, Relu, DenseNoBias<5, 4>, Gelu, Dense<4, 2>, Softmax)>";

const IMAGE: &str = "Network<Image<1, 11, 12>, (BatchNorm<1, Epsilon<1, 100>>, Conv2d<1, 4, 3, 3, Stride<2>>, Relu, \
    DepthwiseConv2d<4, 3, 3, Stride, Pad<1>>, Conv2d<4, 6, 1>, MaxPool2d<2>, \
    GroupedConv2d<2, 3, 2, 3, 2, Stride, Pad<1, 0>, Dilation, f32, NoBias>, Silu, AvgPool2d<1, 2, Stride<1, 2>, Pad<0, 1>>, \
    Conv2d<4, 3, 2, 2, Stride, Pad<1>, Dilation<2>>, Flatten, Dense<6, 3>)>";
const DECODER: &str = "Network<Vector<6>, (Dense<6, 12>, Reshape<Image<3, 2, 2>>, Relu, \
    ConvTranspose2d<3, 4, 3, 3, Stride<2>, Pad<1>, OutputPadding<1>>, Relu, Upsample<2, 3>, \
    ConvTranspose2d<4, 2, 2, 2, Stride<2>, Valid, OutputPadding, f32, NoBias>, GlobalMaxPool)>";
const BRANCHES: &str = "Network<Image<2, 7, 6>, (\
    Parallel<(Conv2d<2, 4, 3, 3, Stride<2>, Pad<1>>, Relu, Conv2d<4, 4, 3, 3, Stride, Pad<1>>), \
    Conv2d<2, 4, 1, 1, Stride<2>>, Sum>, Relu, \
    Parallel<Conv2d<4, 2, 1>, MaxPool2d<3, 3, Stride, Pad<1>>, Concat>, GlobalAvgPool)>";
const DIRECTIONS: &str = "Network<Sequence<3, 5>, (Bidirectional<Lstm<3, 4>>, Gru<8, 3>, Last, Dense<3, 2>)>";

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx").join(file)
}

fn converted(name: &str) -> Result<Converted> {
    Ok(convert(&fs::read(data(&format!("{name}.onnx")))?, name).map_err(|error| format!("{name}: {error}"))?)
}

/// Would catch: a node that becomes the wrong layer, or none.
#[test]
fn the_types_of_the_networks() -> Result {
    for (name, network) in MODELS {
        assert_eq!(converted(name)?.network, network, "{name}");
    }
    Ok(())
}

/// Compiles what the converter wrote, all models in one crate, and runs it.
///
/// Would catch: source that does not compile, weights that do not fit it, a wrong layout, a layer of another function than
/// ONNX's.
#[test]
fn the_generated_source_predicts_what_onnxruntime_does() -> Result {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    let mut expected = Vec::new();
    fs::create_dir_all(folder.join("src"))?;
    let mut main = String::from("//! Predicts with every model, and prints the bits of the outputs.\n");
    let mut calls = String::new();
    for (name, _) in MODELS {
        let Converted { source, weights, .. } = converted(name)?;
        write(&folder.join(format!("src/{name}.rs")), source.as_bytes())?;
        write(&folder.join(format!("src/{name}.safetensors")), &weights)?;
        let golden = fs::read(data(&format!("{name}.io.safetensors")))?;
        let golden = SafeTensors::deserialize(&golden)?;
        let (x, y) = (golden.tensor("x")?, golden.tensor("y")?);
        // An image's pixels and a sequence's steps are held channels innermost; PyTorch's convolutions take them outermost.
        let is_outermost = x.shape().len() == 4 || name.starts_with("signal");
        let x = if is_outermost { channels_last(x.shape(), &numbers(x.data())) } else { numbers(x.data()) };
        writeln!(main, "mod {name};")?;
        writeln!(calls, "    predict({name:?}, &{name}::NET, &{x:?});")?;
        expected.extend(numbers(y.data()).into_iter().map(|y| (name, y)));
    }
    write!(main, "{PREDICT}fn main() {{\n{calls}}}\n")?;
    write(&folder.join("src/main.rs"), main.as_bytes())?;
    write(
        &folder.join("Cargo.toml"),
        format!(
            "[package]\nname = \"models\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
            constnet = {{ path = {:?}, default-features = false }}\n",
            env!("CARGO_MANIFEST_DIR")
        )
        .as_bytes(),
    )?;
    // The versions that are here already, so that nothing need be fetched.
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = Command::new(cargo)
        .args(["run", "--quiet", "--offline", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        // Where the test was built: nalgebra need not be compiled twice.
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("a target directory")?)
        .output()?;
    assert!(run.status.success(), "the generated source failed:\n{}", String::from_utf8_lossy(&run.stderr));

    let printed = String::from_utf8(run.stdout)?;
    assert_eq!(printed.lines().count(), expected.len(), "as many outputs as onnxruntime's");
    for (line, (name, expected)) in printed.lines().zip(expected) {
        let (model, bits) = line.split_once(' ').ok_or("a model and a number")?;
        let actual = f32::from_bits(bits.parse()?);
        assert_eq!(model, name);
        let near = approx::relative_eq!(actual, expected, epsilon = 1e-7, max_relative = 1e-5);
        assert!(near, "{name}: {actual}, onnxruntime has {expected}");
    }
    Ok(())
}

/// What the program does with a model.
const PREDICT: &str = "
use constnet::shape::Tensor;
use constnet::{ConstZero, Network, layer::Layer, shape::Shape};

fn predict<In: Shape, L: Layer<In>>(name: &str, net: &Network<In, L>, x: &[f32]) {
    for numbers in x.chunks_exact(In::LEN) {
        let (mut x, mut y) = (In::Tensor::ZERO, <L::Out as Shape>::Tensor::ZERO);
        x.as_mut_slice().copy_from_slice(numbers);
        net.forward(&x, &mut y);
        for y in Tensor::as_slice(&y) {
            println!(\"{name} {}\", y.to_bits());
        }
    }
}

";

/// Writes what is new only, so that cargo need not build again.
fn write(path: &Path, content: &[u8]) -> Result {
    if fs::read(path).is_ok_and(|old| old == content) { Ok(()) } else { Ok(fs::write(path, content)?) }
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// From PyTorch's order of images and signals, channel by channel, to that of constnet's memory.
fn channels_last(shape: &[usize], x: &[f32]) -> Vec<f32> {
    let (channels, pixels) = (shape[1], shape[2..].iter().product::<usize>());
    let sample =
        |x: &[f32]| (0..pixels * channels).map(|i| x[i % channels * pixels + i / channels]).collect::<Vec<_>>();
    x.chunks_exact(channels * pixels).flat_map(sample).collect()
}

/// What cannot be expressed is refused by the node's operator and name.
#[test]
fn refusals_name_the_node() -> Result {
    let cases = [
        (
            "refused_norm",
            "node Add `node_group_norm` adds a constant to a product (a normalisation of several parts: export with \
            `dynamo=True` and `opset_version=23`)",
        ),
        (
            "refused_axis",
            "node Add `node_linear`: it does not run over the channels of `Sequence<4, 6>`, as constnet's does",
        ),
        ("refused_padding", "node Pad `node_pad`: it pads with other numbers than zeros, or some axes only"),
        (
            "refused_pads",
            "node Pad `/0/Pad`: how much it pads is computed by the graph: give the padding to the convolution",
        ),
        (
            "refused_unrolled",
            "node Concat `node_cat` joins 3 values, and constnet's joins two (a recurrent layer of several parts: export \
            with `dynamo=False`)",
        ),
        ("refused_product", "node Mul `node_mul` is nothing that a constnet network can express"),
        ("refused_hard_tanh", "node Clip `/1/Clip` is nothing that a constnet network can express"),
        (
            "refused_flatten",
            "node Flatten `/1/Flatten`: constnet flattens `Sequence<2, 4>` channel by channel, this step by step: \
            train with an input of one axis",
        ),
        (
            "refused_external",
            "node Gemm `node_linear`: the numbers of tensor `0.weight` lie in another file: export with `external_data=False`",
        ),
        ("refused_double", "input `onnx::Gemm_0` is of ONNX's data type 11, and only 1, f32, is read"),
        ("refused_computed", "node Reshape `/Reshape`: its shape is computed by the graph; `nn.Flatten` has none"),
    ];
    for (name, message) in cases {
        let model = fs::read(data(&format!("{name}.onnx")))?;
        assert_eq!(convert(&model, name).err().as_deref(), Some(message), "{name}");
    }
    Ok(())
}

/// Converts a model after a change.
fn changed(name: &str, change: impl FnOnce(&mut ModelProto)) -> Result<Result<Converted, String>> {
    let mut model = ModelProto::decode(&fs::read(data(&format!("{name}.onnx")))?[..])?;
    change(&mut model);
    Ok(convert(&model.encode_to_vec(), name))
}

/// Gives an attribute to every node of an operator.
fn with_attribute(name: &str, operator: &str, attribute: &AttributeProto) -> Result<Result<Converted, String>> {
    changed(name, |model| {
        for node in model.graph.iter_mut().flat_map(|graph| &mut graph.node).filter(|node| node.op_type == operator) {
            node.attribute.retain(|old| old.name != attribute.name);
            node.attribute.push(attribute.clone());
        }
    })
}

/// Would catch: an option of ONNX's that is passed over.
#[test]
fn options_that_are_refused() -> Result {
    let int = |name: &str, i| AttributeProto { name: name.into(), i, ..AttributeProto::default() };
    let ints = |name: &str, ints: &[i64]| AttributeProto { ints: ints.to_vec(), ..int(name, 0) };
    let text = |name: &str, s: &str| AttributeProto { s: s.into(), ..int(name, 0) };
    let names = |name: &str, all: &[&str]| AttributeProto {
        strings: all.iter().map(|&each| each.into()).collect(),
        ..int(name, 0)
    };
    let cases = [
        ("image_dynamo", "MaxPool", int("ceil_mode", 1), "with ceil_mode, it pools windows that are not whole"),
        ("image_dynamo", "MaxPool", ints("dilations", &[2, 2]), "it pools with a dilation"),
        (
            "image_dynamo",
            "MaxPool",
            ints("kernel_shape", &[9, 9]),
            "its kernel of [9, 9] does not fit into what comes in",
        ),
        (
            "image_dynamo",
            "AveragePool",
            int("count_include_pad", 0),
            "with this padding constnet counts what is padded",
        ),
        (
            "image_dynamo",
            "Conv",
            text("auto_pad", "SAME_LOWER"),
            "auto_pad is SAME_LOWER, and NOTSET, VALID and SAME_UPPER are understood",
        ),
        ("image_dynamo", "Conv", ints("strides", &[0, 1]), "strides = [0, 1]"),
        (
            "image_dynamo",
            "Conv",
            ints("pads", &[0, 0, 0, 1]),
            "the padding [(0, 0), (0, 1)] is neither the same on both sides, nor causal, nor `Same`",
        ),
        (
            "decoder_dynamo",
            "ConvTranspose",
            ints("dilations", &[2, 2]),
            "transposed, and with groups, a dilation or an output_shape",
        ),
        ("decoder_dynamo", "ConvTranspose", text("auto_pad", "SAME_UPPER"), "transposed, and with auto_pad"),
        (
            "decoder_dynamo",
            "Resize",
            text("mode", "linear"),
            "it resizes by [\"linear\", \"asymmetric\", \"floor\"], and constnet's Upsample repeats",
        ),
        (
            "signal_dynamo",
            "LayerNormalization",
            int("axis", 1),
            "over several axes, and constnet's normalises over the channels",
        ),
        (
            "recurrent_dynamo",
            "GRU",
            int("linear_before_reset", 0),
            "linear_before_reset is 0: constnet resets after the product, as PyTorch does",
        ),
        (
            "recurrent_dynamo",
            "GRU",
            text("direction", "reverse"),
            "its direction is reverse, and forward or bidirectional is understood",
        ),
        (
            "recurrent_dynamo",
            "LSTM",
            names("activations", &["Sigmoid", "Relu", "Tanh"]),
            "with other activations than tanh and sigmoid",
        ),
        ("recurrent_dynamo", "LSTM", int("layout", 1), "with a layout, input_forget or clip"),
        (
            "recurrent_dynamo",
            "Gather",
            int("axis", 2),
            "it takes number -1 along axis 2, and of a sequence only the last step can be taken",
        ),
        (
            "branches_dynamo",
            "Concat",
            int("axis", 2),
            "of `Image<2, 4, 3>` and `Image<4, 4, 3>` along axis 2, and constnet's joins channels",
        ),
        ("branches_dynamo", "ReduceMean", int("keepdims", 1), ""),
    ];
    for (name, operator, attribute, message) in cases {
        match with_attribute(name, operator, &attribute)? {
            Ok(_) => assert_eq!(message, "", "{name}: {attribute:?} was converted"),
            Err(refused) => assert!(
                !message.is_empty() && refused.ends_with(&format!(": {message}")) && refused.contains(operator),
                "{name}, {operator}: {refused}"
            ),
        }
    }
    Ok(())
}

/// Would catch: lengths that types calculate with no more, and a type that does not compile.
#[test]
fn long_signals() -> Result {
    let long = changed("signal_causal", |model| {
        let Some(graph) = &mut model.graph else { return };
        for input in &mut graph.input {
            let shape = input.r#type.as_mut().and_then(|kind| kind.tensor_type.as_mut()?.shape.as_mut());
            if let Some(shape) = shape {
                shape.dim[2].dim_value = Some(9000);
            }
        }
        for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute).filter(|a| a.name == "pads") {
            attribute.ints = vec![0, 0];
        }
    })??;
    let network = "Network<Sequence<2, 9000>, (Conv1d<2, 3, 3, Stride, To<8996>, Dilation<2>>, GlobalAvgPool)>";
    assert_eq!(long.network, network);
    Ok(())
}

/// Would catch: a state to start from that is taken for zeros.
#[test]
fn states_to_start_from() -> Result {
    let refused = changed("recurrent_dynamo", |model| {
        let Some(graph) = &mut model.graph else { return };
        let state = graph.node.iter().find(|node| node.op_type == "GRU").map(|node| node.input[5].clone());
        for tensor in graph.initializer.iter_mut().filter(|tensor| Some(&tensor.name) == state.as_ref()) {
            tensor.raw_data[3] = 0x3f; // The first number is 0.5.
        }
    })?;
    let message = refused.err().ok_or("a state was passed over")?;
    assert!(
        message.contains("it starts from the state") && message.ends_with("and constnet's from zeros"),
        "{message}"
    );
    Ok(())
}

/// Would catch: outputs that are left out, which have no name, taken for one value; a mask taken for a node's result.
#[test]
fn nodes_with_several_outputs() -> Result {
    let outputs = |model: &mut ModelProto, last: &str| {
        for (index, node) in model.graph.iter_mut().flat_map(|graph| &mut graph.node).enumerate() {
            node.output.extend([String::new(), if last.is_empty() { String::new() } else { format!("{last}{index}") }]);
        }
    };
    for last in ["", "mask"] {
        let same = changed("classifier_legacy", |model| outputs(model, last))??;
        assert_eq!(same.network, CLASSIFIER, "{last}");
    }
    let refused = changed("sequence_dynamo", |model| {
        outputs(model, "mask");
        model.graph.iter_mut().for_each(|graph| graph.output[0].name = "mask0".into());
    })?;
    let message = refused.err().ok_or("a mask was converted")?;
    assert!(message.starts_with("`mask0` is not the first output of a node"), "{message}");
    Ok(())
}

#[test]
fn old_operator_sets() -> Result {
    let refused = changed("sequence_legacy", |model| model.opset_import[0].version = 12)?;
    assert_eq!(refused.err().as_deref(), Some("the file is of operator set 12, and 13 or a later one is read"));
    Ok(())
}

/// Would catch: a bias that `Gemm` broadcasts refused, or taken for the first output's only.
#[test]
fn broadcast_biases() -> Result {
    let with_bias = |dims: &[i64], len: usize| {
        changed("classifier_legacy", |model| {
            let Some(graph) = &mut model.graph else { return };
            let Some(gemm) = graph.node.iter().rfind(|node| node.op_type == "Gemm") else { return };
            let bias = graph.initializer.iter_mut().filter(|tensor| tensor.name == gemm.input[2]);
            bias.for_each(|tensor| {
                let name = tensor.name.clone();
                let (dims, float_data) = (dims.to_vec(), vec![0.75; len]);
                *tensor = TensorProto { dims, data_type: 1, float_data, name, ..TensorProto::default() };
            });
        })
    };
    let expected = with_bias(&[5], 5)??.weights;
    for (dims, len) in [(&[][..], 1), (&[1], 1), (&[1, 1], 1), (&[1, 5], 5)] {
        assert!(with_bias(dims, len)??.weights == expected, "{dims:?}");
    }
    let message = with_bias(&[2, 5], 10)?.err().ok_or("a bias for each of a batch was converted")?;
    assert!(message.ends_with("the bias is [2, 5], and [5], [1, 5] or one number is needed"), "{message}");
    Ok(())
}

/// Would catch: files that `mod` cannot name.
#[test]
fn the_names_of_the_files() -> Result {
    let model = fs::read(data("sequence_legacy.onnx"))?;
    for (stem, module) in
        [("my-net", "my_net"), ("net.v2", "net_v2"), ("2nd", "model_2nd"), ("-", "model__"), ("match", "match_")]
    {
        let converted = convert(&model, stem)?;
        assert_eq!(converted.module, module);
        assert!(converted.source.contains(&format!("include_bytes!(\"{module}.safetensors\")")), "{stem}");
    }
    Ok(())
}

/// A model that is cut anywhere, or has a bit changed, is refused or still converted; nothing panics or hangs.
///
/// Would catch: an index, a product of dimensions or a walk that trusts the file.
#[test]
fn broken_files() -> Result {
    assert!(convert(b"", "empty").err().is_some_and(|error| error.contains("not an ONNX file")));
    assert!(convert(b"GIF89a, and more", "gif").is_err_and(|error| error.contains("not a whole ONNX file")));
    for name in ["residual_dynamo", "branches_dynamo", "recurrent_dynamo", "signal_causal"] {
        broken(&fs::read(data(&format!("{name}.onnx")))?)?;
    }
    Ok(())
}

fn broken(model: &[u8]) -> Result {
    let half = convert(&model[..model.len() / 2], "half").err().ok_or("half a file was converted")?;
    assert!(half.contains("not a whole ONNX file"), "{half}");
    let mut refused = 0;
    for at in 0..model.len() {
        refused += usize::from(convert(&model[..at], "cut").is_err());
        for bit in [2, 7] {
            let mut broken = model.to_vec();
            broken[at] ^= 1 << bit;
            let _ = convert(&broken, "broken");
        }
    }
    // Only the producer's name may be missing at the end.
    assert!(refused > model.len() * 9 / 10, "{refused} of {} cuts are refused", model.len());
    Ok(())
}

/// Where PyTorch and onnxruntime are, the script exports models that become the same networks.
///
/// Would catch: an exporter, once the versions in `requirements.txt` are raised, that writes other nodes.
#[test]
fn the_script_exports_the_same_models() -> Result {
    let packages = ["torch", "onnx", "onnxscript", "onnxruntime", "safetensors"];
    let Some(python) = python::find(&packages)? else { return Ok(()) };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx_exported");
    python.succeed(&["export_onnx.py", folder.to_str().ok_or("the path of the target folder is UTF-8")?])?;
    for (name, network) in MODELS {
        let exported = convert(&fs::read(folder.join(format!("{name}.onnx")))?, name)?;
        assert_eq!(exported.network, network, "{name}");
        assert!(exported.weights == converted(name)?.weights, "{name}: the weights differ");
    }
    Ok(())
}
