#!/usr/bin/env python3
"""A layer and its hand-written gradients in NumPy, as `gradcheck probe -- examples/probe/numpy_layer.py` asks for them.

The adapter is the last lines: it answers "start" with f, theta and gradients, and "eval" with values.
"""
import json, sys
import numpy as np


def function(theta):
    return float(np.sum(np.tanh(theta["x"] @ theta["w"]) ** 2))


def gradients(theta):
    a = np.tanh(theta["x"] @ theta["w"])
    dz = 2 * a * (1 - a ** 2)
    if "--break" in sys.argv:
        dz = 2 * a  # the derivative of tanh is missing
    return {"w": theta["x"].T @ dz, "x": dz @ theta["w"].T}


def moved(point):
    moved = {name: array.copy() for name, array in theta.items()}
    for name, move in point.items():
        if "at" in move:
            moved[name][tuple(np.transpose(move["at"]))] = move["to"]
        else:
            moved[name][...] = move["to"]
    return moved


as_lists = lambda arrays: {name: array.tolist() for name, array in arrays.items()}
for line in sys.stdin:
    question = json.loads(line)
    if question["op"] == "start":
        n, random = question.get("case", {}).get("n", 3), np.random.default_rng(question["seed"])
        theta = {"w": random.normal(size=(n, 40)), "x": random.normal(size=(5, n))}
        answer = {"f": function(theta), "theta": as_lists(theta), "gradients": as_lists(gradients(theta))}
    else:
        answer = {"values": [function(moved(point)) for point in question["points"]]}
    print(json.dumps(answer), flush=True)
