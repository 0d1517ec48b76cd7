#!/usr/bin/python3 -B
"""The networks and data that are measured: written once for every rival, as a case file and as a request's body.

bench/cases.h describes case files. Inputs are N(0, 1), or the digits of examples/checks/digits.json; labels of the
former are drawn, too. Fixed seeds: every run has the same numbers. Python's standard library only. By itself,
cases.py FOLDER SIZES HIDDEN SAMPLES [digits] writes both files of one case.
"""
import json
import random
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path

DIGITS = Path(__file__).parent.parent / "examples" / "checks" / "digits.json"
DATA_SEED = 30
MODEL_SEED = 7


@dataclass(frozen=True)
class Case:
    sizes: str  # "784-128-64-10"
    hidden: str  # activation of all layers but the last
    samples: int
    digits: bool = False

    @property
    def name(self):
        return f"{self.sizes}/{self.hidden}" + ("/digits" if self.digits else "")

    @property
    def widths(self):
        return [int(width) for width in self.sizes.split("-")]

    @property
    def parameters(self):
        return sum((inputs + 1) * outputs for inputs, outputs in zip(self.widths, self.widths[1:]))

    def file(self, folder, ending):
        return Path(folder) / (self.name.replace("/", "-") + ending)


def data(case):
    """x, flat and row-major, and labels."""
    if case.digits:
        digits = json.loads(DIGITS.read_text())["data"]
        return array("d", [value for row in digits["x"][:case.samples] for value in row]), digits["y"][:case.samples]
    rng = random.Random(DATA_SEED)
    x = array("d", (rng.gauss(0, 1) for _ in range(case.samples * case.widths[0])))
    return x, [rng.randrange(case.widths[-1]) for _ in range(case.samples)]


def write(case, folder):
    x, labels = data(case)
    with open(case.file(folder, ".case"), "wb") as file:
        file.write(f"gradcheck-case {case.name} {case.sizes} {case.hidden} {case.samples} {MODEL_SEED}\n".encode())
        x.tofile(file)
        array("d", labels).tofile(file)
    return x, labels


def write_body(case, folder, x, labels):
    """The same as JSON, as a client's json.dumps writes it: full precision."""
    inputs, *units = case.widths
    activations = [case.hidden] * (len(units) - 1) + ["softmax"]
    layers = [{"type": "dense", "units": n, "activation": name} for n, name in zip(units, activations)]
    rows = [x[i:i + inputs].tolist() for i in range(0, len(x), inputs)]
    body = {"model": {"input_shape": [inputs], "layers": layers, "cost": "categorical_crossentropy",
                      "seed": MODEL_SEED},
            "data": {"x": rows, "y": labels}}
    case.file(folder, ".json").write_text(json.dumps(body))


def read(path):
    """name, widths, hidden, x (flat), labels"""
    with open(path, "rb") as file:
        magic, name, sizes, hidden, samples, _ = file.readline().decode().split()
        assert magic == "gradcheck-case"
        widths = [int(width) for width in sizes.split("-")]
        x, labels = array("d"), array("d")
        x.fromfile(file, int(samples) * widths[0])
        labels.fromfile(file, int(samples))
    return name, widths, hidden, x, labels


def main():
    folder, sizes, hidden, samples, *digits = sys.argv[1:]
    case = Case(sizes, hidden, int(samples), bool(digits))
    write_body(case, folder, *write(case, folder))
    print(case.file(folder, ".case"), case.file(folder, ".json"), sep="\n")


if __name__ == "__main__":
    main()
