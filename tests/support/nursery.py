"""Starts our command without loading it again: a process that has loaded it forks one per start.

Loading takes longer than most commands do. What is forked is still a process of its own: it has
its own number, session, working directory, environment, files, signals and exit code, opens its own
connections, and can be killed with -9. What only a start of the interpreter shows (the order of
imports, the encoding of the streams, other rights) needs `processes.syncd_argv`.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from tests.support.supervisor import die_with_parent

ROOT = Path(__file__).parent.parent.parent
NEEDED_LATER = (
    *("alembic.command", "alembic.config", "psycopg"),
    *("rich.console", "rich.progress", "rich.table"),
)
LONGEST = 2**17
"""The bytes that an order may have: the environment and the arguments."""


class Child:
    """One process of our command; it has what a Popen has."""

    def __init__(self, nursery: Nursery, args: list[str], pid: int) -> None:
        self.args = args
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery

    def poll(self) -> int | None:
        """Return its status, or nothing while it lives; minus the signal for one killed."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its status."""
        status = self._look(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it is known to have ended."""
        if self.returncode is None:  # not reaped, so the number is still its own
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it with -9."""
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.status(self.pid, timeout)
        return self.returncode


FROM_HERE = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from syncd.cli import main"
"""The program as this tree has it, wherever it is started."""


class Nursery:
    """The parent of the processes; it ends, and they with it, when it is closed or we die."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one_at_a_time = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.nursery"],
                cwd=ROOT,
                env=dict(environment),
                stdin=theirs,
                start_new_session=True,  # Ctrl-C in the terminal is not for what the tests start
            )

    def start(
        self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], files: Sequence[int]
    ) -> Child:
        """Start `syncd WORDS` with those descriptors as stdin, stdout and stderr."""
        order = {"words": list(words), "cwd": os.fspath(cwd), "env": dict(env)}
        return Child(self, ["syncd", *words], self._ask(order, files))

    def status(self, pid: int, timeout: float | None) -> int | None:
        """Return the status of a process that ends within that time; it is then reaped."""
        status: int | None = self._ask({"pid": pid, "timeout": timeout})
        return status

    def close(self) -> None:
        """End it, and with it what still lives."""
        self._orders.close()
        self._process.wait()

    def _ask(self, order: dict[str, Any], files: Sequence[int] = ()) -> Any:
        with self._one_at_a_time:
            socket.send_fds(self._orders, [json.dumps(order).encode()], files)
            answer = self._orders.recv(LONGEST)
        assert answer, "the nursery is gone"
        return json.loads(answer)


def _serve(orders: socket.socket) -> None:
    """Obey until the socket is closed; in a child, return from here as the command that it is."""
    parent = os.getpid()
    with orders:
        while True:
            message, files, _, _ = socket.recv_fds(orders, LONGEST, 3)
            if not message:
                os._exit(0)  # what lives is killed for it: see die_with_parent
            order = json.loads(message)
            if "pid" in order:
                answer = _status(**order)
            elif (answer := os.fork()) == 0:
                break
            for file in files:
                os.close(file)
            orders.send(json.dumps(answer).encode())
    die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:  # it died before that was asked for
        os._exit(1)
    _dress(files=files, **order)


def _status(pid: int, timeout: float | None) -> int | None:
    deadline = time.monotonic() + (86400 if timeout is None else timeout)
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if (left := deadline - time.monotonic()) <= 0:
            return None
        signal.sigtimedwait([signal.SIGCHLD], left)


def _dress(*, words: list[str], cwd: str, env: dict[str, str], files: list[int]) -> None:
    """Give the child what a start would have given it."""
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    _open_streams()
    sys.argv[:] = [str(ROOT / "syncd" / "__main__.py"), *words]
    # A daemon that begins anew does so by the words it was started with, and not by ours.
    sys.orig_argv[:] = [sys.executable, "-c", f"{FROM_HERE}; main()", *words]


def _open_streams() -> None:
    """Make Python's streams anew: they remember of their files whether one can seek there."""
    sys.stdin = os.fdopen(0, encoding=sys.stdin.encoding, closefd=False)
    for number, name in ((1, "stdout"), (2, "stderr")):
        before = getattr(sys, name)
        raw = io.FileIO(number, "w", closefd=False)  # unbuffered, as the environment demands
        text = io.TextIOWrapper(raw, before.encoding, before.errors, write_through=True)
        setattr(sys, name, text)


def _load() -> None:
    """Load the whole program, and what it loads only when it is needed."""
    for path in sorted((ROOT / "syncd").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        with suppress(Exception):  # whichever command needs it fails, and says why
            import_module(name)
    for name in NEEDED_LATER:
        import_module(name)
    gc.freeze()  # a child's collections need not copy pages to look at what is never garbage


def _main() -> None:
    die_with_parent(signal.SIGKILL)
    _load()
    # Blocked, a signal waits until `sigtimedwait` asks for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    _serve(socket.socket(fileno=os.dup(0)))
    _run()


def _run() -> NoReturn:
    """Be the command to its end, as the interpreter would, but for the taking down of modules.

    That would copy every page that is shared with the parent, and takes longer than most commands.
    """
    from syncd.cli import main

    try:
        main()
    except SystemExit as ended:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        os._exit(int(ended.code or 0))


if __name__ == "__main__":
    _main()
