"""What starting costs, and what a daemon costs that has nothing to do."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from bench.children import ROOT, ChildFailed
from bench.timing import CPU, WALL, Sample

HELP, STATUS, IDLE = "syncd --help", "syncd status", "daemon with nothing to do"
READY_S = 120.0
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
LANDED = "SELECT count(*) FROM sync_runs WHERE kind = 'pull'"


def command(*words: str | Path) -> list[str]:
    """Return our command, run by this interpreter."""
    return [sys.executable, "-m", "syncd", *map(str, words)]


def started(what: str, times: int, *words: str | Path) -> list[Sample]:
    """Run a command some times; the caller takes the best. Raises ChildFailed on an error."""
    samples: list[Sample] = []
    for _ in range(times):
        begun = time.perf_counter()
        done = subprocess.run(command(*words), cwd=ROOT, capture_output=True, check=False)
        samples.append((what, WALL, time.perf_counter() - begun))
        if done.returncode not in (0, 3):  # 3: something waits for a person, which is an answer
            raise ChildFailed(f"{what}: {done.stderr.decode().strip()}")
    return samples


def starts(config: Path, times: int) -> list[Sample]:
    """Measure the start of the smallest command and of one that reads the database."""
    return started(HELP, times, "--help") + started(STATUS, times, "--config", config, "status")


def idle(config: Path, database: str, seconds: float) -> list[Sample]:
    """Measure the CPU of a daemon at the default intervals, after its first pull."""
    before = landed(database)
    with running(config) as process:
        wait_for_pull(process, database, before)
        used = cpu_s(process.pid)
        time.sleep(seconds)  # nothing happens: that is what is measured
        return [(IDLE, CPU, cpu_s(process.pid) - used), (IDLE, WALL, seconds)]


@contextmanager
def running(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon, and end it."""
    words = command("--config", config, "run")
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def wait_for_pull(process: subprocess.Popen[bytes], database: str, before: int) -> None:
    """Wait until a daemon's first pull has landed. Raises ChildFailed where it does not."""
    end = time.monotonic() + READY_S
    while landed(database) == before:
        if process.poll() is not None or time.monotonic() > end:
            raise ChildFailed(f"syncd run did not pull (exit code {process.returncode})")
        time.sleep(0.2)  # between two looks


def landed(database: str) -> int:
    """Return how many pulls a mirror has seen."""
    if database.startswith("sqlite"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as mirror:
            return int(mirror.execute(LANDED).fetchone()[0])
    with psycopg.connect(database.replace("+psycopg", "")) as server:
        row = server.execute(LANDED).fetchone()
    return int(row[0]) if row else 0


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process, its own and the kernel's for it (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S
