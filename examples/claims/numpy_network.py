"""A network and its backward pass in NumPy: weights (inputs, units), samples as rows.

numpy_network.py [--break]: the break leaves tanh' out of the hidden layer's delta.
"""

import sys

import numpy as np
import service

rng = np.random.default_rng(1)
x = rng.normal(size=(20, 3))
y = np.eye(2)[rng.integers(0, 2, 20)]
W1, b1 = rng.normal(size=(3, 8)), rng.normal(size=8)
W2, b2 = rng.normal(size=(8, 2)), rng.normal(size=2)

# forward
a1 = np.tanh(x @ W1 + b1)
z2 = a1 @ W2 + b2
e = np.exp(z2 - z2.max(axis=1, keepdims=True))
p = e / e.sum(axis=1, keepdims=True)
cost = -np.sum(y * np.log(p)) / len(x)

# backward
delta2 = (p - y) / len(x)
dW2, db2 = a1.T @ delta2, delta2.sum(axis=0)
slope = 1 if "--break" in sys.argv else 1 - a1**2
delta1 = delta2 @ W2.T * slope
dW1, db1 = x.T @ delta1, delta1.sum(axis=0)

model = {"input_shape": [3], "cost": "categorical_crossentropy",
         "layers": [{"type": "dense", "units": 8, "activation": "tanh"},
                    {"type": "dense", "units": 2, "activation": "softmax"}],
         "parameters": [{"W": W1.tolist(), "b": b1.tolist()}, {"W": W2.tolist(), "b": b2.tolist()}]}
claimed = {"gradients": [{"W": dW1.tolist(), "b": db1.tolist()}, {"W": dW2.tolist(), "b": db2.tolist()}],
           "cost": float(cost), "outputs": p.tolist()}
sys.exit(service.report(service.check(model, {"x": x.tolist(), "y": y.tolist()}, claimed)))
