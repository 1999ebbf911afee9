"""Exports a Keras model to the safetensors file that constnet reads, and prints the type that fits it.

    python3 export_keras.py model.keras net.safetensors    # a saved model
    python3 export_keras.py --demos FOLDER                 # the demo models, with inputs and outputs

Understood are `Sequential` and functional models that are a chain, with branches that join in `Add` or `Concatenate`. Kernels are
transposed; the dense layer after a `Flatten` takes up that Keras flattens with the channels innermost. Layers that constnet does
not have are refused by name. From Python: `export(model, "net.safetensors")`.
"""

import functools
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
from keras import layers as of
from keras.src.models.functional import Functional

from keras_layers import convert_layer
from network import Parallel, Refused, Residual, Single, save
from shapes import Shapes


def export(model, path):
    """Writes the file; gives the network's type."""
    if not getattr(model, "inputs", None):
        raise Refused("neither a functional model nor a `Sequential` that knows its input: begin with `Input(shape)`")
    axes = model.inputs[0].shape[1:]
    shapes = Shapes(axes, len(axes) - 1)
    found = convert_model(model, "the model", shapes)
    shapes.finish("the model")
    return save(found, shapes.input, path)


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
    return found or [Single("Identity")]


def convert(layer, shapes):
    """The layers that a layer of Keras's is."""
    where = label(layer)
    if isinstance(layer, keras.Model):
        return [convert_model(layer, where, shapes)]
    check(layer, where)
    found = convert_layer(layer, where, shapes, convert)
    if found is None:
        raise Refused(f"{where}: constnet has no layer for it, with these options")
    return found


def label(layer):
    return f"layer {type(layer).__name__} (`{layer.name}`)"


def check(layer, where):
    if getattr(layer, "quantization_mode", None):
        raise Refused(f"{where}: it is quantized, {layer.quantization_mode}")
    policy = getattr(layer, "dtype_policy", None)  # Functions of `keras.ops` have none.
    if policy and policy.name != "float32":
        raise Refused(f"{where}: its dtype policy is {policy.name}, and only float32 is exported")


def chain(to, start, shapes):
    """The layers between two tensors of a functional model: what comes before `to` first, then the layer that makes it."""
    if to is start:
        return []
    layer, inputs = maker(to)
    if not inputs or depth(to) <= depth(start):
        raise Refused(f"{label(layer)}: it joins branches that do not begin at one place")
    if type(layer) in (of.Add, of.Concatenate) and len(inputs) == 2:
        check(layer, label(layer))
        return join(layer, *inputs, start, shapes)
    if len(inputs) != 1:
        raise Refused(f"{label(layer)}: it has {len(inputs)} inputs")
    return chain(inputs[0], start, shapes) + convert(layer, shapes)


def join(layer, a, b, start, shapes):
    """Two branches that are added or concatenated."""
    where = label(layer)
    if a is b:
        raise Refused(f"{where}: it joins a tensor with itself, which no layer does")
    fork = max(before(a) & before(b), key=depth)
    earlier = chain(fork, start, shapes)
    shapes.finish(where)
    branches = [shapes.copy(), shapes.copy()]
    found = [chain(to, fork, its) for to, its in zip((a, b), branches)]
    for branch in branches:
        branch.finish(where)
    first, second = branches
    inside = [each[0] if len(each) == 1 else each for each in found]
    if type(layer) is of.Add:
        if not first.same(second):
            raise Refused(f"{where}: it adds {list(first.axes)} to {list(second.axes)}")
        shapes.axes, shapes.channels, shapes.pooled = first.axes, first.channels, first.pooled
        if not all(inside):
            return [*earlier, Residual(inside[0] or inside[1])]
    else:
        if first.lengths() != second.lengths() or layer.axis not in (-1, len(first.axes)):
            both = f"of `{first.text()}` and `{second.text()}`"
            raise Refused(f"{where}: {both} along axis {layer.axis}, and constnet's joins channels")
        shapes.channels = first.channels
        shapes.set(first.axes[first.channels] + second.axes[second.channels], first.lengths())
    branches = [each or Single("Identity") for each in inside]
    return [*earlier, Parallel(*branches, "Sum" if type(layer) is of.Add else "Concat")]


def maker(tensor):
    """The layer that makes a tensor, and what it takes."""
    layer, node, _ = tensor._keras_history
    return layer, layer._inbound_nodes[node].input_tensors


@functools.cache
def depth(tensor):
    return 1 + max(map(depth, maker(tensor)[1]), default=0)


@functools.cache
def before(tensor):
    """A tensor, and all that it depends on."""
    return frozenset({tensor}.union(*map(before, maker(tensor)[1])))


def main():
    match sys.argv[1:]:
        case ["--demos", folder]:
            import keras_demos

            keras_demos.write(Path(folder), export)
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
