"""The demo models of `export_pytorch.py`: together they have every layer that constnet and PyTorch share."""

import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional


class Skip(nn.Module):
    """A residual connection, as one writes it."""

    def __init__(self, *layers):
        super().__init__()
        self.inner = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.inner(x)


class Outputs(nn.Module):
    """The outputs of a recurrent layer, without its state."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        outputs, _ = self.layer(x)
        return outputs


class Last(nn.Module):
    """The last step."""

    def forward(self, x):
        return x[:, -1]


class Turn(nn.Module):
    """Between what takes [channels, steps] and what takes [steps, channels]."""

    def forward(self, x):
        return x.transpose(1, 2)


class Attention(nn.Module):
    """Self-attention."""

    def __init__(self, channels, heads, mask=None):
        super().__init__()
        self.attn = nn.MultiheadAttention(channels, heads, batch_first=True)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x):
        return self.attn(x, x, x, attn_mask=self.mask, need_weights=False)[0]


class Branches(nn.Module):
    """A block as ResNet's, with a convolution on the short way, and one as Inception's."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm, self.short = nn.BatchNorm2d(4), nn.Conv2d(2, 4, 1, 2)
        self.left, self.right = nn.Conv2d(4, 2, 1), nn.Conv2d(4, 3, (1, 3), padding=(0, 1))

    def forward(self, x):
        y = self.norm(self.second(functional.relu(self.first(x))))
        y += self.short(x)
        y = functional.relu(y)
        return torch.cat([self.left(y), self.right(y)], 1).mean((2, 3))


class Transformer(nn.Module):
    """Tokens, positions, a pre-norm block, and the logits of the next token."""

    def __init__(self, tokens=7, steps=5, channels=4):
        super().__init__()
        self.tokens, self.places = nn.Embedding(tokens, channels), nn.Parameter(torch.zeros(1, steps, channels))
        mask = torch.ones(steps, steps, dtype=torch.bool).triu(1)
        self.attention = Skip(nn.LayerNorm(channels), Attention(channels, 2, mask))
        self.dense = Skip(nn.LayerNorm(channels), nn.Linear(channels, 6), nn.GELU(), nn.Linear(6, channels))
        self.norm, self.logits = nn.RMSNorm(channels), nn.Linear(channels, tokens)

    def forward(self, x):
        x = self.tokens(x) + self.places[:, : x.size(1)]
        return self.logits(self.norm(self.dense(self.attention(x))))


def waves(steps, channels):
    """Attention Is All You Need, section 3.5."""
    angles = torch.arange(steps)[:, None] / 10000 ** (torch.arange(0, channels, 2) / channels)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


class Waves(nn.Module):
    def __init__(self, steps, channels):
        super().__init__()
        self.register_buffer("table", waves(steps, channels), persistent=False)

    def forward(self, x):
        return x + self.table


def demos():
    """Name, model, shape of an input."""
    yield "torch_classifier", (2, 3, 4), nn.Sequential(
        nn.Flatten(), nn.Linear(24, 16), nn.ReLU(), nn.Dropout(0.25), nn.Linear(16, 12, bias=False), nn.LeakyReLU(0.2),
        nn.Dropout(), nn.Linear(12, 5), nn.LogSoftmax(dim=1),
    )
    yield "torch_nested", (6,), nn.Sequential(
        nn.Linear(6, 8), Skip(nn.Tanh(), nn.Linear(8, 8), nn.Identity()),
        nn.Sequential(nn.ELU(1.5), nn.Linear(8, 12), nn.Sequential(nn.GELU(approximate="tanh"))),
        nn.Unflatten(1, (2, 2, 3)), nn.Softmax(dim=1), nn.Flatten(), nn.Linear(12, 4), nn.Sigmoid(),
    )
    activations = [nn.ELU(), nn.GELU(), nn.SiLU(), nn.Softplus(), nn.Hardsigmoid(), nn.Hardswish(), nn.LeakyReLU()]
    yield "torch_activations", (5,), nn.Sequential(
        *(module for activation in activations for module in (nn.Linear(5, 5), activation)),
        nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3), nn.Softmax(dim=1),
    )
    yield "torch_sequence", (4, 3), nn.Sequential(
        nn.Linear(3, 5), nn.Softmax(dim=-1), nn.Flatten(), nn.Tanh(), nn.Linear(20, 2),
    )
    yield "torch_image", (1, 12, 10), nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding="same", groups=4), nn.Conv2d(4, 6, 1, bias=False), nn.GroupNorm(2, 6),
        nn.Conv2d(6, 4, (3, 2), (2, 1), (1, 0), groups=2), nn.SiLU(), nn.AvgPool2d((1, 2), padding=(0, 1)),
        nn.Upsample(scale_factor=(2, 1)), nn.Conv2d(4, 3, 2, dilation=2, padding=1), nn.Flatten(), nn.Linear(54, 3),
    )
    yield "torch_decoder", (6,), nn.Sequential(
        nn.Linear(6, 12), nn.Unflatten(1, (3, 2, 2)), nn.ReLU(), nn.ConvTranspose2d(3, 4, 3, 2, 1, 1), nn.ReLU(),
        nn.ConvTranspose2d(4, 2, 2, 2), nn.Upsample(scale_factor=2), nn.ConvTranspose2d(2, 1, (1, 3), bias=False),
        nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(1, 2),
    )
    yield "torch_branches", (2, 7, 6), Branches()
    yield "torch_signal", (2, 16), nn.Sequential(
        nn.ConstantPad1d((4, 0), 0.0), nn.Conv1d(2, 4, 3, dilation=2), nn.BatchNorm1d(4), nn.Tanh(), nn.MaxPool1d(3, 2, 1),
        nn.Conv1d(4, 6, 3, padding="same", groups=2), nn.AvgPool1d(2), Turn(), nn.LayerNorm(6), nn.Linear(6, 4), Turn(),
        nn.ConvTranspose1d(4, 3, 2, 2), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.BatchNorm1d(3, eps=1e-3, momentum=0.01),
    )
    yield "torch_recurrent", (6, 3), nn.Sequential(
        Outputs(nn.GRU(3, 4, 2, batch_first=True, dropout=0.1)), Outputs(nn.LSTM(4, 3, batch_first=True, bidirectional=True)),
        Outputs(nn.RNN(6, 4, batch_first=True, nonlinearity="relu", bias=False)), Last(), nn.Linear(4, 2),
    )
    yield "torch_attention", (5, 4), nn.Sequential(
        Waves(5, 4), Skip(nn.LayerNorm(4, eps=1e-6), Attention(4, 2)), nn.Flatten(), nn.Linear(20, 2)
    )
    yield "torch_transformer", (5,), Transformer()


def write(folder, export):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, axes, model) in enumerate(demos()):
        torch.manual_seed(seed)
        for parameter in model.parameters():
            nn.init.uniform_(parameter, -0.5, 0.5)
        for key, buffer in model.named_buffers():
            if key.endswith(("running_mean", "running_var")):
                nn.init.uniform_(buffer, 0.5, 1.5)
        print(f"{name}: {export(model, axes, folder / f'{name}.safetensors')}")
        x = torch.randint(7, (4, *axes)) if name == "torch_transformer" else torch.randn(4, *axes)
        with torch.no_grad():
            save_file({"x": x.float().numpy(), "y": model(x).numpy()}, folder / f"{name}.io.safetensors")
