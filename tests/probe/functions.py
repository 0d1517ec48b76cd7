#!/usr/bin/env python3
"""The functions of a program, right and spoilt, through the client of examples/probe: functions.py PROGRAM [long]

Prints what is not as it must be; the exit status is how many there are, at most 100. `long`: each spoilt in five ways,
not in one.
"""
import json
import math
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "examples", "probe"))
import client

WAYS = ["scaled", "flipped", "zeroed", "element", "forgotten"]
LARGE = 10000


class Program:
    def __init__(self, *arguments):
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def value(self, theta):
        value = self.ask({"op": "eval", "points": [{name: {"to": to} for name, to in theta.items()}]})["values"][0]
        return math.nan if value is None else value

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def flat(tensor):
    return [number for item in tensor for number in flat(item)] if isinstance(tensor, list) else [tensor]


def mapped(tensor, change):
    return [mapped(item, change) for item in tensor] if isinstance(tensor, list) else change(tensor)


def norm(tensor):
    return math.hypot(*flat(tensor))


def added(tensor, more):
    """One element of it moved."""
    return [added(tensor[0], more), *tensor[1:]] if isinstance(tensor, list) else tensor + more


def spoilt(gradients, way):
    """The name of the largest tensor, and the gradients with that one spoilt."""
    name = max(gradients, key=lambda name: norm(gradients[name]))
    tensor, size = gradients[name], norm(gradients[name])
    changes = {"scaled": lambda: mapped(tensor, lambda g: 1.5 * g), "flipped": lambda: mapped(tensor, lambda g: -g),
               "zeroed": lambda: mapped(tensor, lambda g: 0), "element": lambda: added(tensor, size)}
    return name, {**gradients, name: changes[way]()}


def judge(program, start, gradients):
    options = {"dtype": start["dtype"]}
    return client.probe(program.value, start["theta"], gradients, **options)


def failing(result):
    return [tensor["name"] for tensor in result["tensors"] if tensor["verdict"] == "fail"]


def check_right(program, start, coarse):
    result = judge(program, start, start["gradients"])
    good = result["verdict"] == "pass" or (coarse and result["verdict"] == "inconclusive")
    return [] if good else [f"right: {result['verdict']} {failing(result)}"]


def check_spoilt(program, start, way, path, index, coarse):
    if way == "forgotten":
        forgetful = Program(path, str(index), "--forget")
        gradients = forgetful.ask({"op": "start", "seed": 1})["gradients"]
        forgetful.close()
        names = [name for name in gradients if gradients[name] != start["gradients"][name]]
    else:
        name, gradients = spoilt(start["gradients"], way)
        names = [name]
    result = judge(program, start, gradients)
    told = failing(result)
    good = set(told) <= set(names) and (told or (coarse and result["verdict"] == "inconclusive"))
    return [] if good else [f"{way} in {names}: {result['verdict']} {told}"]


def check(path, index, coarse, long):
    program = Program(path, str(index))
    start = program.ask({"op": "start", "seed": 1})
    faults = check_right(program, start, coarse)
    large = sum(len(flat(tensor)) for tensor in start["theta"].values()) > LARGE
    for number, way in enumerate(WAYS):
        if long or (number == index % len(WAYS) and not large):
            faults += check_spoilt(program, start, way, path, index, coarse)
    program.close()
    return faults


def main():
    path, long = sys.argv[1], "long" in sys.argv[2:]
    names = subprocess.run([path], capture_output=True, text=True, check=True).stdout.splitlines()
    faults = [f"{name}: {fault}" for index, name in enumerate(names)
              for fault in check(path, index, name.endswith("\tcoarse"), long)]
    print(*faults, f"{len(names)} functions, {len(faults)} not as they must be", sep="\n")
    sys.exit(min(len(faults), 100))


if __name__ == "__main__":
    main()
