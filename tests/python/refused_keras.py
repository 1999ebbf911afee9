"""What `export_keras.py` must refuse, each beside what it must say. The argument is a file to write."""

import sys

import keras

import export_keras
from network import Refused

FAILURES = []
l = keras.layers


def refused(model, expected):
    try:
        said = export_keras.export(model, sys.argv[1])
    except Refused as refusal:
        said = str(refusal)
    if said != expected:
        FAILURES.append(f"said:     {said}\nexpected: {expected}")


taken = refused  # The same for a model that is to be taken: then it gives the type.


class Own(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.dense = l.Dense(2)

    def call(self, x):
        return -self.dense(x)


class OwnFunctional(keras.Model):
    pass


for layers, expected in [
    ([l.Input((4, 4, 4, 1)), l.Conv3D(2, 3, name="c")], "inputs of shape [4, 4, 4, 1]: 1 to 3 axes are needed, each of a fixed length"),
    ([l.Input((4,)), l.Dense(2, activation="selu", name="d")], "layer Dense (`d`): constnet has no activation `selu`"),
    ([l.Dense(2)], "neither a functional model nor a `Sequential` that knows its input: begin with `Input(shape)`"),
    ([l.Input((4,)), Own(name="own")], "layer Own (`own`): a class of its own, neither a `Sequential` nor a functional `Model`"),
    ([l.Input((4, 3)), l.Softmax((1, 2), name="s")], "layer Softmax (`s`): along axis (1, 2), and constnet's runs along the channels"),
    ([l.Input((4,)), l.Dense(2, dtype="mixed_float16", name="h")], "layer Dense (`h`): its dtype policy is mixed_float16, and only float32 is exported"),
    ([l.Input((4, 4, 2)), l.Permute((2, 1, 3), name="p")], "layer Permute (`p`): constnet has no layer for it, with these options"),
    ([l.Input((4, 4, 2)), l.Conv2D(2, 2, data_format="channels_first", name="c")], "layer Conv2D (`c`): constnet has no layer for it, with these options"),
    ([l.Input((4, 4, 2)), l.Dense(3, name="d")], "layer Dense (`d`): it takes 2 numbers, and `Image<2, 4, 4>` comes in"),
    ([l.Input((12,)), l.Reshape((2, 2, 3), name="r")], "layer Reshape (`r`): Keras's order of numbers, channels innermost, is not that of constnet's `Reshape`"),
    ([l.Input((4, 4, 2)), l.Flatten()], "the model: constnet flattens channel by channel, and no dense layer follows to take up the difference"),
    ([l.Input((5, 5, 2)), l.Conv2DTranspose(3, 3, 2, output_padding=1, name="t")], "layer Conv2DTranspose (`t`): with output_padding or a dilation"),
    ([l.Input((4, 4, 2)), l.AveragePooling2D(3, 2, padding="same", name="p")], "layer AveragePooling2D (`p`): Keras with PyTorch averages what it repeats at the end, where `same` says to leave it out"),
    ([l.Input((5, 5, 2)), l.UpSampling2D(2, interpolation="bilinear", name="u")], "layer UpSampling2D (`u`): constnet has no layer for it, with these options"),
    ([l.Input((5, 5, 2)), l.ZeroPadding2D(), l.MaxPooling2D(2, name="p")], "layer MaxPooling2D (`p`): zeros were padded before it, and only a convolution takes them up"),
    ([l.Input((5, 2)), l.ZeroPadding1D((0, 1)), l.Conv1D(2, 3, name="c")], "layer Conv1D (`c`): the padding [(0, 1)] is neither the same on both sides, nor causal, nor `Same`"),
    ([l.Input((5, 2)), l.BatchNormalization(axis=1, name="b")], "layer BatchNormalization (`b`): along axis 1, and constnet's runs along the channels"),
    ([l.Input((5, 2)), l.LayerNormalization(axis=(1, 2), name="n")], "layer LayerNormalization (`n`): along axis [1, 2], and constnet's runs along the channels"),
    ([l.Input((5, 2)), l.GRU(3, reset_after=False, name="g")], "layer GRU (`g`): with reset_after=False: constnet resets after the product, as PyTorch does"),
    ([l.Input((5, 2)), l.LSTM(3, activation="relu", name="g")], "layer LSTM (`g`): with other activations than tanh and sigmoid"),
    ([l.Input((5, 2)), l.LSTM(3, recurrent_activation="hard_sigmoid", name="g")], "layer LSTM (`g`): with other activations than tanh and sigmoid"),
    ([l.Input((5, 2)), l.LSTM(3, go_backwards=True, name="g")], "layer LSTM (`g`): with go_backwards, stateful or return_state"),
    ([l.Input((5, 2)), l.LSTM(3, recurrent_dropout=0.5, name="g")], "layer LSTM (`g`): with dropout inside: put a Dropout layer before it"),
    ([l.Input((5, 2)), l.Bidirectional(l.GRU(3), name="b")], "layer Bidirectional (`b`): its backward part ends with the first step: give the layer inside return_sequences=True"),
    ([l.Input((5, 2)), l.Bidirectional(l.GRU(3, return_sequences=True), merge_mode="sum", name="b")], "layer Bidirectional (`b`): two layers of one kind are understood, whose outputs are concatenated"),
    ([l.Input((5,)), l.Embedding(7, 2, mask_zero=True, name="e")], "layer Embedding (`e`): constnet has no layer for it, with these options"),
    ([l.Input((5,)), l.Dense(5), l.Embedding(7, 2, name="e")], "layer Embedding (`e`): it takes indices, which only the first layer of a network does"),
]:
    refused(keras.Sequential(layers), expected)

x = l.Input((4,))
refused(OwnFunctional(x, l.Dense(2)(x)), "the model: a class of its own, neither a `Sequential` nor a functional `Model`")
quantized = keras.Sequential([x, l.Dense(2, name="q")])
quantized.layers[0].quantize("int8")
refused(quantized, "layer Dense (`q`): it is quantized, int8")
refused(keras.Model(x, l.Add(name="a")([x, x])), "layer Add (`a`): it joins a tensor with itself, which no layer does")
y = keras.ops.relu(x)
y._keras_history.operation.name = "r"
refused(keras.Model(x, y), "layer Relu (`r`): constnet has no layer for it, with these options")
refused(keras.Model(x, l.Multiply(name="m")([x, l.Dense(4)(x)])), "layer Multiply (`m`): it has 2 inputs")
refused(keras.Model(x, l.Add(name="a")([l.Dense(1)(x), l.Dense(4)(x)])), "layer Add (`a`): it adds [1] to [4]")
x = l.Input((4, 3))
y = l.Dense(3)(x)
refused(
    keras.Model(x, l.Concatenate(axis=1, name="c")([x, y])),
    "layer Concatenate (`c`): of `Sequence<3, 4>` and `Sequence<3, 4>` along axis 1, and constnet's joins channels",
)
taken(keras.Model(x, l.Concatenate()([x, y])), "Network<Sequence<3, 4>, (Parallel<Identity, Dense<3, 3>, Concat>,)>")
taken(keras.Sequential([x, l.ZeroPadding1D((2, 0)), l.Conv1D(2, 3)]), "Network<Sequence<3, 4>, (Identity, Conv1d<3, 2, 3, Stride, Causal>)>")

sys.exit("\n\n".join(FAILURES) or None)
