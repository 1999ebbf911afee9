//! From a graph to a chain of steps: walked from the output back to the input.

use super::conv::{Conv, conv};
use super::dense::{Dense, add_bias, gemm, mat_mul};
use super::graph::{Graph, attribute, float, input, integer, integers, is_standard, label, optional};
use super::norm::{Norm, batch_norm, group_norm, layer_norm, rms_norm};
use super::pattern::{is_torch_hard_sigmoid, recognise};
use super::pool::{Factors, Pool, pads, pool, resize};
use super::proto::NodeProto;
use super::recurrent::{Recurrent, recurrent};
use super::text::{digits, ratio};

/// One layer, before shapes are known.
pub(crate) struct Step {
    /// The node that it comes from, for messages.
    pub(crate) node: String,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Dense(Dense),
    /// A layer that takes any shape, as it is written in Rust.
    Plain(String),
    /// `Softmax` or `LogSoftmax` along an axis of ONNX's.
    Softmax {
        layer: &'static str,
        axis: i64,
    },
    Flatten {
        axis: i64,
    },
    Reshape {
        to: Vec<i64>,
        is_zero_kept: bool,
    },
    Residual(Vec<Step>),
    /// Two branches from one value.
    Parallel {
        branches: [Vec<Step>; 2],
        join: Join,
    },
    Conv(Conv),
    Pool(Pool),
    Norm(Norm),
    Recurrent(Recurrent),
    Resize(Factors),
    /// Zeros before and after every axis.
    Pad(Vec<(usize, usize)>),
    /// Another order of the axes; the reverse if it is empty.
    Transpose(Vec<i64>),
    Squeeze(Vec<i64>),
    Unsqueeze(Vec<i64>),
    /// What stands at one place along an axis.
    Gather {
        axis: i64,
        index: i64,
    },
    /// A global pool; without axes over all but the first two.
    Reduce {
        layer: &'static str,
        axes: Option<Vec<i64>>,
        is_kept: bool,
    },
}

/// How two branches become one.
#[derive(Clone, Copy)]
pub(crate) enum Join {
    Sum,
    Concat { axis: i64 },
}

/// The steps from the value `from` to the value `to`. `add` is the node that sums both, if they are a residual's ends.
pub(crate) fn chain<'a>(
    graph: &Graph<'a>,
    to: &'a str,
    from: &str,
    add: Option<&NodeProto>,
) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut value = to;
    while value != from {
        // Nodes are sorted: one that comes before what makes `from` cannot depend on it.
        let node = match graph.producer(value) {
            Some(node) if graph.index_of(value) > graph.index_of(from) => node,
            _ => {
                return Err(match add {
                    Some(add) => format!("{} joins two branches that are not a residual connection", label(add)),
                    None => format!("`{value}` is not the first output of a node that depends on the input `{from}`"),
                });
            }
        };
        let (kind, before) = match recognise(graph, value) {
            Some((layer, x)) => (Some(Kind::Plain(layer.into())), x),
            None => step(graph, node, value)?,
        };
        steps.extend(kind.map(|kind| Step { node: label(node), kind }));
        value = before;
    }
    steps.reverse();
    Ok(steps)
}

/// The step that a node is, if it does anything, and the value that it takes.
fn step<'a>(graph: &Graph<'a>, node: &'a NodeProto, value: &str) -> Result<(Option<Kind>, &'a str), String> {
    if !is_standard(&node.domain) {
        return Err(format!("{} is not one of ONNX's own operators", label(node)));
    }
    let x = input(node, 0)?;
    let plain = |layer: &str| Ok((Some(Kind::Plain(layer.into())), x));
    let dense = |(dense, x)| (Some(Kind::Dense(dense)), x);
    match node.op_type.as_str() {
        "Identity" => Ok((None, x)),
        "Dropout" => dropout(graph, node).map(|()| (None, x)),
        "Relu" => plain("Relu"),
        "Sigmoid" => plain("Sigmoid"),
        "Tanh" => plain("Tanh"),
        "Softplus" => plain("Softplus"),
        "HardSwish" => plain("HardSwish"),
        "HardSigmoid" if is_torch_hard_sigmoid(node) => plain("HardSigmoid"),
        "HardSigmoid" => Err(format!("{} is not PyTorch's, which has alpha = 1/6 and beta = 1/2", label(node))),
        "LeakyRelu" => plain(&with_ratio(node, "LeakyRelu", float(node, "alpha", 0.01), (1, 100))?),
        "Elu" => plain(&with_ratio(node, "Elu", float(node, "alpha", 1.0), (1, 1))?),
        "Gelu" => match attribute(node, "approximate").map_or(&b"none"[..], |form| &form.s) {
            b"none" => plain("Gelu"),
            b"tanh" => plain("GeluTanh"),
            _ => Err(format!("{} has an approximation that is not known", label(node))),
        },
        "Softmax" => Ok((Some(softmax(node, "Softmax")), x)),
        "LogSoftmax" => Ok((Some(softmax(node, "LogSoftmax")), x)),
        "Flatten" => Ok((Some(Kind::Flatten { axis: integer(node, "axis", 1) }), x)),
        "Reshape" => {
            let to = input(node, 1)?;
            if !graph.is_constant(to) {
                return Err(format!("{}: its shape is computed by the graph; `nn.Flatten` has none", label(node)));
            }
            let to = graph.integers(to).map_err(|error| format!("{}: {error}", label(node)))?;
            Ok((Some(Kind::Reshape { to, is_zero_kept: integer(node, "allowzero", 0) != 0 }), x))
        }
        "Gemm" => gemm(graph, node).map(dense),
        "MatMul" => mat_mul(graph, node).map(dense),
        "Add" => {
            let y = input(node, 1)?;
            match (graph.is_constant(x), graph.is_constant(y)) {
                (true, _) => add_bias(graph, node, x, y).map(dense),
                (_, true) => add_bias(graph, node, y, x).map(dense),
                _ => join(graph, node, [x, y], Join::Sum),
            }
        }
        "Concat" => match &node.input[..] {
            [x, y] if ![x, y].iter().any(|value| graph.is_constant(value)) => {
                join(graph, node, [x, y], Join::Concat { axis: integer(node, "axis", 0) })
            }
            inputs => Err(format!(
                "{} joins {} values, and constnet's joins two (a recurrent layer of several parts: export with `dynamo=False`)",
                label(node),
                inputs.len()
            )),
        },
        _ => match other(graph, node, value)? {
            Some(kind) => Ok((Some(kind), x)),
            None => Err(format!("{} is nothing that a constnet network can express", label(node))),
        },
    }
}

/// Operators with parameters or windows, and those that move axes. The value that they take is the first input.
fn other(graph: &Graph<'_>, node: &NodeProto, value: &str) -> Result<Option<Kind>, String> {
    let about = |error: String| format!("{}: {error}", label(node));
    let axes = |place| match optional(node, place) {
        Some(name) => graph.integers(name).map(Some).map_err(about),
        None => Ok(integers(node, "axes").map(<[i64]>::to_vec)),
    };
    let reduce = |layer, axes, is_kept| Kind::Reduce { layer, axes, is_kept };
    Ok(Some(match node.op_type.as_str() {
        "Conv" | "ConvTranspose" => Kind::Conv(conv(graph, node)?),
        "MaxPool" => Kind::Pool(pool(node, "MaxPool")?),
        "AveragePool" => Kind::Pool(pool(node, "AvgPool")?),
        "GlobalAveragePool" => reduce("GlobalAvgPool", None, true),
        "GlobalMaxPool" => reduce("GlobalMaxPool", None, true),
        "ReduceMean" => reduce("GlobalAvgPool", Some(axes(1)?.unwrap_or_default()), integer(node, "keepdims", 1) != 0),
        "ReduceMax" => reduce("GlobalMaxPool", Some(axes(1)?.unwrap_or_default()), integer(node, "keepdims", 1) != 0),
        "BatchNormalization" => Kind::Norm(batch_norm(graph, node)?),
        "LayerNormalization" => Kind::Norm(layer_norm(graph, node)?),
        "RMSNormalization" => Kind::Norm(rms_norm(graph, node)?),
        "GroupNormalization" => Kind::Norm(group_norm(graph, node)?),
        "RNN" | "GRU" | "LSTM" => Kind::Recurrent(recurrent(graph, node, graph.place_of(value) == 1)?),
        "Resize" => Kind::Resize(resize(graph, node)?),
        "Pad" => Kind::Pad(pads(graph, node)?),
        "Transpose" => Kind::Transpose(integers(node, "perm").unwrap_or_default().to_vec()),
        "Squeeze" => Kind::Squeeze(axes(1)?.unwrap_or_default()),
        "Unsqueeze" => Kind::Unsqueeze(axes(1)?.unwrap_or_default()),
        "Gather" => match graph.integers(input(node, 1)?).map_err(about)?[..] {
            [index] if graph.is_scalar(input(node, 1)?) => Kind::Gather { axis: integer(node, "axis", 0), index },
            _ => return Err(about("it takes several places along an axis".into())),
        },
        _ => return Ok(None),
    }))
}

/// Two values that are added or concatenated. They come from one: if that is one of the two, and they are added, this is a residual
/// connection.
fn join<'a>(
    graph: &Graph<'a>,
    node: &'a NodeProto,
    [x, y]: [&'a str; 2],
    join: Join,
) -> Result<(Option<Kind>, &'a str), String> {
    if x == y {
        return Err(format!("{} joins a value with itself, which no layer does", label(node)));
    }
    let (before_x, before_y) = (graph.ancestors(x), graph.ancestors(y));
    let from = before_x.intersection(&before_y).max_by_key(|value| (graph.index_of(value), **value));
    let &from = from.ok_or_else(|| format!("{} joins values that have nothing in common", label(node)))?;
    let branches = [chain(graph, x, from, Some(node))?, chain(graph, y, from, Some(node))?];
    let kind = match (join, branches) {
        (Join::Sum, [inside, empty] | [empty, inside]) if empty.is_empty() && !inside.is_empty() => {
            Kind::Residual(inside)
        }
        (join, branches) => Kind::Parallel { branches, join },
    };
    Ok((Some(kind), from))
}

fn dropout(graph: &Graph<'_>, node: &NodeProto) -> Result<(), String> {
    match node.input.get(2).filter(|name| !name.is_empty()) {
        Some(name) if graph.integers(name).is_ok_and(|training| training == [0]) => Ok(()),
        Some(_) => Err(format!("{} is in training mode: export the model after `model.eval()`", label(node))),
        None => Ok(()),
    }
}

fn softmax(node: &NodeProto, layer: &'static str) -> Kind {
    Kind::Softmax { layer, axis: integer(node, "axis", -1) }
}

/// A layer whose parameter is a ratio in its type: `LeakyRelu<1, 5>`, or `LeakyRelu` where the ratio is the default.
fn with_ratio(node: &NodeProto, layer: &str, value: f32, default: (usize, usize)) -> Result<String, String> {
    match ratio(value) {
        Some(ratio) if ratio == default => Ok(layer.into()),
        Some((numerator, denominator)) => Ok(format!("{layer}<{}, {}>", digits(numerator), digits(denominator))),
        None => Err(format!("{}: alpha = {value} is not a ratio of two numbers of 32 bits", label(node))),
    }
}
