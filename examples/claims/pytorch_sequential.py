"""An nn.Sequential in float32, with what loss.backward() leaves in .grad.

pytorch_sequential.py [--break]: the break runs backward twice without zero_grad between.
"""

import sys

import service
import torch
from torch import nn

torch.manual_seed(1)
net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 4), nn.Sigmoid(), nn.Linear(4, 2))
x, y = torch.randn(20, 3, requires_grad=True), torch.randn(20, 2)
for _ in range(2 if "--break" in sys.argv else 1):
    output = net(x)
    loss = nn.MSELoss()(output, y)
    loss.backward()

# Weights come as PyTorch has them, (out, in), and "mse" is its mean over all elements.
linear = [layer for layer in net if isinstance(layer, nn.Linear)]
model = {"input_shape": [3], "cost": "mse", "convention": "pytorch",
         "layers": [{"type": "dense", "units": 8, "activation": "tanh"},
                    {"type": "dense", "units": 4, "activation": "sigmoid"},
                    {"type": "dense", "units": 2}],
         "parameters": [{"W": l.weight.tolist(), "b": l.bias.tolist()} for l in linear]}
claimed = {"gradients": [{"W": l.weight.grad.tolist(), "b": l.bias.grad.tolist()} for l in linear],
           "inputs": x.grad.tolist(), "cost": loss.item(), "outputs": output.tolist(),
           "dtype": "float32"}
sys.exit(service.report(service.check(model, {"x": x.tolist(), "y": y.tolist()}, claimed)))
