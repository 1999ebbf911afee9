"""Keras's layers, one by one: each becomes the layers of constnet's that compute the same. Channels come last."""

import keras
import numpy as np
from keras import activations
from keras import layers as of

import layers
from network import Refused, Single, TimeDistributed, dropout, ratio

ACTIVATIONS = {
    activations.relu: "Relu", activations.leaky_relu: "LeakyRelu<1, 5>", activations.elu: "Elu", activations.gelu: "Gelu",
    activations.sigmoid: "Sigmoid", activations.tanh: "Tanh", activations.silu: "Silu", activations.softplus: "Softplus",
    activations.hard_sigmoid: "HardSigmoid", activations.hard_silu: "HardSwish",
}
SOFTMAX = {activations.softmax: "Softmax", activations.log_softmax: "LogSoftmax"}
CONVOLUTIONS = (of.Conv1D, of.Conv2D)
DEPTHWISE = (of.DepthwiseConv1D, of.DepthwiseConv2D)
SEPARABLE = (of.SeparableConv1D, of.SeparableConv2D)
TRANSPOSED = (of.Conv1DTranspose, of.Conv2DTranspose)
POOLS = {of.MaxPooling1D: "MaxPool", of.MaxPooling2D: "MaxPool", of.AveragePooling1D: "AvgPool", of.AveragePooling2D: "AvgPool"}
GLOBAL_POOLS = {
    of.GlobalAveragePooling1D: "GlobalAvgPool", of.GlobalAveragePooling2D: "GlobalAvgPool",
    of.GlobalMaxPooling1D: "GlobalMaxPool", of.GlobalMaxPooling2D: "GlobalMaxPool",
}
RECURRENT = (of.SimpleRNN, of.GRU, of.LSTM)


def convert_layer(layer, where, shapes, convert):
    """The layers that a layer is: with an activation as its argument, two. None if constnet has none for it."""
    kind = type(layer)
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return None
    if kind is of.InputLayer:
        return []
    if kind is of.Dense:
        dense = shapes.dense(numbers(layer.kernel).T, numbers(layer.bias), where)
        return [dense, *activation(layer.activation, shapes, where)]
    if kind in (*CONVOLUTIONS, *DEPTHWISE, *SEPARABLE, *TRANSPOSED):
        return convolution(layer, where, shapes)
    if kind in POOLS:
        return pool(layer, where, shapes)
    if kind in GLOBAL_POOLS:
        return [layers.global_pool(shapes, GLOBAL_POOLS[kind], where, -1, flat=not layer.keepdims)]
    if kind in (of.ZeroPadding1D, of.ZeroPadding2D) and len(shapes.axes) > 1 and shapes.padding is None:
        padding = layer.padding if kind is of.ZeroPadding2D else [layer.padding]
        shapes.settle(where)
        shapes.padding = [tuple(each) for each in padding]
        return [Single("Identity")]
    if kind is of.UpSampling1D:
        return [layers.upsample(shapes, [layer.size], where, -1)]
    if kind is of.UpSampling2D and layer.interpolation == "nearest":
        return [layers.upsample(shapes, list(layer.size), where, -1)]
    if kind in (of.BatchNormalization, of.LayerNormalization, of.GroupNormalization, of.RMSNormalization):
        return norm(layer, where, shapes)
    if kind in RECURRENT:
        return recurrent([layer], where, shapes)
    if kind is of.Bidirectional:
        return bidirectional(layer, where, shapes)
    if kind is of.TimeDistributed and len(shapes.axes) == 2:
        return time_distributed(layer, where, shapes, convert)
    if kind is of.Embedding and not layer.mask_zero:
        return [layers.embedding(shapes, numbers(layer.embeddings), where)]
    return simple(layer, where, shapes)


def simple(layer, where, shapes):
    """What has options and no parameters."""
    kind = type(layer)
    if kind is of.Activation:
        return activation(layer.activation, shapes, where) or [shapes.plain("Identity")]
    if kind is of.Identity:
        return [shapes.plain("Identity")]
    if kind is of.Softmax:
        return [shapes.softmax("Softmax", layer.axis, where)]
    if kind is of.Flatten:
        return [shapes.flatten()]
    if kind is of.Reshape:
        return reshape(layer, where, shapes)
    shapes.settle(where)
    if kind is of.ReLU and layer.max_value is None and not layer.threshold:
        return [ratio("LeakyRelu", layer.negative_slope, "0.01", where) if layer.negative_slope else Single("Relu")]
    if kind is of.LeakyReLU:
        return [ratio("LeakyRelu", layer.negative_slope, "0.01", where)]
    if kind is of.ELU:
        return [ratio("Elu", layer.alpha, 1, where)]
    if kind is of.Dropout and layer.noise_shape is None:
        return [dropout(layer.rate, where)]
    return None


def numbers(variable):
    return None if variable is None else keras.ops.convert_to_numpy(variable)


def activation(function, shapes, where):
    if function is activations.linear:
        return []
    if function in ACTIVATIONS:
        return [shapes.plain(ACTIVATIONS[function])]
    if function in SOFTMAX:
        return [shapes.softmax(SOFTMAX[function], -1, where)]
    raise Refused(f"{where}: constnet has no activation `{getattr(function, '__name__', function)}`")


def reshape(layer, where, shapes):
    """Only of a vector: then the numbers are read in Keras's order, and constnet reads channel by channel."""
    if layer.compute_output_shape((None, *shapes.axes))[1:] == shapes.axes:
        return [shapes.plain("Identity")]
    raise Refused(f"{where}: Keras's order of numbers, channels innermost, is not that of constnet's `Reshape`")


def convolution(layer, where, shapes):
    """Keras's kernels are [*kernel, inputs, outputs], PyTorch's [outputs, inputs, *kernel]."""
    kind = type(layer)
    bias = numbers(layer.bias) if layer.use_bias else None
    options = {"stride": layer.strides, "padding": layer.padding, "dilation": layer.dilation_rate}
    if kind in TRANSPOSED:
        found = [transposed(layer, bias, where, shapes)]
    elif kind in CONVOLUTIONS:
        weight = outward(numbers(layer.kernel))
        found = [layers.conv(shapes, weight, bias, **options, groups=layer.groups, where=where, channels=-1)]
    else:
        depthwise = numbers(layer.depthwise_kernel if kind in SEPARABLE else layer.kernel)
        *kernel, inputs, multiplier = depthwise.shape
        weight = np.moveaxis(depthwise, (-2, -1), (0, 1)).reshape(inputs * multiplier, 1, *kernel)
        options["stride"] = several(layer.strides, len(kernel))
        options["dilation"] = several(layer.dilation_rate, len(kernel))
        own = None if kind in SEPARABLE else bias
        found = [layers.conv(shapes, weight, own, **options, groups=inputs, where=where, channels=-1)]
        if kind in SEPARABLE:
            weight, ones = outward(numbers(layer.pointwise_kernel)), [1] * len(kernel)
            found.append(layers.conv(shapes, weight, bias, ones, "valid", ones, 1, where, channels=-1))
            found = [found]
    return [*found, *activation(layer.activation, shapes, where)]


def outward(kernel):
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def several(value, dims):
    return list(value) if isinstance(value, tuple | list) else [value] * dims


def transposed(layer, bias, where, shapes):
    """Keras's kernels are [*kernel, outputs, inputs], PyTorch's [inputs, outputs, *kernel]."""
    if layer.output_padding is not None or any(rate != 1 for rate in layer.dilation_rate):
        raise Refused(f"{where}: with output_padding or a dilation")
    # Keras makes room for every stride: with `valid` padding zeros follow where the stride is larger than the kernel.
    extra = [max(stride - kernel, 0) for kernel, stride in zip(layer.kernel_size, layer.strides)]
    padding = [0] * len(extra)
    if layer.padding == "same":
        padding, extra = "same", [0] * len(extra)
    return layers.conv_transpose(
        shapes, outward(numbers(layer.kernel)), bias, layer.strides, padding, extra, where, channels=-1
    )


def pool(layer, where, shapes):
    name = POOLS[type(layer)]
    kernel, stride = several(layer.pool_size, len(shapes.axes) - 1), several(layer.strides, len(shapes.axes) - 1)
    if layer.padding == "same" and name == "AvgPool" and keras.backend.backend() == "torch":
        _, zeros = layers.padding_text(shapes.lengths(), kernel, stride, "same", [1] * len(kernel), where)
        if any(before != after for before, after in zeros):
            raise Refused(f"{where}: Keras with PyTorch averages what it repeats at the end, where `same` says to leave it out")
    return [layers.pool(shapes, name, kernel, stride, layer.padding, where, channels=-1, counted=False)]



def norm(layer, where, shapes):
    kind = type(layer)
    axis = layer.axis[0] if isinstance(layer.axis, list | tuple) and len(layer.axis) == 1 else layer.axis
    rank = len(shapes.axes) + 1
    if not isinstance(axis, int) or axis % rank != rank - 1:
        raise Refused(f"{where}: along axis {layer.axis}, and constnet's runs along the channels")
    count = shapes.axes[shapes.channels]
    if kind is of.RMSNormalization:
        return [layers.norm(shapes, "RmsNorm", numbers(layer.scale), None, layer.epsilon, where, -1)]
    if getattr(layer, "rms_scaling", False):
        raise Refused(f"{where}: with rms_scaling")
    weight = numbers(layer.gamma) if layer.scale else np.ones(count)
    bias = numbers(layer.beta) if layer.center else np.zeros(count)
    if kind is of.BatchNormalization:
        mean, variance = numbers(layer.moving_mean), numbers(layer.moving_variance)
        # Keras's momentum is what is kept of the old average, PyTorch's what is taken of the new.
        momentum = round(1 - layer.momentum, 9)
        return [layers.batch_norm(shapes, weight, bias, mean, variance, layer.epsilon, momentum, where, -1)]
    name, groups = ("GroupNorm", layer.groups) if kind is of.GroupNormalization else ("LayerNorm", None)
    if groups == -1:
        groups = count
    return [layers.norm(shapes, name, weight, bias, layer.epsilon, where, -1, groups)]


def recurrent(directions, where, shapes):
    """One layer, or two of the same kind in both directions."""
    layer = directions[0]
    kind = type(layer)
    if layer.go_backwards or layer.stateful or layer.return_state:
        raise Refused(f"{where}: with go_backwards, stateful or return_state")
    if layer.dropout or layer.recurrent_dropout:
        raise Refused(f"{where}: with dropout inside: put a Dropout layer before it")
    inside = getattr(layer, "recurrent_activation", activations.sigmoid)
    activated = {activations.tanh: "Tanh", activations.relu: "Relu" if kind is of.SimpleRNN else None}.get(layer.activation)
    if activated is None or inside is not activations.sigmoid:
        raise Refused(f"{where}: with other activations than tanh and sigmoid")
    if kind is of.GRU and not layer.reset_after:
        raise Refused(f"{where}: with reset_after=False: constnet resets after the product, as PyTorch does")
    found = [layers.recurrent(
        shapes, {of.SimpleRNN: "Rnn", of.GRU: "Gru", of.LSTM: "Lstm"}[kind], [gates(each) for each in directions], activated, where
    )]
    return found if layer.return_sequences else [*found, layers.last(shapes, where)]


def gates(layer):
    """PyTorch's tensors: a GRU's gates there are r, z, n, in Keras z, r, n; an LSTM's are i, f, g, o in both."""
    tensors = [numbers(layer.cell.kernel).T, numbers(layer.cell.recurrent_kernel).T]
    bias = numbers(layer.cell.bias) if layer.use_bias else None
    biases = [None, None] if bias is None else list(bias) if bias.ndim == 2 else [bias, None]
    found = [*tensors, *biases]
    if type(layer) is of.GRU:
        units = layer.units
        order = [*range(units, 2 * units), *range(units), *range(2 * units, 3 * units)]
        found = [None if each is None else each[order] for each in found]
    return found


def bidirectional(layer, where, shapes):
    forward, backward = layer.forward_layer, layer.backward_layer
    if type(forward) not in RECURRENT or type(forward) is not type(backward) or layer.merge_mode != "concat":
        raise Refused(f"{where}: two layers of one kind are understood, whose outputs are concatenated")
    if not forward.return_sequences:
        raise Refused(f"{where}: its backward part ends with the first step: give the layer inside return_sequences=True")
    for each in (forward, backward):
        if each.go_backwards != (each is backward):
            raise Refused(f"{where}: its backward layer does not run backwards")
    backward.go_backwards = False  # What `recurrent` refuses on its own.
    try:
        return recurrent([forward, backward], where, shapes)
    finally:
        backward.go_backwards = True


def time_distributed(layer, where, shapes, convert):
    """The layers inside take one step; those that take sequences step by step anyway need no wrapper."""
    inside = shapes.copy()
    inside.set(shapes.axes[shapes.channels])
    found = convert(layer.layer, inside)
    inside.finish(where)
    if len(inside.axes) != 1:
        raise Refused(f"{where}: it makes `{inside.text()}` of each step")
    shapes.set(inside.axes[0], shapes.lengths())
    return [TimeDistributed(found[0] if len(found) == 1 else found)]
