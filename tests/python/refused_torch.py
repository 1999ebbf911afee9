"""What `export_pytorch.py` must refuse, each beside what it must say, and models of a user's that it must take.

The argument is a file to write.
"""

import sys

import torch
from torch import nn
from torch.nn import functional

import export_pytorch
from network import Refused

FAILURES = []


def check(said, expected):
    if said != expected:
        FAILURES.append(f"said:     {said}\nexpected: {expected}")


def refused(model, axes, expected):
    try:
        check(export_pytorch.export(model, axes, sys.argv[1]), expected)
    except Refused as refusal:
        check(str(refusal), expected)


taken = refused  # The same for a model that is to be taken: then it gives the type.


class Wrapper(nn.Module):
    """`forward` is a function of the module inside and the input."""

    def __init__(self, forward, inner=None):
        super().__init__()
        self.inner, self.function = inner or nn.Linear(3, 3), [forward]

    def forward(self, x):
        return self.function[0](self.inner, x)


class Skip(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.inner = nn.Sequential(*layers)

    def forward(self, x):
        return torch.add(self.inner(x), x)


class InPlace(Skip):
    def forward(self, x):
        y = self.inner(x)
        y += x
        return y


class Called(Skip):
    def __call__(self, x):
        return -super().__call__(x)


class Masked(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, mask=None):
        return self.inner(x) if mask is None else self.inner(x) * mask


class Two(Masked):
    def forward(self, x, y):
        return self.inner(x) + y


def wrapped(function, inner=None):
    return Wrapper(function, inner)


linear = nn.Linear(3, 3)
sequence = lambda inner: wrapped(lambda inner, x: inner(x)[0], inner)
own = "module Wrapper (`the model`)"

# Single modules.
hooked = nn.Sequential(linear, nn.ReLU())
hooked[1].register_forward_hook(lambda module, x, y: -y)
infinite = nn.Linear(3, 2)
nn.init.constant_(infinite.weight, torch.inf)
for model, axes, expected in [
    (nn.Sequential(nn.Conv3d(2, 3, 3)), (2, 8, 8), "module Conv3d (`the model.0`): constnet has no layer for it, with these options"),
    (nn.Sequential(linear, nn.Softplus(beta=2)), (3,), "module Softplus (`the model.1`): constnet has no layer for it, with these options"),
    (nn.Sequential(linear), (4,), "module Linear (`the model.0`): it takes 3 numbers, and `Vector<4>` comes in"),
    (nn.Sequential(linear), (3, 4, 3), "module Linear (`the model.0`): it takes 3 numbers, and `Image<3, 4, 3>` comes in"),
    (hooked, (3,), "module ReLU (`the model.1`): hooks, or a `forward` of its own, may change what it does"),
    (infinite, (3,), "module Linear (`the model`): its weight holds a number that is not finite"),
    (nn.Linear(3, 2).double(), (3,), "module Linear (`the model`): its numbers are of type torch.float64, and only torch.float32 is exported"),
    (nn.Sequential(nn.Linear(3, 2), nn.Flatten()), (4, 3), "the model: constnet flattens channel by channel, and no dense layer follows to take up the difference"),
    (nn.Unflatten(1, (2, -1)), (6,), "module Unflatten (`the model`): to [2, -1], and [channels, height, width] or [channels, steps] is needed"),
]:
    refused(model, axes, expected)

# Convolutions, pools, norms.
for model, axes, expected in [
    (nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"), (2, 5, 5), "module Conv2d (`the model`): it pads with reflect, and only zeros are understood"),
    (nn.Conv2d(2, 3, 7), (2, 5, 9), "module Conv2d (`the model`): its kernel of 7x7 does not fit into what comes in"),
    (nn.Conv2d(2, 3, 3), (4, 5, 5), "module Conv2d (`the model`): it takes 2 numbers, and `Image<4, 5, 5>` comes in"),
    (nn.Conv2d(2, 3, 3), (2, 5), "module Conv2d (`the model`): it takes an `Image`, and `Sequence<5, 2>` comes in"),
    (nn.Sequential(nn.Conv1d(2, 4, 3), nn.Linear(4, 2)), (2, 6), "module Linear (`the model.1`): the channels of `Sequence<4, 4>` are axis 1 here, and it takes axis 2 for them"),
    (nn.Sequential(nn.Linear(3, 2), nn.Conv1d(2, 4, 3)), (6, 3), "module Conv1d (`the model.1`): the channels of `Sequence<2, 6>` are axis 2 here, and it takes axis 1 for them"),
    (nn.ConvTranspose2d(4, 4, 3, groups=2), (4, 5, 5), "module ConvTranspose2d (`the model`): transposed, and with groups or a dilation"),
    (nn.ConvTranspose1d(2, 2, 1, padding=1), (2, 2), "module ConvTranspose1d (`the model`): nothing is left of `Sequence<2, 2>`"),
    (nn.Sequential(nn.ZeroPad1d((1, 0)), nn.ReLU()), (2, 5), "Relu: zeros were padded before it, and only a convolution takes them up"),
    (nn.Sequential(nn.ZeroPad1d((1, 0)), nn.Conv1d(2, 3, 3)), (2, 5), "module Conv1d (`the model.1`): the padding [(1, 0)] is neither the same on both sides, nor causal, nor `Same`"),
    (nn.Sequential(nn.ZeroPad1d(1), nn.Conv1d(2, 3, 3, padding=1)), (2, 5), "module Conv1d (`the model.1`): it pads, and so does the module before it: one of the two can be taken up"),
    (nn.ZeroPad2d(-1), (2, 5, 5), "module ZeroPad2d (`the model`): by [-1, -1, -1, -1], and zeros before and after every length are understood"),
    (nn.ConstantPad1d(1, 2.0), (2, 5), "module ConstantPad1d (`the model`): constnet has no layer for it, with these options"),
    (nn.MaxPool2d(2, ceil_mode=True), (2, 5, 5), "module MaxPool2d (`the model`): with ceil_mode, it pools windows that are not whole"),
    (nn.MaxPool1d(2, dilation=2), (2, 5), "module MaxPool1d (`the model`): with return_indices or a dilation"),
    (nn.AvgPool2d(2, padding=1, count_include_pad=False), (2, 5, 5), "module AvgPool2d (`the model`): with this padding constnet counts what is padded"),
    (nn.AvgPool2d(2, divisor_override=3), (2, 5, 5), "module AvgPool2d (`the model`): with a divisor of its own"),
    (nn.AdaptiveAvgPool2d(2), (2, 5, 5), "module AdaptiveAvgPool2d (`the model`): constnet has no layer for it, with these options"),
    (nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(2, 3, 1)), (2, 5, 5), "module Conv2d (`the model.1`): a global pool comes before it, and constnet's leaves a vector: flatten it first"),
    (nn.Upsample(scale_factor=1.5), (2, 4), "module Upsample (`the model`): by [1.5], and only whole factors are understood"),
    (nn.Upsample(scale_factor=2, mode="bilinear"), (2, 4, 4), "module Upsample (`the model`): constnet has no layer for it, with these options"),
    (nn.BatchNorm2d(2, track_running_stats=False), (2, 5, 5), "module BatchNorm2d (`the model`): it keeps no running averages"),
    (nn.BatchNorm2d(2, momentum=None), (2, 5, 5), "module BatchNorm2d (`the model`): its averages are over all batches (momentum=None), and constnet's need a momentum"),
    (nn.BatchNorm2d(2), (2, 5), "module BatchNorm2d (`the model`): `Sequence<5, 2>` comes in"),
    (nn.LayerNorm((2, 5, 5)), (2, 5, 5), "module LayerNorm (`the model`): over 3 axes, and constnet's normalises over the channels"),
    (nn.LayerNorm(5), (2, 5, 5), "module LayerNorm (`the model`): the channels of `Image<2, 5, 5>` are axis 1 here, and it takes axis 3 for them"),
    (nn.Sequential(nn.Linear(3, 4), nn.Flatten(), nn.GroupNorm(2, 20)), (5, 3), "module GroupNorm (`the model.2`): constnet flattens channel by channel, and no dense layer follows to take up the difference"),
]:
    refused(model, axes, expected)

# Recurrence and attention.
causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
attend = lambda **options: lambda inner, x: inner(x, x, x, **options)[0]
heads = nn.MultiheadAttention(4, 2, batch_first=True)
for model, axes, expected in [
    (nn.Sequential(nn.LSTM(3, 4, batch_first=True)), (5, 3), "module LSTM (`the model.0`): it gives several results: take the first in a class of yours, `return self.inner(x)[0]`"),
    (sequence(nn.LSTM(3, 4)), (5, 3), "module LSTM (`the model.inner`): its inputs are [steps, batch, channels]: give it batch_first=True"),
    (sequence(nn.LSTM(3, 4, proj_size=2, batch_first=True)), (5, 3), "module LSTM (`the model.inner`): with projections (proj_size)"),
    (wrapped(lambda inner, x: inner(x)[1][1][-1], nn.LSTM(3, 4, batch_first=True)), (5, 3), "module LSTM (`the model.inner`): only its outputs and the last of its states are understood"),
    (wrapped(lambda inner, x: inner(x)[1][-1], nn.GRU(3, 4, batch_first=True, bidirectional=True)), (5, 3), "module GRU (`the model.inner`): only its outputs and the last of its states are understood"),
    (wrapped(lambda inner, x: inner(x, torch.ones(1, 2, 4))[0], nn.GRU(3, 4, batch_first=True)), (5, 3), "module GRU (`the model.inner`): it starts from a given state, and constnet's from zeros"),
    (wrapped(lambda inner, x: inner(x)[:, 0]), (5, 3), f"indexing in {own}: of `Sequence<3, 5>` only the last step can be taken"),
    (wrapped(lambda inner, x: inner(x)[:, 1:]), (5, 3), f"indexing in {own}: of a tensor only the last step can be taken, as in `x[:, -1]`"),
    (sequence(nn.RNN(3, 4, batch_first=True)), (3,), "module RNN (`the model.inner`): it takes a `Sequence`, and `Vector<3>` comes in"),
    (wrapped(attend(), nn.MultiheadAttention(4, 2)), (5, 4), "module MultiheadAttention (`the model.inner`): its inputs are [steps, batch, channels]: give it batch_first=True"),
    (wrapped(attend(), nn.MultiheadAttention(4, 2, batch_first=True, kdim=3, vdim=3)), (5, 4), "module MultiheadAttention (`the model.inner`): with kdim, vdim, add_bias_kv or add_zero_attn"),
    (wrapped(attend(attn_mask=causal.T), heads), (5, 4), "module MultiheadAttention (`the model.inner`): its mask is another than the causal one, which hides all later steps"),
    (wrapped(lambda inner, x: inner(x, x, x * 2)[0], heads), (5, 4), "module MultiheadAttention (`the model.inner`): only the first result of queries, keys and values that are the same is understood"),
    (wrapped(lambda inner, x: inner(x, x, x, attn_mask=x[0] > 0)[0], heads), (5, 4), "module MultiheadAttention (`the model.inner`): its mask depends on the input"),
    (nn.Sequential(nn.Linear(5, 5), nn.Embedding(7, 3)), (5,), "module Embedding (`the model.1`): it takes indices, which only the first layer of a network does"),
]:
    refused(model, axes, expected)

# What a `forward` does.
calls = f"{own}: its `forward` calls"
for model, axes, expected in [
    (wrapped(lambda inner, x: x * inner(x)), (3,), f"{calls} `mul`: it is nothing that constnet has a layer for"),
    (wrapped(lambda inner, x: inner(x).clamp(-100, 100)), (3,), f"{calls} `clamp`: it is nothing that constnet has a layer for"),
    (wrapped(lambda inner, x: torch.add(x, inner(x), alpha=2)), (3,), f"{calls} `add`: only the plain sum or concatenation of two tensors is understood"),
    (wrapped(lambda inner, x: x.add_(inner(x))), (3,), f"{calls} `add_`: in place, it changes what another branch takes"),
    (wrapped(lambda inner, x: inner(x) if x.sum() < 1000 else x), (3,), f"{own}: torch.fx cannot trace it: symbolically traced variables cannot be used as inputs to control flow"),
    (wrapped(lambda inner, x: (inner(x), x)), (3,), f"{own}: its `forward` gives several results, and a network has one output"),
    (Two(linear), (3,), "module Two (`the model`): its `forward` takes 2 inputs, and a network has one"),
    (wrapped(lambda inner, x: inner(x).relu()[:, :, :-4], nn.Conv1d(2, 3, 3, padding=4, dilation=2)), (2, 9), f"indexing in {own}: of a tensor only the last step can be taken, as in `x[:, -1]`"),
    (wrapped(lambda inner, x: [functional.relu(x, inplace=True), inner(x)][1]), (3,), f"{calls} `relu`: its result is not used"),
    (wrapped(lambda inner, x: x + x), (3,), f"{calls} `add`: of a tensor and itself"),
    (wrapped(lambda inner, x: inner(x).transpose(0, 1)), (3,), f"{own}: `transpose` moves the batch"),
    (wrapped(lambda inner, x: x.permute(0, 1, 3, 2)), (3, 4, 5), f"{own}: `permute`: it turns the axes of `Image<3, 4, 5>` round, which no layer does"),
    (wrapped(lambda inner, x: inner(x).view(-1, 2)), (3,), f"{own}: `view` to [-1, 2] does not flatten a batch of `Vector<3>`"),
    (wrapped(lambda inner, x: inner(x).mean(2)), (4, 3), f"{own}: `mean` over axes [2], and constnet pools over all steps or pixels of each channel"),
    (wrapped(lambda inner, x: inner(x).squeeze(1)), (1, 3), f"{own}: `squeeze`: only what a global pool leaves can be squeezed"),
    (wrapped(lambda inner, x: torch.cat([inner(x), x], 1)), (4, 3), f"{calls} `cat`: of `Sequence<3, 4>` and `Sequence<3, 4>` along axis 1, and constnet's joins channels"),
    (wrapped(lambda inner, x: inner(x) + torch.ones(3)), (3,), f"{calls} `add`: of a constant that is no table of positions, [steps, channels]"),
    (wrapped(lambda inner, x: functional.dropout(inner(x), p=0.5, missing=1)), (3,), f"{own}: torch.fx cannot trace it: dropout() got an unexpected keyword argument 'missing'"),
    (Skip(nn.Sequential(nn.Identity(), nn.ReLU(inplace=True)), linear), (3,), "module ReLU (`the model.inner.0.1`): in place, it changes what another branch takes"),
    (Skip(nn.Linear(3, 2)), (3,), "module Skip (`the model`): its `forward` calls `add`: it adds [3] to [2]"),
    (InPlace(nn.Identity()), (3,), "module InPlace (`the model`): its `forward` calls `iadd`: in place, it changes what another branch takes"),
    (Called(linear), (3,), "module Called (`the model`): a `__call__` of its own may change what it does"),
]:
    refused(model, axes, expected)

# What is to be taken.
for model, axes, expected in [
    (wrapped(lambda inner, x: inner(x)), (3,), "Network<Vector<3>, (Dense<3, 3>,)>"),
    (nn.Sequential(linear, nn.ReLU(), linear, Skip(linear, nn.ReLU(inplace=True))), (3,), "Network<Vector<3>, (Dense<3, 3>, Relu, Dense<3, 3>, Residual<(Dense<3, 3>, Relu)>)>"),
    (InPlace(linear), (3,), "Network<Vector<3>, (Residual<(Dense<3, 3>,)>,)>"),
    (wrapped(lambda inner, x: functional.log_softmax(torch.tanh(inner(x)), dim=1)), (3,), "Network<Vector<3>, (Dense<3, 3>, Tanh, LogSoftmax)>"),
    (wrapped(lambda inner, x: inner(functional.pad(x, (2, 0))).relu_().amax(-1), nn.Conv1d(2, 4, 3)), (2, 8), "Network<Sequence<2, 8>, (Conv1d<2, 4, 3, Stride, Causal>, Relu, GlobalMaxPool)>"),
    (wrapped(lambda inner, x: inner(x.view(x.size(0), -1)), nn.Linear(12, 2)), (3, 2, 2), "Network<Image<3, 2, 2>, (Flatten, Dense<12, 2>)>"),
    (wrapped(lambda inner, x: functional.max_pool2d(inner(x), 2, 1), nn.ConvTranspose2d(3, 3, 2)), (3, 2, 2), "Network<Image<3, 2, 2>, (ConvTranspose2d<3, 3, 2>, MaxPool2d<2, 2, Stride>)>"),
    (wrapped(lambda inner, x: functional.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)), (3, 2, 2), "Network<Image<3, 2, 2>, (GlobalAvgPool,)>"),
    (wrapped(lambda inner, x: inner(x)[1][-1], nn.GRU(3, 4, 2, batch_first=True)), (5, 3), "Network<Sequence<3, 5>, (Gru<3, 4>, Gru<4, 4>, Last)>"),
    (wrapped(lambda inner, x: inner(x)[1][0].squeeze(0), nn.LSTM(3, 4, batch_first=True)), (5, 3), "Network<Sequence<3, 5>, (Lstm<3, 4>, Last)>"),
    (wrapped(lambda inner, x: inner(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), nn.LayerNorm(3)), (3, 2, 2), "Network<Image<3, 2, 2>, (LayerNorm<3>,)>"),
    (wrapped(lambda inner, x: torch.cat([x, inner(x)], dim=-1)), (4, 3), "Network<Sequence<3, 4>, (Parallel<Identity, Dense<3, 3>, Concat>,)>"),
    (wrapped(lambda inner, x: inner(x)[0] + x, nn.GRU(3, 3, batch_first=True)), (4, 3), "Network<Sequence<3, 4>, (Residual<Gru<3, 3>>,)>"),
    (wrapped(attend(attn_mask=nn.Transformer.generate_square_subsequent_mask(5), is_causal=True), heads), (5, 4), "Network<Sequence<4, 5>, (SelfAttention<4, 2, Causal>,)>"),
    (wrapped(lambda inner, x: x + inner(torch.arange(x.shape[1], device=x.device)), nn.Embedding(5, 3)), (5, 3), "Network<Sequence<3, 5>, (LearnedPositions<3, 5>,)>"),
    (wrapped(lambda inner, x: inner(x, (torch.zeros(1, x.size(0), 4),) * 2)[0], nn.LSTM(3, 4, batch_first=True)), (5, 3), "Network<Sequence<3, 5>, (Lstm<3, 4>,)>"),
    (wrapped(lambda inner, x: inner(x)[:, :, :-4].contiguous(), nn.Conv1d(2, 3, 3, padding=4, dilation=2)), (2, 9), "Network<Sequence<2, 9>, (Conv1d<2, 3, 3, Stride, Causal, Dilation<2>>,)>"),
    (wrapped(lambda inner, x: inner(x).squeeze(-1), nn.Linear(3, 1)), (3,), "Network<Vector<3>, (Dense<3, 1>,)>"),
    (nn.AvgPool1d(3, 1, 1, count_include_pad=False), (2, 5), "Network<Sequence<2, 5>, (AvgPool1d<3, Stride, Same>,)>"),
    (nn.Conv1d(4, 4, 3, groups=4, bias=False), (4, 5), "Network<Sequence<4, 5>, (DepthwiseConv1d<4, 3, Stride, Valid, Dilation, f32, NoBias>,)>"),
    (nn.Sequential(nn.Conv1d(1, 2, 3, 4), nn.MaxPool1d(2)), (1, 16000), "Network<Sequence<1, 16000>, (Conv1d<1, 2, 3, Stride<4>, To<4000>>, MaxPool1d<2, Stride<2>, To<2000>>)>"),
    (nn.Flatten(), (3, 64, 64), "Network<Image<3, 64, 64>, (FlattenTo<12288>,)>"),
    (Masked(linear), (3,), "Network<Vector<3>, (Dense<3, 3>,)>"),
    (nn.Sequential(nn.Conv2d(1, 2, (3, 4), 2, padding=0), nn.InstanceNorm2d(2)), (1, 8, 8), "module InstanceNorm2d (`the model.1`): constnet has no layer for it, with these options"),
]:
    taken(model, axes, expected)

sys.exit("\n\n".join(FAILURES) or None)
