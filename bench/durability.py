"""What durability costs: the same checks with jobs in memory, in a file, and, under load, at the rival's service.

All take turns in one run, in an order that turns round, so that what else happens on the machine falls on each alike.
"""
import os
from contextlib import ExitStack
from statistics import median

import cases
import http_check
from programs import FASTAPI, INSTALL, QUICK, TORCH, UVICORN, progress
from tables import duration, share, significant, table

MEMORY, FILE, RIVAL = "gradcheckd, memory:", "gradcheckd, sqlite:", "FastAPI + gradcheck"
STORES = {MEMORY: "memory:", FILE: "sqlite:"}
ROUNDS = 2 if QUICK else 9
SECONDS = 1 if QUICK else 4  # of one service in one round
WARM_SECONDS = 0.3
CONNECTIONS = 8
LOAD_CASE = cases.Case("3-16-8-2", "tanh", 20)
SINGLE_CASES = [cases.Case("784-128-64-10", "tanh", 100)]
if not QUICK:
    SINGLE_CASES.append(cases.Case("784-2048-2048-10", "tanh", 128))


def in_turn(names, rounds, measure):
    """What each name gave in each round."""
    taken = {name: [] for name in names}
    for i in range(rounds):
        for name in names[::-1] if i % 2 else names:
            taken[name].append(measure(name))
    return taken


def median_of(counts, name):
    return median(counted[name] for counted in counts)


def not_good(counts):
    return f"{sum(counted['answers'] - counted['good'] for counted in counts):.0f}"


def ratios(above, below, name):
    """Of each round: the median, and the range."""
    each = [a[name] / b[name] for a, b in zip(above, below)]
    return median(each), min(each), max(each)


# --- C: under load

def start_services(stack, bench, cores):
    services = {name: [stack.enter_context(http_check.daemon(bench.daemon_path, store=store))]
                for name, store in STORES.items()}
    if TORCH and FASTAPI and UVICORN:
        services[RIVAL] = [stack.enter_context(http_check.fastapi()) for _ in range(cores)]
    return services


def measure_services(bench, cores):
    with ExitStack() as stack:
        services = start_services(stack, bench, cores)

        def measure(name, seconds=SECONDS):
            return bench.post(services[name], LOAD_CASE, CONNECTIONS, seconds)

        for name in services:
            measure(name, WARM_SECONDS)
        return in_turn(list(services), ROUNDS, measure)


def service_row(name, counts, memory):
    ratio, least, most = ratios(counts, memory, "rate")
    return [name, significant(ratio), "-" if counts is memory else f"{significant(least)} to {significant(most)}",
            significant(median_of(counts, "rate")),
            *(duration(median_of(counts, percent)) for percent in ("p50", "p90", "p99")),
            not_good(counts)]


def run_service(bench):
    cores = len(os.sched_getaffinity(0))
    print(f"\n### C. Small checks under load: {LOAD_CASE.name}, {LOAD_CASE.samples} samples, {CONNECTIONS} "
          f"connections, {cores} cores\n")
    progress("service")
    bench.prepare(LOAD_CASE)
    taken = measure_services(bench, cores)
    bench.drop(LOAD_CASE)
    rows = [service_row(name, counts, taken[MEMORY]) for name, counts in taken.items()]
    print(table(["service", "/ memory", "range", "checks a second", "median", "90 %", "99 %", "not pass"], rows),
          flush=True)
    if RIVAL not in taken:
        print(f"\nThe rival is left out: it needs python3-torch, python3-fastapi and python3-uvicorn ({INSTALL})")


# --- D: one at a time

def measure_single(bench, servers, case):
    bench.prepare(case)

    def measure(name):
        counted = bench.post([servers[name]], case, 1, SECONDS / 2)
        return {**counted, "mean": counted["seconds"] / counted["answers"]}

    for name in servers:
        measure(name)
    taken = in_turn(list(servers), ROUNDS, measure)
    bench.drop(case)
    return taken


def cost(ratio):
    """More, or less, than the whole: the median, and the range."""
    middle, least, most = (share(part - 1) for part in ratio)
    return f"{middle} ({least} to {most})"


def single_row(case, taken):
    file, memory = taken[FILE], taken[MEMORY]
    return [case.name, f"{case.parameters:,}", cost(ratios(file, memory, "p50")), cost(ratios(file, memory, "mean")),
            *(duration(median_of(counts, name)) for name in ("p50", "mean") for counts in (memory, file)),
            not_good(memory + file)]


def run_checks(bench):
    print("\n### D. The cost of durability: one connection, one check at a time\n")
    rows = []
    with ExitStack() as stack:
        servers = {name: stack.enter_context(http_check.daemon(bench.daemon_path, store=store))
                   for name, store in STORES.items()}
        for case in SINGLE_CASES:
            progress(f"durable {case.name}")
            rows.append(single_row(case, measure_single(bench, servers, case)))
    print(table(["network/hidden layers", "parameters", "cost, median", "cost, mean", "memory: median", "sqlite:",
                 "memory: mean", "sqlite:", "not pass"], rows),
          flush=True)
