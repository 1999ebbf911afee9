"""Exports a PyTorch model to the safetensors file that constnet reads, and prints the type that fits it.

    python3 export_pytorch.py model.py:net 64 net.safetensors    # `net` of model.py, which takes 64 numbers
    python3 export_pytorch.py --demos FOLDER                     # the demo models, with inputs and outputs

The shape of an input is that of one sample, without the batch: 64, 10x3 (10 steps of 3 channels) or 1x28x28 (channels, height,
width). `net` is a module, or a function that gives one. Modules that constnet has no layer for are refused by name. From Python:
`export(model, (64,), "net.safetensors")`.
"""

import importlib.util
import operator
import sys
from pathlib import Path

import torch
from safetensors.numpy import save_file
from torch import fx, nn

from network import Plain, Refused, Residual, Shapes, dropout, ratio, save

PLAIN = {
    nn.Identity: "Identity", nn.ReLU: "Relu", nn.Sigmoid: "Sigmoid", nn.Tanh: "Tanh", nn.SiLU: "Silu",
    nn.Hardsigmoid: "HardSigmoid", nn.Hardswish: "HardSwish",
}
PASSING = {nn.Identity, nn.Dropout, nn.Flatten, nn.Unflatten, nn.Sequential}  # What may give the very numbers that it takes.


def export(model, axes, path):
    """Writes the file; gives the network's type."""
    model.eval()
    shapes = Shapes(axes, channel_axis=0)
    text = shapes.text()
    layers = convert(model, "the model", shapes)
    shapes.finish("the model")
    return save(layers if isinstance(layers, list) else [layers], text, path)


def convert(module, name, shapes):
    """The layer that a module is. The types are compared exactly: a class derived from them may do anything."""
    kind = type(module)
    where = f"module {kind.__name__} (`{name}`)"
    if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
        raise Refused(f"{where}: hooks, or a `forward` of its own, may change what it does")
    if kind not in PASSING and not module._modules:
        if shapes.shared and getattr(module, "inplace", False):
            raise Refused(f"{where}: in place, it changes what the residual connection around it adds")
        shapes.shared = False
    if kind in PLAIN:
        return Plain(PLAIN[kind])
    if kind is nn.Linear:
        bias = None if module.bias is None else numbers(module.bias, where)
        return shapes.dense(numbers(module.weight, where), bias, where)
    if kind is nn.LeakyReLU:
        return ratio("LeakyRelu", module.negative_slope, "0.01", where)
    if kind is nn.ELU:
        return ratio("Elu", module.alpha, 1, where)
    if kind is nn.GELU:
        return Plain({"none": "Gelu", "tanh": "GeluTanh"}[module.approximate])
    if kind is nn.Softplus and module.beta == 1 and module.threshold >= 20:
        return Plain("Softplus")
    if kind is nn.Softmax or kind is nn.LogSoftmax:
        return shapes.softmax(kind.__name__, module.dim, where)
    if kind is nn.Dropout:
        return dropout(module.p, where)
    if kind is nn.Flatten and module.start_dim == 1 and module.end_dim in (-1, len(shapes.axes)):
        return shapes.flatten()
    if kind is nn.Unflatten and module.dim in (1, -1) and len(module.unflattened_size) == 3 and len(shapes.axes) == 1:
        shapes.finish(where)
        shapes.axes = tuple(module.unflattened_size)
        return Plain(f"Reshape<{shapes.text()}>")
    if kind is nn.Sequential:
        # An empty one does nothing, and a tuple cannot be empty. `named_children` would leave out repeated modules.
        inside = [convert(child, f"{name}.{key}", shapes) for key, child in module._modules.items()]
        return inside or Plain("Identity")
    if not kind.__module__.startswith("torch."):
        return convert_own(module, name, where, shapes)
    raise Refused(f"{where}: constnet has no layer for it, with these options")


def numbers(parameter, where):
    if parameter.dtype != torch.float32:
        raise Refused(f"{where}: its numbers are of type {parameter.dtype}, and only torch.float32 is exported")
    return parameter.detach().cpu().numpy()


class Proxy(fx.Proxy):
    """Tells `x += y`, which changes x, from `x + y`."""

    def __iadd__(self, other):
        return self.tracer.create_proxy("call_function", operator.iadd, (self, other), {})


class Tracer(fx.Tracer):
    """Sees which modules are called, and not what they do."""

    def proxy(self, node):
        return Proxy(node, self)

    def is_leaf_module(self, module, name):
        return True


def convert_own(module, name, where, shapes):
    """A class of the user's: understood if it calls one module, or adds its input to what that gives."""
    try:
        nodes = list(Tracer().trace(module).nodes)
    except Exception as error:  # Whatever the user's code raises.
        raise Refused(f"{where}: torch.fx cannot trace it: {error}") from error
    if type(module).__call__ is nn.Module.__call__ and [node.op for node in nodes[:2]] == ["placeholder", "call_module"]:
        x, inner, *rest = nodes
        child, key = module.get_submodule(inner.target), f"{name}.{inner.target}"
        if inner.args == (x,) and not inner.kwargs:
            if len(rest) == 1 and rest[0].args == (inner,):
                return convert(child, key, shapes)
            if len(rest) == 2 and is_sum(rest[0], x, inner) and rest[1].args == (rest[0],):
                return residual(child, key, where, shapes)
    raise Refused(f"{where}: its `forward` is neither a call of one module nor a residual connection around it")


def is_sum(node, x, inner):
    if node.target is operator.iadd:
        return node.args == (inner, x)  # The other way it changes x, which another connection may need.
    return node.target in (operator.add, torch.add) and node.args in ((x, inner), (inner, x)) and not node.kwargs


def residual(child, name, where, shapes):
    shapes.finish(where)
    axes, shapes.shared = shapes.axes, True
    inside = convert(child, name, shapes)
    shapes.finish(where)
    shapes.shared = False
    if shapes.axes != axes:
        raise Refused(f"{where}: it adds {list(axes)} to {list(shapes.axes)}")
    return Residual(inside)


class Skip(nn.Module):
    """A residual connection, as one writes it."""

    def __init__(self, *layers):
        super().__init__()
        self.inner = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.inner(x)


def demos():
    """Name, model, shape of an input. Together they have every layer of constnet's."""
    yield "torch_classifier", (2, 3, 4), nn.Sequential(
        nn.Flatten(), nn.Linear(24, 16), nn.ReLU(), nn.Dropout(0.25), nn.Linear(16, 12, bias=False), nn.LeakyReLU(0.2),
        nn.Dropout(), nn.Linear(12, 5), nn.LogSoftmax(dim=1),
    )
    yield "torch_nested", (6,), nn.Sequential(
        nn.Linear(6, 8), Skip(nn.Tanh(), nn.Linear(8, 8), nn.Identity()),
        nn.Sequential(nn.ELU(1.5), nn.Linear(8, 12), nn.Sequential(nn.GELU(approximate="tanh"))),
        nn.Unflatten(1, (2, 2, 3)), nn.Softmax(dim=1), nn.Flatten(), nn.Linear(12, 4), nn.Sigmoid(),
    )
    activations = [nn.ELU(), nn.GELU(), nn.SiLU(), nn.Softplus(), nn.Hardsigmoid(), nn.Hardswish(), nn.LeakyReLU()]
    yield "torch_activations", (5,), nn.Sequential(
        *(module for activation in activations for module in (nn.Linear(5, 5), activation)),
        nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3), nn.Softmax(dim=1),
    )
    yield "torch_sequence", (4, 3), nn.Sequential(
        nn.Linear(3, 5), nn.Softmax(dim=-1), nn.Flatten(), nn.Tanh(), nn.Linear(20, 2),
    )


def write_demos(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, axes, model) in enumerate(demos()):
        torch.manual_seed(seed)
        for parameter in model.parameters():
            nn.init.uniform_(parameter, -0.5, 0.5)
        print(f"{name}: {export(model, axes, folder / f'{name}.safetensors')}")
        x = torch.randn(4, *axes)
        with torch.no_grad():
            save_file({"x": x.numpy(), "y": model(x).numpy()}, folder / f"{name}.io.safetensors")


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
            write_demos(Path(folder))
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
