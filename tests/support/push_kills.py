"""Pushes in processes of their own that kill themselves with -9 at a numbered instant.

Every SQL statement, every commit and every request is such an instant, and has one more right
after it where that can be another world: a commit, and an answer. A process that has loaded the
program forks one for each push, since loading takes longer than a push; the account is elsewhere,
and what it has been told stays told.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import event

from syncd import bootstrap, config, log
from syncd.bootstrap import App
from syncd.services.progress import Silent
from syncd.services.push import Pushing, push
from tests.support.mirror import Clock
from tests.support.supervisor import die_with_parent

ROOT = Path(__file__).parent.parent.parent
LOADED_LATER = ("psycopg", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite")
SHORTLY = 0.002


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment at which a push can die; `changed` is whether something outside it just did.

    What a process has done since the last such moment is gone with it, so a death after that one
    and before the next leaves the same world.
    """

    what: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Death:
    """How one push ended: its status, and the instants that it saw, in order."""

    status: int
    seen: tuple[Instant, ...]


class Pen:
    """The parent of the pushes; it ends, and they with it, when it is closed or we die."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.push_kills"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,  # Ctrl-C in the terminal is not for what the tests start
        )

    def push(self, path: Path, now: datetime, *, die_at: int = 0) -> Death:
        """Push once, and die at the instant of that number, from 1; 0 is none of them."""
        order = {"path": str(path), "now": now.isoformat(), "die_at": die_at}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(order)}\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        assert said, "the pen is gone"
        status, seen = json.loads(said)
        return Death(status, tuple(Instant(what, changed == "changed") for changed, what in seen))

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def pen() -> Iterator[Pen]:
    """Make a pen, for the length of a block."""
    made = Pen()
    try:
        yield made
    finally:
        made.close()


class Instants:
    """Counts the instants of one push, tells of each in a pipe, and kills at the one chosen."""

    def __init__(self, die_at: int, told: int) -> None:
        self._die_at = die_at
        self._told = told
        self._count = 0
        self._wrote = False

    def watch_database(self, app: App) -> None:
        """Make an instant of each statement, and of the moments before and after each commit."""
        engine, dialect = app.db.engine, app.db.engine.dialect
        event.listen(engine, "before_cursor_execute", self._statement)
        commit = dialect.do_commit

        def counted(connection: Any) -> None:
            self._reached("before a commit")
            commit(connection)
            self._reached("after a commit", changed=self._wrote)
            self._wrote = False

        dialect.do_commit = counted  # type: ignore[method-assign]

    def watch_account(self, work: Pushing) -> None:
        """Make an instant of the moment before each request, and of the one after its answer."""
        call = work.client.call

        def counted(request: Any) -> Any:
            self._reached(f"before {request.action}")
            answer = call(request)
            self._reached(f"after {request.action}", changed=request.writes)
            return answer

        work.client.call = counted  # type: ignore[method-assign]

    def _statement(self, *about: Any) -> None:
        words = about[2].split()
        self._reached(" ".join(words[:3]))
        self._wrote |= words[0] in {"INSERT", "UPDATE", "DELETE"}

    def _reached(self, what: str, *, changed: bool = False) -> None:
        self._count += 1
        os.write(self._told, f"{'changed' if changed else 'same'}\t{what}\n".encode())
        if self._count == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)


def an_app(path: Path, clock: Callable[[], datetime]) -> App:
    """Build an App as a fresh process has it, with the test's clock; it waits in small steps."""
    app = bootstrap.build(config.load(path, {}))
    sleep: Callable[[float], None] = lambda seconds: time.sleep(min(seconds, SHORTLY))  # noqa: E731
    return replace(app, clock=clock, sleep=sleep, rng=Random(1))


def _push(order: Mapping[str, Any], told: int) -> None:
    app = an_app(Path(order["path"]), Clock(datetime.fromisoformat(order["now"])))
    instants = Instants(order["die_at"], told)
    instants.watch_database(app)
    with app.pushing(Silent(), wait=True) as work:
        instants.watch_account(work)
        push(work)


def _born(order: Mapping[str, Any]) -> tuple[int, list[list[str]]]:
    """Fork a push, and wait for its end; return what a Death is made of."""
    heard, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        die_with_parent(signal.SIGKILL)
        try:
            _push(order, told)
        except BaseException:  # noqa: BLE001 - a child must not go on as its parent would
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    os.close(told)
    with os.fdopen(heard, encoding="utf-8") as file:
        seen = [line.split("\t") for line in file.read().splitlines()]
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), seen


def _main() -> None:
    die_with_parent(signal.SIGKILL)
    for name in LOADED_LATER:
        __import__(name)
    log.set_up(form="json", level="error")  # stdout is for the answers
    gc.freeze()  # a child's collections need not copy pages to look at what is never garbage
    for line in sys.stdin:
        print(json.dumps(_born(json.loads(line))), flush=True)


if __name__ == "__main__":
    _main()
