#!/usr/bin/python3 -B
"""torch's ways to check gradients, timed: reads lines `CASEFILE WAY LIMIT`, answers each as build/bench/engine does.

  gradcheck   torch.autograd.gradcheck with its defaults, all parameters as inputs
  loop        two forward passes for each parameter, under no_grad: what a loop of one's own does at best

The best of as many repetitions as LIMIT seconds allow. What would take longer is extrapolated, and marked ~: gradcheck
by the line through its times for two numbers of parameters, the loop from parameters spread evenly over all.
One process serves all cases, because importing torch takes longer than most checks.
"""
import sys
from bisect import bisect_right
from time import perf_counter

import cases
from torch_network import loss, parameters, torch

EPSILON = 1e-4  # of the loop; gradcheck has its own default, and its time does not depend on it


class Problem:
    def __init__(self, path):
        self.name, self.widths, self.hidden, x, labels = cases.read(path)
        self.x = torch.frombuffer(x, dtype=torch.float64).view(len(labels), -1).clone()
        self.labels = torch.tensor(labels, dtype=torch.long)
        self.tensors = parameters(self.widths, cases.MODEL_SEED)
        self.count = sum(tensor.numel() for tensor in self.tensors)

    def loss(self, *tensors):
        return loss(tensors, self.hidden, self.x, self.labels)


def spent(work):
    start = perf_counter()
    result = work()
    return perf_counter() - start, result


def best_of(limit, work):
    """Seconds, repetitions, and the last result."""
    best, repetitions, start = float("inf"), 0, perf_counter()
    while repetitions == 0 or perf_counter() - start + best < limit:
        seconds, result = spent(work)
        best, repetitions = min(best, seconds), repetitions + 1
    return best, repetitions, result


def gradcheck_all(problem):
    return torch.autograd.gradcheck(problem.loss, problem.tensors, raise_exception=False)


def gradcheck_some(problem, count):
    """The first `count` biases of the first layer; every other parameter still takes part in the graph."""
    bias = problem.tensors[1].detach()
    some = bias[:count].clone().requires_grad_()
    others = bias[count:].clone().requires_grad_()

    def function(part):
        first, _, *rest = problem.tensors
        return problem.loss(first, torch.cat([part, others]), *rest)

    return spent(lambda: torch.autograd.gradcheck(function, (some,), raise_exception=False))[0]


def gradcheck(problem, limit):
    units = problem.widths[1]
    gradcheck_some(problem, 1)
    fixed = gradcheck_some(problem, 1)
    few = min(units, 16)
    slope = (gradcheck_some(problem, few) - fixed) / (few - 1)
    if slope * problem.count < limit:
        seconds, repetitions, passed = best_of(limit, lambda: gradcheck_all(problem))
        return seconds, "=", repetitions, "pass" if passed else "fail"
    many = max(8, min(units, int(limit / slope / 4)))
    repetitions = max(1, int(limit / (slope * many)))
    fixed = min([fixed] + [gradcheck_some(problem, 1) for _ in range(repetitions)])
    whole = min(gradcheck_some(problem, many) for _ in range(repetitions))
    return fixed + (whole - fixed) / (many - 1) * (problem.count - 1), "~", repetitions, "-"


def places(problem, count):
    """(array, index) of `count` parameters spread over all. Arrays share the memory of tensors, but index faster."""
    arrays = [tensor.detach().numpy().reshape(-1) for tensor in problem.tensors]
    starts = [sum(len(array) for array in arrays[:k]) for k in range(len(arrays))]
    chosen = []
    for flat in ((2 * i + 1) * problem.count // (2 * count) for i in range(count)):
        k = bisect_right(starts, flat) - 1
        chosen.append((arrays[k], flat - starts[k]))
    return chosen


def loop_over(problem, chosen):
    numeric = []
    with torch.no_grad():
        for array, i in chosen:
            kept = array[i]
            array[i] = kept + EPSILON
            upper = problem.loss(*problem.tensors).item()
            array[i] = kept - EPSILON
            lower = problem.loss(*problem.tensors).item()
            array[i] = kept
            numeric.append((upper - lower) / (2 * EPSILON))
    return numeric


def loop(problem, limit):
    few = places(problem, 4)
    affordable = limit / (min(spent(lambda: loop_over(problem, few))[0] for _ in range(2)) / 4)
    count = problem.count if affordable > problem.count else min(problem.count, max(10, int(affordable / 4)))
    chosen = places(problem, count)
    seconds, repetitions, _ = best_of(limit, lambda: loop_over(problem, chosen))
    return seconds / count * problem.count, "=" if count == problem.count else "~", repetitions, "-"


WAYS = {"gradcheck": gradcheck, "loop": loop}


def main():
    kept = (None, None)
    for line in sys.stdin:
        path, way, limit = line.split()
        if kept[0] != path:
            kept = (path, Problem(path))
        problem = kept[1]
        seconds, mark, repetitions, verdict = WAYS[way](problem, float(limit))
        print(problem.name, way, f"{seconds:.9g}", mark, repetitions, verdict, flush=True)


if __name__ == "__main__":
    main()
