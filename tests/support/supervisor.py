"""Keeps one PostgreSQL server for a test process, and takes it away when that process ends.

Run as a program: `python supervisor.py JSON`, with `argv` (the server's command), `folders` (which
are removed at the end), `log`, `identity` (whom the server runs as) and `parent`. It
obeys one-word lines on stdin, answers each with one line, and takes the end of stdin for the end of
the tests: whether pytest finished, was interrupted or was killed with -9, stdin closes, and neither
a server nor its files stay behind. Imports nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
SHUTDOWN_S = 20
LOOK_UP_S = 0.5


def die_with_parent(signal_number: int) -> None:
    """Ask Linux for `signal_number` when the parent dies, even by kill -9."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)


class Server:
    """The server's process, or its absence."""

    def __init__(self, *, argv: list[str], log: str, identity: dict[str, Any]) -> None:
        self.argv = argv
        self.log = log
        self.identity = identity
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it; whether it accepts connections yet is for the caller to find out."""
        with Path(self.log).open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                # It runs in the child after the change of user, which would clear the setting.
                preexec_fn=lambda: die_with_parent(signal.SIGQUIT),
                **self.identity,
            )
        return f"started {self.process.pid}"

    def end(self, signal_number: int) -> str:
        """Send the signal to the server's own pid and wait until it is gone."""
        if self.process is None or self.process.poll() is not None:
            return "not running"
        self.process.send_signal(signal_number)
        try:
            self.process.wait(SHUTDOWN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return "ended"

    def state(self) -> str:
        """Say `running`, or `exited` with the status."""
        if self.process is None:
            return "not started"
        status = self.process.poll()
        return "running" if status is None else f"exited {status}"

    def obey(self, word: str) -> str:
        """Do what one line of stdin asks for."""
        match word:
            case "start":
                return self.start()
            case "stop":
                return self.end(signal.SIGINT)  # PostgreSQL's fast shutdown
            case "kill":
                return self.end(signal.SIGKILL)
            case "state":
                return self.state()
            case _:
                return f"unknown: {word}"


def orders(parent: int) -> Iterator[str]:
    """Yield the lines of stdin until it ends, the parent is gone or a signal tells us to go."""
    told_to_go = []
    for number in (signal.SIGTERM, signal.SIGHUP):
        # A handler that raised could strike in the middle of the cleaning up.
        signal.signal(number, lambda *_: told_to_go.append(True))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is pytest's; we follow when it ends
    # The parent is watched too: a process that the tests forked may hold our stdin open.
    while not told_to_go and os.getppid() == parent:
        if select.select([0], [], [], LOOK_UP_S)[0]:
            line = os.read(0, 4096)  # one question at a time, so one line
            if not line:
                return
            yield line.decode().strip()


def main() -> None:
    """Serve until the tests are over, then leave nothing behind."""
    order = json.loads(sys.argv[1])
    server = Server(argv=order["argv"], log=order["log"], identity=order["identity"])
    try:
        for word in orders(order["parent"]):
            print(server.obey(word), flush=True)
    except BrokenPipeError:
        sys.stdout = None  # nobody listens, and the interpreter need not complain at its end
    finally:
        server.end(signal.SIGQUIT)  # immediate: nobody will read these files again
        for folder in order["folders"]:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
