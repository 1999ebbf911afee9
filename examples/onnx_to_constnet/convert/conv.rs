//! Convolutions, transposed ones too.

use super::axes::{Misfit, Shape, Value};
use super::graph::{Graph, attribute, input, integer, integers, label, optional};
use super::layers::{Layer, Tensor};
use super::proto::NodeProto;
use super::text::{generic, pair};
use super::window::{Arguments, Padding, Window, reaching};

/// A convolution; the weight is `[outputs, inputs of a group, kernel..]`, of a transposed one `[inputs, outputs, kernel..]`.
pub(crate) struct Conv {
    window: Window,
    groups: usize,
    weight: Tensor,
    bias: Option<Tensor>,
    /// For a transposed one: how much longer its outputs are.
    extra: Option<Vec<usize>>,
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
    let padded = value.padding.take();
    let is_transposed = conv.extra.is_some();
    let (outputs, inputs) =
        (conv.weight.dims[usize::from(is_transposed)], conv.weight.dims[usize::from(!is_transposed)]);
    value.expect_windows(conv.window.kernel.len())?;
    value.expect_channels(1, inputs * conv.groups)?;
    let (text, lengths) = match &conv.extra {
        Some(_) if padded.is_some() => {
            return Err("zeros were padded before it, and only a convolution takes them up".into());
        }
        Some(extra) => transposed_text(conv, extra, [inputs, outputs], &value.shape.lengths())?,
        None => conv_text(conv, padded, [inputs, outputs], &value.shape.lengths())?,
    };
    value.shape = Shape::new(outputs, &lengths);
    let tensors = [Some(&conv.weight), conv.bias.as_ref()].into_iter().flatten().cloned().collect();
    Ok(Layer::Single { text, tensors })
}

/// The type of a convolution, and the lengths that come out.
fn conv_text(
    conv: &Conv,
    padded: Option<Vec<(usize, usize)>>,
    [inputs, outputs]: [usize; 2],
    lengths: &[usize],
) -> Result<(String, Vec<usize>), Misfit> {
    let window = match padded {
        None => conv.window.padded(conv.window.padding.clone()),
        Some(_) if !conv.window.is_valid() => {
            return Err("it pads, and so does the node before it: one of the two can be taken up".into());
        }
        Some(zeros) => conv.window.padded(Padding::Zeros(zeros)),
    };
    let (mut arguments, lengths) = window.arguments(lengths, "Stride")?;
    let (dims, kernel, groups) = (lengths.len(), window.kernel[0], conv.groups);
    let text = if groups == 1 {
        let form = if conv.bias.is_some() { "" } else { "NoBias" };
        generic(&format!("Conv{dims}d{form}"), &[inputs, outputs, kernel], &arguments)
    } else {
        arguments.extend(no_bias(conv));
        if (inputs, outputs) == (1, groups) {
            generic(&format!("DepthwiseConv{dims}d"), &[groups, kernel], &arguments)
        } else {
            generic(&format!("GroupedConv{dims}d"), &[groups, inputs, outputs / groups, kernel], &arguments)
        }
    };
    Ok((text, lengths))
}

/// The last arguments of a layer whose bias is a type: the scalar, and that there is none.
fn no_bias(conv: &Conv) -> Arguments {
    let arguments = [("f32", "f32"), ("NoBias", "")].map(|(argument, default)| (argument.into(), default.into()));
    if conv.bias.is_some() { Vec::new() } else { arguments.into() }
}

/// The type of a transposed convolution, and the lengths that come out.
fn transposed_text(
    conv: &Conv,
    extra: &[usize],
    [inputs, outputs]: [usize; 2],
    lengths: &[usize],
) -> Result<(String, Vec<usize>), Misfit> {
    let window = &conv.window;
    let Padding::Zeros(zeros) = &window.padding else { return Err("transposed, and with auto_pad".into()) };
    let cut: Vec<_> = zeros.iter().map(|&(before, _)| before).collect();
    let mut out = Vec::new();
    for (place, &length) in lengths.iter().enumerate() {
        let whole = (length - 1).checked_mul(window.stride[place]);
        let whole = whole.and_then(|whole| whole.checked_add(window.kernel[place] + extra[place]));
        let rest = whole.and_then(|whole| whole.checked_sub(2 * cut[place])).filter(|&rest| rest > 0);
        out.push(rest.ok_or("nothing is left of what comes in")?);
    }
    let padding = if window.is_valid() { "Valid".into() } else { pair("Pad", &cut, None) };
    let mut arguments = window.width();
    arguments.extend([
        (pair("Stride", &window.stride, Some(1)), "Stride".into()),
        (reaching(padding, lengths, &out), "Valid".into()),
        (pair("OutputPadding", extra, Some(0)), "OutputPadding".into()),
    ]);
    arguments.extend(no_bias(conv));
    let name = format!("ConvTranspose{}d", out.len());
    Ok((generic(&name, &[inputs, outputs, window.kernel[0]], &arguments), out))
}
