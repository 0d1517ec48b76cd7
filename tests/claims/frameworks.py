"""Gradients by PyTorch, in the dtype of the tensors throughout."""
import math

import torch
import torch.nn.functional as F

# Beyond, torch's softplus is the identity: where e^-z is lost in the dtype anyway.
SOFTPLUS_THRESHOLD = {torch.bfloat16: 20, torch.float32: 40, torch.float64: 800}


def activate(name, option, z):
    if name == "linear":
        return option[0] * z
    if name == "sigmoid":
        return torch.sigmoid(option[0] * z)
    if name == "softmax":
        return torch.softmax(z, dim=1)
    if name == "leaky_relu":
        return F.leaky_relu(z, option[0])
    if name == "elu":
        return F.elu(z, option[0])
    if name == "selu":
        return option[1] * F.elu(z, option[0])
    if name == "softplus":
        return F.softplus(z, threshold=SOFTPLUS_THRESHOLD[z.dtype])
    if name == "bent_identity":
        return (torch.sqrt(z * z + 1) - 1) / 2 + z
    if name == "gaussian":
        return torch.exp(-z * z)
    if name == "piecewise_linear":
        return torch.clamp(z / option[0], -1, 1)
    return {"relu": torch.relu, "tanh": torch.tanh, "slu": F.silu, "softsign": F.softsign, "arctan": torch.atan}[name](z)


def losses(network, z, a, y):
    """Of all samples, summed."""
    last = network.layers[-1]
    if network.cost == "mse":
        return ((a - y) ** 2).sum()
    if network.cost == "mae":
        return (a - y).abs().sum()
    if network.cost == "dot":
        return (a * y).sum()
    binary = network.cost == "binary_crossentropy"
    if last.activation == "sigmoid":
        if binary:
            return F.binary_cross_entropy_with_logits(last.option[0] * z, y, reduction="sum")
        return -(y * F.logsigmoid(last.option[0] * z)).sum()
    if last.activation == "softmax":
        loss = -(y * F.log_softmax(z, dim=1)).sum()
        return loss - ((1 - y) * torch.log1p(-torch.softmax(z, dim=1))).sum() if binary else loss
    loss = (y * z * z).sum()
    return loss - ((1 - y) * torch.log(-torch.expm1(-z * z))).sum() if binary else loss


def gradients(network, dtype):
    """(dW and db of each layer, dx, outputs, J, the largest |z|)."""
    tensor = lambda values: None if values is None else torch.tensor(values, dtype=dtype, requires_grad=True)
    parameters = [(tensor(w), tensor(b)) for w, b in network.parameters]
    x, y = tensor(network.x), torch.tensor(network.y, dtype=dtype)
    a, most = x, 0.0
    penalty = torch.zeros((), dtype=dtype)
    for layer, (w, b) in zip(network.layers, parameters):
        z = a if not layer.dense else a @ w if b is None else a @ w + b
        if layer.dense and (layer.l1 or layer.l2):
            penalty = penalty + layer.l1 * w.abs().sum() + layer.l2 * (w * w).sum()
        a = activate(layer.activation, layer.option, z)
        most = max(most, float(z.detach().abs().max()))
    if not math.isfinite(most):
        return None
    cost = losses(network, z, a, y) * network.factor + penalty
    cost.backward()
    grad = lambda t: None if t is None else (torch.zeros_like(t) if t.grad is None else t.grad).to(torch.float64).numpy()
    outputs = a.detach().to(torch.float64).numpy()
    return [(grad(w), grad(b)) for w, b in parameters], grad(x), outputs, float(cost.detach()), most
