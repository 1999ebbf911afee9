//! `RNN`, `GRU` and `LSTM`.

use super::axes::Axis::{Batch, Channels, Directions, Rows};
use super::axes::{Misfit, Shape, Value};
use super::graph::{Graph, attribute, input, integer, label, optional, text};
use super::layers::{Layer, Tensor};
use super::proto::NodeProto;
use super::text::generic;

pub(crate) struct Recurrent {
    layer: &'static str,
    activation: &'static str,
    inputs: usize,
    hidden: usize,
    directions: usize,
    tensors: Vec<Tensor>,
    /// Whether its state after the last step is taken, and not its outputs.
    is_state: bool,
}

/// The form of an operator: constnet's layer, and which of ONNX's gates are PyTorch's first, second ...
const FORMS: [(&str, &str, &[usize]); 3] =
    [("RNN", "Rnn", &[0]), ("GRU", "Gru", &[1, 0, 2]), ("LSTM", "Lstm", &[0, 2, 3, 1])];

pub(crate) fn recurrent(graph: &Graph<'_>, node: &NodeProto, is_state: bool) -> Result<Recurrent, String> {
    let about = |error: String| format!("{}: {error}", label(node));
    let Some(&(operator, layer, gates)) = FORMS.iter().find(|form| form.0 == node.op_type) else {
        return Err(about("no recurrent layer".into()));
    };
    let directions = match text(node, "direction", "forward") {
        "forward" => 1,
        "bidirectional" => 2,
        other => return Err(about(format!("its direction is {other}, and forward or bidirectional is understood"))),
    };
    let activation = activation(node, operator, directions).map_err(about)?;
    if operator == "GRU" && integer(node, "linear_before_reset", 0) == 0 {
        return Err(about("linear_before_reset is 0: constnet resets after the product, as PyTorch does".into()));
    }
    if integer(node, "layout", 0) != 0 || integer(node, "input_forget", 0) != 0 || attribute(node, "clip").is_some() {
        return Err(about("with a layout, input_forget or clip".into()));
    }
    if optional(node, 4).is_some() || optional(node, 7).is_some() {
        return Err(about("with sequence_lens or peepholes".into()));
    }
    if let Some(state) = (5..=6).filter_map(|place| optional(node, place)).find(|state| !graph.is_zero(state)) {
        return Err(about(format!("it starts from the state `{state}`, and constnet's from zeros")));
    }
    if is_state && directions == 2 {
        return Err(about("its state after the last step, in both directions, is not understood".into()));
    }
    let (weight, rows) = (graph.floats(input(node, 1)?).map_err(about)?, graph.floats(input(node, 2)?).map_err(about)?);
    let (&[d, height, inputs], &[_, _, hidden]) = (&weight.0[..], &rows.0[..]) else {
        return Err(about(format!("its weights are {:?} and {:?}: the file is broken", weight.0, rows.0)));
    };
    let bias = match optional(node, 3) {
        Some(name) => graph.floats(name).map_err(about)?,
        None => (vec![directions, 2 * height], vec![0.0; 2 * height * directions]),
    };
    let is_whole = d == directions
        && inputs > 0
        && hidden > 0
        && gates.len().checked_mul(hidden) == Some(height)
        && rows.0 == [directions, height, hidden]
        && bias.0 == [directions, 2 * height];
    if !is_whole {
        return Err(about(format!(
            "its weights are {:?}, {:?} and {:?}: the file is broken",
            weight.0, rows.0, bias.0
        )));
    }
    let mut tensors = Vec::new();
    for (direction, suffix) in ["_l0", "_l0_reverse"].into_iter().take(directions).enumerate() {
        let (input_bias, hidden_bias) = bias.1[direction * 2 * height..][..2 * height].split_at(height);
        let parts = [
            ("weight_ih", vec![height, inputs], &weight.1[direction * height * inputs..][..height * inputs]),
            ("weight_hh", vec![height, hidden], &rows.1[direction * height * hidden..][..height * hidden]),
            ("bias_ih", vec![height], input_bias),
            ("bias_hh", vec![height], hidden_bias),
        ];
        for (name, dims, numbers) in parts {
            let block = numbers.len() / gates.len();
            let numbers = gates.iter().flat_map(|gate| &numbers[gate * block..][..block]).copied().collect();
            tensors.push(Tensor { name: format!("{name}{suffix}"), dims, numbers });
        }
    }
    Ok(Recurrent { layer, activation, inputs, hidden, directions, tensors, is_state })
}

/// The activation that may be chosen, an `RNN`'s: `Tanh` or `Relu`.
fn activation(node: &NodeProto, operator: &str, directions: usize) -> Result<&'static str, String> {
    let usual: &[&str] = match operator {
        "RNN" => &["Tanh"],
        "GRU" => &["Sigmoid", "Tanh"],
        _ => &["Sigmoid", "Tanh", "Tanh"],
    };
    let found = attribute(node, "activations").map_or(&[][..], |found| &found.strings);
    let is = |names: &[&str]| {
        found.iter().map(|name| &name[..]).eq(names.repeat(directions).iter().map(|name| name.as_bytes()))
    };
    match operator {
        _ if found.is_empty() || is(usual) => Ok("Tanh"),
        "RNN" if is(&["Relu"]) => Ok("Relu"),
        _ => Err("with other activations than tanh and sigmoid".into()),
    }
}

/// The layers that a recurrent node is; follows the shape.
pub(crate) fn after_recurrent(node: &Recurrent, value: &mut Value, layers: &mut Vec<Layer>) -> Result<(), Misfit> {
    let Shape::Sequence { steps, .. } = value.shape else {
        return Err(format!("it takes a `Sequence`, and `{}` comes in", value.shape).into());
    };
    value.expect(&[Rows, Batch, Channels])?;
    value.expect_channels(2, node.inputs)?;
    let argument = (node.activation.to_string(), "Tanh".to_string());
    let text = generic(node.layer, &[node.inputs, node.hidden], &[argument]);
    let text = if node.directions == 2 { format!("Bidirectional<{text}>") } else { text };
    layers.push(Layer::Single { text, tensors: node.tensors.clone() });
    let channels = node.hidden * node.directions;
    if node.is_state {
        layers.push(Layer::plain("Last".into()));
        *value = Value::new(Shape::Vector(channels), vec![Directions(1), Batch, Channels]);
    } else {
        *value =
            Value::new(Shape::Sequence { channels, steps }, vec![Rows, Directions(node.directions), Batch, Channels]);
    }
    Ok(())
}
