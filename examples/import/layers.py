"""constnet's layers with parameters or windows: each function checks what comes in, follows the shape, and gives the layer.

Numbers have PyTorch's shapes, whatever the framework.
"""

import numpy as np

from network import Refused, Single, digits, fraction, generic, single

VALID, SAME, CAUSAL = "valid", "same", "causal"


def conv(shapes, weight, bias, stride, padding, dilation, groups, where, channels):
    """`weight` is `[outputs, inputs of a group, *kernel]`; for `padding` see `padding_text`."""
    outputs, inputs, *kernel = weight.shape
    waiting, shapes.padding = shapes.padding, None
    shapes.take(where, inputs * groups, len(kernel), channels, images=True)
    if waiting:
        if padding not in (VALID, [(0, 0)] * len(kernel)):
            raise Refused(f"{where}: it pads, and so does the module before it: one of the two can be taken up")
        padding = waiting
    text, lengths = windows(shapes.lengths(), kernel, stride, padding, dilation, where)
    name = f"Conv{len(kernel)}d"
    numbers = [inputs, outputs, *kernel[:1]]
    if groups > 1:
        depthwise = (inputs, outputs) == (1, groups)
        name = f"{'Depthwise' if depthwise else 'Grouped'}{name}"
        numbers = [groups, *kernel[:1]] if depthwise else [groups, inputs, outputs // groups, *kernel[:1]]
        text = [*text, *no_bias(bias)]
    elif bias is None:
        name += "NoBias"
    shapes.set(outputs, lengths)
    found = single(where, generic(name, numbers, text), weight=weight, bias=bias)
    span = dilation[0] * (kernel[0] - 1)
    if len(kernel) == 1 and stride[0] == 1 and padding == [(span, span)] and span:
        causal = [(argument.replace(f"Pad<{span}>", "Causal"), default) for argument, default in text]
        shapes.padded = found, generic(name, numbers, causal), span
    return found


def trim(shapes):
    """Cuts off what a convolution has padded at the end: then none of its outputs looks ahead."""
    convolution, causal, span = shapes.padded
    convolution.text, shapes.padded = causal, None
    shapes.set(shapes.axes[shapes.channels], [shapes.lengths()[0] - span])


def conv_transpose(shapes, weight, bias, stride, padding, extra, where, channels):
    """`weight` is `[inputs, outputs, *kernel]`; `padding`, unless it is SAME, and `extra`, the output's, are lists."""
    inputs, outputs, *kernel = weight.shape
    shapes.take(where, inputs, len(kernel), channels, images=True)
    sizes = zip(shapes.lengths(), kernel, stride, [0] * len(kernel) if padding == SAME else padding, extra)
    lengths = [(length - 1) * s - 2 * p + k + e for length, k, s, p, e in sizes]
    if padding == SAME:
        lengths = [length * s for length, s in zip(shapes.lengths(), stride)]
    if min(lengths) < 1:
        raise Refused(f"{where}: nothing is left of `{shapes.text()}`")
    text = "Same" if padding == SAME else pair("Pad", padding) if any(padding) else "Valid"
    optional = [
        *([(kernel[1], kernel[0])] if len(kernel) == 2 else []),
        (pair("Stride", stride, 1), "Stride"),
        (reaching(text, [*shapes.lengths(), *lengths], lengths), "Valid"),
        (pair("OutputPadding", extra) if any(extra) else "OutputPadding", "OutputPadding"),
        *no_bias(bias),
    ]
    shapes.set(outputs, lengths)
    name = generic(f"ConvTranspose{len(kernel)}d", [inputs, outputs, kernel[0]], optional)
    return single(where, name, weight=weight, bias=bias)


def no_bias(bias):
    """The last arguments of a layer whose bias is a type: the scalar, and that there is none."""
    return [] if bias is not None else [("f32", "f32"), ("NoBias", None)]


def pool(shapes, name, kernel, stride, padding, where, channels, counted=True):
    """`name` is `MaxPool` or `AvgPool`, which has `counted` the zeros that pad or not; constnet's does, but with `Same`."""
    dims = len(kernel)
    shapes.take(where, shapes.axes[shapes.channels], dims, channels, images=True)
    (_, zeros), (_, same) = (
        padding_text(shapes.lengths(), kernel, stride, each, [1] * dims, where) for each in (padding, SAME)
    )
    if name == "AvgPool" and not counted and zeros == same and any(map(any, zeros)):
        padding = SAME
    (*_, strided, padded, _), lengths = windows(shapes.lengths(), kernel, stride, padding, [1] * dims, where)
    optional = [
        *([(kernel[1], kernel[0])] if dims == 2 else []),
        (strided[0], pair("Stride", kernel, 1)),
        padded,
    ]
    if name == "AvgPool" and counted == (padded[0] == "Same") and any(map(any, zeros)):
        raise Refused(f"{where}: with this padding constnet {'leaves what is padded out' if counted else 'counts what is padded'}")
    shapes.set(shapes.axes[shapes.channels], lengths)
    return Single(generic(f"{name}{dims}d", kernel[:1], optional))


def global_pool(shapes, name, where, channels, flat):
    """`name` is `GlobalAvgPool` or `GlobalMaxPool`; unless it is `flat`, the framework keeps lengths of 1."""
    if len(shapes.axes) == 1:
        raise Refused(f"{where}: it pools a `Sequence` or an `Image`, and `{shapes.text()}` comes in")
    count = shapes.axes[shapes.channels]
    shapes.take(where, count, len(shapes.axes) - 1, channels, images=True)
    shapes.set(count, [] if flat else [1] * (len(shapes.axes) - 1))
    shapes.pooled = not flat
    return Single(name)


def upsample(shapes, factors, where, channels):
    shapes.take(where, shapes.axes[shapes.channels], len(factors), channels, images=True)
    if not all(isinstance(factor, int) or float(factor).is_integer() for factor in factors):
        raise Refused(f"{where}: by {list(factors)}, and only whole factors are understood")
    factors = list(map(int, factors))
    shapes.set(shapes.axes[shapes.channels], [length * factor for length, factor in zip(shapes.lengths(), factors)])
    return Single("Upsample" if factors == [2] * len(factors) else pair("Upsample", factors))


def windows(lengths, kernel, stride, padding, dilation, where):
    """The arguments after the first extent of a kernel, each with its default, and the lengths that come out."""
    text, pads = padding_text(lengths, kernel, stride, padding, dilation, where)
    lengths_in, lengths = lengths, [
        (length + sum(pad) - d * (k - 1) - 1) // s + 1
        for length, k, s, d, pad in zip(lengths, kernel, stride, dilation, pads)
    ]
    text = reaching(text, lengths_in, lengths)
    if min(lengths) < 1:
        raise Refused(f"{where}: its kernel of {'x'.join(map(str, kernel))} does not fit into what comes in")
    optional = [
        *([(kernel[1], kernel[0])] if len(kernel) == 2 else []),
        (pair("Stride", stride, 1), "Stride"),
        (text, "Valid"),
        (pair("Dilation", dilation, 1), "Dilation"),
    ]
    return optional, lengths


LONGEST = 2048  # The lengths that constnet's types calculate with; what is calculated may reach 5,119.


def reaching(padding, lengths, out):
    """`Valid` beyond the lengths that types calculate with: there the type says what comes out."""
    return pair("To", out) if padding == "Valid" and max(lengths) > LONGEST else padding


def padding_text(lengths, kernel, stride, padding, dilation, where):
    """`padding` is VALID, SAME, CAUSAL or a pair for each length: what stands before and after. Gives the type, and the pairs."""
    spans = [d * (k - 1) for k, d in zip(kernel, dilation)]
    totals = [
        max((-(-length // s) - 1) * s + span + 1 - length, 0) for length, s, span in zip(lengths, stride, spans)
    ]
    same = [(total // 2, total - total // 2) for total in totals]
    match padding:
        case "valid":
            return "Valid", [(0, 0)] * len(kernel)
        case "same":
            return "Same", same
        case "causal":
            return "Causal", [(spans[0], 0)]
    if not any(map(any, padding)):
        return "Valid", padding
    if all(before == after for before, after in padding):
        return pair("Pad", [before for before, _ in padding]), padding
    if padding == [(spans[0], 0)]:
        return "Causal", padding
    if padding == same:
        return "Same", padding
    raise Refused(f"{where}: the padding {padding} is neither the same on both sides, nor causal, nor `Same`")


def pair(name, numbers, default=None):
    """`Stride`, `Stride<2>`, `Stride<2, 1>`."""
    if all(number == default for number in numbers):
        return name
    return generic(name, numbers[:1], [(numbers[1], numbers[0])] if len(numbers) == 2 else [])


def norm(shapes, name, weight, bias, epsilon, where, channels, groups=None):
    """`LayerNorm`, `RmsNorm` or `GroupNorm`."""
    count = len(weight)
    shapes.take(where, count, channels=channels, images=True)
    if groups and shapes.order is not None:
        shapes.finish(where)
    weight, bias = shapes.reorder(weight), shapes.reorder(bias)
    text = generic(name, [groups, count] if groups else [count], [epsilon_text(epsilon, where)])
    return single(where, text, weight=weight, bias=bias)


def batch_norm(shapes, weight, bias, mean, variance, epsilon, momentum, where, channels):
    count = len(mean)
    shapes.take(where, count, channels=channels, images=True)
    momentum = fraction(momentum, where)
    optional = [
        epsilon_text(epsilon, where),
        (f"Momentum<{digits(momentum.numerator)}, {digits(momentum.denominator)}>", "Momentum<1, 10>"),
    ]
    weight = np.ones(count) if weight is None else weight
    bias = np.zeros(count) if bias is None else bias
    numbers = {"weight": weight, "bias": bias, "running_mean": mean, "running_var": variance}
    return single(where, generic("BatchNorm", [count], optional), **{key: shapes.reorder(each) for key, each in numbers.items()})


def epsilon_text(epsilon, where):
    epsilon = fraction(epsilon, where)
    return f"Epsilon<{digits(epsilon.numerator)}, {digits(epsilon.denominator)}>", "Epsilon<1, 100_000>"


GATES = {"Rnn": 1, "Gru": 3, "Lstm": 4}


def recurrent(shapes, kind, directions, activation, where):
    """`directions` holds one or two sets of numbers: weight_ih, weight_hh, bias_ih, bias_hh."""
    rows, inputs = directions[0][0].shape
    hidden = rows // GATES[kind]
    shapes.take(where, inputs, 1, channels=1)
    tensors = {}
    for numbers, suffix in zip(directions, ("", "_reverse")):
        weights = numbers[:2]
        biases = [np.zeros(rows) if bias is None else bias for bias in numbers[2:]]
        names = [f"{name}_l0{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        tensors.update(zip(names, (*weights, *biases)))
    text = generic(kind, [inputs, hidden], [(activation, "Tanh")])
    shapes.set(hidden * len(directions), shapes.lengths())
    return single(where, f"Bidirectional<{text}>" if len(directions) == 2 else text, **tensors)


def last(shapes, where):
    """The last step of a sequence."""
    shapes.take(where, shapes.axes[shapes.channels], 1)
    shapes.set(shapes.axes[shapes.channels])
    return Single("Last")


def attention(shapes, heads, causal, numbers, where):
    """`numbers` are in_proj_weight, in_proj_bias, out_proj.weight and out_proj.bias."""
    weight, in_bias, out_weight, out_bias = numbers
    count = weight.shape[1]
    shapes.take(where, count, 1, channels=1)
    tensors = {
        "in_proj_weight": weight, "in_proj_bias": np.zeros(3 * count) if in_bias is None else in_bias,
        "out_proj.weight": out_weight, "out_proj.bias": np.zeros(count) if out_bias is None else out_bias,
    }
    return single(where, generic("SelfAttention", [count, heads], [("Causal" if causal else "Full", "Full")]), **tensors)


def embedding(shapes, weight, where):
    """`weight` is `[indices, channels]`. Only the first layer takes indices."""
    if shapes.met[0] or len(shapes.axes) != 1:
        raise Refused(f"{where}: it takes indices, which only the first layer of a network does")
    shapes.settle(where)
    count, channels = weight.shape
    (steps,) = shapes.axes
    shapes.input = f"Tokens<{count}, {steps}>"
    shapes.axes, shapes.channels = (steps, channels), 1
    return single(where, f"Embedding<{count}, {channels}>", weight=weight)


def positions(shapes, table, learned, where):
    """Adds a table, `[steps, channels]`; one that is not learned may be the sinusoidal one."""
    steps, channels = table.shape
    shapes.take(where, channels, 1, channels=1)
    if shapes.axes != table.shape:
        raise Refused(f"{where}: it adds {list(table.shape)} to {list(shapes.axes)}")
    if not learned and np.allclose(table, sinusoidal(steps, channels), rtol=0, atol=1e-5):
        return Single("PositionalEncoding")
    return single(where, f"LearnedPositions<{channels}, {steps}>", weight=table)


def sinusoidal(steps, channels):
    """sin(t / 10000^(c / C)) in even channels c, the cosine of the same angle in the next."""
    even = np.arange(channels) // 2 * 2
    angles = np.arange(steps)[:, None] / 10000.0 ** (even / channels)
    return np.where(np.arange(channels) % 2 == 0, np.sin(angles), np.cos(angles))
