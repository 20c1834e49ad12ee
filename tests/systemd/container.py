"""A Debian with a systemd of its own, booted on this machine: made once, copied for each try.

Needs root, systemd-nspawn, and debootstrap for the first time. Where it cannot be, `Impossible`
says why. Network: its own loopback only.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SUITE = "bookworm"
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-venv", "procps", "postgresql")
TOOLS = ("systemd-nspawn", "nsenter", "setpriv")
CGROUPS = Path("/sys/fs/cgroup")
TREES = ("systemd", "unified")
"""The hierarchies that systemd works in where there is more than one (control groups 1 and 2)."""
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}
OUTER_SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)
BOOT_S = 90.0


class Impossible(Exception):
    """This machine cannot do it; the message is the reason."""


def check_machine() -> None:
    """Raise Impossible where a container cannot be started."""
    if os.geteuid() != 0:
        raise Impossible("only root may start a container")
    for tool in TOOLS:
        if shutil.which(tool) is None:
            raise Impossible(f"{tool} is missing (apt-get install systemd-container util-linux)")


def base(folder: Path) -> Path:
    """Return the root that every try starts from; made on the first call, which takes minutes."""
    ready = folder / "etc/debian_version"
    made = folder.with_name(f"{folder.name}.made")
    if made.exists() and ready.exists():
        return folder
    if shutil.which("debootstrap") is None:
        raise Impossible(f"there is no root at {folder}, and no debootstrap to make one")
    print(f"making a Debian {SUITE} at {folder} (once, some minutes)", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _call(
        "debootstrap",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        SUITE,
        folder,
        why="no Debian could be had",
    )
    made.touch()
    return folder


def _call(*argv: str | Path, why: str, error: type[Exception] = Impossible) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise error(f"{why}: {(done.stdout + done.stderr).strip()[-400:]}")


def copy(source: Path, target: Path) -> Path:
    """Copy a root, sharing what the file system can share."""
    _call("cp", "-a", "--reflink=auto", source, target, why="the root could not be copied")
    return target


def install_wheel(root: Path, wheel: Path) -> None:
    """Install the wheel at /opt/syncd, as the runbook has it, without a network inside."""
    wheels = root / "var/cache/wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    _call(
        *(sys.executable, "-m", "pip", "--quiet", "download", "--only-binary=:all:"),
        *("--python-version", "3.11", "--dest", wheels, wheel),
        why="the packages could not be had",
    )
    inside = ("chroot", str(root), "env", "-i", *(f"{k}={v}" for k, v in ENVIRONMENT.items()))
    _call(*inside, "python3", "-m", "venv", "/opt/syncd", why="no environment")
    _call(
        *inside,
        *("/opt/syncd/bin/pip", "install", "--no-index", "--find-links=/var/cache/wheels"),
        f"/var/cache/wheels/{wheel.name}",
        why="the wheel did not install",
        error=AssertionError,  # that is no fault of this machine
    )


@dataclass(frozen=True, slots=True)
class Container:
    """A booted system: files are written below `root`, commands run in its namespaces."""

    root: Path
    leader: int

    def start(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside and return what came of it."""
        given = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        return subprocess.run(
            ["nsenter", "-a", "-t", str(self.leader), "env", "-i", *given, *argv],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def run(self, *argv: str, status: int = 0) -> str:
        """Run a command that is to end with `status`; returns what it said."""
        done = self.start(*argv)
        if done.returncode != status:
            raise AssertionError(
                f"{' '.join(argv)}: exit {done.returncode}, expected {status}\n"
                f"{done.stdout}{done.stderr}"
            )
        return done.stdout.strip()

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of root's."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=mode)
        target.chmod(mode)
        target.write_text(text, encoding="utf-8")


@contextmanager
def booted(root: Path) -> Iterator[Container]:
    """Boot a root with its own processes, network and control groups; ended for sure."""
    log = root.with_name(f"{root.name}.console")
    # Where systemd does not run outside, nobody gives nspawn a unit; it divides the group it is in.
    alone = () if OUTER_SYSTEMD.is_dir() else ("--register=no", "--keep-unit")
    with log.open("wb") as console, _own_cgroup() as enter:
        nspawn = subprocess.Popen(
            [
                *("systemd-nspawn", "--quiet", "--boot", "--private-network", *alone),
                *("--console=pipe", f"--machine=syncd-try-{os.getpid()}", f"--directory={root}"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            preexec_fn=enter if alone else None,  # we have one thread; before it forks in its turn
        )
        try:
            yield _wait_for_boot(root, nspawn, log)
        finally:
            _end(nspawn)


@contextmanager
def _own_cgroup() -> Iterator[Callable[[], None]]:
    """Give a control group of our own in each hierarchy, to be entered by whom nspawn runs as."""
    name = f"syncd-try-{os.getpid()}"
    tops = [path.parent for path in CGROUPS.glob("*/cgroup.procs") if path.parent.name in TREES]
    tops = tops or [CGROUPS]
    for top in tops:
        (top / name).mkdir(exist_ok=True)

    def enter() -> None:
        for top in tops:
            (top / name / "cgroup.procs").write_text("0")

    try:
        yield enter
    finally:
        for top in tops:
            _remove(top / name)


def _remove(group: Path) -> None:
    """Remove a control group and those in it, as far as they are empty."""
    for inner in sorted(group.rglob("cgroup.procs"), key=lambda path: -len(path.parts)):
        with suppress(OSError):
            inner.parent.rmdir()


def _wait_for_boot(root: Path, nspawn: subprocess.Popen[bytes], log: Path) -> Container:
    deadline = time.monotonic() + BOOT_S
    while time.monotonic() < deadline and nspawn.poll() is None:
        leader = _leader(nspawn.pid)
        if leader is not None:
            container = Container(root, leader)
            state = container.start("systemctl", "is-system-running", "--wait").stdout.strip()
            if state in {"running", "degraded"}:
                return container
        time.sleep(0.1)  # nothing tells when the private socket of its systemd is there
    raise Impossible(f"it did not boot: {log.read_text(errors='replace').strip()[-600:]}")


def _leader(nspawn: int) -> int | None:
    """Return the process that is number 1 inside."""
    for child in _children(nspawn):
        with suppress(OSError):
            status = Path(f"/proc/{child}/status").read_text()
            numbers = next(line for line in status.splitlines() if line.startswith("NSpid:"))
            if len(numbers.split()) > 2 and numbers.split()[-1] == "1":
                return child
    return None


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _end(nspawn: subprocess.Popen[bytes]) -> None:
    """Shut the system down; kill it where it does not go."""
    nspawn.send_signal(signal.SIGTERM)
    try:
        nspawn.wait(30)
    except subprocess.TimeoutExpired:
        nspawn.kill()
        nspawn.wait(30)
