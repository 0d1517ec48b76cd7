"""What all parts of bench/run share: how long they may take, and the programs that measure."""
import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cases
import http_check

HERE = Path(__file__).parent
QUICK = os.environ.get("BENCH_QUICK", "0") not in ("", "0")
LIMIT = 0.3 if QUICK else 1.5  # seconds of one way of one case in one round
TORCH, FASTAPI, UVICORN = (importlib.util.find_spec(name) for name in ("torch", "fastapi", "uvicorn"))
INSTALL = "apt-get install -y --no-install-recommends python3-torch python3-fastapi python3-uvicorn"


def progress(text):
    print(text, file=sys.stderr, flush=True)


@dataclass
class Timing:
    seconds: float
    estimated: bool = False
    note: str = "-"  # a verdict, or which of several was fastest
    usage: float = 0  # of a job, as the daemon tells

    @classmethod
    def read(cls, line):
        _, _, seconds, mark, _, note = line.split()
        return cls(float(seconds), mark == "~", note)


def better(old, new):
    return new if old is None or new.seconds < old.seconds else old


class Bench:
    """The programs, the files they read, and the processes that outlive one case."""

    def __init__(self, build, folder):
        self.engine_path, self.load_path, self.read_path, self.fill_path, self.daemon_path, self.command_path = (
            (Path(build) / name).absolute()
            for name in ("bench/engine", "bench/load", "bench/read", "bench/fill", "gradcheckd", "gradcheck"))
        self.folder = folder
        self.torch_process = None

    def prepare(self, case, body=True):
        x, labels = cases.write(case, self.folder)
        if body:
            cases.write_body(case, self.folder, x, labels)

    def drop(self, case):
        for ending in (".case", ".json"):
            case.file(self.folder, ending).unlink(missing_ok=True)

    def output(self, *command):
        return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True).stdout

    def engine(self, case, way, limit, *more):
        return Timing.read(self.output(self.engine_path, case.file(self.folder, ".case"), way, limit, *more))

    def torch(self, case, way, limit):
        if self.torch_process is None:
            self.torch_process = subprocess.Popen([sys.executable, "-B", HERE / "torch_checks.py"], text=True,
                                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        print(case.file(self.folder, ".case"), way, limit, file=self.torch_process.stdin, flush=True)
        line = self.torch_process.stdout.readline()
        if not line:
            sys.exit("torch_checks.py ended")
        return Timing.read(line)

    def post(self, servers, case, connections, seconds):
        """What bench/load counted of checks posted to the servers."""
        return http_check.post(self.load_path, servers, case.file(self.folder, ".json"), connections, seconds)

    def http(self, server, case, limit):
        counted = self.post([server], case, 1, limit)
        passed = counted["good"] == counted["answers"]
        return Timing(counted["best"], note="pass" if passed else "not pass", usage=counted["usage"])

    def close(self):
        if self.torch_process is not None:
            self.torch_process.stdin.close()
            self.torch_process.wait()
