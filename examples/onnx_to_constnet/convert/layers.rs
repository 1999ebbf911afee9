//! Shapes, followed from the input to the output: a chain of steps becomes a list of layers that fit together.

use super::axes::Axis::{Batch, Channels, Columns, Directions, Rows, Unit};
use super::axes::{Misfit, Shape, Value};
use super::chain::{Join, Kind, Step};
use super::conv::after_conv;
use super::dense::Dense;
use super::graph::Graph;
use super::norm::after_norm;
use super::pool::{after_pads, after_pool, after_resize};
use super::recurrent::after_recurrent;
use super::text::digits;
use super::window::EXTENT;

/// A tensor of a layer's, as it is written to a file.
#[derive(Clone)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dims: Vec<usize>,
    pub(crate) numbers: Vec<f32>,
}

/// A layer that fits.
pub(crate) enum Layer {
    Single {
        /// As it is written in Rust.
        text: String,
        tensors: Vec<Tensor>,
    },
    Residual(Vec<Layer>),
    Parallel([Vec<Layer>; 2], &'static str),
}

impl Tensor {
    /// Without numbers.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.into(), dims: Vec::new(), numbers: Vec::new() }
    }

    pub(crate) fn read(graph: &Graph<'_>, value: &str, name: &str) -> Result<Self, String> {
        let (dims, numbers) = graph.floats(value)?;
        Ok(Self { name: name.into(), dims, numbers })
    }
}

impl Layer {
    pub(crate) fn plain(text: String) -> Self {
        Self::Single { text, tensors: Vec::new() }
    }
}

/// Adds the layers that steps are to `layers`, and follows the value through them. `met` counts the steps.
pub(crate) fn layers(
    graph: &Graph<'_>,
    steps: &[Step],
    value: &mut Value,
    layers: &mut Vec<Layer>,
    met: &mut usize,
) -> Result<(), Misfit> {
    for Step { node, kind } in steps {
        *met += 1;
        let about = |error: Misfit| Misfit { message: format!("{node}: {}", error.message), ..error };
        if value.padding.is_some() && !matches!(kind, Kind::Conv(_)) {
            return Err(about("zeros were padded before it, and only a convolution takes them up".into()));
        }
        match kind {
            Kind::Residual(steps) => {
                let (mut inside, mut out) = (Vec::new(), value.clone());
                self::layers(graph, steps, &mut out, &mut inside, met)?;
                if out != *value {
                    let shapes = format!(
                        "it adds `{}` to `{}`, and a residual connection keeps its shape",
                        value.shape, out.shape
                    );
                    return Err(about(shapes.into()));
                }
                layers.push(Layer::Residual(inside));
            }
            Kind::Parallel { branches, join } => {
                let mut out = [value.clone(), value.clone()];
                let mut inside = [Vec::new(), Vec::new()];
                for ((steps, out), inside) in branches.iter().zip(&mut out).zip(&mut inside) {
                    self::layers(graph, steps, out, inside, met)?;
                    if inside.is_empty() {
                        inside.push(Layer::plain("Identity".into()));
                    }
                }
                *value = joined(&out, *join).map_err(about)?;
                layers.push(Layer::Parallel(inside, if matches!(join, Join::Sum) { "Sum" } else { "Concat" }));
            }
            kind => step(graph, kind, value, layers).map_err(about)?,
        }
    }
    Ok(())
}

/// What comes out of two branches that are added or concatenated.
fn joined([first, second]: &[Value; 2], join: Join) -> Result<Value, Misfit> {
    let (a, b) = (first.shape, second.shape);
    match join {
        Join::Sum if first == second => Ok(first.clone()),
        Join::Sum => Err(format!("it adds `{b}` to `{a}`").into()),
        Join::Concat { axis } => {
            let is_along = first.axes.get(first.place(axis)?) == Some(&Channels);
            match a.channels().checked_add(b.channels()) {
                Some(channels) if is_along && first.axes == second.axes && a.lengths() == b.lengths() => {
                    Ok(Value::new(Shape::new(channels, &a.lengths()), first.axes.clone()))
                }
                _ => Err(format!("of `{a}` and `{b}` along axis {axis}, and constnet's joins channels").into()),
            }
        }
    }
}

fn step(graph: &Graph<'_>, kind: &Kind, value: &mut Value, layers: &mut Vec<Layer>) -> Result<(), Misfit> {
    let batch = graph.input_dims.first().copied().flatten();
    match kind {
        Kind::Plain(layer) => layers.push(Layer::plain(layer.clone())),
        Kind::Dense(dense) => layers.push(after_dense(dense, value)?),
        Kind::Conv(conv) => layers.push(after_conv(conv, value)?),
        Kind::Pool(pool) => layers.push(after_pool(pool, value)?),
        Kind::Norm(norm) => layers.push(after_norm(norm, value)?),
        Kind::Recurrent(node) => after_recurrent(node, value, layers)?,
        Kind::Resize(factors) => layers.push(after_resize(factors, value)?),
        Kind::Pad(pads) => after_pads(pads, value)?,
        Kind::Softmax { layer, axis } => {
            value.expect_channels(value.place(*axis)?, value.shape.channels())?;
            layers.push(Layer::plain((*layer).into()));
        }
        Kind::Flatten { axis } => {
            if value.place(*axis)? != 1 {
                return Err(format!("it flattens from axis {axis}, constnet's Flatten from axis 1").into());
            }
            flatten(value, layers)?;
        }
        Kind::Reshape { to, is_zero_kept } => reshape(batch, to, *is_zero_kept, value, layers)?,
        Kind::Transpose(order) => value.transpose(order)?,
        Kind::Squeeze(axes) => value.squeeze(axes, batch)?,
        Kind::Unsqueeze(axes) => value.unsqueeze(axes)?,
        Kind::Gather { axis, index } => gather(*axis, *index, value, layers)?,
        Kind::Reduce { layer, axes, is_kept } => reduce(layer, axes.as_deref(), *is_kept, value, layers)?,
        Kind::Residual(_) | Kind::Parallel { .. } => {}
    }
    Ok(())
}

fn after_dense(dense: &Dense, value: &mut Value) -> Result<Layer, Misfit> {
    if matches!(value.shape, Shape::Image { .. }) {
        return Err(format!("the layer takes {} numbers, and `{}` comes in", dense.inputs, value.shape).into());
    }
    value.expect_channels(value.axes.len().saturating_sub(1), dense.inputs)?;
    value.shape = Shape::new(dense.outputs, &value.shape.lengths());
    let name = if dense.bias.is_some() { "Dense" } else { "DenseNoBias" };
    let (dims, numbers) = (vec![dense.outputs, dense.inputs], dense.weight.clone());
    let mut tensors = vec![Tensor { dims, numbers, ..Tensor::named("weight") }];
    tensors.extend(dense.bias.clone().map(|numbers| Tensor {
        dims: vec![dense.outputs],
        numbers,
        ..Tensor::named("bias")
    }));
    Ok(Layer::Single { text: format!("{name}<{}, {}>", dense.inputs, dense.outputs), tensors })
}

fn flatten(value: &mut Value, layers: &mut Vec<Layer>) -> Result<(), Misfit> {
    let shape = value.shape;
    let len = shape.len().ok_or("it is too large")?;
    // How far constnet's types multiply: beyond, the layer says how many numbers there are.
    let is_within = len <= 5119 && shape.channels() <= EXTENT && shape.lengths().iter().all(|&length| length <= EXTENT);
    let layer = if is_within { "Flatten".into() } else { format!("FlattenTo<{}>", digits(len)) };
    let axes: Vec<_> = value.axes.iter().filter(|&&axis| axis != Unit && axis != Directions(1)).copied().collect();
    match (shape, &axes[..]) {
        (Shape::Vector(_), [Batch, Channels]) => {}
        (Shape::Sequence { .. }, [Batch, Channels, Rows]) | (Shape::Image { .. }, [Batch, Channels, Rows, Columns]) => {
            layers.push(Layer::plain(layer));
        }
        (Shape::Sequence { channels, steps }, [Batch, Rows, Channels]) if channels == 1 || steps == 1 => {
            layers.push(Layer::plain(layer));
        }
        (Shape::Sequence { .. }, [Batch, Rows, Channels]) => {
            let message = format!(
                "constnet flattens `{shape}` channel by channel, this step by step: train with an input of one axis"
            );
            return Err(Misfit { message, is_turned: true });
        }
        _ => return Err(format!("constnet flattens `{shape}` channel by channel, this otherwise").into()),
    }
    *value = Value::new(Shape::Vector(len), vec![Batch, Channels]);
    Ok(())
}

/// Flattens, makes an image or a signal of a vector, or puts the directions of a recurrent layer together.
fn reshape(
    batch: Option<i64>,
    to: &[i64],
    is_zero_kept: bool,
    value: &mut Value,
    layers: &mut Vec<Layer>,
) -> Result<(), Misfit> {
    let shape = value.shape;
    // Whether a number may stand for an extent, the `place`-th before, that is there already.
    let is = |number: i64, extent: Option<i64>, is_in_place: bool| {
        number == -1 || (number == 0 && !is_zero_kept && is_in_place) || Some(number) == extent
    };
    let known = |extent: Option<usize>| extent.and_then(|extent| i64::try_from(extent).ok());
    if to.iter().filter(|&&number| number == -1).count() <= 1 && value.axes.first() == Some(&Batch) {
        match (shape, to) {
            (_, &[first, rest]) if is(first, batch, true) && is(rest, known(shape.len()), false) => {
                return flatten(value, layers);
            }
            (Shape::Vector(len), &[first, channels, ref lengths @ ..])
                if is(first, batch, true) && value.axes == [Batch, Channels] && matches!(lengths.len(), 1 | 2) =>
            {
                let extents: Vec<_> =
                    [channels].iter().chain(lengths).map(|&n| usize::try_from(n).unwrap_or(0)).collect();
                let new = Shape::new(extents[0], &extents[1..]);
                if new.len() == Some(len) && len > 0 {
                    layers.push(Layer::plain(format!("Reshape<{new}>")));
                    *value = Value::new(new, [Batch, Channels, Rows, Columns][..to.len()].to_vec());
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    if let (Shape::Sequence { channels, steps }, [Rows, Batch, Directions(_), Channels], &[first, second, last]) =
        (shape, &value.axes[..], to)
        && is(first, known(Some(steps)), true)
        && is(second, batch, true)
        && is(last, known(Some(channels)), false)
    {
        value.axes = vec![Rows, Batch, Channels];
        return Ok(());
    }
    Err(format!("to {to:?}, which is not the flattening of a batch of `{shape}`").into())
}

/// The last step of a sequence, or the one direction of a recurrent layer.
fn gather(axis: i64, index: i64, value: &mut Value, layers: &mut Vec<Layer>) -> Result<(), Misfit> {
    let place = value.place(axis)?;
    match (value.shape, value.axes.get(place)) {
        (Shape::Sequence { channels, steps }, Some(Rows))
            if index == -1 || usize::try_from(index).is_ok_and(|index| index.checked_add(1) == Some(steps)) =>
        {
            layers.push(Layer::plain("Last".into()));
            value.shape = Shape::Vector(channels);
        }
        (_, Some(Unit | Directions(1))) if matches!(index, 0 | -1) => {}
        _ => {
            return Err(format!(
                "it takes number {index} along axis {axis}, and of a sequence only the last step can be taken"
            )
            .into());
        }
    }
    value.axes.remove(place);
    Ok(())
}

/// The mean or the largest number of each channel.
fn reduce(
    layer: &str,
    axes: Option<&[i64]>,
    is_kept: bool,
    value: &mut Value,
    layers: &mut Vec<Layer>,
) -> Result<(), Misfit> {
    let places: Vec<_> = match axes {
        Some(axes) => axes.iter().map(|&axis| value.place(axis)).collect::<Result<_, _>>()?,
        None => (2..value.axes.len()).collect(), // The pools of this name: [batch, channels, ..].
    };
    let is_pool = !matches!(value.shape, Shape::Vector(_))
        && value.axes.iter().enumerate().all(|(place, axis)| match axis {
            Rows | Columns => places.contains(&place),
            Unit => true,
            _ => !places.contains(&place),
        });
    if !is_pool {
        let message = format!("over axes {places:?}, and constnet pools over all steps or pixels of each channel");
        return Err(Misfit { message, is_turned: true });
    }
    let mut place = 0;
    value.axes.retain_mut(|axis| {
        let is_pooled = places.contains(&place);
        place += 1;
        if is_pooled {
            *axis = Unit;
        }
        is_kept || !is_pooled
    });
    value.shape = Shape::Vector(value.shape.channels());
    layers.push(Layer::plain(layer.into()));
    Ok(())
}
