"""Runs programs for the tests: our own command as a real process, and anything as a lesser user.

Root may write to read-only files and read what nobody may; a test of "the database is read-only"
would pass or fail by who runs it. `powerless=True` takes that away in a way that works wherever
the interpreter lies, and `identity()` names an ordinary user for programs that refuse root.
"""

from __future__ import annotations

import atexit
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from tests.support.nursery import Child, Nursery

ORDINARY_USER = "nobody"
TIMEOUT_S = 60.0
READ_AT_THE_START = ("PYTHON", "LC_", "LANG")
"""How the variables begin that an interpreter heeds when it starts, and never again."""


def is_root() -> bool:
    """Tell whether file permissions mean nothing to us."""
    return os.geteuid() == 0


def identity() -> dict[str, Any]:
    """Return the arguments of Popen that make root's child an ordinary user; none for others."""
    if not is_root():
        return {}
    user = pwd.getpwnam(ORDINARY_USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def give_away(path: Path) -> None:
    """Make `path` belong to the ordinary user of `identity()`."""
    if who := identity():
        os.chown(path, who["user"], who["group"])


def powerless_prefix() -> list[str]:
    """Return what to put before a command so that file permissions hold for it.

    Root without capabilities is still the owner of root's files, and so can run an interpreter
    that lies below an unreadable home, which another user could not.
    """
    if not is_root():
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise RuntimeError("as root this test needs setpriv (apt-get install util-linux)")
    return [setpriv, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]


@dataclass(frozen=True, slots=True)
class Finished:
    """What a process left behind."""

    argv: list[str]
    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.stdout)

    def expect(self, status: int) -> Finished:
        """Return itself, or fail the test with everything the process said."""
        assert self.status == status, (
            f"{' '.join(self.argv)}\nexit {self.status}, expected {status}\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )
        return self


class Running:
    """A process of ours in the background: wait for it, signal it, kill it; it is always reaped."""

    def __init__(
        self, argv: list[str], process: subprocess.Popen[str] | Child, output: Path
    ) -> None:
        self.argv = argv
        self.process = process
        self.output = output

    @property
    def pid(self) -> int:
        """The process id; with `powerless` too, since setpriv becomes the command."""
        return self.process.pid

    @property
    def stdout(self) -> str:
        """What it has written to stdout so far."""
        return self.output.with_suffix(".out").read_text("utf-8", "replace")

    @property
    def stderr(self) -> str:
        """What it has written to stderr so far."""
        return self.output.with_suffix(".err").read_text("utf-8", "replace")

    def wait(self, timeout_s: float = TIMEOUT_S) -> Finished:
        """Wait for its own end."""
        status = self.process.wait(timeout_s)
        return Finished(self.argv, status, self.stdout, self.stderr)

    def wait_until(self, seen: Callable[[Running], bool], timeout_s: float = TIMEOUT_S) -> None:
        """Wait until `seen` holds; fail if the process ends or the time is over before that."""
        deadline = time.monotonic() + timeout_s
        while not seen(self):
            ended = self.process.poll() is not None
            if (ended and not seen(self)) or time.monotonic() > deadline:
                what = f"ended with {self.process.returncode}" if ended else f"{timeout_s} s passed"
                raise AssertionError(
                    f"{' '.join(self.argv)}: {what} first\n"
                    f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
                )
            time.sleep(0.005)

    def kill(self) -> Finished:
        """Kill it with -9."""
        return self.end(signal.SIGKILL)

    def end(self, signal_number: int = signal.SIGTERM, timeout_s: float = TIMEOUT_S) -> Finished:
        """Send a signal and wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.wait(timeout_s)


def syncd_argv(*arguments: str | os.PathLike[str], powerless: bool = False) -> list[str]:
    """Return the command line of our own program under this interpreter."""
    prefix = powerless_prefix() if powerless else []
    return [*prefix, sys.executable, "-m", "syncd", *(os.fspath(each) for each in arguments)]


def plain_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment without what would steer syncd, plus `extra`."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SYNCD_")}
    return {**ours, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "100", **(extra or {})}


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout_s: float = TIMEOUT_S,
) -> Finished:
    """Run a command to its end and return what it said; killed and reaped when it takes longer."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        env=plain_environment(env),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout_s,
        check=False,
    )
    return Finished(list(argv), done.returncode, done.stdout, done.stderr)


def run_syncd(
    *arguments: str | os.PathLike[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    powerless: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Finished:
    """Run `syncd ARGUMENTS` as a process of its own, without the environment's SYNCD_ variables."""
    if powerless or needs_a_start(env):
        argv = syncd_argv(*arguments, powerless=powerless)
        return run(argv, cwd=cwd, env=env, stdin=stdin, timeout_s=timeout_s)
    with ExitStack() as stack:
        given, out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        given.write(stdin.encode())
        given.seek(0)
        files = [file.fileno() for file in (given, out, err)]
        child = born(*arguments, cwd=cwd, env=env, files=files)
        try:
            status = child.wait(timeout_s)
        finally:
            _end_session(child)
        return Finished(child.args, status, _content(out), _content(err))


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


@cache
def nursery() -> Nursery:
    """Return what this test process starts our command with."""
    made = Nursery(plain_environment())
    atexit.register(made.close)
    return made


def needs_a_start(env: Mapping[str, str] | None) -> bool:
    """Tell whether these variables do nothing in a process that was forked."""
    return any(name.startswith(READ_AT_THE_START) for name in env or ())


def born(
    *arguments: str | os.PathLike[str],
    files: Sequence[int],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Child:
    """Start `syncd ARGUMENTS` on three descriptors; whoever asks for it sees to its end."""
    words = [os.fspath(each) for each in arguments]
    return nursery().start(words, cwd=cwd or Path.cwd(), env=plain_environment(env), files=files)


@contextmanager
def start(
    argv: Sequence[str],
    *,
    output: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Start a command in the background; it writes to `output`.out and .err.

    It gets a session of its own, and whatever is left of that session is killed at the end.
    """
    with _three_files(output) as (nothing, out, err):
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=plain_environment(env),
            stdin=nothing,
            stdout=out,
            stderr=err,
            text=True,
            start_new_session=True,
        )
    try:
        yield Running(list(argv), process, output)
    finally:
        _end_session(process)


@contextmanager
def start_syncd(
    *arguments: str | os.PathLike[str],
    output: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    powerless: bool = False,
) -> Iterator[Running]:
    """Start `syncd ARGUMENTS` in the background; see `start`."""
    if powerless or needs_a_start(env):
        argv = syncd_argv(*arguments, powerless=powerless)
        with start(argv, output=output, cwd=cwd, env=env) as running:
            yield running
        return
    with _three_files(output) as files:
        child = born(*arguments, cwd=cwd, env=env, files=files)
    try:
        yield Running(child.args, child, output)
    finally:
        _end_session(child)


@contextmanager
def _three_files(output: Path) -> Iterator[tuple[int, int, int]]:
    with (
        Path(os.devnull).open("rb") as nothing,
        output.with_suffix(".out").open("wb") as out,
        output.with_suffix(".err").open("wb") as err,
    ):
        yield nothing.fileno(), out.fileno(), err.fileno()


def _end_session(process: subprocess.Popen[str] | Child) -> None:
    # The group outlives its leader while any member lives, and its id is not reused until then;
    # with no member left there is nothing to signal.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        process.kill()
    process.wait(TIMEOUT_S)
