"""Writes tests/data/bidirectional_*.safetensors: PyTorch's own results for recurrent layers in both directions.

    python tests/python/parity_bidirectional.py tests/data

The files that are there were written with torch 2.15 on one CPU thread; another version may differ in the last bits.
"""

import sys

import torch
from safetensors.torch import save_file
from torch import nn


class First(nn.Module):
    """A recurrent layer without its last state."""

    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, x):
        return self.m(x)[0]


class Last(nn.Module):
    def forward(self, x):
        return x[:, -1]


def write(folder, name, model, steps):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
    x = torch.randn(2, 7, 3, requires_grad=True)
    tensors = {key: value.detach().clone() for key, value in model.state_dict().items()}
    y = model(x)
    target = torch.randn_like(y)
    mean_squared = nn.MSELoss()
    loss = mean_squared(y, target)
    loss.backward()
    tensors |= {"x": x.detach(), "target": target, "y": y.detach(), "loss": loss.detach().reshape(1)}
    tensors["grad.x"] = x.grad.clone()
    tensors |= {f"grad.{key}": parameter.grad.clone() for key, parameter in model.named_parameters()}
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimiser.zero_grad()
        mean_squared(model(x), target).backward()
        optimiser.step()
    if steps > 0:
        tensors |= {f"after.{key}": parameter.detach().clone() for key, parameter in model.named_parameters()}
    metadata = {
        "case": name,
        "model": str(model),
        "loss": "MSELoss()",
        "optimiser": "Adam lr=0.01" if steps > 0 else "none",
        "steps": str(steps),
    }
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, f"{folder}/{name}.safetensors", metadata)


def main():
    torch.manual_seed(4)
    torch.set_num_threads(1)
    folder = sys.argv[1]
    both = {"batch_first": True, "bidirectional": True}
    last = nn.Sequential(First(nn.GRU(3, 4, **both)), Last(), nn.Linear(8, 2))
    write(folder, "bidirectional_gru", last, 3)
    write(folder, "bidirectional_lstm", First(nn.LSTM(3, 4, **both)), 0)
    write(folder, "bidirectional_rnn", First(nn.RNN(3, 4, nonlinearity="relu", **both)), 0)


main()
