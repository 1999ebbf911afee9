"""Writes cases of tests/parity for layers that the other scripts leave out: PyTorch's own results.

    python tests/python/parity_layers.py tests/data

The files that are there were written with torch 2.15 on one CPU thread; another version may differ in the last bits.
"""

import sys

import torch
from safetensors.torch import save_file
from torch import nn


class CausalAttention(nn.Module):
    """Self-attention whose steps see themselves and those before."""

    def __init__(self, width, heads):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x):
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        return self.attn(x, x, x, attn_mask=later, need_weights=False)[0]


def below_zero(*shape):
    """Whole numbers, so that some of the greatest are equal; all are below the 0 of a padding."""
    return torch.randint(-6, 0, shape).float()


# RMSNorm has PyTorch's epsilon of the other norms, which is constnet's default.
CASES = {
    "rms_norm": (nn.Sequential(nn.Linear(5, 16), nn.RMSNorm(16, eps=1e-5)), torch.randn, (3, 5)),
    "group_norm": (nn.Sequential(nn.Conv2d(2, 6, 3), nn.GroupNorm(3, 6), nn.ReLU()), torch.randn, (2, 2, 5, 4)),
    "global_max_pool2d": (
        nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(3, 2)),
        below_zero,
        (2, 3, 5, 4),
    ),
    "max_pool1d_padded": (nn.Sequential(nn.MaxPool1d(3, stride=2, padding=1)), below_zero, (2, 3, 10)),
    "avg_pool1d": (nn.Sequential(nn.AvgPool1d(3, stride=2, padding=1), nn.AvgPool1d(2)), torch.randn, (2, 3, 10)),
    "conv1d_grouped": (
        nn.Sequential(
            nn.Conv1d(6, 4, 3, stride=2, padding=1, groups=2),
            nn.Conv1d(4, 4, 3, padding=2, dilation=2, groups=4),
        ),
        torch.randn,
        (2, 6, 9),
    ),
    "causal_attention": (CausalAttention(8, 2), torch.randn, (2, 6, 8)),
}


def main(folder):
    torch.set_num_threads(1)
    for seed, (name, (model, draw, shape)) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.uniform_(-0.5, 0.5)
        tensors = {key: tensor.clone() for key, tensor in model.state_dict().items()}
        x = draw(*shape).requires_grad_()
        y = model(x)
        target = torch.randn_like(y)
        loss = nn.functional.mse_loss(y, target)
        loss.backward()
        tensors |= {f"grad.{key}": parameter.grad for key, parameter in model.named_parameters()}
        tensors |= {"x": x, "grad.x": x.grad, "y": y, "target": target, "loss": loss.reshape(1)}
        metadata = {"case": name, "model": str(model), "loss": "MSELoss()", "optimiser": "none", "steps": "0"}
        tensors = {key: tensor.detach().contiguous() for key, tensor in tensors.items()}
        save_file(tensors, f"{folder}/{name}.safetensors", metadata)


if __name__ == "__main__":
    main(sys.argv[1])
