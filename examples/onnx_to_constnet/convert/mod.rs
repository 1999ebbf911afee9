//! From the bytes of an ONNX file to Rust source and a safetensors file.

mod axes;
mod chain;
mod conv;
mod dense;
mod emit;
mod graph;
mod layers;
mod norm;
mod pattern;
mod pool;
pub(crate) mod proto;
mod recurrent;
mod text;
mod window;

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
    let mut failures = Vec::new();
    for mut value in axes::Value::of_input(&graph)? {
        let (input, mut layers, mut met) = (value.shape, Vec::new(), 0);
        match layers::layers(&graph, &steps, &mut value, &mut layers, &mut met) {
            Ok(()) if value.padding.is_some() => return Err("it ends with zeros that no convolution takes up".into()),
            Ok(()) => return emit::emit(input, &layers, stem),
            Err(misfit) => failures.push((met, !misfit.is_turned, misfit.message)),
        }
    }
    // Of the reading that came farther, or else of the first.
    let worst = failures.into_iter().rev().max_by_key(|failure| (failure.0, failure.1));
    Err(worst.map_or_else(String::new, |(_, _, message)| message))
}
