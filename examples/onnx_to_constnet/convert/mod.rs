//! From the bytes of an ONNX file to Rust source and a safetensors file.

mod chain;
mod dense;
mod emit;
mod graph;
mod pattern;
pub(crate) mod proto;
mod shape;

use graph::Graph;
use proto::ModelProto;

/// What a model becomes.
pub(crate) struct Converted {
    /// The network's type: `Network<Vector<64>, (Dense<64, 10>,)>`.
    pub(crate) network: String,
    /// What the module is called, and its files.
    pub(crate) module: String,
    /// A Rust source file, which includes the weights from a file beside it.
    pub(crate) source: String,
    /// A safetensors file.
    pub(crate) weights: Vec<u8>,
}

/// Converts a model; `stem` is the name of its file, without `.onnx`.
pub(crate) fn convert(bytes: &[u8], stem: &str) -> Result<Converted, String> {
    let model: ModelProto =
        prost::Message::decode(bytes).map_err(|error| format!("this is not a whole ONNX file: {error}"))?;
    let graph = Graph::new(&model)?;
    let steps = chain::chain(&graph, graph.output, graph.input, None)?;
    let input = shape::Shape::of_input(&graph)?;
    let mut layers = Vec::new();
    shape::layers(&graph, &steps, input, &mut layers)?;
    emit::emit(input, &layers, stem)
}
