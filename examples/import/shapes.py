"""Follows the shape of the tensors through a model, and puts in order what the framework and constnet order differently."""

from math import prod

import numpy as np

from network import Refused, Single, Turned, digits, single

EXTENT, PRODUCT = 2048, 5119  # How far constnet's types multiply: beyond, `FlattenTo` says how many numbers there are.
KINDS = {1: "Vector", 2: "Sequence", 3: "Image"}


class Shapes:
    """The shape between two layers.

    `axes` are the framework's, without the batch, and `channels` is the one of them that holds the channels: that of a
    vector is 0, of a sequence 0 or 1, of an image 0 (PyTorch's) or 2 (Keras's). In memory constnet keeps channels innermost, so
    moving the axis of the channels is nothing to it.
    """

    def __init__(self, axes, channels):
        self.axes, self.channels = tuple(axes), channels
        self.shared = False  # Whether a second branch still needs the numbers as they are.
        self.order = None  # Where constnet's flattened numbers are among the framework's, until a layer takes them.
        self.pooled = False  # Whether the lengths of 1 are what a global pool has left, which constnet drops at once.
        self.padding = None  # What a module has padded with zeros for the convolution that must follow: pairs, for each length.
        self.padded = None  # A convolution that is causal once as many steps as it has padded are cut off: see `trim`.
        self.met = [0]  # How many layers were met, in all branches.
        if not 1 <= len(self.axes) <= 3 or not all(isinstance(axis, int) and axis > 0 for axis in self.axes):
            raise Refused(f"inputs of shape {list(axes)}: 1 to 3 axes are needed, each of a fixed length")
        self.input = self.text()  # The network's.

    def text(self):
        """The shape as it is written in Rust."""
        if len(self.axes) == 1 or self.pooled:
            return f"Vector<{self.axes[self.channels]}>"
        return f"{KINDS[len(self.axes)]}<{', '.join(map(str, [self.axes[self.channels], *self.lengths()]))}>"

    def lengths(self):
        """The axes without the channels."""
        return [axis for place, axis in enumerate(self.axes) if place != self.channels]

    def set(self, channels, lengths=()):
        """Another number of channels, and other lengths, in the same order."""
        axes = list(lengths)
        self.channels = min(self.channels, len(axes))
        axes.insert(self.channels, channels)
        self.axes = tuple(axes)

    def copy(self):
        other = Shapes.__new__(Shapes)
        vars(other).update(vars(self))
        return other

    def same(self, other):
        return (self.axes, self.channels, self.pooled) == (other.axes, other.channels, other.pooled)

    def plain(self, text):
        """A layer that treats all numbers alike."""
        self.settle(text)
        return Single(text)

    def settle(self, where, order=False, pooled=True):
        """Before any layer: nothing may wait for a layer of another kind."""
        self.met[0] += 1
        self.padded = None
        if self.padding is not None:
            raise Refused(f"{where}: zeros were padded before it, and only a convolution takes them up")
        if self.order is not None and order:
            raise Refused(f"{where}: constnet flattens channel by channel, and no dense layer follows to take up the difference")
        if self.pooled and not pooled:
            raise Refused(f"{where}: a global pool comes before it, and constnet's leaves a vector: flatten it first")

    def finish(self, where):
        """Before what needs the numbers in the framework's own order."""
        self.settle(where, order=True)

    def take(self, where, count, dims=None, channels=None, images=False):
        """Before a layer that takes `count` channels.

        `dims` is the number of its lengths, if it needs one, and `channels` the axis that it takes for the channels.
        """
        self.settle(where, order=dims is not None, pooled=dims is None)
        place = len(self.axes) - 1 if channels == -1 else channels
        if dims is not None and len(self.axes) != dims + 1:
            raise Refused(f"{where}: it takes {['a `Vector`', 'a `Sequence`', 'an `Image`'][dims]}, and `{self.text()}` comes in")
        if place not in (None, self.channels) and not (place == 0 and self.pooled) and (images or len(self.axes) < 3):
            found = f"the channels of `{self.text()}` are axis {self.channels + 1} here, and it takes axis {place + 1} for them"
            raise Turned(f"{where}: {found}")
        if self.axes[self.channels] != count or (len(self.axes) == 3 and not images):
            raise Refused(f"{where}: it takes {count} numbers, and `{self.text()}` comes in")

    def reorder(self, numbers):
        """Numbers, one for each channel, in constnet's order."""
        return numbers if numbers is None or self.order is None else np.asarray(numbers)[self.order]

    def dense(self, weight, bias, where):
        outputs, inputs = weight.shape
        self.take(where, inputs, channels=-1)
        if self.order is not None:
            weight, self.order = weight[:, self.order], None
        self.set(outputs, self.lengths())
        return single(where, f"{'DenseNoBias' if bias is None else 'Dense'}<{inputs}, {outputs}>", weight=weight, bias=bias)

    def softmax(self, layer, axis, where):
        """`axis` counts the batch."""
        rank = len(self.axes) + 1
        if not isinstance(axis, int) or axis % rank != self.channels + 1:
            raise Refused(f"{where}: along axis {axis}, and constnet's runs along the channels")
        return self.plain(layer)

    def flatten(self):
        self.settle("Flatten")
        places = np.moveaxis(np.arange(prod(self.axes)).reshape(self.axes), self.channels, 0).ravel()
        if self.order is None and (places != np.arange(places.size)).any():
            self.order = places
        reaches = max(self.axes) <= EXTENT and places.size <= PRODUCT or len(self.axes) == 1 or self.pooled
        self.axes, self.channels, self.pooled = (places.size,), 0, False
        return Single("Flatten" if reaches else f"FlattenTo<{digits(places.size)}>")

    def move(self, axes, where):
        """Puts the axes, counted without the batch, into this order: only the channels may move among the others."""
        self.settle(where)
        rest = [axis for axis in axes if axis != self.channels]
        if rest != sorted(rest):
            raise Refused(f"{where}: it turns the axes of `{self.text()}` round, which no layer does")
        self.axes, self.channels = tuple(self.axes[axis] for axis in axes), list(axes).index(self.channels)
