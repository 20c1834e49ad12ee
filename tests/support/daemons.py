"""Daemons as real processes, the service manager that they talk to, and waiting for what they do.

Nothing here sleeps for luck: whatever is waited for is looked for again and again until a deadline.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from syncd.sandbox import Account
from tests.support.mirror import Mirror
from tests.support.processes import Finished, Running, start, start_syncd

WITHIN_S = 30.0
"""Much longer than anything here takes: only what never happens is waited for so long."""
POLL_S = 0.05
PATCHED = """
import importlib, json, sys
for name, value in json.loads(sys.argv.pop(1)).items():
    module, _, attribute = name.rpartition(".")
    setattr(importlib.import_module(module), attribute, value)
{more}
from syncd.cli import main
main()
"""
LISTING = "get_all_tasks"
"""The request that begins every pull of an account below the record limit."""


def until(seen: Callable[[], Any], within_s: float = WITHIN_S, *, what: object = "") -> float:
    """Wait until `seen` holds and return the seconds it took; fail when the time is over."""
    began = time.monotonic()
    while not seen():
        if time.monotonic() - began > within_s:
            raise AssertionError(f"not within {within_s} s: {what() if callable(what) else what}")
        time.sleep(POLL_S)  # between two looks; the condition is what is waited for
    return time.monotonic() - began


class Manager:
    """The service manager of one daemon: it keeps what it is told, and when."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[tuple[float, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(os.fspath(path))
        Thread(target=self._listen, name="manager", daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):  # closed
            while message := self._socket.recv(65536):
                self.told += [(time.monotonic(), line) for line in message.decode().splitlines()]

    def close(self) -> None:
        """Listen no more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    @property
    def words(self) -> list[str]:
        """Everything that was told, without the feeds."""
        return [line for _, line in list(self.told) if line != "WATCHDOG=1"]

    @property
    def status(self) -> str:
        """The line that `systemctl status` would show."""
        lines = [line for line in self.words if line.startswith("STATUS=")]
        return lines[-1].removeprefix("STATUS=") if lines else ""

    @property
    def ready(self) -> int:
        """How often READY was told."""
        return self.words.count("READY=1")

    @property
    def feeds(self) -> list[float]:
        """When the watchdog was fed."""
        return [at for at, line in list(self.told) if line == "WATCHDOG=1"]

    def hungry_s(self) -> float:
        """For how long it has not been fed."""
        return time.monotonic() - max(self.feeds, default=time.monotonic())


@dataclass(frozen=True, slots=True)
class Daemon:
    """One `syncd run`."""

    process: Running
    manager: Manager
    port: int | None

    def says(self, words: str, within_s: float = WITHIN_S) -> float:
        """Wait until its state holds these words; returns the seconds it took."""
        return until(lambda: words in self.manager.status, within_s, what=self.everything)

    def is_ready(self, times: int = 1) -> float:
        """Wait until it has told so often that it is ready."""
        return until(lambda: self.manager.ready >= times, what=self.everything)

    def has_pulled(self) -> None:
        """Wait until a pull has landed."""
        self.says("last pull complete")

    def reload(self) -> None:
        """Make it read its configuration again, and wait until it has."""
        before = self.manager.ready
        os.kill(self.process.pid, signal.SIGHUP)
        self.is_ready(before + 1)

    def stop(self, within_s: float = 10.0) -> Finished:
        """End it as the service manager does; it has to end well, and soon."""
        began = time.monotonic()
        finished = self.process.end(signal.SIGTERM).expect(0)
        assert time.monotonic() - began < within_s, self.everything()
        return finished

    def page(self, name: str) -> tuple[int, str]:
        """What its local port answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/{name}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    @property
    def rests(self) -> bool:
        """Whether it has nothing under way at the account."""
        return json.loads(self.page("healthz")[1])["doing"] is None

    def everything(self) -> str:
        """All that it has said so far."""
        said = "\n".join(self.manager.words)
        return f"{said}\n--- stdout\n{self.process.stdout}\n--- stderr\n{self.process.stderr}"


@dataclass(slots=True)
class Place:
    """An account, a database, a configuration, and the daemons that run there."""

    mirror: Mirror
    path: Path
    stack: ExitStack
    daemons: list[Daemon] = field(default_factory=list)

    @property
    def account(self) -> Account:
        return self.mirror.account

    def configure(self, **sections: Mapping[str, Any]) -> None:
        """Write the configuration anew, some keys of some sections other than they were."""
        text = self.mirror.path.read_text() if not self.path.exists() else self.path.read_text()
        document = tomllib.loads(text)
        for name, keys in sections.items():
            document.setdefault(name, {}).update(keys)
        self.path.write_text(as_toml(document))

    def run(
        self,
        *,
        watchdog_s: float | None = None,
        port: int | None = None,
        patched: Mapping[str, Any] | None = None,
        more: str = "",
        via: Sequence[str] = (),
    ) -> Daemon:
        """Start a daemon, `via` a command that becomes it.

        One with that, with a patched constant or with more code is started anew for it.
        """
        name = f"daemon{len(self.daemons) + 1}"
        manager = Manager(self.path.with_name(f"{name}.sock"))
        self.stack.callback(manager.close)
        env = {"NOTIFY_SOCKET": os.fspath(manager.path)}
        env |= {"SYNCD_SERVER__LISTEN": f"127.0.0.1:{port}" if port else ""}
        env |= {"WATCHDOG_USEC": str(int(watchdog_s * 1e6))} if watchdog_s else {}
        words, output = ("--config", os.fspath(self.path), "run"), self.path.with_name(name)
        if patched or more or via:
            code = PATCHED.replace("{more}", more)
            argv = [*via, sys.executable, "-c", code, json.dumps(patched or {}), *words]
            # -c puts the working directory on the path, and there the packages are
            started = start(argv, output=output, env=env, cwd=ROOT)
        else:
            started = start_syncd(*words, output=output, env=env)
        daemon = Daemon(self.stack.enter_context(started), manager, port)
        self.daemons.append(daemon)
        return daemon

    def edit(self, task_id: int, **values: Any) -> None:
        """Queue an edit, as a user of the database does."""
        shown = ", ".join(f"{name} = {_literal(value)}" for name, value in values.items())
        self.mirror.execute(f"UPDATE live_tasks SET {shown} WHERE id = {task_id}")

    def leaves(self) -> list[int]:
        """Open tasks without subtasks that an edit can reach: nobody has them who has left."""
        gone = {member.id for member in self.account.members.values() if not member.active}
        tasks = sorted(self.account.tasks.values(), key=lambda task: task.id)
        return [
            task.id
            for task in tasks
            if task.status == "active" and not task.child_ids and task.assignee_id not in gone
        ]

    def updates(self, task_id: int) -> int:
        """How often the account took an update of this task."""
        return sum(
            entry.effect and entry.parameters.get("id_task") == str(task_id)
            for entry in self.mirror.box.log.entries("update_task")
        )

    def pulls(self) -> int:
        """How many pulls the account has answered."""
        return len(self.mirror.box.log.entries(LISTING))

    def states(self) -> dict[str, int]:
        """How many changes there are in each state."""
        query = "SELECT state, count(*) AS n FROM outbox GROUP BY state"
        return {row["state"]: row["n"] for row in self.mirror.rows(query)}


ROOT = Path(__file__).parent.parent.parent


def as_toml(document: Mapping[str, Mapping[str, Any]]) -> str:
    """A configuration as text; what JSON and TOML write alike is all there is in one."""
    lines = []
    for name, keys in document.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
    return "\n".join(lines) + "\n"


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"


def free_port() -> int:
    """A port of the loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Freeze a process and all its children for the length of a block."""
    frozen = [pid, *_children(pid)]
    for each in frozen:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in reversed(frozen):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in re.findall(r"\d+", found)]
