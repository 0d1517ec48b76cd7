"""The networks measured, in torch: float64, one thread. Whoever uses torch takes it from here.

torch.set_num_threads does not reach OpenBLAS, which has threads of its own and asks the environment as it is loaded.
"""
import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
HIDDEN = {"tanh": torch.tanh, "relu": torch.relu}


def parameters(widths, seed):
    """W (units, inputs), glorot_uniform, and b = 0 of each layer; all leaves that ask for a gradient."""
    generator = torch.Generator().manual_seed(seed)
    tensors = []
    for inputs, units in zip(widths, widths[1:]):
        limit = (6 / (inputs + units)) ** 0.5
        w = torch.rand(units, inputs, dtype=torch.float64, generator=generator) * (2 * limit) - limit
        tensors += [w.requires_grad_(), torch.zeros(units, dtype=torch.float64, requires_grad=True)]
    return tensors


def loss(tensors, hidden, x, labels):
    """Mean categorical cross-entropy of softmax outputs."""
    activation = HIDDEN[hidden]
    a = x
    for i in range(0, len(tensors) - 2, 2):
        a = activation(F.linear(a, tensors[i], tensors[i + 1]))
    return F.cross_entropy(F.linear(a, tensors[-2], tensors[-1]), labels)
