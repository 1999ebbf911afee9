//! Layers that exporters write as several nodes: `SiLU` always, GELU and Hardswish before the operators of these names came,
//! Softplus with PyTorch's threshold.

use super::graph::{Graph, float, is_standard};
use super::proto::NodeProto;
use Pattern::{Any, Number, Op, X};

/// An expression.
enum Pattern {
    /// What the layer takes: the same value everywhere.
    X,
    /// A constant, up to f32's rounding.
    Number(f32),
    /// A node without attributes but the ones that `HardSigmoid` always has. `Add` and `Mul` commute.
    Op(&'static str, &'static [Pattern]),
    /// Any of these.
    Any(&'static [Pattern]),
}

const HALF: Pattern = Number(0.5);
const ONE: Pattern = Number(1.0);
/// `x^3`
const CUBE: Pattern =
    Any(&[Op("Pow", &[X, Number(3.0)]), Op("Mul", &[X, Op("Mul", &[X, X])]), Op("Mul", &[Op("Mul", &[X, X]), X])]);
/// `1 + erf(x / sqrt(2))`
const ERF: Pattern = Op(
    "Add",
    &[
        Op(
            "Erf",
            &[Any(&[
                Op("Div", &[X, Number(core::f32::consts::SQRT_2)]),
                Op("Mul", &[X, Number(core::f32::consts::FRAC_1_SQRT_2)]),
            ])],
        ),
        ONE,
    ],
);
/// `1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))`
const TANH: Pattern = Op(
    "Add",
    &[Op("Tanh", &[Op("Mul", &[Number(0.797_884_6), Op("Add", &[X, Op("Mul", &[Number(0.044_715), CUBE])])])]), ONE],
);

/// What is recognised, the outermost node first.
const LAYERS: &[(&str, Pattern)] = &[
    ("Silu", Op("Mul", &[X, Op("Sigmoid", &[X])])),
    ("Gelu", Op("Mul", &[X, Op("Mul", &[HALF, ERF])])),
    ("Gelu", Op("Mul", &[HALF, Op("Mul", &[X, ERF])])),
    ("GeluTanh", Op("Mul", &[X, Op("Mul", &[HALF, TANH])])),
    ("GeluTanh", Op("Mul", &[HALF, Op("Mul", &[X, TANH])])),
    ("HardSwish", Op("Mul", &[X, Op("HardSigmoid", &[X])])),
    ("Softplus", Op("Where", &[Op("Greater", &[X, Number(20.0)]), X, Op("Softplus", &[X])])),
];

/// The layer whose output is `value`, and the value that it takes.
pub(crate) fn recognise<'a>(graph: &Graph<'a>, value: &'a str) -> Option<(&'static str, &'a str)> {
    LAYERS.iter().find_map(|(layer, pattern)| {
        let x = matches(graph, pattern, value, None)?;
        Some((*layer, x?))
    })
}

/// Whether `value` is of the pattern: if so the value that `X` is, once there is one.
#[allow(clippy::option_option)] // Matched or not, and `X` met or not.
fn matches<'a>(graph: &Graph<'a>, pattern: &Pattern, value: &'a str, x: Option<&'a str>) -> Option<Option<&'a str>> {
    match pattern {
        X if graph.is_constant(value) => None,
        X => (x.is_none() || x == Some(value)).then_some(Some(value)),
        Number(number) => {
            let found = graph.scalar(value)?;
            ((found - number).abs() <= 1e-6 * number.abs()).then_some(x)
        }
        Any(patterns) => patterns.iter().find_map(|pattern| matches(graph, pattern, value, x)),
        Op(op, inputs) => {
            let node = graph.producer(value)?;
            if node.op_type != *op || !is_standard(&node.domain) || node.input.len() != inputs.len() {
                return None;
            }
            if *op == "HardSigmoid" && !is_torch_hard_sigmoid(node) {
                return None;
            }
            let in_order = |order: &mut dyn Iterator<Item = &'a String>| {
                inputs.iter().zip(order).try_fold(x, |x, (pattern, value)| matches(graph, pattern, value, x))
            };
            let swapped = || {
                if matches!(*op, "Add" | "Mul") { in_order(&mut node.input.iter().rev()) } else { None }
            };
            in_order(&mut node.input.iter()).or_else(swapped)
        }
    }
}

/// ONNX's own default is another function than PyTorch's and ours, which has a slope of 1/6.
pub(crate) fn is_torch_hard_sigmoid(node: &NodeProto) -> bool {
    (float(node, "alpha", 0.2) - 1.0 / 6.0).abs() < 1e-6 && (float(node, "beta", 0.5) - 0.5).abs() < 1e-6
}
