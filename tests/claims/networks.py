"""Random networks for tests/claims/evidence, and the program that judges claims about them."""
import subprocess
from dataclasses import dataclass, field

import numpy as np

ACTIVATIONS = {
    "linear": (1.0,), "sigmoid": (1.0,), "softmax": (), "relu": (), "leaky_relu": (0.01,), "tanh": (),
    "elu": (1.0,), "selu": (1.6732632423543772, 1.0507009873554805), "slu": (), "softplus": (),
    "softsign": (), "bent_identity": (), "gaussian": (), "arctan": (), "piecewise_linear": (1.0,),
}
PROBABILITIES = ["sigmoid", "softmax", "gaussian"]
COSTS = ["binary_crossentropy", "categorical_crossentropy", "mse", "mae", "dot"]
REDUCTIONS = ["batch_mean", "mean", "sum"]


@dataclass
class Layer:
    units: int
    activation: str
    option: tuple
    bias: bool = True
    l1: float = 0.0
    l2: float = 0.0
    dense: bool = True


@dataclass
class Network:
    seed: int
    inputs: int
    layers: list
    cost: str
    reduction: str
    scale: float
    parameters: list = field(default_factory=list)  # W and b of each layer; None for what it lacks
    x: np.ndarray = None
    y: np.ndarray = None

    @property
    def samples(self):
        return len(self.x)

    @property
    def factor(self):
        outputs = self.layers[-1].units
        divisor = {"batch_mean": self.samples, "mean": self.samples * outputs, "sum": 1}[self.reduction]
        return self.scale / divisor

    @property
    def entropy(self):
        return self.cost.endswith("crossentropy")


def log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def option_draw(rng, name):
    """Mostly the defaults."""
    option = ACTIVATIONS[name]
    if option and rng.random() < 0.3:
        low = 0.25 if name == "piecewise_linear" else 0.05
        option = tuple(log_uniform(rng, low, 2) * (1 if name != "linear" else rng.choice([-1, 1])) for _ in option)
    return option


def layers_draw(rng, cost, width):
    layers = []
    count = int(rng.integers(1, 6))
    for i in range(count):
        last = i + 1 == count
        names = PROBABILITIES if last and cost.endswith("crossentropy") else list(ACTIVATIONS)
        name = str(rng.choice(names))
        penalised = rng.random() < 0.25
        layers.append(Layer(int(log_uniform(rng, 1, width + 1)), name, option_draw(rng, name), rng.random() < 0.9,
                            log_uniform(rng, 1e-4, 0.1) if penalised else 0.0,
                            log_uniform(rng, 1e-4, 0.1) if penalised else 0.0))
        if not last and rng.random() < 0.1:
            name = str(rng.choice(list(ACTIVATIONS)))
            layers.append(Layer(layers[-1].units, name, option_draw(rng, name), dense=False))
    return layers


def targets_draw(rng, network):
    shape = (network.samples, network.layers[-1].units)
    if not network.entropy:
        return rng.standard_normal(shape)
    if rng.random() < 0.6:
        return np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]
    y = rng.random(shape)
    return y / y.sum(axis=1, keepdims=True) if network.layers[-1].activation == "softmax" else y


def make_alike(rng, network):
    """What makes errors of rounding alike, or leaves nothing else: equal units, equal samples, sorted classes, kinks."""
    kind = rng.integers(0, 4)
    if kind < 3:
        value = [0.0, 0.25, 1.0][kind]
        network.parameters = [(None if w is None else np.full_like(w, value), None if b is None else 0 * b)
                              for w, b in network.parameters]
    if rng.random() < 0.5:
        network.x = (network.x > 0) * 1.0
    if rng.random() < 0.3:
        network.x[:] = network.x[0]
    if rng.random() < 0.3:
        network.x[:, rng.random(network.inputs) < 0.5] = 0
    if rng.random() < 0.7:
        network.y = network.y[np.lexsort(network.y.T)]
    if not network.entropy and rng.random() < 0.5:
        network.y = np.round(network.y)


def draw(seed, round_to, samples=300, width=100, alike=False):
    """A network whose numbers are all exact in a dtype: round_to rounds."""
    rng = np.random.default_rng(seed)
    cost = str(rng.choice(COSTS))
    network = Network(seed, int(log_uniform(rng, 1, width + 1)), layers_draw(rng, cost, width), cost,
                      str(rng.choice(REDUCTIONS)), float(rng.choice([1.0, 0.5])))
    scale, spread = log_uniform(rng, 0.01, 3), log_uniform(rng, 0.1, 3)
    for layer in network.layers:
        layer.option = tuple(float(round_to(np.array(v))) for v in layer.option)
        layer.l1, layer.l2 = float(round_to(np.array(layer.l1))), float(round_to(np.array(layer.l2)))
    widths = [network.inputs] + [layer.units for layer in network.layers]
    for i, layer in enumerate(network.layers):
        if not layer.dense:
            network.parameters.append((None, None))
            continue
        fan = 1 / np.sqrt(widths[i]) if rng.random() < 0.7 else 1
        w = round_to(scale * fan * rng.standard_normal((widths[i], layer.units)))
        b = round_to(scale * rng.standard_normal(layer.units) * rng.integers(0, 2)) if layer.bias else None
        network.parameters.append((w, b))
    network.x = round_to(spread * rng.standard_normal((int(log_uniform(rng, 1, samples + 1)), network.inputs)))
    network.y = round_to(targets_draw(rng, network))
    if alike:
        make_alike(rng, network)
    return network


def flat(gradients):
    """[(dW, db), …] as the vector of parameters."""
    parts = [g for pair in gradients for g in pair if g is not None]
    return np.concatenate([np.asarray(p, dtype=np.float64).ravel() for p in parts])


@dataclass
class Verdict:
    verdict: str
    tolerance: float
    wrong: int
    different: bool  # outputs or cost are said to be another network's
    outputs: float  # shares of what they may differ by
    cost: float
    seconds: float
    exact: np.ndarray
    bar: np.ndarray


class Judge:
    """The engine, one claim after the other."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def head(self, network, dtype, method, epsilon):
        lines = [f"case {network.inputs} {network.samples} {network.cost} "
                 f"{REDUCTIONS.index(network.reduction)} {network.scale!r} {len(network.layers)}"]
        for layer in network.layers:
            f = " ".join([layer.activation, *map(repr, layer.option)])
            lines.append(f"dense {layer.units} {int(layer.bias)} {layer.l1!r} {layer.l2!r} {f}" if layer.dense
                         else f"activation {f}")
        lines.append(f"judge {dtype} {method} {epsilon!r}\n")
        return "\n".join(lines).encode()

    def ask(self, network, gradient, gradient_x, outputs, cost, dtype, method="complex_step", epsilon=1e-4):
        """gradient: flat; gradient_x: like x."""
        arrays = [flat(network.parameters), network.x, network.y, gradient, gradient_x, outputs, [cost]]
        numbers = b"".join(np.ascontiguousarray(a, dtype=np.float64).tobytes() for a in arrays)
        self.process.stdin.write(self.head(network, dtype, method, epsilon) + numbers)
        self.process.stdin.flush()
        verdict, tolerance, wrong, different, *shares, seconds = self.process.stdout.readline().split()
        count = len(gradient) + np.asarray(gradient_x).size
        both = np.frombuffer(self.process.stdout.read(16 * count))
        return Verdict(verdict.decode(), float(tolerance), int(wrong), different == b"1", *map(float, shares),
                       float(seconds), both[:count], both[count:])

    def close(self):
        self.process.stdin.close()
        self.process.wait()
