"""Keeps the tests on this machine: a connection or a name look-up elsewhere fails the test.

It sees what Python's own sockets do in the test process. Names below .invalid, which no network
ever has (RFC 6761), fail as they would anywhere.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

attempts: list[str] = []


class ReachedOutside(AssertionError):
    """A test reached for another machine; not an OSError, so that no code under test handles it."""


def is_local(host: object) -> bool:
    """Tell whether a host's name or address is this machine."""
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        text = host.decode() if isinstance(host, bytes) else str(host)
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def guard() -> None:
    """Watch this process from now on; an audit hook cannot be taken away again."""
    sys.addaudithook(_on_event)


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    match event:
        case "socket.getaddrinfo" | "socket.gethostbyname":
            _check(arguments[0])
        case "socket.connect" | "socket.sendto" if _is_ip(arguments[0]):
            _check(arguments[1][0])
        case _:
            pass


def _is_ip(sock: socket.socket) -> bool:
    return sock.family in (socket.AF_INET, socket.AF_INET6)


def _check(host: object) -> None:
    if is_local(host):
        return
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name.rstrip(".").endswith(".invalid"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    attempts.append(name)
    raise ReachedOutside(f"a test may not reach {name}: only the loopback is open")
