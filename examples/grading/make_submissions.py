"""Makes a class: make_submissions.py FOLDER [COUNT] writes assignment.json and COUNT (200) submissions.

A submission is a file NAME.json, the "gradients" of a claim. The mistake in it, if any, stands in answers.csv, which
the graders do not see.
"""

import json
import pathlib
import sys

from network import MISTAKES, assignment, gradients

folder = pathlib.Path(sys.argv[1])
count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
(folder / "submissions").mkdir(parents=True, exist_ok=True)
task = assignment()
(folder / "assignment.json").write_text(json.dumps(task))
handed_in = {mistake: json.dumps(gradients(task, mistake)) for mistake in MISTAKES}
with open(folder / "answers.csv", "w") as answers:
    for student in range(count):
        # Every other one is right.
        mistake = "none" if student % 2 == 0 else MISTAKES[1 + student // 2 % (len(MISTAKES) - 1)]
        name = f"student{student:03}"
        (folder / "submissions" / f"{name}.json").write_text(handed_in[mistake])
        print(name, mistake, sep=",", file=answers)
