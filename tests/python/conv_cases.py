"""Writes the cases of tests/parity that convolutions and pools need beside the others, by PyTorch 2.15:

    python tests/python/conv_cases.py tests/data
"""

import sys

import torch
from safetensors.torch import save_file
from torch import nn

CASES = {
    "conv2d_grouped": (nn.Conv2d(6, 4, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2), (2, 6, 5, 6)),
    "conv_transpose2d": (
        nn.ConvTranspose2d(3, 2, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2)),
        (2, 3, 3, 2),
    ),
    "conv_transpose1d": (nn.ConvTranspose1d(3, 4, 4, stride=2, padding=1, bias=False), (2, 3, 5)),
    "max_pool2d_padded": (nn.MaxPool2d((3, 2), stride=(2, 1), padding=(1, 1)), (2, 3, 6, 4)),
    "avg_pool2d_padded": (nn.AvgPool2d((3, 2), stride=(2, 1), padding=(1, 1)), (2, 3, 6, 4)),
    "upsample2d": (nn.Upsample(scale_factor=(2, 3), mode="nearest"), (2, 3, 2, 3)),
}


def main(folder):
    torch.set_num_threads(1)
    for seed, (name, (layer, shape)) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        model = nn.Sequential(layer)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.uniform_(-0.5, 0.5)
        tensors = {key: tensor.clone() for key, tensor in model.state_dict().items()}
        x = torch.randn(shape, requires_grad=True)
        y = model(x)
        target = torch.randn_like(y)
        loss = nn.functional.mse_loss(y, target)
        loss.backward()
        tensors |= {f"grad.{key}": parameter.grad for key, parameter in model.named_parameters()}
        tensors |= {"x": x.detach(), "grad.x": x.grad, "y": y.detach(), "target": target, "loss": loss.detach().reshape(1)}
        metadata = {"case": name, "model": str(model), "loss": "MSELoss()", "optimiser": "none", "steps": "0"}
        tensors = {key: tensor.contiguous() for key, tensor in tensors.items()}
        save_file(tensors, f"{folder}/{name}.safetensors", metadata)


if __name__ == "__main__":
    main(sys.argv[1])
