"""A person at a terminal, for the commands that ask: reads the screen, types answers."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.nursery import Child
from tests.support.processes import TIMEOUT_S, born, plain_environment

PATIENCE_S = 3.0
"""How long a person waits before pressing Ctrl-C again."""


class Terminal:
    """One process on a pseudo-terminal of its own; `screen` is everything it has shown."""

    def __init__(self, process: subprocess.Popen[bytes] | Child, master: int) -> None:
        self.process = process
        self.screen = ""
        self._master = master
        self._read_up_to = 0

    def expect(self, text: str) -> None:
        """Wait until `text` appears after what was expected last."""
        deadline = time.monotonic() + TIMEOUT_S
        while (found := self.screen.find(text, self._read_up_to)) < 0:
            alive = self._read(deadline)
            assert alive or text in self.screen[self._read_up_to :], f"no {text!r}:\n{self.screen}"
        self._read_up_to = found + len(text)

    def type(self, line: str) -> None:
        """Type a line and the Enter key."""
        os.write(self._master, f"{line}\n".encode())

    def interrupt(self) -> int:
        """Press Ctrl-C, again where nothing follows, and return the exit code.

        Python blocks in a read that was about to begin when the first one came.
        """
        deadline = time.monotonic() + TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            self.process.send_signal(signal.SIGINT)
            while self._is_ready(PATIENCE_S) and self._read(deadline):
                pass
        return self.end()

    def end(self) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + TIMEOUT_S
        while self._read(deadline):
            pass
        return self.process.wait(TIMEOUT_S)

    def _is_ready(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, timeout_s))
        return bool(ready)

    def _read(self, deadline: float) -> bool:
        ready = self._is_ready(deadline - time.monotonic())
        assert ready, f"nothing more was shown:\n{self.screen}"
        try:
            shown = os.read(self._master, 65536)
        except OSError:  # EIO: nobody holds the other end any more
            return False
        self.screen += shown.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(shown)


@contextmanager
def at_terminal(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Start a command on a terminal; it is killed and reaped at the end."""
    with _two_ends() as (master, slave):
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=plain_environment({"TERM": "dumb", **(env or {})}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        yield from _shown(process, master, slave)


@contextmanager
def syncd_at_terminal(
    *arguments: str | os.PathLike[str], cwd: Path, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Start `syncd ARGUMENTS` on a terminal; it is killed and reaped at the end."""
    with _two_ends() as (master, slave):
        spoken = {"TERM": "dumb", **(env or {})}
        child = born(*arguments, cwd=cwd, env=spoken, files=[slave] * 3)
        yield from _shown(child, master, slave)


@contextmanager
def _two_ends() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    try:
        yield master, slave
    finally:
        os.close(master)


def _shown(process: subprocess.Popen[bytes] | Child, master: int, slave: int) -> Iterator[Terminal]:
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
