"""Functions and methods of PyTorch's that a `forward` may call: modules without a name, and what moves axes."""

from math import prod

import torch
from torch import nn
from torch.nn import functional

import layers
from network import Refused, Single


def max_pool(dims):
    def build(kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        module = (nn.MaxPool1d, nn.MaxPool2d)[dims - 1]
        return module(kernel_size, stride or None, padding, dilation, return_indices, ceil_mode)

    return build


def avg_pool(dims):
    def build(kernel_size, stride=None, *arguments, **options):
        return (nn.AvgPool1d, nn.AvgPool2d)[dims - 1](kernel_size, stride or None, *arguments, **options)

    return build


def pad(pad, mode="constant", value=None):
    if mode != "constant" or len(pad) not in (2, 4):
        raise TypeError(f"it pads with {mode} by {list(pad)}")
    return (nn.ConstantPad1d if len(pad) == 2 else nn.ConstantPad2d)(tuple(pad), value or 0.0)


# Builds the module that does what the function does; the arguments are those after the input.
BUILDERS = {
    "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "gelu": nn.GELU, "silu": nn.SiLU, "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh, "softplus": nn.Softplus, "hardsigmoid": nn.Hardsigmoid, "hardswish": nn.Hardswish,
    "softmax": lambda dim=None, _stacklevel=3, dtype=None: nn.Softmax(dim),
    "log_softmax": lambda dim=None, _stacklevel=3, dtype=None: nn.LogSoftmax(dim),
    "dropout": lambda p=0.5, training=True, inplace=False: nn.Dropout(p, inplace),
    "flatten": lambda start_dim=0, end_dim=-1: nn.Flatten(start_dim, end_dim),
    "unflatten": nn.Unflatten, "pad": pad,
    "max_pool1d": max_pool(1), "max_pool2d": max_pool(2), "avg_pool1d": avg_pool(1), "avg_pool2d": avg_pool(2),
    "adaptive_avg_pool1d": nn.AdaptiveAvgPool1d, "adaptive_avg_pool2d": nn.AdaptiveAvgPool2d,
    "adaptive_max_pool1d": nn.AdaptiveMaxPool1d, "adaptive_max_pool2d": nn.AdaptiveMaxPool2d,
    "interpolate": lambda size=None, scale_factor=None, mode="nearest", **_: nn.Upsample(size, scale_factor, mode),
    # These change their input.
    "relu_": lambda: nn.ReLU(inplace=True),
}
MOVES = ("transpose", "permute", "swapaxes", "contiguous", "clone", "view", "reshape", "squeeze", "mean", "amax", "select")


def names():
    """Which name a function goes by, wherever it is found."""
    found = {}
    for name in (*BUILDERS, *MOVES):
        for place in (torch, functional, torch.Tensor):
            if hasattr(place, name):
                found[getattr(place, name)] = name
    return found


NAMES = names()
BATCH = 3  # Samples in the values that a trace looks at.


def move(name, arguments, options, where, shapes):
    """Layers for a function that moves axes or reduces some; mostly none, since constnet's tensors know their axes."""
    rank = len(shapes.axes) + 1
    where = f"{where}: `{name}`"
    flat = [each for argument in arguments for each in (argument if isinstance(argument, tuple | list) else [argument])]
    if name in ("contiguous", "clone"):
        return []
    if name in ("transpose", "swapaxes") and len(flat) == 2:
        order = list(range(rank))
        a, b = (axis % rank for axis in flat)
        order[a], order[b] = order[b], order[a]
        return permute(order, where, shapes)
    if name == "permute" and len(flat) == rank:
        return permute([axis % rank for axis in flat], where, shapes)
    if name in ("view", "reshape"):
        return reshape(flat, where, shapes)
    if name == "squeeze":
        return squeeze([axis % rank for axis in flat], where, shapes)
    if name == "select" and len(flat) == 2:
        return select(*flat, where, shapes)
    if name in ("mean", "amax"):
        return reduce(name, arguments, options, where, shapes)
    raise Refused(f"{where} with these arguments is nothing that constnet has a layer for")


def permute(order, where, shapes):
    if order[0] != 0:
        raise Refused(f"{where} moves the batch")
    shapes.move([axis - 1 for axis in order[1:]], where)
    return []


def reshape(sizes, where, shapes):
    """Flattens, or makes signals and images of vectors."""
    batch, *sizes = sizes
    count = prod(shapes.axes)
    if batch in (-1, BATCH) and sizes in ([count], [-1]):
        return [] if len(shapes.axes) == 1 else [shapes.flatten()]
    if batch in (-1, BATCH) and len(shapes.axes) == 1 and prod(sizes) == count and min(sizes) > 0 and len(sizes) in (2, 3):
        shapes.finish(where)
        shapes.axes, shapes.channels = tuple(sizes), 0
        return [Single(f"Reshape<{shapes.text()}>")]
    raise Refused(f"{where} to {[batch, *sizes]} does not flatten a batch of `{shapes.text()}`")


def squeeze(axes, where, shapes):
    """Takes out the lengths of 1 that a global pool leaves."""
    if shapes.axes == (1,) and axes == [1]:
        return []  # A vector of one number is a number.
    axes = [axis for axis in axes if shapes.axes[axis - 1] == 1] if axes else list(range(2, len(shapes.axes) + 1))
    if not shapes.pooled or 0 in axes or 1 in axes:
        raise Refused(f"{where}: only what a global pool leaves can be squeezed")
    shapes.axes = tuple(extent for axis, extent in enumerate(shapes.axes, 1) if axis not in axes)
    shapes.pooled = len(shapes.axes) > 1
    return []


def select(axis, index, where, shapes):
    """The last of the steps."""
    axis %= len(shapes.axes) + 1
    if len(shapes.axes) != 2 or axis in (0, shapes.channels + 1) or index not in (-1, shapes.axes[axis - 1] - 1):
        raise Refused(f"{where}: of `{shapes.text()}` only the last step can be taken")
    return [layers.last(shapes, where)]


def reduce(name, arguments, options, where, shapes):
    """The mean or the largest number of each channel."""
    axes, keepdim = ([*arguments, None, False][:2] if len(arguments) < 2 else arguments[:2])
    axes, keepdim = options.get("dim", axes), options.get("keepdim", keepdim if len(arguments) > 1 else False)
    rank = len(shapes.axes) + 1
    axes = sorted(axis % rank for axis in (axes if isinstance(axes, tuple | list) else [] if axes is None else [axes]))
    if not axes or axes != [axis for axis in range(1, rank) if axis != shapes.channels + 1]:
        raise Refused(f"{where} over axes {axes}, and constnet pools over all steps or pixels of each channel")
    return [layers.global_pool(shapes, "GlobalAvgPool" if name == "mean" else "GlobalMaxPool", where, None, not keepdim)]
