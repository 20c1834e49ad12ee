"""Who is calling: the four ways of proving it (the API sheet, section 2)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import unquote, unquote_plus

from syncd.sandbox.calls import Caller
from syncd.sandbox.oauth import OAuth
from syncd.sandbox.parameters import Parameters
from syncd.sandbox.replies import RefusedError
from syncd.sandbox.requests import Asked
from syncd.sandbox.switches import Switches

SIGNED = re.compile(r"^Admin (\d+)_([0-9a-fA-F]{64})$")


class UnauthorizedError(Exception):
    """HTTP 401 with these words in JSON."""


def md5_hash(text: str, key: str) -> str:
    """The hash of the documented scheme over a parameter string (section 2.1)."""
    return hashlib.md5(text.encode() + key.encode(), usedforsecurity=False).hexdigest()


def signature(action: str, seconds: int, key: str) -> str:
    """The signature of the SDK's scheme (section 2.3)."""
    return hmac.new(key.encode(), f"{action}:{seconds}".encode(), hashlib.sha256).hexdigest()


def by_key(asked: Asked, sent: Parameters, key: str, switches: Switches, now: datetime) -> str:
    """The scheme by which a request to the admin endpoint proves the key.

    Raises UnauthorizedError for a bad signature and RefusedError 2 for a bad hash.
    """
    authorization = asked.headers.get("authorization", "")
    if authorization.startswith("Admin "):
        check_signature(authorization, sent.text("action") or "", key, switches, now)
        return "hmac"
    wanted = (sent.text("hash") or "").lower()
    for scheme, text in signed_texts(asked, sent, switches):
        if md5_hash(text, key) == wanted:
            return scheme
    raise RefusedError(2, "Action hash is missed or invalid")


def check_signature(
    authorization: str, action: str, key: str, switches: Switches, now: datetime
) -> None:
    """Refuse a signature that is wrong, or made too far from now."""
    match = SIGNED.match(authorization)
    if match is None or not hmac.compare_digest(
        signature(action, int(match[1]), key), match[2].lower()
    ):
        raise UnauthorizedError("Authorization is invalid")
    off = abs(now.timestamp() + switches.clock_skew_s - int(match[1]))
    if switches.hmac_tolerance_s is not None and off > switches.hmac_tolerance_s:
        raise UnauthorizedError("Authorization time is expired")


def signed_texts(asked: Asked, sent: Parameters, switches: Switches) -> Iterator[tuple[str, str]]:
    """The strings that the hash may have been made over, each with the scheme's name."""
    for encoded in parameter_strings(asked):
        if switches.md5_over != "raw":
            yield "md5-encoded", encoded
        if switches.md5_over != "encoded":
            yield "md5-raw", decoded(encoded, plus_is_space=True)
            yield "md5-raw", decoded(encoded, plus_is_space=False)
    if switches.legacy_hash and ("page" in sent or len(sent) <= 2):
        yield "md5-page", (sent.text("page") or "") + (sent.text("action") or "")


def parameter_strings(asked: Asked) -> list[str]:
    """Every parameter without the hash, as sent: the query, the form, or both joined."""
    parts = [without_hash(part) for part in (asked.query, asked.form)]
    joined = [part for part in parts if part]
    return ["&".join(joined), "&".join(reversed(joined))] if len(joined) > 1 else joined


def without_hash(encoded: str) -> str:
    """The pairs that the hash is made over."""
    return "&".join(pair for pair in encoded.split("&") if not pair.startswith("hash="))


def decoded(encoded: str, *, plus_is_space: bool) -> str:
    """The raw text of an encoded string."""
    decode = unquote_plus if plus_is_space else unquote
    return "&".join(decode(pair) for pair in encoded.split("&"))


def by_token(asked: Asked, sent: Parameters, oauth: OAuth) -> Caller:
    """The user behind a bearer token (section 2.4).

    Raises UnauthorizedError for a token that is expired or was never ours.
    """
    authorization = asked.headers.get("authorization", "")
    token = authorization.removeprefix("Bearer ") if authorization else sent.text("access_token")
    grant = oauth.access.get(token or "")
    if grant is None:
        raise UnauthorizedError("Access token is invalid")
    if oauth.clock() >= grant.expires_at:
        raise UnauthorizedError("Access token is expired")
    return Caller("oauth2", grant.member_id, grant.projects, grant.scopes)
