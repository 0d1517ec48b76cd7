"""The disk under a folder: how long it takes to make a write durable, and how to forget what is cached of a file."""
import os
import tempfile
import time
from pathlib import Path
from statistics import median

from tables import duration

PAGE = 4096
WRITES = 100


def file_system(folder):
    """Its type, of the longest mount point above the folder."""
    folder = os.path.realpath(folder)
    best = ("/", "an unknown file system")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        if (folder + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def sync_seconds(folder):
    """The median time of a page appended to a file and synchronised."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(WRITES):
            start = time.monotonic()
            os.write(file.fileno(), bytes(PAGE))
            os.fdatasync(file.fileno())
            taken.append(time.monotonic() - start)
    return median(taken)


def describe(folder):
    return f"{file_system(folder)}, {PAGE} bytes written and synchronised in {duration(sync_seconds(folder))}"


def evict(path):
    """The next reads of the file come from the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
