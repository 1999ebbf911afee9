//! Shapes, followed from the input to the output: a chain of steps becomes a list of layers that fit together.

use super::chain::{Kind, Step};
use super::dense::Dense;
use super::graph::Graph;
use std::fmt;

/// A shape of constnet's. ONNX's axes, without the batch, are `[n]`, `[steps, channels]` and `[channels, height, width]`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Vector(usize),
    Sequence { channels: usize, steps: usize },
    Image { channels: usize, height: usize, width: usize },
}

/// The shape as it is written in Rust.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vector(n) => write!(f, "Vector<{n}>"),
            Self::Sequence { channels, steps } => write!(f, "Sequence<{channels}, {steps}>"),
            Self::Image { channels, height, width } => write!(f, "Image<{channels}, {height}, {width}>"),
        }
    }
}

/// A layer that fits.
pub(crate) enum Layer<'a> {
    Dense(&'a Dense),
    /// As it is written in Rust.
    Plain(String),
    Residual(Vec<Layer<'a>>),
}

impl Shape {
    /// The shape of a graph's input.
    pub(crate) fn of_input(graph: &Graph<'_>) -> Result<Self, String> {
        let mut dims = Vec::new();
        for (axis, dim) in graph.input_dims.iter().enumerate().skip(1) {
            let extent = dim.and_then(|dim| usize::try_from(dim).ok()).filter(|&dim| dim > 0);
            dims.push(extent.ok_or_else(|| {
                format!("axis {axis} of input `{}` is dynamic: only the batch, axis 0, may be", graph.input)
            })?);
        }
        if dims.iter().try_fold(1, |len: usize, &dim| len.checked_mul(dim)).is_none() {
            return Err(format!("input `{}` is too large", graph.input));
        }
        match dims[..] {
            [n] => Ok(Self::Vector(n)),
            [steps, channels] => Ok(Self::Sequence { channels, steps }),
            [channels, height, width] => Ok(Self::Image { channels, height, width }),
            _ => Err(format!(
                "input `{}` has {} axes: a batch of vectors has 2, of sequences 3, of images 4",
                graph.input,
                graph.input_dims.len()
            )),
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Vector(n) => n,
            Self::Sequence { channels, steps } => channels * steps,
            Self::Image { channels, height, width } => channels * height * width,
        }
    }

    /// How many axes ONNX gives it, with the batch.
    fn rank(self) -> i64 {
        match self {
            Self::Vector(_) => 2,
            Self::Sequence { .. } => 3,
            Self::Image { .. } => 4,
        }
    }

    /// Which of ONNX's axes holds the channels.
    fn channel_axis(self) -> i64 {
        match self {
            Self::Vector(_) | Self::Image { .. } => 1,
            Self::Sequence { .. } => 2,
        }
    }
}

/// Adds the layers that steps are to `layers`; gives the shape that comes out.
pub(crate) fn layers<'a>(
    graph: &Graph<'_>,
    steps: &'a [Step],
    mut shape: Shape,
    layers: &mut Vec<Layer<'a>>,
) -> Result<Shape, String> {
    for Step { node, kind } in steps {
        let about = |error: String| format!("{node}: {error}");
        match kind {
            Kind::Plain(layer) => layers.push(Layer::Plain(layer.clone())),
            Kind::Dense(dense) => {
                shape = after_dense(dense, shape).map_err(about)?;
                layers.push(Layer::Dense(dense));
            }
            Kind::Softmax { layer, axis } => {
                let axis = if *axis < 0 { axis + shape.rank() } else { *axis };
                if axis != shape.channel_axis() {
                    return Err(about(format!("it does not run over the channels of `{shape}`, as constnet's does")));
                }
                layers.push(Layer::Plain((*layer).into()));
            }
            Kind::Flatten { axis } => {
                if *axis != 1 && *axis != 1 - shape.rank() {
                    return Err(about(format!("it flattens from axis {axis}, constnet's Flatten from axis 1")));
                }
                shape = flatten(shape, layers).map_err(about)?;
            }
            Kind::Reshape { to, is_zero_kept } => {
                if !is_flatten(graph, to, *is_zero_kept, shape.len()) {
                    return Err(about(format!("to {to:?}, which is not the flattening of a batch of `{shape}`")));
                }
                shape = flatten(shape, layers).map_err(about)?;
            }
            Kind::Residual(steps) => {
                let mut inside = Vec::new();
                let out = self::layers(graph, steps, shape, &mut inside)?;
                if out != shape {
                    return Err(about(format!(
                        "it adds `{shape}` to `{out}`, and a residual connection keeps its shape"
                    )));
                }
                layers.push(Layer::Residual(inside));
            }
        }
    }
    Ok(shape)
}

fn after_dense(dense: &Dense, shape: Shape) -> Result<Shape, String> {
    match shape {
        Shape::Vector(n) if n == dense.inputs => Ok(Shape::Vector(dense.outputs)),
        Shape::Sequence { channels, steps } if channels == dense.inputs => {
            Ok(Shape::Sequence { channels: dense.outputs, steps })
        }
        _ => Err(format!("the layer takes {} numbers, and `{shape}` comes in", dense.inputs)),
    }
}

fn flatten(shape: Shape, layers: &mut Vec<Layer<'_>>) -> Result<Shape, String> {
    match shape {
        Shape::Vector(_) => return Ok(shape),
        Shape::Sequence { channels, steps } if channels > 1 && steps > 1 => {
            return Err(format!(
                "constnet flattens `{shape}` channel by channel, this step by step: train with an input of one axis"
            ));
        }
        _ => layers.push(Layer::Plain("Flatten".into())),
    }
    Ok(Shape::Vector(shape.len()))
}

/// Whether a reshape keeps the batch and puts all else into one axis.
fn is_flatten(graph: &Graph<'_>, to: &[i64], is_zero_kept: bool, len: usize) -> bool {
    let &[batch, rest] = to else { return false };
    let is_rest = usize::try_from(rest) == Ok(len);
    match batch {
        -1 => is_rest,
        0 if is_zero_kept => false,
        0 => is_rest || rest == -1,
        _ => graph.input_dims.first() == Some(&Some(batch)) && (is_rest || rest == -1),
    }
}
