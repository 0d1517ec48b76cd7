"""Grades a folder of submissions: grade.py FOLDER writes a line of CSV for each to standard output.

FOLDER/assignment.json holds the model with its parameters and the data; FOLDER/submissions/NAME.json the gradients
that somebody hands in, as `claimed.gradients` takes them. Whoever is refused (a wrong shape, no JSON) gets the reason,
and holds up nobody else. The jobs have the labels `assignment` and `student`, so that they can be found again:
GET /v1/jobs?label.student=NAME.
"""

import concurrent.futures
import csv
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "claims"))
from service import send

folder = pathlib.Path(sys.argv[1])
task = json.loads((folder / "assignment.json").read_text())


def job_of(submission):
    """A job's end, or the reason why there is none."""
    try:
        claimed = {"gradients": json.loads(submission.read_text())}
    except ValueError as error:
        return {"detail": f"no JSON: {error}"}
    job = send("/v1/gradient-checks", {**task, "check": {"claimed": claimed, "worst": 1},
                                       "labels": {"assignment": folder.resolve().name[:64],
                                                  "student": submission.stem}})
    while job.get("state") in ("queued", "running"):
        job = send("/v1/jobs/" + job["id"])
    return job


def grade(submission):
    """name, verdict, share of the tensors that pass, code and message of the first finding"""
    job = job_of(submission)
    result = job.get("result")
    if result is None:
        where = (job.get("errors") or [{}])[0].get("pointer", "")
        reason = (job.get("error") or job).get("detail", "")
        return [submission.stem, "refused", 0, "", f"{where} {reason}".strip()]
    tensors = [tensor["verdict"] for layer in result["layers"] for tensor in layer["tensors"]]
    first = (result["findings"] or [{"code": "", "message": ""}])[0]
    points = round(tensors.count("pass") / len(tensors), 2)
    return [submission.stem, result["verdict"], points, first["code"], first["message"]]


# The daemon computes; a few at once keep it busy.
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    graded = list(pool.map(grade, sorted((folder / "submissions").glob("*.json"))))
writer = csv.writer(sys.stdout)
writer.writerow(["student", "verdict", "points", "code", "message"])
writer.writerows(graded)
passed = sum(row[1] == "pass" for row in graded)
print(f"{len(graded)} submissions, {passed} pass", file=sys.stderr)
