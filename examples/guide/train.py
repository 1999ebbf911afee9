# Trains on handwritten digits of 8x8 pixels, and saves the weights and one picture with PyTorch's own answer.
import csv
import gzip
import sys

import torch
from safetensors.torch import save_file
from torch import nn

data, folder = sys.argv[1:]
with gzip.open(data, "rt") as file:
    rows = torch.tensor([[float(cell) for cell in row] for row in csv.reader(file)])
pixels, labels = rows[:, :64] / 16, rows[:, 64].long()

torch.manual_seed(1)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
adam = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(20):
    for batch in torch.randperm(1500).split(50):
        adam.zero_grad()
        nn.functional.cross_entropy(model(pixels[batch]), labels[batch]).backward()
        adam.step()

with torch.no_grad():
    logits = model(pixels[1500:])
right = (logits.argmax(1) == labels[1500:]).sum().item()
print(f"{right} of {len(logits)} digits right that it has not seen")

save_file(model.state_dict(), f"{folder}/digits.safetensors")
save_file({"pixels": pixels[1500].clone(), "logits": logits[0].clone()}, f"{folder}/expected.safetensors")
