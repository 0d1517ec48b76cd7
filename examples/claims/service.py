"""Posts a claim to a gradcheckd and says what came of it; only the standard library is needed.

GRADCHECKD_URL names the daemon (http://127.0.0.1:8080), GRADCHECKD_TOKEN the token, once there are any.
"""

import json
import math
import os
import sys
import urllib.error
import urllib.request

URL = os.environ.get("GRADCHECKD_URL", "http://127.0.0.1:8080")


def plain(value):
    """NaN and infinities are no JSON: a claim has them as strings."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def send(path, body=None, wait=60):
    """POST with a body, GET without; the answer, whatever its status."""
    headers = {"Content-Type": "application/json", "Prefer": f"wait={wait}"}
    if "GRADCHECKD_TOKEN" in os.environ:
        headers["Authorization"] = "Bearer " + os.environ["GRADCHECKD_TOKEN"]
    data = None if body is None else json.dumps(plain(body)).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers)) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def check(model, data, claimed, **options):
    """The result of a check of this claim. A refusal, or a job that failed, ends the program."""
    labels = options.pop("labels", {})
    job = send("/v1/gradient-checks", {"model": model, "data": data, "labels": labels,
                                       "check": {"claimed": claimed, **options}})
    while job.get("state") in ("queued", "running"):
        job = send("/v1/jobs/" + job["id"])  # waits, too
    if job.get("state") != "succeeded":
        sys.exit(f"refused: {json.dumps(job.get('errors') or job.get('error') or job.get('detail'))}")
    return job["result"]


def report(result):
    """Prints the verdict and what was found; the exit status: 0 for a pass, 1 otherwise."""
    print(f"{result['verdict']}: {result['parameters_checked']} parameters, "
          f"refined distance {result['refined_distance']}")
    for finding in result["findings"]:
        print(f"{finding['code']}: {finding['message']}")
    for warning in result["warnings"]:
        print(f"warning: {warning}")
    return 0 if result["verdict"] == "pass" else 1
