"""The dead-man ping: a sign of life for somebody who raises the alarm when none comes."""

from __future__ import annotations

from http.client import HTTPException
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from syncd import __version__
from syncd.config import is_loopback
from syncd.errors import ConfigError
from syncd.log import get_logger
from syncd.secrets import Secret

PATIENCE_S: Final = 10.0


class DeadMan:
    """Asks an address after each complete pull. Whether anybody answers never matters to us.

    The request goes in a thread of its own: an answer that trickles must not stop the work.
    """

    def __init__(self, url: Secret, *, patience_s: float = PATIENCE_S) -> None:
        parts = urlsplit(url.reveal())
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url.reveal())):
            raise ConfigError("alerts.ping_url: is not an address that begins with https://.")
        self._url = url
        self._patience_s = patience_s
        self._under_way: Thread | None = None

    def ping(self) -> bool:
        """Ask once, for a limited time; a failure is logged. Never raises."""
        if self._under_way is not None and self._under_way.is_alive():
            return _failed("the last one is still not answered")
        heard: list[str] = []
        self._under_way = Thread(target=self._ask, args=(heard,), name="ping", daemon=True)
        self._under_way.start()
        self._under_way.join(self._patience_s)
        if not heard:
            return _failed(f"no answer within {self._patience_s:g} s")
        return heard == [""] or _failed(heard[0])

    def _ask(self, heard: list[str]) -> None:
        request = Request(  # noqa: S310 - its scheme was checked above
            self._url.reveal(), headers={"User-Agent": f"syncd/{__version__}"}
        )
        try:
            with _opener().open(request, timeout=self._patience_s):
                heard.append("")
        except (OSError, HTTPException, ValueError) as error:
            heard.append(f"{type(error).__name__}: {error}")


class _StayThere(HTTPRedirectHandler):
    """Nowhere else is asked: a redirection could lead to where the address may not be shown."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _opener() -> OpenerDirector:
    return build_opener(_StayThere)


def _failed(why: str) -> bool:
    get_logger().warning("ping.failed", error=why)
    return False
