"""The demo models of `export_keras.py`: together they have every layer that constnet and Keras share."""

import keras
import numpy as np
from keras import layers
from safetensors.numpy import save_file


def demos():
    """Name and model."""
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
    yield "keras_image", keras.Sequential([
        layers.Input((11, 8, 1)), layers.Conv2D(4, 3, 2, padding="same", activation="relu"), layers.BatchNormalization(),
        layers.ZeroPadding2D(((0, 1), (1, 1))), layers.Conv2D(4, (2, 3), groups=2, activation="silu"),
        layers.MaxPooling2D(3, 2, padding="same"), layers.DepthwiseConv2D(2, padding="same", depth_multiplier=2),
        layers.GroupNormalization(4), layers.UpSampling2D((2, 3)), layers.SeparableConv2D(5, 3, activation="tanh"),
        layers.AveragePooling2D((2, 1)), layers.Conv2D(3, 1, use_bias=False), layers.Flatten(),
        layers.BatchNormalization(epsilon=0.01), layers.Dense(3),
    ])
    yield "keras_decoder", keras.Sequential([
        layers.Input((2, 3, 2)), layers.Conv2DTranspose(3, 4, 2, padding="same", activation="relu"),
        layers.Conv2DTranspose(2, (1, 2), 2, use_bias=False), layers.Conv2DTranspose(2, 2, 3, padding="same"),
        layers.Conv2DTranspose(2, (3, 1), 2, padding="same", activation="sigmoid"), layers.AveragePooling2D(4, 2, padding="same"),
        layers.GlobalMaxPooling2D(),
    ])
    x = y = layers.Input((8, 8, 2))
    y = layers.Conv2D(4, 3, 2, padding="same", use_bias=False)(y)
    y = layers.BatchNormalization(scale=False)(y)
    y = layers.ReLU()(layers.Add()([y, layers.Conv2D(4, 1, 2)(x)]))
    y = layers.Concatenate()([layers.Conv2D(2, 1)(y), layers.DepthwiseConv2D(3, padding="same")(y)])
    yield "keras_branches", keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))
    yield "keras_signal", keras.Sequential([
        layers.Input((16, 2)), layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu"),
        layers.MaxPooling1D(), layers.DepthwiseConv1D(3), layers.SeparableConv1D(4, 2, padding="same"), layers.UpSampling1D(),
        layers.Conv1DTranspose(3, 2, 2), layers.AveragePooling1D(3, 2), layers.LayerNormalization(),
        layers.TimeDistributed(keras.Sequential([layers.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(2)])),
        layers.RMSNormalization(), layers.GlobalAveragePooling1D(),
    ])
    yield "keras_recurrent", keras.Sequential([
        layers.Input((6,)), layers.Embedding(7, 3), layers.GRU(4, return_sequences=True),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)), layers.SimpleRNN(4, return_sequences=True),
        layers.Dropout(0.25), layers.GRU(3, use_bias=False, return_sequences=True), layers.LSTM(4), layers.Dense(2),
    ])


def write(folder, export):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, model) in enumerate(demos()):
        random = np.random.default_rng(seed)
        weights = [random.uniform(-0.5, 0.5, weight.shape) for weight in model.get_weights()]
        names = [weight.path for weight in model.weights]
        model.set_weights([np.abs(each) + 0.5 if "variance" in path else each for path, each in zip(names, weights)])
        print(f"{name}: {export(model, folder / f'{name}.safetensors')}")
        shape = (4, *model.inputs[0].shape[1:])
        x = random.integers(7, size=shape) if name == "keras_recurrent" else random.standard_normal(shape, np.float32)
        y = model.predict(x, verbose=0)
        save_file({"x": x.astype(np.float32), "y": y}, folder / f"{name}.io.safetensors")
