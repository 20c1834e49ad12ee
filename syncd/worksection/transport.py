"""One exchange over HTTP: signed request out, status and body in, foreign errors mapped.

The only importer of requests. Errors are raised outside the `except` that caught the foreign one:
its text holds the address, the address holds the hash, and a chained cause gets printed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from zlib_ng import zlib_ng

from syncd.errors import BadReply, ConfigError, SyncdError, Unanswered, Unreachable
from syncd.secrets import Secret
from syncd.worksection.connection import Deadline, PlainConnection, TlsConnection, Wire
from syncd.worksection.secret import Hidden, redact
from syncd.worksection.signing import Signed

FOREIGN: Final = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError)
CHUNK: Final = 256 * 1024
MAX_CONNECT_S: Final = 10.0
HEADERS: Final = (
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip"),
    ("User-Agent", "syncd"),
)


class Incoming:
    """An answer whose head has arrived; its body comes in chunks, then `close`."""

    def __init__(
        self,
        response: requests.Response,
        deadline: Deadline,
        wire: Wire,
        secrets: tuple[Secret | Hidden, ...],
    ) -> None:
        self._response = response
        self._deadline = deadline
        self._wire = wire
        self._secrets = secrets

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, whatever the case of their names."""
        return self._response.headers

    def chunks(self) -> Iterator[bytes]:
        """Yield the body, decoded and to its announced end.

        Raises Unanswered if it is cut short, BadReply if its encoding makes no sense.
        """
        coding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if coding in {"gzip", "x-gzip"}:
            return _gunzip(self._raw_chunks())
        if coding in {"identity", ""}:
            return self._raw_chunks()
        raise BadReply(f"The account answered in an encoding nobody asked for: {coding[:40]}")

    def _raw_chunks(self) -> Iterator[bytes]:
        stream = self._response.raw.stream(CHUNK, decode_content=False)
        while True:
            chunk = _next(stream, self._secrets)
            if isinstance(chunk, str):
                raise _unanswered(chunk, self._wire)
            if not chunk:
                break
            yield chunk
        if self._wire.expired:  # without an announced length a cut looks like an end
            raise Unanswered("The account's answer took too long and was given up")

    def close(self) -> None:
        """Let the connection go: back for the next request if the body was read, else closed."""
        self._deadline.cancel()
        self._response.close()


class Transport:
    """One connection to one host. Never retries, never follows a redirect, asks no environment."""

    def __init__(
        self, *, timeout_s: float, deadline_s: float | None = None, ca_file: Path | None = None
    ) -> None:
        self._timeouts_s = (min(timeout_s, MAX_CONNECT_S), timeout_s)
        self._verify: bool | str = str(ca_file) if ca_file else True
        self._wire = Wire()
        longest_s = deadline_s if deadline_s is not None else 5 * timeout_s
        self._deadline = Deadline(self._wire, longest_s)
        self._adapter = _Adapter(self._wire)
        _keep_addresses_out_of_logs()

    def open(self, signed: Signed, *, fresh: bool, on_leaving: Callable[[], None]) -> Incoming:
        """Send `signed` and return its answer from the head on.

        `fresh` takes a new connection: one that idled may be closed at the other end, and a write
        lost on it could not be told from one that landed.

        Raises Unreachable if not a byte was handed over, Unanswered after that.
        """
        if fresh:
            self._adapter.close()
        self._wire.begin(on_leaving)
        self._deadline.begin()
        response: requests.Response | str = ""
        try:
            response = self._send(signed)
        finally:  # a signal may raise here too, and the deadline must not cut the next exchange
            if isinstance(response, str):
                self._deadline.cancel()
                self._adapter.close()
        if isinstance(response, str):
            raise self._error(response)
        return Incoming(response, self._deadline, self._wire, signed.secrets)

    def close(self) -> None:
        """Close the connection."""
        self._deadline.close()
        self._adapter.close()

    def _send(self, signed: Signed) -> requests.Response | str:
        """Return the response, or in a line why there is none."""
        try:
            return self._adapter.send(
                _prepared(signed), stream=True, timeout=self._timeouts_s, verify=self._verify
            )
        except FOREIGN as error:
            return _reason(error, signed.secrets)

    def _error(self, reason: str) -> SyncdError:
        if self._wire.sent:
            return _unanswered(reason, self._wire)
        if "TLS CA certificate bundle" in reason:
            return ConfigError("The file of certificate authorities cannot be read")
        return Unreachable(
            f"The account could not be reached: {reason}",
            hint="Nothing was sent. Check the network and account.url.",
        )


class _Adapter(HTTPAdapter):
    """An adapter of one connection, which reports to the wire.

    Without a session there is no proxy, .netrc or CA bundle behind the configuration's back, no
    cookie, and nobody who follows a redirect.
    """

    def __init__(self, wire: Wire) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._wire = wire

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return the pool, told to make our kind of connection."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = TlsConnection if pool.scheme == "https" else PlainConnection
        pool.conn_kw["wire"] = self._wire
        return pool


def _prepared(signed: Signed) -> requests.PreparedRequest:
    """Build the request with our own address in it: the library would encode it again."""
    prepared = requests.PreparedRequest()
    prepared.prepare_method(signed.method)
    prepared.prepare_headers(dict((*HEADERS, *signed.headers)))
    prepared.prepare_body(signed.body, None)
    prepared.url = signed.url.reveal()
    return prepared


def _next(stream: Iterator[bytes], secrets: tuple[Secret | Hidden, ...]) -> bytes | str:
    """Return the next chunk, empty at the end, or in a line why there is none."""
    try:
        return next(stream, b"")
    except FOREIGN as error:
        return _reason(error, secrets)


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress, and insist on the end mark: a cut gzip stream is no error to zlib."""
    inflater = zlib_ng.decompressobj(16 + zlib_ng.MAX_WBITS)
    for plain in map(partial(_inflated, inflater), chunks):
        if plain is None:
            raise BadReply("The account's answer is garbled: it cannot be decompressed")
        yield plain
    if not inflater.eof:
        raise Unanswered("The account's answer ended before its end")


def _inflated(inflater: zlib_ng._Decompress, chunk: bytes) -> bytes | None:
    try:
        return inflater.decompress(chunk)
    except zlib_ng.error:  # type: ignore[misc]  # its stub takes the class for an instance
        return None


def _unanswered(reason: str, wire: Wire) -> Unanswered:
    if wire.expired:
        return Unanswered("The account's answer took too long and was given up")
    return Unanswered(f"No complete answer came: {reason}")


def _reason(failure: Exception, secrets: tuple[Secret | Hidden, ...]) -> str:
    """Say what went wrong in a line, from the innermost error: the outer ones quote addresses."""
    inner: Exception = failure
    while (deeper := _deeper(inner)) is not None:
        inner = deeper
    name, said = type(inner).__name__, str(getattr(inner, "strerror", None) or inner)
    words = redact("".join(filter(str.isprintable, said.partition("\n")[0])), *secrets)[:200]
    # The system's errors are sentences; the libraries' make sense beside their names.
    if words and (isinstance(inner, OSError) or words.startswith(name)):
        return words
    return f"{name}: {words}" if words else name


def _deeper(failure: Exception) -> Exception | None:
    for candidate in (getattr(failure, "reason", None), *failure.args, failure.__cause__):
        if isinstance(candidate, Exception):
            return candidate
    return None


class _AddressFilter(logging.Filter):
    """urllib3 logs addresses, at DEBUG and in warnings, and ours hold the hash."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the line in place."""
        record.msg, record.args, record.exc_info = redact(record.getMessage()), (), None
        return True


def _keep_addresses_out_of_logs() -> None:
    for name in ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
        log = logging.getLogger(name)
        if not any(isinstance(known, _AddressFilter) for known in log.filters):
            log.addFilter(_AddressFilter())
