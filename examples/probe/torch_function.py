#!/usr/bin/env python3
"""A torch.autograd.Function, asked by `gradcheck probe -- examples/probe/torch_function.py`."""
import json, sys
import torch


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z * torch.sigmoid(z)

    @staticmethod
    def backward(ctx, grad):
        z, = ctx.saved_tensors
        s = torch.sigmoid(z)
        if "--break" in sys.argv:
            return grad * s  # the product rule's other term is missing
        return grad * (s + z * s * (1 - s))


def function(w, x):
    return Swish.apply(x @ w).pow(2).sum()


def value(point):
    place = {name: tensor.detach().clone() for name, tensor in theta.items()}
    for name, move in point.items():
        to = torch.tensor(move["to"], dtype=place[name].dtype)
        if "at" in move:
            place[name][tuple(torch.tensor(move["at"]).T)] = to
        else:
            place[name] = to
    return function(**place).item()


for line in sys.stdin:
    question = json.loads(line)
    if question["op"] == "start":
        torch.manual_seed(question["seed"])
        theta = {"w": torch.randn(8, 4, dtype=torch.float64), "x": torch.randn(3, 8, dtype=torch.float64)}
        for tensor in theta.values():
            tensor.requires_grad_()
        f = function(**theta)
        f.backward()
        answer = {"f": f.item(), "theta": {name: t.tolist() for name, t in theta.items()},
                  "gradients": {name: t.grad.tolist() for name, t in theta.items()}}
    else:
        answer = {"values": [value(point) for point in question["points"]]}
    print(json.dumps(answer), flush=True)
