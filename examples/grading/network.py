"""The network of the assignment in plain Python, with the mistakes that its students make."""

import math
import random

INPUTS, HIDDEN, OUTPUTS, SAMPLES = 4, 6, 3, 12

# What is handed in; all but the first fail.
MISTAKES = ["none", "no_mean", "sign", "no_slope", "bias_sum", "twice", "zero_hidden", "nan"]


def assignment(seed=1):
    """What everybody gets: the model with its parameters, and the data."""
    draw = random.Random(seed).gauss
    matrix = lambda rows, columns: [[draw(0, 1) for _ in range(columns)] for _ in range(rows)]
    parameters = [{"W": matrix(INPUTS, HIDDEN), "b": matrix(1, HIDDEN)[0]},
                  {"W": matrix(HIDDEN, OUTPUTS), "b": matrix(1, OUTPUTS)[0]}]
    return {"model": {"input_shape": [INPUTS], "cost": "categorical_crossentropy",
                      "layers": [{"type": "dense", "units": HIDDEN, "activation": "tanh"},
                                 {"type": "dense", "units": OUTPUTS, "activation": "softmax"}],
                      "parameters": parameters},
            "data": {"x": matrix(SAMPLES, INPUTS), "y": [k % OUTPUTS for k in range(SAMPLES)]}}


def forward(layer, row):
    return [b + sum(x * w[j] for x, w in zip(row, layer["W"])) for j, b in enumerate(layer["b"])]


def softmax(z):
    e = [math.exp(value - max(z)) for value in z]
    return [value / sum(e) for value in e]


def gradients(task, mistake="none"):
    """What a student hands in."""
    first, last = task["model"]["parameters"]
    zero = lambda layer: {"W": [[0.0] * len(row) for row in layer["W"]], "b": [0.0] * len(layer["b"])}
    d_first, d_last = zero(first), zero(last)
    mean = 1 if mistake == "no_mean" else len(task["data"]["x"])
    for x, label in zip(task["data"]["x"], task["data"]["y"]):
        a = [math.tanh(z) for z in forward(first, x)]
        p = softmax(forward(last, a))
        delta = [(value - (j == label)) / mean for j, value in enumerate(p)]
        if mistake == "sign":
            delta = [-value for value in delta]
        slope = [1 if mistake == "no_slope" else 1 - value**2 for value in a]
        below = [s * sum(d * w for d, w in zip(delta, row)) for s, row in zip(slope, last["W"])]
        for d_layer, row, d in ((d_last, a, delta), (d_first, x, below)):
            for i, value in enumerate(row):
                for j, dj in enumerate(d):
                    d_layer["W"][i][j] += value * dj
            for j, dj in enumerate(d):
                d_layer["b"][j] += dj * (mean if mistake == "bias_sum" else 1)
    if mistake == "twice":
        d_first["W"] = [[2 * value for value in row] for row in d_first["W"]]
    if mistake == "zero_hidden":
        d_first = zero(first)
    if mistake == "nan":
        d_last["W"][0][0] = "NaN"
    return [d_first, d_last]
