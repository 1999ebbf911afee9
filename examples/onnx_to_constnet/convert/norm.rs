//! Normalisation.

use super::axes::{Misfit, Value};
use super::graph::{Graph, float, input, integer, label, optional};
use super::layers::{Layer, Tensor};
use super::proto::NodeProto;
use super::text::{epsilon, generic};

pub(crate) struct Norm {
    name: &'static str,
    /// In which groups of channels, for a `GroupNorm`.
    groups: Option<usize>,
    /// Along which of ONNX's axes the channels must be.
    axis: i64,
    epsilon: (String, String),
    tensors: Vec<Tensor>,
}

/// `BatchNormalization`, with averages that are known.
pub(crate) fn batch_norm(graph: &Graph<'_>, node: &NodeProto) -> Result<Norm, String> {
    if integer(node, "training_mode", 0) != 0 {
        return Err(format!("{} is in training mode: export the model after `model.eval()`", label(node)));
    }
    let inputs = [(1, "weight"), (2, "bias"), (3, "running_mean"), (4, "running_var")];
    norm(graph, node, "BatchNorm", 1, &inputs.map(|(place, name)| (Some(place), name)))
}

/// `LayerNormalization` over the last axis.
pub(crate) fn layer_norm(graph: &Graph<'_>, node: &NodeProto) -> Result<Norm, String> {
    let bias = optional(node, 2).map(|_| 2);
    norm(graph, node, "LayerNorm", integer(node, "axis", -1), &[(Some(1), "weight"), (bias, "bias")])
}

/// `RMSNormalization` over the last axis.
pub(crate) fn rms_norm(graph: &Graph<'_>, node: &NodeProto) -> Result<Norm, String> {
    norm(graph, node, "RmsNorm", integer(node, "axis", -1), &[(Some(1), "weight")])
}

/// `GroupNormalization`, from operator set 21 on, where it has numbers for each channel.
pub(crate) fn group_norm(graph: &Graph<'_>, node: &NodeProto) -> Result<Norm, String> {
    let groups = usize::try_from(integer(node, "num_groups", 0)).ok().filter(|&groups| groups > 0);
    let norm = norm(graph, node, "GroupNorm", 1, &[(Some(1), "weight"), (Some(2), "bias")])?;
    match groups {
        Some(count) if norm.tensors[0].numbers.len() % count == 0 => Ok(Norm { groups, ..norm }),
        _ => Err(format!("{}: its groups do not share the channels: the file is broken", label(node))),
    }
}

/// The tensors are those at these places; without one they are zeros.
fn norm(
    graph: &Graph<'_>,
    node: &NodeProto,
    name: &'static str,
    axis: i64,
    places: &[(Option<usize>, &str)],
) -> Result<Norm, String> {
    let about = |error: String| format!("{}: {error}", label(node));
    let mut tensors: Vec<Tensor> = Vec::new();
    for &(place, name) in places {
        let count = tensors.first().map(|first| first.numbers.len());
        let tensor = match (place, count) {
            (None, Some(count)) => Tensor { dims: vec![count], numbers: vec![0.0; count], ..Tensor::named(name) },
            _ => Tensor::read(graph, input(node, place.unwrap_or(1))?, name).map_err(about)?,
        };
        if tensor.dims.len() != 1 || count.is_some_and(|count| tensor.dims != [count]) {
            return Err(about(format!("its {name} is {:?}, and one number for each channel is needed", tensor.dims)));
        }
        tensors.push(tensor);
    }
    let epsilon = epsilon(float(node, "epsilon", 1e-5)).map_err(about)?;
    Ok(Norm { name, groups: None, axis, epsilon, tensors })
}

/// The layer that a normalisation is.
pub(crate) fn after_norm(norm: &Norm, value: &mut Value) -> Result<Layer, Misfit> {
    let count = norm.tensors.first().map_or(0, |weight| weight.numbers.len());
    let place = value.place(norm.axis)?;
    if matches!(norm.name, "LayerNorm" | "RmsNorm") && place + 1 != value.axes.len() {
        return Err("over several axes, and constnet's normalises over the channels".into());
    }
    value.expect_channels(place, count)?;
    let needed: Vec<_> = norm.groups.into_iter().chain([count]).collect();
    let text = generic(norm.name, &needed, std::slice::from_ref(&norm.epsilon));
    Ok(Layer::Single { text, tensors: norm.tensors.clone() })
}
