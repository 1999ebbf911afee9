//! Pools, and what pads and enlarges.

use super::axes::{Misfit, Shape, Value};
use super::graph::{Graph, attribute, input, integer, integers, label, optional, text};
use super::layers::Layer;
use super::proto::NodeProto;
use super::text::{generic, pair};
use super::window::{LARGEST, Padding, Window};

pub(crate) struct Pool {
    name: &'static str,
    window: Window,
    /// Whether a mean is over the zeros that pad, too.
    is_counted: bool,
}

pub(crate) fn pool(node: &NodeProto, name: &'static str) -> Result<Pool, String> {
    let about = |error: String| format!("{}: {error}", label(node));
    let kernel: Option<Vec<_>> = integers(node, "kernel_shape")
        .unwrap_or_default()
        .iter()
        .map(|&k| usize::try_from(k).ok().filter(|_| k < LARGEST))
        .collect();
    let kernel = kernel.ok_or_else(|| about("its kernel: the file is broken".into()))?;
    let window = Window::new(node, &kernel).map_err(about)?;
    if window.dilation.iter().any(|&d| d != 1) {
        return Err(about("it pools with a dilation".into()));
    }
    let is_counted = integer(node, "count_include_pad", 0) != 0;
    Ok(Pool { name, window, is_counted })
}

/// The layer that a pool is; follows the shape.
pub(crate) fn after_pool(pool: &Pool, value: &mut Value) -> Result<Layer, Misfit> {
    let dims = pool.window.kernel.len();
    value.expect_windows(dims)?;
    let lengths = value.shape.lengths();
    let stride = pair("Stride", &pool.window.kernel, Some(1));
    let (mut padding, zeros) = pool.window.padding(&lengths)?;
    let is_padded = zeros.iter().any(|&zeros| zeros != (0, 0));
    let mut window = pool.window.padded(pool.window.padding.clone());
    if pool.name == "AvgPool" && is_padded && !pool.is_counted {
        let same = window.padded(Padding::Same);
        if same.padding(&lengths)?.1 == zeros {
            (window, padding) = (same, "Same".into());
        }
    }
    // constnet's mean counts what is padded, but with `Same`.
    if pool.name == "AvgPool" && is_padded && pool.is_counted == (padding == "Same") {
        let does = if pool.is_counted { "leaves what is padded out" } else { "counts what is padded" };
        return Err(format!("with this padding constnet {does}").into());
    }
    let (arguments, lengths) = window.arguments(&lengths, &stride)?;
    value.shape = Shape::new(value.shape.channels(), &lengths);
    // A dilation is none.
    let text = generic(&format!("{}{dims}d", pool.name), &pool.window.kernel[..1], &arguments[..arguments.len() - 1]);
    Ok(Layer::plain(text))
}

/// The zeros that a `Pad` puts before and after every axis.
pub(crate) fn pads(graph: &Graph<'_>, node: &NodeProto) -> Result<Vec<(usize, usize)>, String> {
    let about = |error: &str| format!("{}: {error}", label(node));
    let is_zero = optional(node, 2).is_none_or(|value| graph.scalar(value) == Some(0.0));
    if text(node, "mode", "constant") != "constant" || !is_zero || optional(node, 3).is_some() {
        return Err(about("it pads with other numbers than zeros, or some axes only"));
    }
    let pads = input(node, 1)?;
    if !graph.is_constant(pads) {
        return Err(about("how much it pads is computed by the graph: give the padding to the convolution"));
    }
    let pads = graph.integers(pads)?;
    let counts: Option<Vec<_>> = pads.iter().map(|&pad| usize::try_from(pad).ok().filter(|_| pad < LARGEST)).collect();
    let counts = counts.filter(|counts| counts.len() % 2 == 0);
    let counts =
        counts.ok_or_else(|| about(&format!("it pads by {pads:?}, and zeros in front and behind are understood")))?;
    let (before, after) = counts.split_at(counts.len() / 2);
    Ok(before.iter().copied().zip(after.iter().copied()).collect())
}

/// Keeps the zeros for the convolution that must follow.
pub(crate) fn after_pads(pads: &[(usize, usize)], value: &mut Value) -> Result<(), Misfit> {
    match pads {
        [(0, 0), (0, 0), lengths @ ..] if value.padding.is_none() && pads.len() == value.axes.len() => {
            value.expect_windows(lengths.len())?;
            value.padding = Some(lengths.to_vec());
            Ok(())
        }
        _ => Err(format!("it pads by {pads:?}, and zeros before and after the lengths are understood").into()),
    }
}

/// How many times longer each axis becomes.
pub(crate) enum Factors {
    Scales(Vec<f32>),
    Sizes(Vec<i64>),
}

/// `Resize`, where it repeats.
pub(crate) fn resize(graph: &Graph<'_>, node: &NodeProto) -> Result<Factors, String> {
    let form = [
        text(node, "mode", "nearest"),
        text(node, "coordinate_transformation_mode", "half_pixel"),
        text(node, "nearest_mode", "round_prefer_floor"),
    ];
    if !matches!(
        form,
        ["nearest", "asymmetric", "floor"] | ["nearest", "half_pixel", "round_prefer_floor" | "round_prefer_ceil"]
    ) {
        return Err(format!("{}: it resizes by {form:?}, and constnet's Upsample repeats", label(node)));
    }
    let about = |error: String| format!("{}: {error}", label(node));
    if attribute(node, "axes").is_some() {
        return Err(about("it resizes some axes only".into()));
    }
    match (optional(node, 2), optional(node, 3)) {
        (Some(scales), None) => Ok(Factors::Scales(graph.floats(scales).map_err(about)?.1)),
        (None, Some(sizes)) => Ok(Factors::Sizes(graph.integers(sizes).map_err(about)?)),
        _ => Err(about("either scales or sizes are needed".into())),
    }
}

/// The layer that a resizing is; follows the shape.
pub(crate) fn after_resize(factors: &Factors, value: &mut Value) -> Result<Layer, Misfit> {
    let mut lengths = value.shape.lengths();
    value.expect_windows(lengths.len())?;
    let whole = |scale: f64| {
        (1..=1024)
            .find(|&factor| (f64::from(factor) - scale).abs() < 1e-6)
            .and_then(|factor| usize::try_from(factor).ok())
    };
    #[allow(clippy::cast_precision_loss)] // Sizes far below 2^52, or no factor fits.
    let found: Option<Vec<usize>> = match factors {
        Factors::Scales(scales) if scales.get(..2) == Some(&[1.0, 1.0]) => {
            scales[2..].iter().map(|&scale| whole(scale.into())).collect()
        }
        Factors::Sizes(sizes) => {
            sizes.iter().skip(2).zip(&lengths).map(|(&size, &length)| whole(size as f64 / length as f64)).collect()
        }
        Factors::Scales(_) => None,
    };
    let Some(factors) = found.filter(|factors| !factors.is_empty() && factors.len() == lengths.len()) else {
        return Err("it resizes by other than whole factors of the lengths".into());
    };
    for (length, factor) in lengths.iter_mut().zip(&factors) {
        *length = length.checked_mul(*factor).ok_or("it resizes too far")?;
    }
    value.shape = Shape::new(value.shape.channels(), &lengths);
    let is_default = factors.iter().all(|&factor| factor == 2);
    Ok(Layer::plain(if is_default { "Upsample".into() } else { pair("Upsample", &factors, None) }))
}
