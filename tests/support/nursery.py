"""A process that makes processes: each pulls once, with our real start and our real clock.

Starting an interpreter and loading the program takes longer than a pull of a small account, so a
test of many deaths would mostly wait. This process loads everything once and forks; what it forks
is a process of its own, with its own connections, that can be killed with -9 at any moment.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import plain_environment

TIMEOUT_S = 60.0


class Nursery:
    """The parent of short lives: `start` gives the number of a process, `end` its exit status."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, config: Path) -> int:
        """Begin a pull with that configuration."""
        return int(self._ask(f"start {config}"))

    def end(self, pid: int) -> int:
        """Wait for a process and return its status; minus the signal for one that was killed."""
        return int(self._ask(f"end {pid}"))

    def run(self, config: Path) -> tuple[int, float]:
        """Let a pull come to its own end; its status, and the seconds it took."""
        began = time.monotonic()
        status = self.end(self.start(config))
        return status, time.monotonic() - began

    def kill_after(self, config: Path, seconds: float) -> int:
        """Begin a pull and kill it with -9 that far into it; its status."""
        return int(self._ask(f"kill {seconds} {config}"))

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the nursery is gone"
        return answer


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery that ends with the block, whatever is still alive in it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.nursery"],
        cwd=Path(__file__).parent.parent.parent,
        env=plain_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        yield Nursery(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(TIMEOUT_S)
        assert process.stdout is not None
        process.stdout.close()


def _serve() -> None:
    """Answer the lines of `Nursery` until there are no more."""
    _load()
    alive: set[int] = set()
    for line in sys.stdin:
        verb, _, argument = line.strip().partition(" ")
        if verb == "start":
            alive.add(answer := _born(argument))
        elif verb == "kill":
            seconds, _, config = argument.partition(" ")
            answer = _killed(_born(config), float(seconds))
        else:
            alive.discard(int(argument))
            answer = _status(int(argument))
        print(answer, flush=True)
    for pid in alive:
        _killed(pid, 0)


def _born(config: str) -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(_pull(config))
    return pid


def _killed(pid: int, seconds: float) -> int:
    time.sleep(seconds)  # not a wait for anything: it is the moment that was asked for
    os.kill(pid, signal.SIGKILL)  # not reaped yet, so the number is still its own
    return _status(pid)


def _status(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _load() -> None:
    """Load all that a pull needs before the first fork."""
    import psycopg  # noqa: F401

    import syncd.services.pull
    import syncd.worksection.client
    import syncd.worksection.signing  # noqa: F401


def _pull(config_path: str) -> int:
    """Pull once, as `syncd pull` does, and return its exit code."""
    from contextlib import closing

    from syncd import bootstrap, config, log
    from syncd.errors import SyncdError
    from syncd.services.progress import Silent
    from syncd.services.pull import pull

    log.set_up(form="json", level="error")
    try:
        app = bootstrap.build(config.load(Path(config_path), {}))
        with closing(app.db):
            app.ready(write=True)
            with app.pulling(Silent()) as work:
                return pull(work).exit_code
    except SyncdError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    _serve()
