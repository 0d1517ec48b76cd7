#!/usr/bin/env python3
"""Checks the gradient of a function of your own through the service: client.py [--break]

probe(f, theta, gradients) asks the service for points, evaluates f there, and sends the values back until there is a
result. theta and gradients are dictionaries of numbers or nested lists; f takes theta and gives a number.
"""
import copy, json, math, os, sys, urllib.request

URL = os.environ.get("GRADCHECKD_URL", "http://127.0.0.1:8080")


def post(path, body):
    headers = {"Content-Type": "application/json"}
    if "GRADCHECK_TOKEN" in os.environ:
        headers["Authorization"] = "Bearer " + os.environ["GRADCHECK_TOKEN"]
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))


def moved(theta, point):
    theta = copy.deepcopy(theta)
    for name, move in point.items():
        for at, to in zip(move.get("at", []), move["to"] if "at" in move else []):
            place = theta[name]
            for index in at[:-1]:
                place = place[index]
            place[at[-1]] = to
        if "at" not in move:
            theta[name] = move["to"]
    return theta


def probe(f, theta, gradients, **options):
    answer = post("/v1/probes", {"theta": theta, "claimed": gradients, "cost": f(theta), **options})
    while "result" not in answer:
        values = [f(moved(theta, point)) for point in answer["ask"]]
        values = [value if math.isfinite(value) else None for value in values]  # outside of its domain
        answer = post(f"/v1/probes/{answer['id']}/values", {"round": answer["round"], "values": values})
    return answer["result"]


if __name__ == "__main__":
    theta = {"w": [[0.5, -0.25], [1.5, 0.75], [-0.5, 1.0]], "x": [0.3, -1.2, 0.8]}
    outputs = lambda t: [math.tanh(sum(x * row[j] for x, row in zip(t["x"], t["w"]))) for j in range(2)]
    slopes = [2 * a * (1 - a * a) for a in outputs(theta)]
    gradients = {"w": [[x * s for s in slopes] for x in theta["x"]],
                 "x": [sum(w * s for w, s in zip(row, slopes)) for row in theta["w"]]}
    if "--break" in sys.argv:
        gradients["w"][2][1] *= 1.5
    result = probe(lambda t: sum(a * a for a in outputs(t)), theta, gradients)
    print(result["verdict"], *(f"{finding['code']}: {finding['message']}" for finding in result["findings"]), sep="\n")
    sys.exit(result["verdict"] != "pass")
