"""The command line against the daemon: whole processes, from their start to their end, with the same body.

All ways take turns in one run, in an order that turns round; the daemon has its default of one worker a core.
"""
import shutil
import subprocess
import time
from statistics import median

import cases
import http_check
from durability import in_turn
from programs import QUICK, progress
from tables import duration, significant, table

CASES = [cases.Case("3-16-8-2", "tanh", 100), cases.Case("784-128-64-10", "tanh", 100),
         cases.Case("784-128-64-10", "relu", 100), cases.Case("784-512-512-10", "tanh", 128)][:3 if QUICK else 4]
ROUNDS = 10 if QUICK else 40
ALONE, SERVER, CURL, START = "gradcheck", "gradcheck --server", "curl", "gradcheck --version"


def commands(bench, case, url):
    """curl is the least that a client of the daemon can cost; it is left out where there is none."""
    body = case.file(bench.folder, ".json")
    ways = {ALONE: [bench.command_path, "check", "--local", "--json", body],
            SERVER: [bench.command_path, "check", "--json", "--server", url, body]}
    if shutil.which("curl"):
        ways[CURL] = ["curl", "-sf", url + http_check.ROUTE, "-H", "Content-Type: application/json", "-H",
                      "Prefer: wait=60", "-H", "Expect:", "--data-binary", f"@{body}"]
    return ways


def seconds(command):
    start = time.perf_counter()
    subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def measure(ways):
    for way in ways:
        seconds(ways[way])  # the first one finds nothing warm
    return in_turn(list(ways), ROUNDS, lambda way: seconds(ways[way]))


def row(case, taken):
    middle = {way: median(taken[way]) for way in taken}
    ratio = {way: median(a / b for a, b in zip(taken[ALONE], taken[way])) for way in taken}
    return [case.name, duration(middle[ALONE]), duration(middle[SERVER]),
            duration(middle[CURL]) if CURL in taken else "-", significant(ratio[SERVER]),
            significant(ratio[CURL]) if CURL in taken else "-"]


def run(bench):
    rows = []
    with http_check.daemon(bench.daemon_path) as server:
        for case in CASES:
            progress(f"command {case.name}")
            bench.prepare(case)
            rows.append(row(case, measure(commands(bench, case, f"http://127.0.0.1:{server.port}"))))
            bench.drop(case)
    start = median(measure({START: [bench.command_path, "--version"]})[START])
    print("\n### F. The command line: whole processes, 2 ways to the same result\n")
    print(table(["network/hidden layers", ALONE, SERVER, CURL, "alone / --server", "alone / curl"], rows))
    print(f"\n`{START}`: {duration(start)}", flush=True)
