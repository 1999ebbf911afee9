//! Layers with windows: convolutions and pools. And what pads before them and enlarges after them.

use super::axes::{Misfit, Shape, Value};
use super::graph::{Graph, attribute, input, integer, integers, label, optional, text};
use super::layers::{Layer, Tensor};
use super::proto::NodeProto;
use super::text::{generic, pair};

/// Larger kernels, strides and paddings are none that a network has.
const LARGEST: i64 = 1 << 20;

enum Padding {
    /// Before and after each length.
    Zeros(Vec<(usize, usize)>),
    /// As many outputs as strides, the odd zero behind.
    Same,
}

/// A window, its numbers one for each length.
pub(crate) struct Window {
    kernel: Vec<usize>,
    stride: Vec<usize>,
    padding: Padding,
    dilation: Vec<usize>,
}

/// A convolution; the weight is `[outputs, inputs of a group, kernel..]`, of a transposed one `[inputs, outputs, kernel..]`.
pub(crate) struct Conv {
    window: Window,
    groups: usize,
    weight: Tensor,
    bias: Option<Tensor>,
    /// For a transposed one: how much longer its outputs are.
    extra: Option<Vec<usize>>,
}

pub(crate) struct Pool {
    name: &'static str,
    window: Window,
}

impl Window {
    fn new(node: &NodeProto, kernel: &[usize]) -> Result<Self, String> {
        let dims = kernel.len();
        let numbers = |name, least| -> Result<Option<Vec<usize>>, String> {
            let Some(found) = integers(node, name) else { return Ok(None) };
            let fits = |&&number: &&i64| (least..LARGEST).contains(&number);
            let kept: Vec<_> = found.iter().filter(fits).filter_map(|&number| usize::try_from(number).ok()).collect();
            if kept.len() == found.len() { Ok(Some(kept)) } else { Err(format!("{name} = {found:?}")) }
        };
        let each = |name| match numbers(name, 1)? {
            None => Ok(vec![1; dims]),
            Some(found) if found.len() == dims => Ok(found),
            Some(found) => Err(format!("{name} = {found:?} for a kernel of {dims} axes")),
        };
        if !matches!(dims, 1 | 2) || kernel.contains(&0) {
            return Err(format!("a kernel of {kernel:?}, and one of 1 or 2 axes is needed"));
        }
        let padding = match text(node, "auto_pad", "NOTSET") {
            "NOTSET" => {
                let pads = numbers("pads", 0)?.unwrap_or_else(|| vec![0; 2 * dims]);
                if pads.len() != 2 * dims {
                    return Err(format!("pads = {pads:?} for a kernel of {dims} axes"));
                }
                let (before, after) = pads.split_at(dims);
                Padding::Zeros(before.iter().copied().zip(after.iter().copied()).collect())
            }
            "VALID" => Padding::Zeros(vec![(0, 0); dims]),
            "SAME_UPPER" => Padding::Same,
            other => return Err(format!("auto_pad is {other}, and NOTSET, VALID and SAME_UPPER are understood")),
        };
        if integer(node, "ceil_mode", 0) != 0 {
            return Err("with ceil_mode, it pools windows that are not whole".into());
        }
        Ok(Self { kernel: kernel.to_vec(), stride: each("strides")?, padding, dilation: each("dilations")? })
    }

    /// The zeros before and after each length, and the padding's type.
    fn padding(&self, lengths: &[usize]) -> Result<(String, Vec<(usize, usize)>), Misfit> {
        let spans: Vec<_> = self.kernel.iter().zip(&self.dilation).map(|(k, d)| d * (k - 1)).collect();
        let totals = lengths.iter().zip(&self.stride).zip(&spans).map(|((&length, &stride), &span)| {
            ((length.div_ceil(stride).saturating_sub(1)) * stride + span + 1).saturating_sub(length)
        });
        let same: Vec<_> = totals.map(|total| (total / 2, total - total / 2)).collect();
        let zeros = match &self.padding {
            Padding::Same => return Ok(("Same".into(), same)),
            Padding::Zeros(zeros) => zeros.clone(),
        };
        let text = if zeros.iter().all(|&zeros| zeros == (0, 0)) {
            "Valid".into()
        } else if zeros.iter().all(|(before, after)| before == after) {
            pair("Pad", &zeros.iter().map(|&(before, _)| before).collect::<Vec<_>>(), None)
        } else if spans.len() == 1 && zeros == [(spans[0], 0)] {
            "Causal".into()
        } else if zeros == same {
            "Same".into()
        } else {
            return Err(
                format!("the padding {zeros:?} is neither the same on both sides, nor causal, nor `Same`").into()
            );
        };
        Ok((text, zeros))
    }

    /// The arguments after the first extent of the kernel, each with its default, and the lengths that come out.
    #[allow(clippy::type_complexity)] // Two lists.
    fn arguments(&self, lengths: &[usize], stride: &str) -> Result<(Vec<(String, String)>, Vec<usize>), Misfit> {
        let (padding, zeros) = self.padding(lengths)?;
        let mut out = Vec::new();
        for (place, (&length, (before, after))) in lengths.iter().zip(zeros).enumerate() {
            let span = self.dilation[place] * (self.kernel[place] - 1) + 1;
            let room = length.saturating_add(before + after).checked_sub(span);
            out.push(
                room.ok_or_else(|| format!("its kernel of {:?} does not fit into what comes in", self.kernel))?
                    / self.stride[place]
                    + 1,
            );
        }
        let mut arguments = self.width();
        arguments.extend([
            (pair("Stride", &self.stride, Some(1)), stride.into()),
            (padding, "Valid".into()),
            (pair("Dilation", &self.dilation, Some(1)), "Dilation".into()),
        ]);
        Ok((arguments, out))
    }

    /// The kernel's second extent, by default the first.
    fn width(&self) -> Vec<(String, String)> {
        self.kernel.get(1).map(|width| (width.to_string(), self.kernel[0].to_string())).into_iter().collect()
    }
}

pub(crate) fn conv(graph: &Graph<'_>, node: &NodeProto) -> Result<Conv, String> {
    let about = |error: String| format!("{}: {error}", label(node));
    let weight = Tensor::read(graph, input(node, 1)?, "weight").map_err(about)?;
    let bias = optional(node, 2).map(|name| Tensor::read(graph, name, "bias")).transpose().map_err(about)?;
    let kernel = weight.dims.get(2..).unwrap_or_default();
    let window = Window::new(node, kernel).map_err(about)?;
    let groups = usize::try_from(integer(node, "group", 1)).unwrap_or(0);
    let is_transposed = node.op_type == "ConvTranspose";
    let outputs = weight.dims[usize::from(is_transposed)];
    if weight.dims.contains(&0) || groups == 0 || outputs % groups != 0 {
        return Err(about(format!("the weight is {:?} in {groups} groups: the file is broken", weight.dims)));
    }
    if let Some(bias) = bias.as_ref().filter(|bias| bias.dims != [outputs]) {
        return Err(about(format!("the bias is {:?}, and [{outputs}] is needed", bias.dims)));
    }
    let extra = if is_transposed { Some(extra(node, &window, groups).map_err(about)?) } else { None };
    Ok(Conv { window, groups, weight, bias, extra })
}

/// What only transposed convolutions have.
fn extra(node: &NodeProto, window: &Window, groups: usize) -> Result<Vec<usize>, String> {
    if attribute(node, "output_shape").is_some() || groups != 1 || window.dilation.iter().any(|&d| d != 1) {
        return Err("transposed, and with groups, a dilation or an output_shape".into());
    }
    let Padding::Zeros(zeros) = &window.padding else { return Err("transposed, and with auto_pad".into()) };
    let extra: Option<Vec<_>> = integers(node, "output_padding")
        .map_or(Some(vec![0; zeros.len()]), |found| found.iter().map(|&number| usize::try_from(number).ok()).collect());
    let extra = extra.filter(|extra| extra.len() == zeros.len()).ok_or("the output_padding: the file is broken")?;
    if zeros.iter().any(|(before, after)| before != after) || extra.iter().zip(&window.stride).any(|(e, s)| e >= s) {
        return Err(format!("transposed, it cuts {zeros:?} off and adds {extra:?}, which constnet's does not"));
    }
    Ok(extra)
}

/// The layer that a convolution is; follows the shape.
pub(crate) fn after_conv(conv: &Conv, value: &mut Value) -> Result<Layer, Misfit> {
    let window = &conv.window;
    let is_transposed = conv.extra.is_some();
    let padded = value.padding.take();
    let (outputs, inputs) =
        (conv.weight.dims[usize::from(is_transposed)], conv.weight.dims[usize::from(!is_transposed)]);
    value.expect_windows(window.kernel.len())?;
    value.expect_channels(1, inputs * conv.groups)?;
    let lengths = value.shape.lengths();
    let zeros = || Tensor { dims: vec![outputs], numbers: vec![0.0; outputs], ..Tensor::named("bias") };
    let mut bias = conv.bias.clone();
    if let Some(extra) = &conv.extra {
        if padded.is_some() {
            return Err("zeros were padded before it, and only a convolution takes them up".into());
        }
        let (arguments, lengths) = transposed(window, extra, &lengths)?;
        value.shape = Shape::new(outputs, &lengths);
        let name = format!("ConvTranspose{}d", lengths.len());
        let text = generic(&name, &[inputs, outputs, window.kernel[0]], &arguments);
        return Ok(Layer::Single { text, tensors: vec![conv.weight.clone(), bias.unwrap_or_else(zeros)] });
    }
    let (arguments, lengths) = match padded {
        None => window.arguments(&lengths, "Stride")?,
        Some(padded) => {
            if !matches!(&window.padding, Padding::Zeros(zeros) if zeros.iter().all(|&zeros| zeros == (0, 0))) {
                return Err("it pads, and so does the node before it: one of the two can be taken up".into());
            }
            let (kernel, stride, dilation) = (window.kernel.clone(), window.stride.clone(), window.dilation.clone());
            Window { kernel, stride, dilation, padding: Padding::Zeros(padded) }.arguments(&lengths, "Stride")?
        }
    };
    value.shape = Shape::new(outputs, &lengths);
    let (dims, kernel, groups) = (lengths.len(), window.kernel[0], conv.groups);
    let text = match groups {
        1 => {
            let form = if bias.is_some() { "" } else { "NoBias" };
            generic(&format!("Conv{dims}d{form}"), &[inputs, outputs, kernel], &arguments)
        }
        _ if (inputs, outputs) == (1, groups) => {
            generic(&format!("DepthwiseConv{dims}d"), &[groups, kernel], &arguments)
        }
        _ => generic(&format!("GroupedConv{dims}d"), &[groups, inputs, outputs / groups, kernel], &arguments),
    };
    if groups > 1 {
        bias = bias.or_else(|| Some(zeros())); // The same function: there is none without.
    }
    Ok(Layer::Single { text, tensors: [Some(conv.weight.clone()), bias].into_iter().flatten().collect() })
}

/// The arguments after the first extent of a transposed convolution's kernel, and the lengths that come out.
#[allow(clippy::type_complexity)] // Two lists.
fn transposed(
    window: &Window,
    extra: &[usize],
    lengths: &[usize],
) -> Result<(Vec<(String, String)>, Vec<usize>), Misfit> {
    let Padding::Zeros(zeros) = &window.padding else { return Err("transposed, and with auto_pad".into()) };
    let cut: Vec<_> = zeros.iter().map(|&(before, _)| before).collect();
    let mut out = Vec::new();
    for (place, &length) in lengths.iter().enumerate() {
        let whole = (length - 1).checked_mul(window.stride[place]);
        let whole = whole.and_then(|whole| whole.checked_add(window.kernel[place] + extra[place]));
        let rest = whole.and_then(|whole| whole.checked_sub(2 * cut[place])).filter(|&rest| rest > 0);
        out.push(rest.ok_or("nothing is left of what comes in")?);
    }
    let mut arguments = window.width();
    let padding = if cut.iter().all(|&cut| cut == 0) { "Valid".into() } else { pair("Pad", &cut, None) };
    arguments.extend([
        (pair("Stride", &window.stride, Some(1)), "Stride".into()),
        (padding, "Valid".into()),
        (pair("OutputPadding", extra, None), "OutputPadding<0>".into()),
    ]);
    Ok((arguments, out))
}

pub(crate) fn pool(node: &NodeProto, name: &'static str) -> Result<Pool, String> {
    let about = |error: String| format!("{}: {error}", label(node));
    let kernel: Option<Vec<_>> =
        integers(node, "kernel_shape").unwrap_or_default().iter().map(|&k| usize::try_from(k).ok()).collect();
    let kernel = kernel
        .filter(|kernel| kernel.iter().all(|&k| k < 1 << 20))
        .ok_or_else(|| about("its kernel: the file is broken".into()))?;
    let window = Window::new(node, &kernel).map_err(about)?;
    if window.dilation.iter().any(|&d| d != 1) {
        return Err(about("it pools with a dilation".into()));
    }
    let is_padded = !matches!(&window.padding, Padding::Zeros(zeros) if zeros.iter().all(|&zeros| zeros == (0, 0)));
    if name == "AvgPool" && is_padded && integer(node, "count_include_pad", 0) == 0 {
        return Err(about("with count_include_pad=False, and constnet counts what is padded".into()));
    }
    Ok(Pool { name, window })
}

/// The layer that a pool is; follows the shape.
pub(crate) fn after_pool(pool: &Pool, value: &mut Value) -> Result<Layer, Misfit> {
    let dims = pool.window.kernel.len();
    value.expect_windows(dims)?;
    let stride = pair("Stride", &pool.window.kernel, Some(1));
    let (arguments, lengths) = pool.window.arguments(&value.shape.lengths(), &stride)?;
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
    let counts: Option<Vec<_>> =
        pads.iter().map(|&pad| usize::try_from(pad).ok().filter(|&pad| pad < 1 << 20)).collect();
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
