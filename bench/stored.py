"""A folder with many stored jobs: how long gets and lists take.

bench/fill makes the jobs, of which most are ada's. Requests of all kinds alternate in one shuffled file for bench/read;
ids and cursors come from a walk through the whole list, which also counts what it shows.
"""
import http.client
import json
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Callable

import cases
import disk
import http_check
from programs import QUICK, progress
from tables import duration, significant, table

JOBS = 20_000 if QUICK else 1_000_000
PRUNED = JOBS // 10
EACH = 200 if QUICK else 1_000  # requests of a kind in one run
PAGE, PAGE_MAX = 50, 500
ROOM = 10_000  # bytes of disk for a job, with the log
KEEP = {"--retain-days": 36500, "--retain-bytes": 2 ** 40}
POST_CASE = cases.Case("3-16-8-2", "tanh", 20)
POSTERS = 4
APART = 20  # requests of a filter that nothing matches
AS_LONG = 900  # seconds, at most, of what is stopped
SEED = 31


# --- what is asked for

@dataclass
class Walk:
    """What a list of all jobs showed, newest first."""
    seconds: float
    pages: int
    jobs: list  # (id, owner, commit)
    cursors: list


@dataclass
class Kind:
    """A kind of request: what its path is, given a random generator and the walk."""
    title: str
    user: str
    path: Callable
    name: str = ""  # in the file of requests


def get(user):
    def path(rng, walk):
        while True:
            job, owner, _ = walk.jobs[rng.randrange(len(walk.jobs) - PRUNED)]
            if user in (owner, "admin"):
                return f"/v1/jobs/{job}"
    return Kind("a job", user, path)


def pages(title, user, query="", deep=0.5):
    """`deep`: the share that begins at a random place, not with the newest."""
    def path(rng, walk):
        words = [query.format(commit=rng.choice(walk.jobs)[2])] if query else []
        if rng.random() < deep:
            words.append(f"cursor={rng.choice(walk.cursors)}")
        return "/v1/jobs" + ("?" if words else "") + "&".join(words)
    return Kind(title, user, path)


def filtered(user, query):
    return pages(f"`{query.replace('{commit}', '…')}`", user, query)


KINDS = [
    get("ada"),
    pages("the newest jobs", "ada", deep=0),
    pages("a page anywhere", "ada", deep=1),
    pages(f"{PAGE_MAX} anywhere", "ada", f"limit={PAGE_MAX}", deep=1),
    filtered("ada", "state=failed"),
    filtered("ada", "state=succeeded&kind=training"),
    filtered("ada", "label.project=project-3"),
    filtered("ada", "state=failed&label.project=project-3"),
    filtered("ada", "state=failed&label.project=project-3&label.branch=main"),
    filtered("ada", "label.project=project-3&label.branch=topic-7"),
    filtered("ada", "label.commit={commit}"),
    filtered("ada", "state=cancelled&label.suite=nightly"),
    get("admin"),
    pages("a page anywhere", "admin", deep=1),
    filtered("admin", "state=failed"),
    filtered("admin", "state=failed&label.project=project-3"),
    filtered("admin", "state=cancelled&label.suite=nightly"),
]
for number, kind in enumerate(KINDS):
    kind.name = f"kind-{number}"


# --- the folder and the daemon

class Folder:
    """A folder with stored jobs, its users, and the daemons that serve it, one after another."""

    def __init__(self, bench, path):
        self.bench, self.path = bench, path
        self.fill_rate = float(bench.output(bench.fill_path, path, JOBS))
        self.token = {"ada": self.add_user("ada"), "bob": self.add_user("bob"),
                      "admin": self.add_user("admin", "--admin")}

    @property
    def file(self):
        return max(self.path.iterdir(), key=lambda path: path.stat().st_size)

    def add_user(self, name, *role):
        return self.bench.output(self.bench.daemon_path, "token", "add", name, *role, "--data-dir", self.path).strip()

    def daemon(self, retain_jobs):
        options = {"--data-dir": self.path, "--retain-jobs": retain_jobs, **KEEP}
        return http_check.daemon(self.bench.daemon_path, store="sqlite:",
                                 options=[str(word) for pair in options.items() for word in pair])


class Client:
    def __init__(self, server, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", int(server.port), timeout=60)
        self.token = token

    def get(self, path):
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def list(self, query):
        status, body = self.get(f"/v1/jobs?{query}")
        if status != 200:
            raise RuntimeError(f"a list was answered with {status}: {body[:200]}")
        return json.loads(body)


def walk_all(client):
    """All pages of the list, each from the cursor that the one before gave."""
    jobs, cursors = [], []
    start, query = time.monotonic(), f"limit={PAGE_MAX}"
    while query:
        page = client.list(query)
        jobs += [(job["id"], job["owner"], job["labels"].get("commit")) for job in page["jobs"]]
        query = page["next"] and f"limit={PAGE_MAX}&cursor={page['next']}"
        if query:
            cursors.append(page["next"])
    return Walk(time.monotonic() - start, len(cursors) + 1, jobs, cursors)


# --- measuring

@dataclass
class Counted:
    answers: int
    good: int
    bytes: float
    p50: float
    p99: float
    worst: float


def write_requests(path, walk, token):
    rng = random.Random(SEED)
    lines = [f"{kind.name} {token[kind.user]} {kind.path(rng, walk)}\n" for kind in KINDS for _ in range(EACH)]
    rng.shuffle(lines)
    path.write_text("".join(lines))


def read_counts(text):
    counts = {}
    for line in text.splitlines():
        name, answers, good, *numbers = line.split()
        counts[name] = Counted(int(answers), int(good), *map(float, numbers))
    return counts


class Running:
    """A client that goes on until it is asked what it counted."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)

    def finish(self):
        self.process.terminate()
        text, _ = self.process.communicate()
        if self.process.returncode != 0:
            sys.exit(f"{self.process.args[0]} failed")
        return text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def measure(bench, server, requests, connections):
    return read_counts(bench.output(bench.read_path, server.port, requests, connections, 0))


def measure_beside_posts(bench, server, requests, token):
    """And how many checks were answered meanwhile."""
    bench.prepare(POST_CASE)
    with Running(bench.load_path, server.port, http_check.ROUTE, POST_CASE.file(bench.folder, ".json"), POSTERS,
                 AS_LONG, http_check.PLENTY, token["bob"]) as load:
        counts = measure(bench, server, requests, 1)
        posted = http_check.counts(load.finish())
    bench.drop(POST_CASE)
    return counts, posted


def measure_while_pruning(bench, server, requests, walk, token):
    """Until the last of those to go is gone; and how long that took."""
    last = walk.jobs[len(walk.jobs) - PRUNED][0]
    client = Client(server, token["admin"])
    start = time.monotonic()
    with Running(bench.read_path, server.port, requests, 1, AS_LONG) as read:
        while client.get(f"/v1/jobs/{last}")[0] == 200:
            if time.monotonic() - start > AS_LONG:
                sys.exit("the jobs beyond --retain-jobs are not pruned")
            time.sleep(0.1)
        seconds = time.monotonic() - start
        return read_counts(read.finish()), seconds


# --- tables

def print_start(bench, folder):
    """How long a daemon takes to listen: the file not in the page cache, then in it, and without jobs."""
    disk.evict(folder.file)
    starts = []
    for _ in range(2):
        with folder.daemon(2 * JOBS) as server:
            starts.append(server.start_seconds)
    with http_check.daemon(bench.daemon_path, store="sqlite:") as server:
        starts.append(server.start_seconds)
    print(f"- the daemon starts within {duration(starts[0])} with its file not cached, {duration(starts[1])} with it "
          f"cached, {duration(starts[2])} in an empty folder")


def print_walk(walk):
    if len(walk.jobs) != JOBS or len({job for job, _, _ in walk.jobs}) != JOBS:
        sys.exit(f"the list of {JOBS:,} jobs shows {len(walk.jobs):,}")
    print(f"- the list of all jobs, {walk.pages:,} pages of {PAGE_MAX}, each job once: {duration(walk.seconds)} with a "
          "client in Python")


def print_apart(client):
    """What a filter costs at most: labels that many jobs have, and none has both."""
    taken = []
    for _ in range(APART):
        start = time.monotonic()
        found = client.list("label.suite=nightly&label.trigger=push")["jobs"]
        taken.append(time.monotonic() - start)
    print(f"- a filter of two labels that half of the jobs have each, and {len(found) or 'none'} both: "
          f"{duration(median(taken))}")


def print_memory(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    print(f"- memory of the daemon after all reads below: {kilobytes / 1000:.0f} MB")


def times(counted):
    return [duration(counted.p50), duration(counted.p99), duration(counted.worst)] if counted else ["-"] * 3


def print_counts(title, runs):
    """One table: a row for each kind, three times for each run."""
    rows = []
    for kind in KINDS:
        counted = [counts.get(kind.name) for counts in runs.values()]
        bad = sum(c.answers - c.good for c in counted if c)
        rows.append([kind.title, kind.user, *(text for c in counted for text in times(c)), str(bad)])
    titles = [f"{name}{part}" for name in runs for part in ("median", "99 %", "worst")]
    print(f"\n{title}\n")
    print(table(["request", "who", *titles, "not 200"], rows, left=2), flush=True)


def run_in(bench, path):
    progress(f"fill with {JOBS:,} jobs")
    folder = Folder(bench, path)
    requests = Path(bench.folder) / "requests"
    print(f"- filled at {significant(folder.fill_rate)} jobs a second: {folder.file.stat().st_size / 1e9:.2f} GB")
    print_start(bench, folder)
    with folder.daemon(2 * JOBS) as server:
        progress("walk")
        walk = walk_all(Client(server, folder.token["admin"]))
        print_walk(walk)
        write_requests(requests, walk, folder.token)
        progress("read")
        one, four = (measure(bench, server, requests, connections) for connections in (1, 4))
        print_apart(Client(server, folder.token["ada"]))
        print_memory(server)
        print_counts(f"{EACH:,} requests of each kind, all kinds mixed, 1 connection and 4:",
                     {"1: ": one, "4: ": four})
        progress("read beside posts")
        posts, posted = measure_beside_posts(bench, server, requests, folder.token)
    progress("read while pruning")
    with folder.daemon(JOBS - PRUNED + int(posted["answers"])) as server:
        pruning, seconds = measure_while_pruning(bench, server, requests, walk, folder.token)
    fewest = min(counted.answers for counted in pruning.values())
    print_counts(f"1 connection, while {POSTERS} others post checks ({significant(posted['rate'])} a second), and while\n"
                 f"{PRUNED:,} jobs are pruned (in {duration(seconds)}; at least {fewest:,} requests of each kind):",
                 {"posts: ": posts, "pruning: ": pruning})


def run(bench):
    print(f"\n### E. A folder with {JOBS:,} jobs\n")
    path = Path(bench.folder) / "stored"
    free = shutil.disk_usage(bench.folder).free
    if free < JOBS * ROOM:
        print(f"Left out: {free / 1e9:.1f} GB are free in {bench.folder}, and it needs {JOBS * ROOM / 1e9:.0f} GB "
              "(TMPDIR names another folder)")
        return
    try:
        run_in(bench, path)
    finally:
        shutil.rmtree(path, ignore_errors=True)
