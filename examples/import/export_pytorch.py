"""Exports a PyTorch model to the safetensors file that constnet reads, and prints the type that fits it.

    python3 export_pytorch.py model.py:net 64 net.safetensors    # `net` of model.py, which takes 64 numbers
    python3 export_pytorch.py --demos FOLDER                     # the demo models, with inputs and outputs

The shape of an input is that of one sample, without the batch: 64, 10x3 (10 steps of 3 channels, or 10 channels of 3 steps where
a convolution takes them) or 1x28x28 (channels, height, width). `net` is a module, or a function that gives one. Modules that
constnet has no layer for are refused by name. From Python: `export(model, (64,), "net.safetensors")`.
"""

import importlib.util
import sys
from pathlib import Path

from torch import nn

from network import Refused, Single, Turned, save
from shapes import Shapes
from torch_forward import convert_own
from torch_modules import RECURRENT, convert_leaf


def export(model, axes, path):
    """Writes the file; gives the network's type."""
    model.eval()
    failures = []
    # Two axes are [steps, channels], as recurrent and linear layers have them, or [channels, steps], as convolutions do. A model
    # that takes both is the same function.
    for channels in [1, 0] if len(axes) == 2 else [0]:
        shapes = Shapes(axes, channels)
        try:
            layers = convert(model, "the model", shapes)
            shapes.finish("the model")
            return save(layers if isinstance(layers, list) else [layers], shapes.input, path)
        except Refused as refused:
            failures.append(((shapes.met[0], not isinstance(refused, Turned)), refused))
    raise max(failures, key=lambda failure: failure[0])[1]  # Of the reading that came farther.


def convert(module, name, shapes):
    """The layer that a module is. The types are compared exactly: a class derived from them may do anything."""
    kind = type(module)
    where = f"module {kind.__name__} (`{name}`)"
    if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
        raise Refused(f"{where}: hooks, or a `forward` of its own, may change what it does")
    if kind is nn.Sequential:
        # An empty one does nothing, and a tuple cannot be empty. `named_children` would leave out repeated modules.
        inside = [convert(child, f"{name}.{key}", shapes) for key, child in module._modules.items()]
        return inside or Single("Identity")
    if kind in RECURRENT or kind is nn.MultiheadAttention:
        raise Refused(f"{where}: it gives several results: take the first in a class of yours, `return self.inner(x)[0]`")
    if not kind.__module__.startswith("torch."):
        return convert_own(module, name, where, shapes, convert)
    return convert_leaf(module, where, shapes)


def load(place):
    """The module that `model.py:net` names."""
    file, _, name = place.rpartition(":")
    if not Path(file).is_file():
        raise Refused(f"`{place}` should be a Python file, a colon and the name of a model in it")
    spec = importlib.util.spec_from_file_location("model", file)
    source = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    if not hasattr(source, name):
        raise Refused(f"{file} has no `{name}`")
    model = getattr(source, name)
    model = model() if callable(model) and not isinstance(model, nn.Module) else model
    if not isinstance(model, nn.Module):
        raise Refused(f"`{name}` of {file} is not a module, nor does it give one")
    return model


def main():
    match sys.argv[1:]:
        case ["--demos", folder]:
            import torch_demos

            torch_demos.write(Path(folder), export)
        case [place, axes, path] if all(axis.isdigit() for axis in axes.split("x")):
            print(export(load(place), tuple(map(int, axes.split("x"))), path))
        case _:
            print(__doc__, file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(f"error: {refused}")
