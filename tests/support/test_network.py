"""The guard lets the loopback through, and nothing else."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import requests

from tests.support import network


def test_the_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_a_unix_socket_is_open(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_an_address_elsewhere_is_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.socket(family) as client,
        pytest.raises(network.ReachedOutside),
    ):
        client.connect((host, 80))
    assert [host] == network.attempts
    network.attempts.clear()


def test_no_name_is_looked_up() -> None:
    with pytest.raises(network.ReachedOutside):
        requests.get("http://account.example/", timeout=1)
    assert ["account.example"] == network.attempts
    network.attempts.clear()


def test_a_name_that_cannot_exist_fails_as_anywhere() -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get("http://account.invalid/", timeout=1)
