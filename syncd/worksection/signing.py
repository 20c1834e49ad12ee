"""How a request proves who it comes from: one small object per scheme. API sheet, section 2.

A scheme turns a `Request` into the exact method, address, headers and body. It sends nothing,
except that OAuth2 (in `oauth`) renews its token.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from syncd.errors import Refused
from syncd.secrets import MASK, Secret
from syncd.worksection.multipart import multipart
from syncd.worksection.request import Request, decoded, encode
from syncd.worksection.secret import Hidden

ADMIN_PATH = "/api/admin/v2/"  # with the slash: without it a redirect might turn a POST into a GET
MAX_TARGET = 7_000  # bytes; nginx answers 414 for a request line over 8 kB
SLACK = 300  # of these for the host, the path, the page and the hash
FORM = "application/x-www-form-urlencoded"
SKEW_NOTICED_S = 2.0  # a Date header has whole seconds, and the way takes time


@dataclass(frozen=True, slots=True)
class Signed:
    """What goes on the wire. The address holds the hash, so its repr shows none of it."""

    method: str
    url: Hidden
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    secrets: tuple[Secret | Hidden, ...]

    def __repr__(self) -> str:
        return f"Signed({self.method} {MASK})"


@dataclass(frozen=True, slots=True)
class Rejection:
    """The account did not accept the credentials of a request, and so did not act on it."""

    status: int
    code: int | None
    said: str
    skew_s: float | None


class Scheme(Protocol):
    """Signs requests, and learns from what the account answers."""

    @property
    def scoped(self) -> bool:
        """Whether rights depend on granted scopes, so that an error may be a missing one."""
        ...

    @property
    def signs_text(self) -> bool:
        """Whether the parameters' texts are signed, so that an odd character can spoil it."""
        ...

    def sign(self, request: Request, base_url: str) -> Signed:
        """Return the request as it goes on the wire; made anew for every attempt."""
        ...

    def recover(self, request: Request, rejection: Rejection) -> bool:
        """Change something after a rejection; True if sending again makes sense."""
        ...

    def observe(self, skew_s: float) -> None:
        """Take note of how far the account's clock is ahead of ours."""
        ...

    def secrets(self) -> tuple[Secret, ...]:
        """Return every secret held now, for redaction."""
        ...


class Md5:
    """MD5 over the parameters as they are on the wire, then the key (API sheet, section 2.1)."""

    scoped = False
    signs_text = True

    def __init__(self, key: Secret) -> None:
        self._key = key
        self._hashes_decoded = False

    def sign(self, request: Request, base_url: str) -> Signed:
        """Hash the exact bytes that are sent; the hash goes last."""
        text = decoded(request.pairs) if self._hashes_decoded else encode(request.pairs)
        return _hashed(request, base_url, encode(request.pairs), md5(text, self._key), self._key)

    def recover(self, request: Request, rejection: Rejection) -> bool:
        """Try the other reading of the hash where the two differ, and keep it if it works."""
        if rejection.code != 2 or request.trivial:
            return False
        self._hashes_decoded = not self._hashes_decoded
        return True

    def observe(self, skew_s: float) -> None:
        """The hash knows no time."""

    def secrets(self) -> tuple[Secret, ...]:
        """Return the key."""
        return (self._key,)


class Md5Page:
    """The older MD5 over page and action, the other parameters unsigned (API sheet, 2.2)."""

    scoped = False
    signs_text = False

    def __init__(self, key: Secret) -> None:
        self._key = key
        self._sends_empty_page = False

    def sign(self, request: Request, base_url: str) -> Signed:
        """Hash page, action and key; the ids of the newer methods travel along."""
        page = page_of(request)
        send_page = page or self._sends_empty_page
        pairs = (*request.pairs, ("page", page)) if send_page else request.pairs
        digest = md5(page + request.action, self._key)
        return _hashed(request, base_url, encode(pairs), digest, self._key)

    def recover(self, request: Request, rejection: Rejection) -> bool:
        """Try an empty page where there is none: it may be what selects the older hash."""
        if rejection.code != 2 or page_of(request):
            return False
        self._sends_empty_page = not self._sends_empty_page
        return True

    def observe(self, skew_s: float) -> None:
        """The hash knows no time."""

    def secrets(self) -> tuple[Secret, ...]:
        """Return the key."""
        return (self._key,)


class Hmac:
    """A signed header over action and time, the parameters as JSON (API sheet, section 2.3).

    `clock` must be the client's, against which the account's is measured.
    """

    scoped = False
    signs_text = False

    def __init__(self, key: Secret, *, clock: Callable[[], datetime]) -> None:
        self._key = key
        self._clock = clock
        self._skew_s = 0.0
        self._corrected_by_s = 0.0

    def sign(self, request: Request, base_url: str) -> Signed:
        """Make a fresh header, in the account's time."""
        self._corrected_by_s = self._skew_s
        at = int(self._clock().timestamp() + self._skew_s)
        message = f"{request.action}:{at}".encode()
        signature = Hidden(hmac.new(self._key.reveal().encode(), message, "sha256").hexdigest())
        header = ("Authorization", f"Admin {at}_{signature.reveal()}")
        return _json(request, base_url, header, (self._key, signature))

    def recover(self, request: Request, rejection: Rejection) -> bool:  # noqa: ARG002 - Scheme's
        """Send again if the account's own clock shows that the time in the header was off."""
        if rejection.skew_s is not None:
            self.observe(rejection.skew_s)
        return abs(self._skew_s - self._corrected_by_s) >= SKEW_NOTICED_S

    def observe(self, skew_s: float) -> None:
        """Follow the account's clock once it is off by more than a header can blur."""
        self._skew_s = skew_s if abs(skew_s) >= SKEW_NOTICED_S else 0.0

    def secrets(self) -> tuple[Secret, ...]:
        """Return the key."""
        return (self._key,)


def md5(text: str, key: Secret) -> Hidden:
    """Return the account's hash of `text` under `key`."""
    plain = (text + key.reveal()).encode()
    return Hidden(hashlib.md5(plain, usedforsecurity=False).hexdigest())


def page_of(request: Request) -> str:
    """Return the old address of what `request` is about, as far as its ids tell."""
    given = dict(request.params)
    if request.page or "id_project" not in given:
        return request.page
    task = given.get("id_task") or given.get("id_parent")
    return f"/project/{given['id_project']}/" + (f"{task}/" if task else "")


def _hashed(request: Request, base_url: str, query: str, digest: Hidden, key: Secret) -> Signed:
    whole = f"{query}&hash={digest.reveal()}"
    return addressed(request, base_url + ADMIN_PATH, whole, (), (key, digest))


def addressed(
    request: Request,
    endpoint: str,
    query: str,
    headers: tuple[tuple[str, str], ...],
    secrets: tuple[Secret | Hidden, ...],
) -> Signed:
    """Place `query` in the address, or in a form when it is too long for one.

    A write is a POST: a proxy may repeat a GET on its own.
    """
    if request.attachments:
        return _with_files(request, endpoint, query, headers, secrets)
    if len(query) + len(endpoint) > MAX_TARGET:
        form = (*headers, ("Content-Type", FORM))
        return Signed("POST", Hidden(endpoint), form, query.encode(), secrets)
    method = "POST" if request.writes else "GET"
    return Signed(method, Hidden(f"{endpoint}?{query}"), headers, None, secrets)


def _with_files(
    request: Request,
    endpoint: str,
    query: str,
    headers: tuple[tuple[str, str], ...],
    secrets: tuple[Secret | Hidden, ...],
) -> Signed:
    """Files go in the body and take no part in the hash; all else stays in the address."""
    kind, body = multipart(request.parts())
    url = Hidden(f"{endpoint}?{query}")
    return Signed("POST", url, (*headers, ("Content-Type", kind)), body, secrets)


def check_fits(request: Request) -> None:
    """Refuse texts that only fit in a body, in a request whose body is files; before any signing.

    Raises Refused: nothing was sent, and the same request will never fit.
    """
    if not request.attachments or len(encode(request.pairs)) <= MAX_TARGET - SLACK:
        return
    said = f"with files the texts travel in the address, {MAX_TARGET - SLACK} bytes at most"
    raise Refused(
        f"{request.action} cannot be sent: {said}",
        action=request.action,
        code=None,
        said=said,
        hint="Shorten the text, or create the task without the files.",
    )


def _json(
    request: Request, base_url: str, header: tuple[str, str], secrets: tuple[Secret | Hidden, ...]
) -> Signed:
    endpoint = base_url + ADMIN_PATH
    if request.attachments:
        return _with_files(request, endpoint, encode(request.pairs), (header,), secrets)
    headers = (header, ("Content-Type", "application/json; charset=utf-8"))
    url = Hidden(f"{endpoint}?{encode((('action', request.action),))}")
    body = msgspec.json.encode(_document(request)) if request.params else None
    return Signed("POST", url, headers, body, secrets)


def _document(request: Request) -> dict[str, str | list[str] | msgspec.Raw]:
    """Return the parameters as JSON: a repeated `key[]` is an array, `files` is JSON already."""
    document: dict[str, str | list[str] | msgspec.Raw] = {}
    for key, value in request.params:
        if key.endswith("[]"):
            document[key[:-2]] = [other for name, other in request.params if name == key]
        else:
            document[key] = msgspec.Raw(value.encode()) if key == "files" else value
    return document
