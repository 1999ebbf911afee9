"""What constnet reads: the layers of a network, their tensors under the keys that it looks for, and its type in Rust.

Both exporters of this folder describe a model with the classes here; `save` writes the file and gives the type.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

TUPLE = 16  # How many layers a tuple of constnet's holds.


class Refused(Exception):
    """A model that constnet has no type for; the message names the part."""


@dataclass
class Dense:
    weight: np.ndarray  # [outputs, inputs], as PyTorch has it
    bias: np.ndarray | None


@dataclass
class Plain:
    """A layer without parameters, as it is written in Rust."""

    text: str


@dataclass
class Residual:
    inside: "Layer"


Layer = Dense | Plain | Residual | list  # A list is a tuple of layers.


def ratio(layer, value, default, where):
    """A layer with a number in its type: `LeakyRelu<1, 5>`, or `LeakyRelu` where the number is the default."""
    value, default = Fraction(str(value)), Fraction(default)
    if value == default:
        return Plain(layer)
    if value < 0 or max(value.numerator, value.denominator) >= 2**32:
        raise Refused(f"{where}: {float(value)} is not a ratio of two numbers of 32 bits")
    return Plain(f"{layer}<{value.numerator}, {value.denominator}>")


def dropout(probability, where):
    if probability >= 1:
        raise Refused(f"{where}: it drops everything")
    return ratio("Dropout", probability, "0.5", where)


class Shapes:
    """Follows the shape through a model, and puts in order what the framework and constnet order differently.

    `axes` are the framework's, without the batch: [n], [steps, channels] and, with the channels where `channel_axis` says, those
    of an image.
    """

    def __init__(self, axes, channel_axis):
        self.axes, self.channel_axis = tuple(axes), channel_axis
        self.shared = False  # Whether a residual connection still needs the numbers as they are.
        self.order = None  # Where constnet's flattened numbers are among the framework's, until a Dense layer takes them.
        if not 1 <= len(self.axes) <= 3 or not all(isinstance(axis, int) and axis > 0 for axis in self.axes):
            raise Refused(f"inputs of shape {list(axes)}: 1 to 3 axes are needed, each of a fixed length")

    def text(self):
        """The shape as it is written in Rust."""
        if len(self.axes) == 1:
            return f"Vector<{self.axes[0]}>"
        channels, *rest = np.moveaxis(np.empty(self.axes, np.bool_), self.channels(), 0).shape
        return f"{['Sequence', 'Image'][len(rest) - 1]}<{', '.join(map(str, [channels, *rest]))}>"

    def channels(self):
        """The axis that holds the channels."""
        return self.channel_axis % 3 if len(self.axes) == 3 else len(self.axes) - 1

    def dense(self, weight, bias, where):
        weight, bias = np.asarray(weight, np.float32), None if bias is None else np.asarray(bias, np.float32)
        for key, numbers in (("weight", weight), ("bias", bias)):
            if numbers is not None and not np.isfinite(numbers).all():
                raise Refused(f"{where}: its {key} holds a number that is not finite")
        outputs, inputs = weight.shape
        if len(self.axes) == 3 or self.axes[-1] != inputs:
            raise Refused(f"{where}: it takes {inputs} numbers, and `{self.text()}` comes in")
        if self.order is not None:
            weight, self.order = weight[:, self.order], None
        self.axes = (*self.axes[:-1], outputs)
        return Dense(np.ascontiguousarray(weight), bias)

    def softmax(self, layer, axis, where):
        """`axis` counts the batch."""
        rank = len(self.axes) + 1
        if not isinstance(axis, int) or axis % rank != self.channels() + 1:
            raise Refused(f"{where}: along axis {axis}, and constnet's runs along the channels")
        return Plain(layer)

    def flatten(self):
        places = np.moveaxis(np.arange(prod(self.axes)).reshape(self.axes), self.channels(), 0).ravel()
        if (places != np.arange(places.size)).any():
            self.order = places
        self.axes = (places.size,)
        return Plain("Flatten")

    def finish(self, where):
        """Before what needs the numbers in the framework's own order."""
        if self.order is not None:
            raise Refused(f"{where}: constnet flattens channel by channel, and no dense layer follows to take up the difference")


def save(layers, input_text, path):
    """Writes a safetensors file; gives the network's type."""
    tensors = {}
    text = f"Network<{input_text}, {tuple_text(layers, '', tensors)}>"
    try:
        save_file(tensors, path, metadata={"network": text})
    except (OSError, SafetensorError) as error:
        raise Refused(f"{path} cannot be written: {error}") from error
    return text


def tuple_text(layers, key, tensors):
    """The type of a tuple, whose tensors it collects. More layers than fit into one become a tuple of tuples."""
    each = 1
    while len(layers) > TUPLE * each:
        each *= TUPLE
    if each > 1:
        layers = [layers[start : start + each] for start in range(0, len(layers), each)]
    items = [layer_text(layer, f"{key}{index}.", tensors) for index, layer in enumerate(layers)]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def layer_text(layer, key, tensors):
    match layer:
        case Plain(text):
            return text
        case Residual(inside):  # adds nothing to the key
            return f"Residual<{layer_text(inside, key, tensors)}>"
        case Dense(weight, bias):
            tensors[f"{key}weight"] = weight
            if bias is not None:
                tensors[f"{key}bias"] = bias
            outputs, inputs = weight.shape
            return f"{'DenseNoBias' if bias is None else 'Dense'}<{inputs}, {outputs}>"
        case _:
            return tuple_text(layer, key, tensors)
