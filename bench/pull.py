"""What a pull costs against its floor: the same bytes fetched, decoded and written with no checks.

    python bench/pull.py [--tasks 10000] [--runs 5] [--database sqlite:///…|postgresql+psycopg://…]

Figures are ratios of medians within one run of this program; the simulated account is a process
of its own, without a pace. Start-up is not counted.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import requests

from syncd import bootstrap, config, log
from syncd.services.progress import Silent
from syncd.services.pull import pull

KEY = "bench-key-0123456789"
EXTRA = ("subtasks", "relations", "files")


@contextmanager
def account(tasks: int) -> Iterator[str]:
    """Serve a simulated account whose tasks are all listed; yields its address."""
    shares = ["--archived", "0", "--pending", "0", "--delayed", "0"]
    command = [sys.executable, "-m", "syncd.sandbox", "--tasks", str(tasks), "--key", KEY, *shares]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def seconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def fetch(url: str) -> bytes:
    """Get the whole account the plain way."""
    parameters = f"action=get_all_tasks&extra={','.join((*EXTRA, 'tags'))}"
    digest = _md5(parameters + KEY)
    answer = requests.get(f"{url}/api/admin/v2/?{parameters}&hash={digest}", timeout=60)
    answer.raise_for_status()
    return answer.content


def _md5(text: str) -> str:
    from hashlib import md5

    return md5(text.encode(), usedforsecurity=False).hexdigest()


def write(body: bytes, folder: Path) -> None:
    """Decode the answer and write a row a task with the driver's bulk path."""
    rows: list[tuple[Any, ...]] = []
    _flatten(msgspec.json.decode(body)["data"], rows)
    with closing(sqlite3.connect(folder / "floor.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DROP TABLE IF EXISTS tasks")
        connection.execute(f"CREATE TABLE tasks (id INTEGER PRIMARY KEY, {_columns()})")
        marks = ", ".join("?" * (len(COLUMNS) + 1))
        connection.executemany(f"INSERT INTO tasks VALUES ({marks})", rows)
        connection.commit()


COLUMNS = ("name", "page", "status", "priority", "text", "date_added", "date_start", "date_end")


def _columns() -> str:
    return ", ".join(COLUMNS)


def _flatten(nodes: list[dict[str, Any]], rows: list[tuple[Any, ...]]) -> None:
    for node in nodes:
        rows.append((int(node["id"]), *(node.get(name) for name in COLUMNS)))
        _flatten(node.get("child", ()), rows)


def our_app(url: str, folder: Path, database: str) -> bootstrap.App:
    """Build syncd for the account, with an empty database."""
    (folder / "syncd.toml").write_text(
        f'[account]\nurl = "{url}"\napi_key = "{KEY}"\n'
        f'[database]\nurl = "{database}"\n'
        "[limits]\nrequests_per_second = 1000000\n"
    )
    app = bootstrap.build(config.load(folder / "syncd.toml", {}))
    app.ready(write=True)
    return app


def our_pull(app: bootstrap.App) -> None:
    """Pull once."""
    with app.pulling(Silent()) as work:
        pull(work)


def measure(tasks: int, runs: int, database: str | None) -> dict[str, float]:
    """Return the medians, in seconds, of each piece of work."""
    times: dict[str, list[float]] = {}
    with account(tasks) as url, tempfile.TemporaryDirectory() as root:
        body = fetch(url)
        for run in range(runs):
            folder = Path(root) / str(run)
            folder.mkdir()
            app = our_app(url, folder, database or "sqlite:///syncd.db")
            floor_read = seconds(lambda: blake2b(fetch(url)).digest())
            floor_write = seconds(partial(write, body, folder))
            first = seconds(partial(our_pull, app))
            unchanged = seconds(partial(our_pull, app))
            for name, took in (
                ("floor: fetch and hash", floor_read),
                ("floor: fetch, decode, write", floor_read + floor_write),
                ("first mirror", first),
                ("unchanged pull", unchanged),
            ):
                times.setdefault(name, []).append(took)
            app.db.close()
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--database", help="an empty PostgreSQL database; one run only")
    given = parser.parse_args()
    log.set_up(form=None, level="error")
    medians = measure(given.tasks, 1 if given.database else given.runs, given.database)
    for name, median in medians.items():
        print(f"{name:32} {median:8.3f} s")
    whole, read = medians["floor: fetch, decode, write"], medians["floor: fetch and hash"]
    print(f"{'first mirror / floor':32} {medians['first mirror'] / whole:8.1f}")
    print(f"{'unchanged pull / fetch and hash':32} {medians['unchanged pull'] / read:8.1f}")


if __name__ == "__main__":
    main()
