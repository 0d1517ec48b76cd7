"""A network as courses write it: W (units, inputs), b (units, 1), a sample a column, means over m,
and the cost with lambda / 2m |W|^2 in it.

columns_course.py [--break]: the break leaves the 1/m out of db of the first layer.
"""

import sys

import numpy as np
import service

rng = np.random.default_rng(2)
m, lambd = 25, 0.7
X = rng.normal(size=(3, m))
Y = (rng.uniform(size=(1, m)) < 0.5).astype(float)
W1, b1 = rng.normal(size=(5, 3)), rng.normal(size=(5, 1))
W2, b2 = rng.normal(size=(1, 5)), rng.normal(size=(1, 1))

A1 = np.tanh(W1 @ X + b1)
A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
J = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
J += lambd / (2 * m) * (np.sum(W1**2) + np.sum(W2**2))

dZ2 = A2 - Y
dW2 = dZ2 @ A1.T / m + lambd / m * W2
db2 = np.sum(dZ2, axis=1, keepdims=True) / m
dZ1 = W2.T @ dZ2 * (1 - A1**2)
dW1 = dZ1 @ X.T / m + lambd / m * W1
db1 = np.sum(dZ1, axis=1, keepdims=True) / (1 if "--break" in sys.argv else m)

l2 = lambd / (2 * m)  # the service's penalty is l2 |W|^2
model = {"input_shape": [3], "cost": "binary_crossentropy", "convention": "columns",
         "layers": [{"type": "dense", "units": 5, "activation": "tanh", "l2": l2},
                    {"type": "dense", "units": 1, "activation": "sigmoid", "l2": l2}],
         "parameters": [{"W": W1.tolist(), "b": b1.tolist()}, {"W": W2.tolist(), "b": b2.tolist()}]}
claimed = {"gradients": [{"W": dW1.tolist(), "b": db1.tolist()}, {"W": dW2.tolist(), "b": db2.tolist()}],
           "cost": float(J), "outputs": A2.tolist()}
sys.exit(service.report(service.check(model, {"x": X.tolist(), "y": Y.tolist()}, claimed)))
