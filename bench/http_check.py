#!/usr/bin/python3 -B
"""Checks through HTTP: http_check.py DAEMON LOAD BODY... prints what bench/load measures for each file posted.

Servers run in a folder of their own, on a free port, and are stopped at the end. `Server` and `post` serve bench/run.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROUTE = "/v1/gradient-checks"
PLENTY = 10 ** 9  # requests: the time decides


class Server:
    """A process that says `http://127.0.0.1:PORT` once it listens, and how many seconds that took."""

    def __init__(self, command):
        self.folder = tempfile.TemporaryDirectory()
        log = Path(self.folder.name) / "log"
        start = time.monotonic()
        with open(log, "wb") as file:
            self.process = subprocess.Popen(command, cwd=self.folder.name, stdout=file, stderr=file)
        self.port = self.wait_for_port(log)
        self.start_seconds = time.monotonic() - start

    def wait_for_port(self, log):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(rb"http://127\.0\.0\.1:(\d+)\b\D", log.read_bytes())
            if found:
                return found[1].decode()
            time.sleep(0.002)
        text = log.read_text(errors="replace")
        self.stop()
        sys.exit(f"{self.process.args[0]} did not start:\n{text}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def daemon(path, workers=None, store="memory:", options=()):
    """Without a --data-dir among the options its data lie in the server's own folder."""
    count = ["--workers", str(workers)] if workers else []
    return Server([os.path.abspath(path), "--listen", "127.0.0.1:0", "--store", store, *count, *options])


def fastapi():
    return Server([sys.executable, "-B", "-m", "uvicorn", "--app-dir", str(HERE.absolute()), "--host", "127.0.0.1",
                   "--port", "0", "--no-access-log", "fastapi_gradcheck:app"])


def counts(text):
    """What the client counted, as {"rate": ..., "p50": ..., ...}."""
    return {name: float(value) for name, value in (line.split() for line in text.splitlines())}


def post(load, servers, body, connections, seconds, requests=PLENTY):
    ports = ",".join(server.port for server in servers)
    arguments = [load, ports, ROUTE, body, connections, seconds, requests]
    done = subprocess.run([str(argument) for argument in arguments], stdout=subprocess.PIPE, text=True, check=True)
    return counts(done.stdout)


def main():
    path, load, *bodies = sys.argv[1:]
    with daemon(path) as server:
        for body in bodies:
            counted = post(load, [server], body, 1, 1)
            print(Path(body).name, *(f"{name} {value:.6g}" for name, value in counted.items()), sep="  ")


if __name__ == "__main__":
    main()
