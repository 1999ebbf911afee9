"""Classes of the user's: `torch.fx` finds out what their `forward` does, which must be a chain, with branches that join again."""

import inspect
import operator

import torch
from torch import fx, nn

import layers
from network import Parallel, Refused, Residual, Single
from torch_functions import BATCH, BUILDERS, MOVES, NAMES, move, select
from torch_modules import RECURRENT, attention, convert_leaf, recurrent

SUMS = (operator.add, operator.iadd, torch.add, "add", "add_")
IN_PLACE = (operator.iadd, "add_")
JOINS = (torch.cat, torch.concat, torch.concatenate)


class Proxy(fx.Proxy):
    """A value of which the shape is known, so that a `forward` can calculate with it."""

    shape = property(lambda self: self.tracer.value(self.node).shape)
    ndim = property(lambda self: len(self.shape))
    device = property(lambda self: self.tracer.value(self.node).device)
    dtype = property(lambda self: self.tracer.value(self.node).dtype)

    def size(self, axis=None):
        return self.shape if axis is None else self.shape[axis]

    def dim(self):
        return self.ndim

    def __iadd__(self, other):
        """Tells `x += y`, which changes x, from `x + y`."""
        return self.tracer.create_proxy("call_function", operator.iadd, (self, other), {})


class Tracer(fx.Tracer):
    """Sees which modules are called, and not what they do."""

    def __init__(self, axes):
        super().__init__()
        self.axes, self.values, self.running = axes, {}, False

    def proxy(self, node):
        return Proxy(node, self)

    def is_leaf_module(self, module, name):
        return True

    def getattr(self, attr, attr_val, parameter_proxy_cache):
        return attr_val  # A parameter is a constant like any other.

    def create_arg(self, a):
        if not isinstance(a, torch.Tensor):
            return super().create_arg(a)
        node = self.create_node("get_attr", f"constant_{len(self.values)}", (), {})
        self.values[node] = a
        return node

    def call_module(self, m, forward, args, kwargs):
        return forward(*args, **kwargs) if self.running else super().call_module(m, forward, args, kwargs)

    def value(self, node):
        """What a node gives for a batch of some inputs; of interest is its shape."""
        if node not in self.values:
            args, kwargs = fx.map_arg((node.args, node.kwargs), self.value)
            self.running = True
            with torch.no_grad():
                self.values[node] = self.run(node, args, kwargs)
            self.running = False
        return self.values[node]

    def run(self, node, args, kwargs):
        if node.op == "placeholder":
            takes_indices = any(isinstance(module, nn.Embedding) for module in self.root.modules())
            return torch.zeros(BATCH, *self.axes, dtype=torch.long if takes_indices else torch.float32)
        if node.op == "call_module":
            return self.root.get_submodule(node.target)(*args, **kwargs)
        return getattr(args[0], node.target)(*args[1:], **kwargs) if node.op == "call_method" else node.target(*args, **kwargs)


def convert_own(module, name, where, shapes, convert):
    """The layers of a class of the user's; `convert` is for the modules that it calls."""
    if type(module).__call__ is not nn.Module.__call__:
        raise Refused(f"{where}: a `__call__` of its own may change what it does")
    tracer = Tracer(shapes.axes)
    try:
        inputs = list(inspect.signature(module.forward).parameters.values())
        given = {each.name: each.default for each in inputs[1:] if each.default is not each.empty}
        nodes = list(tracer.trace(module, given or None).nodes)
    except Exception as error:  # Whatever the user's code raises.
        raise Refused(f"{where}: torch.fx cannot trace it: {error}") from error
    forward = Forward(module, name, where, nodes, tracer, convert, len(given))
    found = forward.layers(forward.result, forward.start, shapes)
    return found[0] if len(found) == 1 else found or Single("Identity")


class Forward:
    """What a `forward` does: its nodes, in order."""

    def __init__(self, module, name, where, nodes, tracer, convert, given):
        self.module, self.name, self.where, self.tracer, self.convert = module, name, where, tracer, convert
        self.order = {node: place for place, node in enumerate(nodes)}
        inputs = [node for node in nodes if node.op == "placeholder"]
        if len(inputs) - given != 1:
            raise Refused(f"{where}: its `forward` takes {len(inputs) - given} inputs, and a network has one")
        self.start, self.result = inputs[0], nodes[-1].args[0]
        if not isinstance(self.result, fx.Node):
            raise Refused(f"{where}: its `forward` gives several results, and a network has one output")
        used = self.before(self.result)
        for node in nodes[:-1]:
            # Parts of a tuple that are not used are nothing; another call may change numbers in place.
            if node not in used and node is not self.start and not self.is_constant(node) and node.target is not operator.getitem:
                raise self.refuse(node, "its result is not used")

    def refuse(self, node, why="it is nothing that constnet has a layer for"):
        called = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", node.target)
        return Refused(f"{self.where}: its `forward` calls `{called}`: {why}")

    def before(self, node):
        """A node, and all that it depends on."""
        found, waiting = set(), [node]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting.extend(node.all_input_nodes)
        return found

    def is_constant(self, node):
        return isinstance(node, fx.Node) and self.start not in self.before(node)

    def layers(self, to, start, shapes):
        """The layers between two nodes: what comes before `to` first, then what makes it."""
        if to is start:
            return []
        if self.order[to] < self.order[start] or to.op in ("placeholder", "get_attr"):
            raise Refused(f"{self.where}: its `forward` joins branches that do not begin at one place")
        if to.target in SUMS or to.target in JOINS:
            return self.join(to, start, shapes)
        if to.target is operator.getitem or to.target in ("squeeze", torch.squeeze):
            source, parts = self.part(to)
            if parts is not None:
                return self.layers(source.args[0], start, shapes) + self.pick(source, parts, shapes)
        if not to.args or not isinstance(to.args[0], fx.Node):
            raise self.refuse(to)
        if len(to.all_input_nodes) != 1:
            raise self.refuse(to)
        before = self.layers(to.args[0], start, shapes)
        found = self.call(to, shapes)
        return [*before, *(found if isinstance(found, list) and to.op != "call_module" else [found])]

    def call(self, node, shapes):
        """What one node does to the one that it takes."""
        if node.op == "call_module":
            child, key = self.module.get_submodule(node.target), f"{self.name}.{node.target}"
            if len(node.args) != 1 or node.kwargs:
                raise self.refuse(node, "with more than one argument")
            return self.convert(child, key, shapes)
        name = node.target if isinstance(node.target, str) else NAMES.get(node.target)
        _, *arguments = node.args
        where = f"function `{name}` in {self.where}"
        if node.target is operator.getitem:
            return self.index(node.args[1], f"indexing in {self.where}", shapes)
        if name in BUILDERS:
            try:
                module = BUILDERS[name](*arguments, **node.kwargs)
            except TypeError as error:
                raise self.refuse(node, f"with arguments that are not understood: {error}") from error
            found = convert_leaf(module, where, shapes)
            return [] if name == "pad" else [found]  # The convolution that follows takes it up.
        if name in MOVES:
            return move(name, arguments, node.kwargs, self.where, shapes)
        raise self.refuse(node)

    def part(self, node):
        """Of which module with several results a node is a part, and which: `[1, -1]` for the last of the second."""
        parts = []
        while node.op != "call_module":
            if node.target is operator.getitem and isinstance(node.args[1], int):
                parts.insert(0, node.args[1])
            elif node.target in ("squeeze", torch.squeeze) and node.args[1:] == (0,):
                parts.insert(0, 0)
            else:
                return None, None
            node = node.args[0]
        kind = type(self.module.get_submodule(node.target))
        return (node, parts) if kind in RECURRENT or kind is nn.MultiheadAttention else (None, None)

    def pick(self, node, parts, shapes):
        """Layers for a part of what a recurrent module or attention gives."""
        module = self.module.get_submodule(node.target)
        where = f"module {type(module).__name__} (`{self.name}.{node.target}`)"
        shapes.shared = False
        if type(module) is nn.MultiheadAttention:
            if parts != [0] or node.args[:3] != (node.args[0],) * 3:
                raise Refused(f"{where}: only the first result of queries, keys and values that are the same is understood")
            return [attention(module, self.is_causal(node, where), where, shapes)]
        states = [each for each in node.all_input_nodes if each is not node.args[0]]
        if not all(self.is_constant(each) and not self.tracer.value(each).any() for each in states):
            raise Refused(f"{where}: it starts from a given state, and constnet's from zeros")
        state = [1, 0] if type(module) is nn.LSTM else [1]
        newest = parts[:-1] == state and (parts[-1] == -1 or parts[-1] == module.num_layers - 1)
        if parts != [0] and (not newest or module.bidirectional):
            raise Refused(f"{where}: only its outputs and the last of its states are understood")
        found = recurrent(module, where, shapes)
        return found if parts == [0] else [*found, layers.last(shapes, where)]

    def is_causal(self, node, where):
        """Whether a mask hides what comes later."""
        names = ("query", "key", "value", "key_padding_mask", "need_weights", "attn_mask", "average_attn_weights", "is_causal")
        options = dict(zip(names, node.args)) | node.kwargs
        mask = options.get("attn_mask")
        if options.get("key_padding_mask") is not None or (mask is not None and not self.is_constant(mask)):
            raise Refused(f"{where}: its mask depends on the input")
        if mask is None:
            return False  # PyTorch itself heeds `is_causal` only beside a mask.
        mask = self.tracer.value(mask)
        hidden = torch.ones(mask.shape, dtype=torch.bool).triu(1)
        is_mask = mask == hidden if mask.dtype is torch.bool else mask == torch.zeros(mask.shape).masked_fill(hidden, -torch.inf)
        if mask.dim() != 2 or not is_mask.all():
            raise Refused(f"{where}: its mask is another than the causal one, which hides all later steps")
        return True

    def index(self, index, where, shapes):
        """`x[:, -1]`: the last step; `x[:, :, :-p]`: without what a convolution's padding has added at the end."""
        index = list(index) if isinstance(index, tuple) else [index]
        if shapes.padded and index[:2] == [slice(None)] * 2 and index[2:] == [slice(None, -shapes.padded[2])]:
            layers.trim(shapes)
            return []
        numbers = [axis for axis, each in enumerate(index) if each != slice(None)]
        if len(numbers) != 1 or not isinstance(index[numbers[0]], int):
            raise Refused(f"{where}: of a tensor only the last step can be taken, as in `x[:, -1]`")
        return select(numbers[0], index[numbers[0]], where, shapes)

    def join(self, node, start, shapes):
        """Two branches that are added or concatenated."""
        is_sum = node.target in SUMS
        inputs, options = (node.args, dict(node.kwargs)) if is_sum else (node.args[0], dict(node.kwargs))
        if is_sum and options or len(inputs) != 2 or not all(isinstance(each, fx.Node) for each in inputs):
            raise self.refuse(node, "only the plain sum or concatenation of two tensors is understood")
        a, b = inputs
        if is_sum and (self.is_constant(a) or self.is_constant(b)):
            return self.positions(node, *((b, a) if self.is_constant(a) else (a, b)), start, shapes)
        if a is b:
            raise self.refuse(node, "of a tensor and itself")
        fork = max(self.before(a) & self.before(b), key=self.order.get, default=None)
        if fork is None:
            raise self.refuse(node, "of a constant")
        before = self.layers(fork, start, shapes)
        shapes.finish(self.where)
        branches = [shapes.copy(), shapes.copy()]
        for branch in branches:
            branch.shared = True
        found = [self.layers(branch, fork, its) for branch, its in zip((a, b), branches)]
        if node.target in IN_PLACE and (a is fork or branches[0].shared):
            raise self.refuse(node, "in place, it changes what another branch takes")
        for branch in branches:
            branch.finish(self.where)
        return [*before, self.joined(node, is_sum, found, branches, shapes)]

    def joined(self, node, is_sum, found, branches, shapes):
        first, second = branches
        if is_sum:
            if not first.same(second):
                raise self.refuse(node, f"it adds {list(second.axes)} to {list(first.axes)}")
            shapes.axes, shapes.channels, shapes.pooled = first.axes, first.channels, first.pooled
        else:
            axis = (list(node.args) + [0])[1] if len(node.args) > 1 else node.kwargs.get("dim", node.kwargs.get("axis", 0))
            rank = len(first.axes) + 1
            if first.channels != second.channels or first.lengths() != second.lengths() or axis % rank != first.channels + 1:
                both = f"of `{first.text()}` and `{second.text()}`"
                raise self.refuse(node, f"{both} along axis {axis}, and constnet's joins channels")
            shapes.channels = first.channels
            shapes.set(first.axes[first.channels] + second.axes[second.channels], first.lengths())
        shapes.shared = False
        inside = [layer[0] if len(layer) == 1 else layer for layer in found]
        if is_sum and not all(inside):
            return Residual(inside[0] or inside[1])
        return Parallel(*(layer or Single("Identity") for layer in inside), "Sum" if is_sum else "Concat")

    def positions(self, node, x, constant, start, shapes):
        """The sum of a sequence and a table."""
        before = self.layers(x, start, shapes)
        table = self.tracer.value(constant)
        learned = isinstance(table, nn.Parameter) or table.requires_grad or self.calls_module(constant)
        if node.target in IN_PLACE and shapes.shared:
            raise self.refuse(node, "in place, it changes what another branch takes")
        shapes.shared = False
        table = table.detach().reshape(table.shape[-2:]) if table.dim() == 2 or table.dim() == 3 and table.shape[0] == 1 else None
        if table is None or len(shapes.axes) != 2:
            raise self.refuse(node, "of a constant that is no table of positions, [steps, channels]")
        return [*before, layers.positions(shapes, table.numpy(), learned, self.where)]

    def calls_module(self, node):
        return any(each.op == "call_module" for each in self.before(node))
