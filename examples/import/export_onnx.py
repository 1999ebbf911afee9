"""Makes small PyTorch models, exports them to ONNX as PyTorch does, and stores what onnxruntime predicts.

    python3 export_onnx.py [FOLDER]

writes NAME.onnx and NAME.io.safetensors (inputs `x`, outputs `y`) for each model into FOLDER, `tests/data/onnx` if none is given.
For a model of your own, `torch.onnx.export(model.eval(), (x,), "model.onnx", external_data=False)` is all that is needed.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import save_file
from torch import nn

SAMPLES = 4


class Residual(nn.Module):
    """Adds its input to what the module inside makes of it."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


class View(nn.Module):
    """Flattens as one writes it by hand."""

    def forward(self, x):
        return x.view(x.size(0), -1)


class Outputs(nn.Module):
    """The outputs of a recurrent layer, without its state."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


class State(Outputs):
    """The state after the last step."""

    def forward(self, x):
        return self.layer(x)[1][-1]


class Last(nn.Module):
    def forward(self, x):
        return x[:, -1]


class Mean(nn.Module):
    """Of all steps."""

    def forward(self, x):
        return x.mean(1)


class Turn(nn.Module):
    """Between what takes [channels, steps] and what takes [steps, channels]."""

    def forward(self, x):
        return x.transpose(1, 2)


class Branches(nn.Module):
    """A block as ResNet's, with a convolution on the short way, and one as Inception's."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm, self.short = nn.BatchNorm2d(4), nn.Conv2d(2, 4, 1, 2)
        self.left, self.right = nn.Conv2d(4, 2, 1), nn.MaxPool2d(3, 1, 1)

    def forward(self, x):
        y = torch.relu(self.norm(self.second(torch.relu(self.first(x)))) + self.short(x))
        return torch.cat([self.left(y), self.right(y)], 1).mean((2, 3))


class Scaled(nn.Module):
    """A product of two branches, which no network of constnet's is."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x):
        return self.a(x) * self.b(x)


def activations():
    """Every activation that constnet and ONNX share, with a layer before each so that all of its range is met."""
    each = [
        nn.LeakyReLU(0.2), nn.ELU(1.5), nn.Sigmoid(), nn.Tanh(), nn.GELU(), nn.GELU(approximate="tanh"), nn.Softplus(),
        nn.Hardsigmoid(), nn.Hardswish(), nn.SiLU(), nn.ReLU(), nn.ELU(), nn.LeakyReLU(), nn.Softmax(dim=1),
    ]
    return nn.Sequential(*(module for activation in each for module in (nn.Linear(6, 6), activation)))


def models():
    """Name, model, shape of one input, options of the exporter."""
    dynamo, legacy = {"dynamo": True, "external_data": False, "verbose": False}, {"dynamo": False}
    classifier = lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(24, 16), nn.ReLU(), nn.Dropout(0.25), nn.Identity(), nn.Linear(16, 12, bias=False),
        nn.Tanh(), nn.Linear(12, 5), nn.LogSoftmax(dim=1),
    )
    residual = lambda: nn.Sequential(
        View(), nn.Linear(6, 8), Residual(nn.Linear(8, 8), nn.SiLU(), Residual(nn.ReLU(), nn.Linear(8, 8, bias=False))),
        nn.Linear(8, 3), nn.Sigmoid(),
    )
    sequence = lambda: nn.Sequential(
        nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4, bias=False), nn.GELU(), nn.Linear(4, 2), nn.Softmax(dim=-1)
    )
    image = lambda: nn.Sequential(
        nn.BatchNorm2d(1, eps=0.01), nn.Conv2d(1, 4, 3, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1, groups=4),
        nn.Conv2d(4, 6, 1), nn.MaxPool2d(2), nn.Conv2d(6, 4, (3, 2), padding=(1, 0), groups=2, bias=False), nn.SiLU(),
        nn.AvgPool2d((1, 2), padding=(0, 1)), nn.Conv2d(4, 3, 2, dilation=2, padding=1), nn.Flatten(), nn.Linear(6, 3),
    )
    decoder = lambda: nn.Sequential(
        nn.Linear(6, 12), nn.Unflatten(1, (3, 2, 2)), nn.ReLU(), nn.ConvTranspose2d(3, 4, 3, 2, 1, 1), nn.ReLU(),
        nn.Upsample(scale_factor=(2, 3)), nn.ConvTranspose2d(4, 2, 2, 2, bias=False), nn.AdaptiveMaxPool2d(1), nn.Flatten(),
    )
    signal = lambda: nn.Sequential(
        nn.Conv1d(2, 4, 3, padding="same"), nn.Tanh(), nn.AvgPool1d(2, 2, 1), nn.ConvTranspose1d(4, 3, 2, 2),
        nn.Upsample(scale_factor=2), nn.MaxPool1d(3), Turn(), nn.LayerNorm(3, eps=1e-3), nn.Linear(3, 2), Mean(),
    )
    recurrent = lambda kind, **options: nn.Sequential(
        Outputs(nn.GRU(3, 4, 2, batch_first=True)), Outputs(kind(4, 3, batch_first=True, **options)),
        Outputs(nn.LSTM(3, 4, batch_first=True)), Last(), nn.Linear(4, 2),
    )
    directions = lambda: nn.Sequential(
        Outputs(nn.LSTM(3, 4, batch_first=True, bidirectional=True)), State(nn.GRU(8, 3, batch_first=True)), nn.Linear(3, 2)
    )
    causal = nn.Sequential(nn.ZeroPad1d((4, 0)), nn.Conv1d(2, 3, 3, dilation=2), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    yield "classifier_dynamo", classifier(), (2, 3, 4), dynamo
    yield "classifier_legacy", classifier(), (2, 3, 4), legacy
    yield "activations_dynamo", activations(), (6,), dynamo
    yield "activations_dynamo_18", activations(), (6,), dynamo | {"opset_version": 18}
    yield "activations_legacy_13", activations(), (6,), legacy | {"opset_version": 13}
    yield "residual_dynamo", residual(), (1, 2, 3), dynamo
    yield "residual_legacy", residual(), (1, 2, 3), legacy
    yield "sequence_dynamo", sequence(), (4, 3), dynamo
    yield "sequence_legacy", sequence(), (4, 3), legacy
    yield "batch_dynamo", classifier(), (2, 3, 4), dynamo | {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
    yield "image_dynamo", image(), (1, 11, 12), dynamo
    yield "image_legacy", image(), (1, 11, 12), legacy
    yield "decoder_dynamo", decoder(), (6,), dynamo
    yield "branches_dynamo", Branches(), (2, 7, 6), dynamo
    yield "branches_legacy", Branches(), (2, 7, 6), legacy
    yield "signal_dynamo", signal(), (2, 10), dynamo
    yield "signal_legacy", signal(), (2, 10), legacy
    yield "signal_causal", causal, (2, 9), dynamo
    norms = nn.Sequential(nn.Conv2d(2, 4, 2), nn.GroupNorm(2, 4), nn.Flatten(), nn.RMSNorm(8), nn.LayerNorm(8, bias=False))
    yield "norms_dynamo", norms, (2, 3, 2), dynamo | {"opset_version": 23}
    # `dynamo` takes an RNN apart, and nothing is left for the converter to know: a GRU stands in for it.
    yield "recurrent_dynamo", recurrent(nn.GRU), (5, 3), dynamo
    yield "recurrent_legacy", recurrent(nn.RNN, nonlinearity="relu"), (5, 3), legacy
    yield "directions_dynamo", directions(), (5, 3), dynamo
    yield "directions_legacy", directions(), (5, 3), legacy
    yield "recurrent_batch", recurrent(nn.LSTM), (5, 3), legacy | {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}}
    # What the converter must refuse.
    yield "refused_unrolled", Outputs(nn.RNN(2, 2, batch_first=True)), (3, 2), dynamo
    yield "refused_external", nn.Sequential(nn.Linear(64, 5)), (64,), dynamo | {"external_data": True}
    yield "refused_double", nn.Sequential(nn.Linear(3, 2)).double(), (3,), legacy
    yield "refused_computed", View(), (2, 3, 4), legacy | {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}}
    yield "refused_norm", nn.Sequential(nn.Conv1d(2, 4, 3), nn.GroupNorm(2, 4)), (2, 8), dynamo
    yield "refused_axis", nn.Sequential(nn.Conv1d(2, 4, 3), nn.Linear(6, 2)), (2, 8), dynamo
    yield "refused_padding", nn.Sequential(nn.ConstantPad1d((2, 0), 1.0), nn.Conv1d(2, 3, 3)), (2, 8), dynamo
    yield "refused_pads", causal, (2, 9), legacy
    yield "refused_product", Scaled(), (3,), dynamo
    yield "refused_flatten", nn.Sequential(nn.Linear(3, 2), nn.Flatten()), (4, 3), legacy
    yield "refused_hard_tanh", nn.Sequential(nn.Linear(3, 2), nn.Hardtanh()), (3,), legacy


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, model, shape, options) in enumerate(models()):
        torch.manual_seed(seed)
        for parameter in model.parameters():
            nn.init.uniform_(parameter, -1, 1)
        for key, buffer in model.named_buffers():
            if key.endswith(("running_mean", "running_var")):
                nn.init.uniform_(buffer, 0.5, 1.5)
        model.eval()
        x = torch.randn(SAMPLES, *shape, dtype=torch.float64 if name == "refused_double" else torch.float32)
        path = folder / f"{name}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # The legacy exporter says that it is one.
            torch.onnx.export(model, (x,), path, **options)
        without_traces(path)
        path.with_suffix(".onnx.data").unlink(missing_ok=True)  # The converter must refuse before it would look for it.
        if name.startswith("refused"):
            print(f"{name}: to be refused")
            continue
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (y,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        error = np.abs(y - model(x).detach().numpy()).max()
        assert error < 1e-5, f"{name}: onnxruntime and PyTorch differ by {error}"
        save_file({"x": x.numpy(), "y": y}, folder / f"{name}.io.safetensors")
        print(f"{name}: {list(x.shape[1:])} to {list(y.shape[1:])}")


def without_traces(path):
    """Takes out of a model where it was made: the exporter keeps stack traces with the paths of this machine."""
    model = onnx.load(path, load_external_data=False)
    model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for values in (model.graph.value_info, model.graph.initializer, model.graph.input, model.graph.output):
        for value in values:
            del value.metadata_props[:]
    del model.graph.metadata_props[:], model.graph.value_info[:]
    onnx.save(model, path)


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else here.parents[1] / "tests/data/onnx")
