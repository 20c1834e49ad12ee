"""How far the way to the account goes: its name, its port, its certificate. Sends no request.

Takes no turn of the request budget: the account counts requests, and there is none here.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

Step = Literal["dns", "tcp", "tls"]
PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Reached:
    """Where the way ends: `failed` names the step, and is None where the account listens."""

    host: str
    port: int
    failed: Step | None = None
    reason: str = ""


def reach(base_url: str, *, timeout_s: float) -> Reached:
    """Try name, port and certificate, with the same certificate authorities as the client."""
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return Reached(host, port, "dns", error.strerror or str(error))
    try:
        connection = socket.create_connection((host, port), timeout=timeout_s)
    except OSError as error:
        return Reached(host, port, "tcp", error.strerror or str(error))
    with connection:
        reason = _shake_hands(connection, host) if parts.scheme == "https" else ""
    return Reached(host, port, "tls" if reason else None, reason)


def _shake_hands(connection: socket.socket, host: str) -> str:
    """Return why TLS fails, or nothing."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    try:
        context.wrap_socket(connection, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError as error:
        return error.strerror or str(error)
    return ""
