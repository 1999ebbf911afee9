//! Shapes, and the axes by which ONNX keeps them.
//!
//! constnet's tensors know which of their axes holds the channels; ONNX's are numbers in an order. A graph may move the channels and the
//! batch among the other axes, which is nothing to constnet.

use super::graph::Graph;
use Axis::{Batch, Channels, Columns, Directions, Rows, Unit};
use std::fmt;

/// A shape of constnet's.
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

impl Shape {
    pub(crate) fn new(channels: usize, lengths: &[usize]) -> Self {
        match *lengths {
            [steps] => Self::Sequence { channels, steps },
            [height, width] => Self::Image { channels, height, width },
            _ => Self::Vector(channels),
        }
    }

    pub(crate) fn channels(self) -> usize {
        match self {
            Self::Vector(channels) | Self::Sequence { channels, .. } | Self::Image { channels, .. } => channels,
        }
    }

    /// The steps, or the rows and the columns.
    pub(crate) fn lengths(self) -> Vec<usize> {
        match self {
            Self::Vector(_) => Vec::new(),
            Self::Sequence { steps, .. } => vec![steps],
            Self::Image { height, width, .. } => vec![height, width],
        }
    }

    /// How many numbers it holds, if that can be counted.
    pub(crate) fn len(self) -> Option<usize> {
        self.lengths().iter().try_fold(self.channels(), |len, &length| len.checked_mul(length))
    }
}

/// What one of ONNX's axes is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Axis {
    Batch,
    Channels,
    /// Or steps.
    Rows,
    Columns,
    /// Of length 1, and to be taken out again.
    Unit,
    /// The directions of a recurrent layer, beside the channels of each.
    Directions(usize),
}

/// Why a step does not fit.
pub(crate) struct Misfit {
    pub(crate) message: String,
    /// The channels stand along another axis: to be understood if the input is read another way.
    pub(crate) is_turned: bool,
}

impl From<String> for Misfit {
    fn from(message: String) -> Self {
        Self { message, is_turned: false }
    }
}

impl From<&str> for Misfit {
    fn from(message: &str) -> Self {
        Self::from(String::from(message))
    }
}

/// What stands between two nodes.
#[derive(Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) shape: Shape,
    pub(crate) axes: Vec<Axis>,
    /// What a node has padded with zeros for the convolution that must follow: before and after each length.
    pub(crate) padding: Option<Vec<(usize, usize)>>,
}

impl Value {
    pub(crate) fn new(shape: Shape, axes: Vec<Axis>) -> Self {
        Self { shape, axes, padding: None }
    }

    /// The ways to read a graph's input. Two axes beside the batch are [steps, channels], as recurrent and linear layers have them, or
    /// [channels, steps], as convolutions do; where a graph takes both, they are the same function.
    pub(crate) fn of_input(graph: &Graph<'_>) -> Result<Vec<Self>, String> {
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
            [n] => Ok(vec![Self::new(Shape::Vector(n), vec![Batch, Channels])]),
            [first, second] => Ok(vec![
                Self::new(Shape::new(second, &[first]), vec![Batch, Rows, Channels]),
                Self::new(Shape::new(first, &[second]), vec![Batch, Channels, Rows]),
            ]),
            [channels, height, width] => {
                Ok(vec![Self::new(Shape::new(channels, &[height, width]), vec![Batch, Channels, Rows, Columns])])
            }
            _ => Err(format!(
                "input `{}` has {} axes: a batch of vectors has 2, of sequences 3, of images 4",
                graph.input,
                graph.input_dims.len()
            )),
        }
    }

    /// Which axis a node means by a number.
    pub(crate) fn place(&self, axis: i64) -> Result<usize, Misfit> {
        let rank = self.axes.len();
        let place = if axis < 0 { axis.checked_add_unsigned(rank as u64) } else { Some(axis) };
        let place = place.and_then(|place| usize::try_from(place).ok()).filter(|&place| place < rank);
        place.ok_or_else(|| format!("axis {axis} of {rank}: the file is broken").into())
    }

    /// The axes of convolutions and pools: the channels, then the lengths.
    pub(crate) fn expect_windows(&self, dims: usize) -> Result<(), Misfit> {
        if self.shape.lengths().len() != dims {
            let needed = ["a `Vector`", "a `Sequence`", "an `Image`"].get(dims).unwrap_or(&"another shape");
            return Err(format!("it takes {needed}, and `{}` comes in", self.shape).into());
        }
        let axes = [Batch, Channels, Rows, Columns];
        self.expect(&axes[..(dims + 2).min(axes.len())])
    }

    /// Exactly these axes.
    pub(crate) fn expect(&self, axes: &[Axis]) -> Result<(), Misfit> {
        if self.axes == axes {
            return Ok(());
        }
        Err(Misfit {
            message: format!("the axes of `{}` are {:?} here, and it takes {axes:?}", self.shape, self.axes),
            is_turned: true,
        })
    }

    /// Before a layer that takes `count` channels along the axis at `place`.
    pub(crate) fn expect_channels(&self, place: usize, count: usize) -> Result<(), Misfit> {
        let is_whole = !self.axes.iter().any(|axis| matches!(axis, Directions(2..)));
        if self.axes.get(place) != Some(&Channels) || !is_whole {
            return Err(Misfit {
                message: format!("it does not run over the channels of `{}`, as constnet's does", self.shape),
                is_turned: true,
            });
        }
        if self.shape.channels() != count {
            return Err(format!("the layer takes {count} numbers, and `{}` comes in", self.shape).into());
        }
        Ok(())
    }

    /// Puts the axes into another order.
    pub(crate) fn transpose(&mut self, order: &[i64]) -> Result<(), Misfit> {
        let rank = self.axes.len();
        let reversed: Vec<i64> = (0..).take(rank).collect::<Vec<_>>().into_iter().rev().collect();
        let order = if order.is_empty() { &reversed } else { order };
        let places = order.iter().map(|&axis| self.place(axis)).collect::<Result<Vec<_>, _>>()?;
        if places.len() != rank || !(0..rank).all(|axis| places.contains(&axis)) {
            return Err(format!("the order {order:?} of {rank} axes: the file is broken").into());
        }
        self.axes = places.iter().filter_map(|&place| self.axes.get(place).copied()).collect();
        let find = |wanted| self.axes.iter().position(|&axis| axis == wanted);
        match (find(Rows), find(Columns)) {
            (Some(rows), Some(columns)) if columns < rows => {
                Err(format!("it turns `{}` round, which no layer does", self.shape).into())
            }
            _ => Ok(()),
        }
    }

    /// Takes out axes of length 1; all of them if none is named.
    pub(crate) fn squeeze(&mut self, axes: &[i64], batch: Option<i64>) -> Result<(), Misfit> {
        let is_one = |axis: &Axis| matches!(axis, Unit | Directions(1));
        let places = axes.iter().map(|&axis| self.place(axis)).collect::<Result<Vec<_>, _>>()?;
        if axes.is_empty() && (batch.is_none_or(|batch| batch == 1)) {
            return Err("it may take out the batch: name the axes".into());
        }
        if let Some(&place) = places.iter().find(|&&place| !self.axes.get(place).is_some_and(is_one)) {
            return Err(format!("axis {place} is none that a network can do without").into());
        }
        let mut place = 0;
        self.axes.retain(|axis| {
            place += 1;
            !(is_one(axis) && (axes.is_empty() || places.contains(&(place - 1))))
        });
        Ok(())
    }

    /// Puts in axes of length 1.
    pub(crate) fn unsqueeze(&mut self, axes: &[i64]) -> Result<(), Misfit> {
        let rank = self.axes.len() + axes.len();
        let grown = Self::new(self.shape, vec![Unit; rank]);
        let mut places = axes.iter().map(|&axis| grown.place(axis)).collect::<Result<Vec<_>, _>>()?;
        places.sort_unstable();
        for place in places {
            self.axes.insert(place.min(self.axes.len()), Unit);
        }
        Ok(())
    }
}
