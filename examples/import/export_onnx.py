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
    # What the converter must refuse.
    yield "refused_external", nn.Sequential(nn.Linear(64, 5)), (64,), dynamo | {"external_data": True}
    yield "refused_double", nn.Sequential(nn.Linear(3, 2)).double(), (3,), legacy
    yield "refused_computed", View(), (2, 3, 4), legacy | {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}}
    yield "refused_conv", nn.Sequential(nn.Conv1d(2, 3, 3), nn.ReLU()), (2, 8), dynamo
    yield "refused_product", Scaled(), (3,), dynamo
    yield "refused_flatten", nn.Sequential(nn.Linear(3, 2), nn.Flatten()), (4, 3), legacy
    yield "refused_hard_tanh", nn.Sequential(nn.Linear(3, 2), nn.Hardtanh()), (3,), legacy


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, model, shape, options) in enumerate(models()):
        torch.manual_seed(seed)
        for parameter in model.parameters():
            nn.init.uniform_(parameter, -1, 1)
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
