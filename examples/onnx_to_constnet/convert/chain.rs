//! From a graph to a chain of steps: walked from the output back to the input.

use super::dense::{Dense, add_bias, gemm, mat_mul};
use super::graph::{Graph, attribute, float, input, integer, is_standard, label};
use super::pattern::{is_torch_hard_sigmoid, recognise};
use super::proto::NodeProto;

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
            None => step(graph, node)?,
        };
        steps.extend(kind.map(|kind| Step { node: label(node), kind }));
        value = before;
    }
    steps.reverse();
    Ok(steps)
}

/// The step that a node is, if it does anything, and the value that it takes.
fn step<'a>(graph: &Graph<'a>, node: &'a NodeProto) -> Result<(Option<Kind>, &'a str), String> {
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
                _ => residual(graph, node, x, y),
            }
        }
        _ => Err(format!("{} is nothing that a constnet network can express", label(node))),
    }
}

/// `Add` of a value to what a chain makes of it.
fn residual<'a>(
    graph: &Graph<'a>,
    node: &'a NodeProto,
    x: &'a str,
    y: &'a str,
) -> Result<(Option<Kind>, &'a str), String> {
    let (from, to) = if graph.index_of(x) < graph.index_of(y) { (x, y) } else { (y, x) };
    let inside = chain(graph, to, from, Some(node))?;
    if inside.is_empty() {
        return Err(format!("{} adds a value to itself, which no layer does", label(node)));
    }
    Ok((Some(Kind::Residual(inside)), from))
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
fn with_ratio(node: &NodeProto, layer: &str, value: f32, default: (u32, u32)) -> Result<String, String> {
    match ratio(value) {
        Some(ratio) if ratio == default => Ok(layer.into()),
        Some((numerator, denominator)) => Ok(format!("{layer}<{numerator}, {denominator}>")),
        None => Err(format!("{}: alpha = {value} is not a ratio of two numbers of 32 bits", label(node))),
    }
}

/// The shortest decimal fraction that rounds to the number, in lowest terms: 0.2 is (1, 5).
fn ratio(value: f32) -> Option<(u32, u32)> {
    let text = value.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let mut numerator: u32 = format!("{whole}{decimals}").parse().ok()?;
    let mut denominator = 10_u32.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let (mut a, mut b) = (numerator, denominator);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    numerator /= a;
    denominator /= a;
    Some((numerator, denominator))
}
