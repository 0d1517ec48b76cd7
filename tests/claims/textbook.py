"""Gradients by the formulas of a textbook, every operation's result rounded to a dtype.

A product of matrices is one operation, for sums in float32 or more, as hardware has them for half precision. `sums`
says what is rounded term by term: nothing ("wide"), sums over samples as numpy has them ("rows"), or every sum, those
of products, too ("all")."""
import numpy as np


def to_bfloat16(values):
    """To nearest, ties to even; from doubles at once. Numbers below the normal ones keep 8 digits."""
    mantissa, exponent = np.frexp(values)
    result = np.ldexp(np.rint(np.ldexp(mantissa, 8)), exponent - 8)
    return np.where(np.abs(result) > 3.3895313892515355e38, np.copysign(np.inf, result), result)


ROUND = {
    "float64": lambda v: np.asarray(v, dtype=np.float64),
    "float32": lambda v: np.asarray(v).astype(np.float32).astype(np.float64),
    "float16": lambda v: np.asarray(v).astype(np.float16).astype(np.float64),
    "bfloat16": to_bfloat16,
}


class Arithmetic:
    def __init__(self, dtype, sums):
        self.r, self.sums = ROUND[dtype], sums

    def dot(self, a, b):
        if self.sums != "all":
            return self.r(a @ b)
        total = np.zeros((a.shape[0], b.shape[1]))
        for i in range(a.shape[1]):
            total = self.r(total + self.r(a[:, i : i + 1] * b[i : i + 1]))
        return total

    def sum(self, a, axis):
        if self.sums == "wide" or (self.sums == "rows" and axis == 1):
            return self.r(a.sum(axis=axis))
        a = np.moveaxis(a, axis, 0)
        total = np.zeros_like(a[0])
        for row in a:
            total = self.r(total + row)
        return total


def sigmoid(r, t):
    e = r(np.exp(r(-np.abs(t))))
    return np.where(t >= 0, r(1 / r(1 + e)), r(e / r(1 + e)))


def activate(m, name, option, z):
    """f(z), and f'(z) as a textbook has it; for softmax None."""
    r = m.r
    if name == "linear":
        return r(option[0] * z), np.full_like(z, option[0])
    if name == "sigmoid":
        s = sigmoid(r, r(option[0] * z))
        return s, r(option[0] * r(s * r(1 - s)))
    if name == "softmax":
        e = r(np.exp(r(z - z.max(axis=1, keepdims=True))))
        return r(e / m.sum(e, 1)[:, None]), None
    if name == "relu":
        return np.maximum(z, 0), (z > 0) * 1.0
    if name == "leaky_relu":
        return np.where(z > 0, z, r(option[0] * z)), np.where(z > 0, 1.0, option[0])
    if name == "tanh":
        t = r(np.tanh(z))
        return t, r(1 - r(t * t))
    if name in ("elu", "selu"):
        e = r(np.exp(np.minimum(z, 0)))
        a = np.where(z >= 0, z, r(option[0] * r(e - 1)))
        slope = np.where(z >= 0, 1.0, r(a + option[0]))
        return (r(option[1] * a), r(option[1] * slope)) if name == "selu" else (a, slope)
    if name == "slu":
        s = sigmoid(r, z)
        return r(z * s), r(s * r(1 + r(z * r(1 - s))))
    if name == "softplus":
        return r(np.maximum(z, 0) + r(np.log(r(1 + r(np.exp(-np.abs(z))))))), sigmoid(r, z)
    if name == "softsign":
        below = r(1 + np.abs(z))
        return r(z / below), r(1 / r(below * below))
    if name == "bent_identity":
        root = r(np.hypot(z, 1))
        return r(r(r(root - 1) / 2) + z), r(r(z / r(2 * root)) + 1)
    if name == "gaussian":
        a = r(np.exp(r(-r(z * z))))
        return a, r(-2 * r(z * a))
    if name == "arctan":
        return r(np.arctan(z)), r(1 / r(1 + r(z * z)))
    t = r(z / option[0])
    return np.clip(t, -1, 1), np.where(np.abs(z) < option[0], r(1 / np.asarray(option[0])), 0)


def cost_slope(m, network, z, a, y):
    """dL/da, or dL/dz for a cross-entropy."""
    r, last = m.r, network.layers[-1]
    if network.cost == "mse":
        return r(2 * r(a - y))
    if network.cost == "mae":
        return np.sign(a - y)
    if network.cost == "dot":
        return y
    c = last.option[0] if last.option else 1
    if last.activation == "sigmoid":
        return r(c * r(a - y)) if network.cost.startswith("binary") else r(-c * r(y * r(1 - a)))
    if last.activation == "gaussian":
        own = r(2 * r(y * z))
        if network.cost.startswith("categorical"):
            return own
        with np.errstate(all="ignore"):
            other = r(r(r(1 - y) * r(2 * z)) / r(np.expm1(r(z * z))))
        return r(own - np.where(y == 1, 0, other))
    if network.cost.startswith("categorical"):
        return r(r(a * m.sum(y, 1)[:, None]) - y)
    with np.errstate(all="ignore"):
        t = r(np.where(y == 1, 0, r(r(1 - y) * r(a / r(1 - a)))) - y)
    return r(t - r(a * m.sum(t, 1)[:, None]))


def cost(m, network, a, y):
    """J, cross-entropies from a."""
    r = m.r
    if network.cost == "mse":
        losses = r(r(a - y) ** 2)
    elif network.cost == "mae":
        losses = np.abs(r(a - y))
    elif network.cost == "dot":
        losses = r(a * y)
    else:
        losses = r(-np.where(y == 0, 0, r(y * r(np.log(a)))))
        if network.cost.startswith("binary"):
            losses = r(losses - np.where(y == 1, 0, r(r(1 - y) * r(np.log(r(1 - a))))))
    total = r(r(np.asarray(network.factor)) * m.sum(m.sum(losses, 1), 0))
    for layer, (w, _) in zip(network.layers, network.parameters):
        if layer.l1 or layer.l2:
            total = r(total + r(layer.l1 * m.sum(np.abs(w).ravel(), 0)) + r(layer.l2 * m.sum(r(w * w).ravel(), 0)))
    return float(total)


def gradients(network, dtype, sums="rows"):
    """(dW and db of each layer, dx, outputs, J); not finite where the dtype overflows."""
    m = Arithmetic(dtype, sums)
    r, a, places = m.r, network.x, []
    with np.errstate(all="ignore"):
        for layer, (w, b) in zip(network.layers, network.parameters):
            z = a if not layer.dense else m.dot(a, w) if b is None else r(m.dot(a, w) + b)
            out, slope = activate(m, layer.activation, layer.option, z)
            places.append((a, out, slope))
            a = out
        outputs, total = a, cost(m, network, a, network.y)
        delta = r(r(np.asarray(network.factor)) * cost_slope(m, network, z, a, network.y))
        result = []
        for i in reversed(range(len(network.layers))):
            layer, (w, b), (x, out, slope) = network.layers[i], network.parameters[i], places[i]
            if i + 1 < len(network.layers) or not network.entropy:
                if slope is None:
                    delta = r(out * r(delta - m.sum(r(out * delta), 1)[:, None]))
                else:
                    delta = r(delta * slope)
            if not layer.dense:
                result.append((None, None))
                continue
            dw = m.dot(x.T, delta)
            if layer.l1 or layer.l2:
                dw = r(dw + r(r(layer.l1 * np.sign(w)) + r(2 * layer.l2 * w)))
            result.append((dw, None if b is None else m.sum(delta, 0)))
            delta = m.dot(delta, w.T)
    return result[::-1], delta, outputs, total
