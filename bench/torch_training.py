#!/usr/bin/python3 -B
"""torch's training, timed: torch_training.py CASEFILE LIMIT BATCH...

One epoch of Adam over the rows in order, slices of one tensor, one thread; float64 because that is what the library
computes in. Prints `CASE train-BATCH SECONDS = REPETITIONS WHICH` for each batch size: seconds of one batch, the best
epoch that LIMIT seconds allow, by the faster of torch's two implementations of Adam, named by WHICH.
"""
import sys
from time import perf_counter

import cases
from torch_network import torch

ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}


def network(widths, hidden):
    layers = []
    for inputs, units in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, units, dtype=torch.float64), ACTIVATIONS[hidden]()]
    return torch.nn.Sequential(*layers[:-1])


def epoch(model, optimizer, x, labels, batch):
    """Seconds of one batch."""
    start = perf_counter()
    for first in range(0, len(x), batch):
        optimizer.zero_grad(set_to_none=True)
        outputs = model(x[first:first + batch])
        torch.nn.functional.cross_entropy(outputs, labels[first:first + batch]).backward()
        optimizer.step()
    return (perf_counter() - start) / -(-len(x) // batch)


def fastest(widths, hidden, x, labels, batch, limit, foreach):
    model = network(widths, hidden)
    optimizer = torch.optim.Adam(model.parameters(), foreach=foreach)
    times, start = [], perf_counter()
    while len(times) < 2 or perf_counter() - start < limit:
        times.append(epoch(model, optimizer, x, labels, batch))
    return min(times), len(times)


def main():
    path, limit, *batches = sys.argv[1:]
    name, widths, hidden, x, labels = cases.read(path)
    x = torch.frombuffer(x, dtype=torch.float64).view(len(labels), -1)
    labels = torch.tensor(labels, dtype=torch.long)
    for batch in map(int, batches):
        results = []
        for foreach, which in ((False, "loop"), (True, "foreach")):
            seconds, repetitions = fastest(widths, hidden, x, labels, batch, float(limit) / 2, foreach)
            results.append((seconds, repetitions, which))
        seconds, repetitions, which = min(results)
        print(name, f"train-{batch}", f"{seconds:.9g}", "=", repetitions, which)


if __name__ == "__main__":
    main()
