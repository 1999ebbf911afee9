"""Exports a Keras model to the safetensors file that constnet reads, and prints the type that fits it.

    python3 export_keras.py model.keras net.safetensors    # a saved model
    python3 export_keras.py --demos FOLDER                 # the demo models, with inputs and outputs

Understood are `Sequential` and functional models that are a chain, with `Add` for residual connections. Kernels are transposed; the
dense layer after a `Flatten` takes up that Keras flattens with the channels innermost. Layers that constnet does not have are
refused by name. From Python: `export(model, "net.safetensors")`.
"""

import functools
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from keras import activations, layers
from keras.src.models.functional import Functional
from safetensors.numpy import save_file

from network import Plain, Refused, Residual, Shapes, dropout, ratio, save

ACTIVATIONS = {
    activations.relu: "Relu", activations.leaky_relu: "LeakyRelu<1, 5>", activations.elu: "Elu", activations.gelu: "Gelu",
    activations.sigmoid: "Sigmoid", activations.tanh: "Tanh", activations.silu: "Silu", activations.softplus: "Softplus",
    activations.hard_sigmoid: "HardSigmoid", activations.hard_silu: "HardSwish",
}
SOFTMAX = {activations.softmax: "Softmax", activations.log_softmax: "LogSoftmax"}


def export(model, path):
    """Writes the file; gives the network's type."""
    if not getattr(model, "inputs", None):
        raise Refused("neither a functional model nor a `Sequential` that knows its input: begin with `Input(shape)`")
    shapes = Shapes(model.inputs[0].shape[1:], channel_axis=-1)
    text = shapes.text()
    found = convert_model(model, "the model", shapes)
    shapes.finish("the model")
    return save(found, text, path)


def convert_model(model, where, shapes):
    """The types are compared exactly: a class derived from them may do anything."""
    if type(model) not in (keras.Sequential, Functional):
        raise Refused(f"{where}: a class of its own, neither a `Sequential` nor a functional `Model`")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise Refused(f"{where}: {len(model.inputs)} inputs and {len(model.outputs)} outputs, and a network has one of each")
    if isinstance(model, keras.Sequential):
        found = [part for layer in model.layers for part in convert(layer, shapes)]
    else:
        found = chain(model.outputs[0], model.inputs[0], shapes)
    return found or [Plain("Identity")]


def chain(to, start, shapes):
    """The layers between two tensors of a functional model: what comes before `to` first, then the layer that makes it."""
    if to is start:
        return []
    layer, inputs = maker(to)
    if not inputs or depth(to) <= depth(start):
        raise Refused(f"layer {type(layer).__name__} (`{layer.name}`): it joins branches that are not a residual connection")
    if type(layer) is layers.Add and len(inputs) == 2:
        check(layer, f"layer Add (`{layer.name}`)")
        if inputs[0] is inputs[1]:
            raise Refused(f"layer Add (`{layer.name}`): it adds a tensor to itself, which no layer does")
        skip, inner = sorted(inputs, key=depth)
        before = chain(skip, start, shapes)
        shapes.finish(f"layer Add (`{layer.name}`)")
        axes = shapes.axes
        inside = Residual(chain(inner, skip, shapes))
        if shapes.axes != axes:
            raise Refused(f"layer Add (`{layer.name}`): it adds {list(axes)} to {list(shapes.axes)}")
        return [*before, inside]
    if len(inputs) != 1:
        raise Refused(f"layer {type(layer).__name__} (`{layer.name}`): it has {len(inputs)} inputs")
    return chain(inputs[0], start, shapes) + convert(layer, shapes)


def maker(tensor):
    """The layer that makes a tensor, and what it takes."""
    layer, node, _ = tensor._keras_history
    return layer, layer._inbound_nodes[node].input_tensors


@functools.cache
def depth(tensor):
    return 1 + max(map(depth, maker(tensor)[1]), default=0)


def convert(layer, shapes):
    """The layers that a layer of Keras's is: with an activation as its argument, two."""
    kind = type(layer)
    where = f"layer {kind.__name__} (`{layer.name}`)"
    if isinstance(layer, keras.Model):
        return [convert_model(layer, where, shapes)]
    check(layer, where)
    if kind is layers.InputLayer:
        return []
    if kind is layers.Dense:
        bias = keras.ops.convert_to_numpy(layer.bias) if layer.use_bias else None
        dense = shapes.dense(keras.ops.convert_to_numpy(layer.kernel).T, bias, where)
        return [dense, *activation(layer.activation, shapes, where)]
    if kind is layers.Activation:
        return activation(layer.activation, shapes, where) or [Plain("Identity")]
    if kind is layers.Identity:
        return [Plain("Identity")]
    if kind is layers.ReLU and layer.max_value is None and not layer.threshold:
        return [ratio("LeakyRelu", layer.negative_slope, "0.01", where) if layer.negative_slope else Plain("Relu")]
    if kind is layers.LeakyReLU:
        return [ratio("LeakyRelu", layer.negative_slope, "0.01", where)]
    if kind is layers.ELU:
        return [ratio("Elu", layer.alpha, 1, where)]
    if kind is layers.Softmax:
        return [shapes.softmax("Softmax", layer.axis, where)]
    if kind is layers.Dropout and layer.noise_shape is None:
        return [dropout(layer.rate, where)]
    if kind is layers.Flatten and layer.data_format == "channels_last":
        return [shapes.flatten()]
    raise Refused(f"{where}: constnet has no layer for it, with these options")


def check(layer, where):
    if getattr(layer, "quantization_mode", None):
        raise Refused(f"{where}: it is quantized, {layer.quantization_mode}")
    policy = getattr(layer, "dtype_policy", None)  # Functions of `keras.ops` have none.
    if policy and policy.name != "float32":
        raise Refused(f"{where}: its dtype policy is {policy.name}, and only float32 is exported")


def activation(function, shapes, where):
    if function is activations.linear:
        return []
    if function in ACTIVATIONS:
        return [Plain(ACTIVATIONS[function])]
    if function in SOFTMAX:
        return [shapes.softmax(SOFTMAX[function], -1, where)]
    raise Refused(f"{where}: constnet has no activation `{getattr(function, '__name__', function)}`")


def demos():
    """Name and model. Together they have every layer that constnet and Keras share."""
    yield "keras_classifier", keras.Sequential([
        layers.Input((3, 4, 2)), layers.Flatten(), layers.Dropout(0.2), layers.Dense(16, activation="relu"),
        layers.Dense(12, use_bias=False), layers.LeakyReLU(), layers.Dense(8, activation="leaky_relu"),
        layers.Dense(5, activation="log_softmax"),
    ])
    x = y = layers.Input((6,))
    for name in ["elu", "gelu", "sigmoid", "tanh", "silu", "softplus", "hard_sigmoid", "hard_silu", "linear"]:
        y = layers.Dense(6, activation=name)(y)
    y = layers.Activation("tanh")(y)
    inner = layers.Dense(6)(layers.ReLU(negative_slope=0.125)(y))
    y = layers.Add()([y, layers.Identity()(inner)])
    y = keras.Sequential([layers.Input((6,)), layers.ELU(1.5), layers.Dense(3)])(y)
    yield "keras_functional", keras.Model(x, layers.Softmax()(layers.ReLU()(y)))
    yield "keras_sequence", keras.Sequential([
        layers.Input((4, 3)), layers.Dense(5, activation="softmax"), layers.Flatten(), layers.Dense(2),
    ])


def write_demos(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, model) in enumerate(demos()):
        random = np.random.default_rng(seed)
        model.set_weights([random.uniform(-0.5, 0.5, weight.shape) for weight in model.get_weights()])
        print(f"{name}: {export(model, folder / f'{name}.safetensors')}")
        x = random.standard_normal((4, *model.inputs[0].shape[1:]), np.float32)
        save_file({"x": x, "y": model.predict(x, verbose=0)}, folder / f"{name}.io.safetensors")


def main():
    match sys.argv[1:]:
        case ["--demos", folder]:
            write_demos(Path(folder))
        case [model, path]:
            try:
                model = keras.saving.load_model(model, compile=False)
            except (ValueError, OSError) as error:
                raise Refused(f"{model}: {error}") from error
            print(export(model, path))
        case _:
            print(__doc__, file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(f"error: {refused}")
