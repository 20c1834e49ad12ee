"""Hosts in network namespaces, each at the end of a wire of its own: ip-netns(8), veth(4).

Needs root, iproute2, and a kernel that lets us; `NoHosts` says what is missing. Names carry our
process id, and the addresses are of those that no network has (RFC 2544).
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import TypeVar

from tests.support.processes import is_root

CLONE_NEWNET = 0x40000000
FIRST = int(IPv4Address("198.18.0.0"))
WIRES = 2**15
"""How many networks of four addresses there are."""
MOST = 4
"""How many hosts one process may have."""
NEEDED = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "hostname": "hostname",
}
Made = TypeVar("Made")


class NoHosts(Exception):
    """No hosts can be made here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host. Its wire leads to our own namespace; its loopback is its own."""

    name: str
    namespace: str
    wire: str
    server: IPv4Interface
    """Our end of the wire."""

    @property
    def via(self) -> list[str]:
        """What to put before a command that is to run there, under the host's name."""
        entered = ["nsenter", f"--net={self._path}", "unshare", "--uts", "--"]
        return [*entered, "sh", "-c", 'hostname "$0" && exec "$@"', self.name]

    def there(self, do: Callable[[], Made]) -> Made:
        """Do something in a thread that is on this host; its sockets and threads stay there."""
        with ThreadPoolExecutor(1, initializer=self._enter) as thread:
            return thread.submit(do).result()

    def cut(self) -> None:
        """Pull the plug: what either side sends from now on is lost, and neither is told."""
        _ip("link", "set", self.wire, "down")

    def mend(self) -> None:
        """Put the plug back."""
        _ip("link", "set", self.wire, "up")

    @property
    def _path(self) -> Path:
        return Path("/run/netns") / self.namespace

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with self._path.open() as file:
            if libc.setns(file.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"cannot enter {self._path}")


def make_hosts(stack: ExitStack, *names: str, first: int = 0) -> list[Host]:
    """Make hosts of these names, taken away with the stack. Raises NoHosts.

    Whoever makes hosts while there are others begins at a number that is `first` free.
    """
    if not is_root():
        raise NoHosts("root is needed")
    for program, package in NEEDED.items():
        if shutil.which(program) is None:
            raise NoHosts(f"{program} is missing: apt-get install {package}")
    return [_host(stack, name, number) for number, name in enumerate(names, first)]


def _host(stack: ExitStack, name: str, number: int) -> Host:
    first = FIRST + 4 * ((os.getpid() * MOST + number) % WIRES)
    server, here = (IPv4Interface((first + each, 30)) for each in (1, 2))
    host = Host(name, f"syncd-{os.getpid()}-{name}", f"sy{os.getpid()}-{number}", server)
    _made(stack, ["netns", "add", host.namespace], ["netns", "del", host.namespace])
    ends = ["link", "add", host.wire, "type", "veth", "peer", "name", "db", "netns", host.namespace]
    _made(stack, ends, ["link", "del", host.wire])
    _ip("addr", "add", str(server), "dev", host.wire)
    _ip("link", "set", host.wire, "up")
    _ip("-n", host.namespace, "addr", "add", str(here), "dev", "db")
    for device in ("lo", "db"):
        _ip("-n", host.namespace, "link", "set", device, "up")
    return host


def _made(stack: ExitStack, make: list[str], remove: list[str]) -> None:
    _ip(*make)
    stack.callback(_ip, *remove)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise NoHosts(f"ip {' '.join(words[:2])}: {said[-1] if said else done.returncode}")
