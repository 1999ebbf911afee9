"""PyTorch's modules, one by one: each becomes the layer of constnet's that computes the same."""

import torch
from torch import nn

import layers
from network import Refused, Single, dropout, ratio

PLAIN = {
    nn.Identity: "Identity", nn.ReLU: "Relu", nn.Sigmoid: "Sigmoid", nn.Tanh: "Tanh", nn.SiLU: "Silu",
    nn.Hardsigmoid: "HardSigmoid", nn.Hardswish: "HardSwish",
}
CONVOLUTIONS = {nn.Conv1d: 1, nn.Conv2d: 2, nn.ConvTranspose1d: 1, nn.ConvTranspose2d: 2}
POOLS = {nn.MaxPool1d: ("MaxPool", 1), nn.MaxPool2d: ("MaxPool", 2), nn.AvgPool1d: ("AvgPool", 1), nn.AvgPool2d: ("AvgPool", 2)}
GLOBAL_POOLS = {
    nn.AdaptiveAvgPool1d: ("GlobalAvgPool", 1), nn.AdaptiveAvgPool2d: ("GlobalAvgPool", 2),
    nn.AdaptiveMaxPool1d: ("GlobalMaxPool", 1), nn.AdaptiveMaxPool2d: ("GlobalMaxPool", 2),
}
PADS = (nn.ZeroPad1d, nn.ZeroPad2d, nn.ConstantPad1d, nn.ConstantPad2d)
RECURRENT = {nn.RNN: "Rnn", nn.GRU: "Gru", nn.LSTM: "Lstm"}
# What may give the very numbers that it takes, and not a copy.
PASSING = {nn.Identity, nn.Dropout, nn.Flatten, nn.Unflatten, nn.Sequential}
EPSILON = {torch.float32: 2.0**-23}


def convert_module(module, where, shapes):
    """The layer that a module without modules of its own is; None if constnet has none for it."""
    kind = type(module)
    if kind in PLAIN:
        return shapes.plain(PLAIN[kind])
    if kind is nn.Linear:
        return shapes.dense(numbers(module.weight, where), numbers(module.bias, where), where)
    if kind in CONVOLUTIONS:
        return convolution(module, where, shapes)
    if kind in POOLS:
        return pool(module, *POOLS[kind], where, shapes)
    if kind in GLOBAL_POOLS and module.output_size in (1, (1,), (1, 1)) and not getattr(module, "return_indices", False):
        name, dims = GLOBAL_POOLS[kind]
        if len(shapes.axes) == dims + 1:
            return layers.global_pool(shapes, name, where, 0, flat=False)
    if kind in PADS and getattr(module, "value", 0) == 0:
        return pad(module.padding, where, shapes)
    if kind in (nn.BatchNorm1d, nn.BatchNorm2d):
        return batch_norm(module, where, shapes)
    if kind in (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm):
        return norm(module, where, shapes)
    if kind is nn.Upsample and module.mode == "nearest" and module.scale_factor is not None and len(shapes.axes) > 1:
        factors = module.scale_factor
        factors = factors if isinstance(factors, tuple) else [factors] * (len(shapes.axes) - 1)
        return layers.upsample(shapes, list(factors), where, 0)
    if kind is nn.Embedding and module.max_norm is None:
        return layers.embedding(shapes, numbers(module.weight, where), where)
    return simple(module, where, shapes)


def simple(module, where, shapes):
    """What has options and no parameters."""
    kind = type(module)
    if kind is nn.LeakyReLU:
        shapes.settle(where)
        return ratio("LeakyRelu", module.negative_slope, "0.01", where)
    if kind is nn.ELU:
        shapes.settle(where)
        return ratio("Elu", module.alpha, 1, where)
    if kind is nn.GELU:
        return shapes.plain({"none": "Gelu", "tanh": "GeluTanh"}[module.approximate])
    if kind is nn.Softplus and module.beta == 1 and module.threshold >= 20:
        return shapes.plain("Softplus")
    if kind is nn.Softmax or kind is nn.LogSoftmax:
        return shapes.softmax(kind.__name__, module.dim, where)
    if kind is nn.Dropout:
        shapes.settle(where)
        return dropout(module.p, where)
    if kind is nn.Flatten and module.start_dim == 1 and module.end_dim in (-1, len(shapes.axes)):
        return shapes.flatten()
    if kind is nn.Unflatten and module.dim in (1, -1) and len(shapes.axes) == 1:
        return unflatten(module.unflattened_size, where, shapes)
    return None


def numbers(parameter, where):
    if parameter is None:
        return None
    if parameter.dtype != torch.float32:
        raise Refused(f"{where}: its numbers are of type {parameter.dtype}, and only torch.float32 is exported")
    return parameter.detach().cpu().numpy()


def unflatten(size, where, shapes):
    """A vector becomes an image, `[channels, height, width]`, or a signal, `[channels, steps]`."""
    shapes.finish(where)
    if len(size) not in (2, 3) or -1 in size:
        raise Refused(f"{where}: to {list(size)}, and [channels, height, width] or [channels, steps] is needed")
    shapes.axes, shapes.channels, shapes.pooled = tuple(size), 0, False
    return Single(f"Reshape<{shapes.text()}>")


def several(value, dims):
    return list(value) if isinstance(value, tuple | list) else [value] * dims


def convolution(module, where, shapes):
    if module.padding_mode != "zeros":
        raise Refused(f"{where}: it pads with {module.padding_mode}, and only zeros are understood")
    weight, bias = numbers(module.weight, where), numbers(module.bias, where)
    if not module.transposed:
        padding = module.padding if isinstance(module.padding, str) else [(each, each) for each in module.padding]
        return layers.conv(
            shapes, weight, bias, module.stride, padding, module.dilation, module.groups, where, channels=0
        )
    if module.groups != 1 or any(each != 1 for each in module.dilation):
        raise Refused(f"{where}: transposed, and with groups or a dilation")
    return layers.conv_transpose(
        shapes, weight, bias, module.stride, module.padding, module.output_padding, where, channels=0
    )


def pool(module, name, dims, where, shapes):
    if module.ceil_mode:
        raise Refused(f"{where}: with ceil_mode, it pools windows that are not whole")
    kernel, stride, padding = (several(each, dims) for each in (module.kernel_size, module.stride, module.padding))
    if name == "MaxPool" and (module.return_indices or any(each != 1 for each in several(module.dilation, dims))):
        raise Refused(f"{where}: with return_indices or a dilation")
    if getattr(module, "divisor_override", None) is not None:
        raise Refused(f"{where}: with a divisor of its own")
    counted = getattr(module, "count_include_pad", True)
    return layers.pool(shapes, name, kernel, stride, [(each, each) for each in padding], where, 0, counted)


def pad(padding, where, shapes):
    """PyTorch counts from the last axis: left, right, top, bottom. The convolution that must follow takes it up."""
    if len(padding) != 2 * (len(shapes.axes) - 1) or shapes.channels != 0 or min(padding) < 0 or shapes.padding is not None:
        raise Refused(f"{where}: by {list(padding)}, and zeros before and after every length are understood")
    shapes.settle(where)
    shapes.padding = [tuple(padding[place : place + 2]) for place in range(len(padding) - 2, -1, -2)]
    return Single("Identity")


def batch_norm(module, where, shapes):
    if module.running_mean is None:
        raise Refused(f"{where}: it keeps no running averages")
    if module.momentum is None:
        raise Refused(f"{where}: its averages are over all batches (momentum=None), and constnet's need a momentum")
    if len(shapes.axes) not in ((1, 2) if type(module) is nn.BatchNorm1d else (3,)):
        raise Refused(f"{where}: `{shapes.text()}` comes in")
    weight, bias, mean, variance = (
        numbers(each, where) for each in (module.weight, module.bias, module.running_mean, module.running_var)
    )
    return layers.batch_norm(shapes, weight, bias, mean, variance, module.eps, module.momentum, where, channels=0)


def norm(module, where, shapes):
    if type(module) is nn.GroupNorm:
        count, groups, name, channels = module.num_channels, module.num_groups, "GroupNorm", 0
    else:
        if len(module.normalized_shape) != 1:
            raise Refused(f"{where}: over {len(module.normalized_shape)} axes, and constnet's normalises over the channels")
        (count,), groups, channels = module.normalized_shape, None, -1
        name = "LayerNorm" if type(module) is nn.LayerNorm else "RmsNorm"
    weight, bias = numbers(module.weight, where), numbers(getattr(module, "bias", None), where)
    weight = torch.ones(count).numpy() if weight is None else weight
    bias = torch.zeros(count).numpy() if bias is None and name != "RmsNorm" else bias
    epsilon = EPSILON[torch.float32] if module.eps is None else module.eps
    return layers.norm(shapes, name, weight, bias, epsilon, where, channels, groups)


def recurrent(module, where, shapes):
    """One layer for each of the module's, with Dropout between them as PyTorch has it."""
    kind = RECURRENT[type(module)]
    if not module.batch_first:
        raise Refused(f"{where}: its inputs are [steps, batch, channels]: give it batch_first=True")
    if getattr(module, "proj_size", 0):
        raise Refused(f"{where}: with projections (proj_size)")
    activation = "Relu" if getattr(module, "nonlinearity", "tanh") == "relu" else "Tanh"
    found = []
    for layer in range(module.num_layers):
        if layer and module.dropout:
            found.append(dropout(module.dropout, where))
        directions = []
        for suffix in ("", "_reverse")[: 2 if module.bidirectional else 1]:
            names = [f"{name}_l{layer}{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
            directions.append([numbers(getattr(module, name, None), where) for name in names])
        found.append(layers.recurrent(shapes, kind, directions, activation, where))
    return found


def attention(module, causal, where, shapes):
    if not module.batch_first:
        raise Refused(f"{where}: its inputs are [steps, batch, channels]: give it batch_first=True")
    if module.in_proj_weight is None or module.bias_k is not None or module.add_zero_attn:
        raise Refused(f"{where}: with kdim, vdim, add_bias_kv or add_zero_attn")
    parts = (module.in_proj_weight, module.in_proj_bias, module.out_proj.weight, module.out_proj.bias)
    return layers.attention(shapes, module.num_heads, causal, [numbers(part, where) for part in parts], where)


def convert_leaf(module, where, shapes):
    """`convert_module`, which refuses what would change the numbers that another branch needs."""
    if type(module) not in PASSING:
        if shapes.shared and getattr(module, "inplace", False):
            raise Refused(f"{where}: in place, it changes what another branch takes")
        shapes.shared = False
    found = convert_module(module, where, shapes)
    if found is None:
        raise Refused(f"{where}: constnet has no layer for it, with these options")
    return found
