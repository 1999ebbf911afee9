"""What constnet reads: the layers of a network, their tensors under the keys that it looks for, and its type in Rust.

Both exporters of this folder describe a model with the classes here; `save` writes the file and gives the type.
"""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

TUPLE = 16  # How many layers a tuple of constnet's holds.


class Refused(Exception):
    """A model that constnet has no type for; the message names the part."""


class Turned(Refused):
    """Another axis holds the channels: to be understood if the input is read another way."""


@dataclass
class Single:
    """A layer as it is written in Rust, and its tensors: name and numbers, in PyTorch's shape."""

    text: str
    tensors: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Residual:
    inside: "Layer"


@dataclass
class TimeDistributed:
    inside: "Layer"


@dataclass
class Parallel:
    first: "Layer"
    second: "Layer"
    join: str  # `Sum` or `Concat`


Layer = Single | Residual | TimeDistributed | Parallel | list  # A list is a tuple of layers.


def fraction(value, where):
    """A number as the two numbers of a type: 0.2 is 1 and 5."""
    value = Fraction(str(value))
    if value < 0 or max(value.numerator, value.denominator) >= 2**32:
        raise Refused(f"{where}: {float(value)} is not a ratio of two numbers of 32 bits")
    return value


def digits(number):
    """A number as Rust's style has it: 100_000."""
    return f"{number:_}" if number >= 100_000 else str(number)


def ratio(layer, value, default, where):
    """A layer with a number in its type: `LeakyRelu<1, 5>`, or `LeakyRelu` where the number is the default."""
    value = fraction(value, where)
    return Single(layer if value == Fraction(default) else f"{layer}<{digits(value.numerator)}, {digits(value.denominator)}>")


def dropout(probability, where):
    if probability >= 1:
        raise Refused(f"{where}: it drops everything")
    return ratio("Dropout", probability, "0.5", where)


def generic(name, needed, optional=()):
    """`name<needed, optional>`, where `optional` are pairs of an argument and its default: as few as can be are written."""
    arguments = list(map(str, needed))
    for count in range(len(optional), 0, -1):
        argument, default = optional[count - 1]
        if argument != default:
            return f"{name}<{', '.join([*arguments, *(str(each) for each, _ in optional[:count])])}>"
    return f"{name}<{', '.join(arguments)}>" if arguments else name


def single(where, text, **tensors):
    """A layer with these tensors, those left out that are None."""
    for name, numbers in tensors.items():
        if numbers is not None and not np.isfinite(numbers).all():
            raise Refused(f"{where}: its {name} holds a number that is not finite")
    kept = {name: numbers for name, numbers in tensors.items() if numbers is not None}
    return Single(text, {name: np.ascontiguousarray(numbers, np.float32) for name, numbers in kept.items()})


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
        case Single(text, inside):
            tensors.update({f"{key}{name}": numbers for name, numbers in inside.items()})
            return text
        case Residual(inside) | TimeDistributed(inside):  # add nothing to the key
            return f"{type(layer).__name__}<{layer_text(inside, key, tensors)}>"
        case Parallel(first, second, join):
            branches = layer_text(first, f"{key}0.", tensors), layer_text(second, f"{key}1.", tensors)
            return f"Parallel<{', '.join(branches)}, {join}>"
        case _:
            return tuple_text(layer, key, tensors)
