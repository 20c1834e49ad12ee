"""The OAuth2 endpoints: a person's consent, tokens for a code, new tokens for old.

They live on the vendor's own host, and tell an error with HTTP 200. API sheet, section 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import msgspec

from syncd.errors import AccountError, BadReply, Unanswered, Unauthorized
from syncd.secrets import Secret
from syncd.worksection.endpoint import checked_base_url
from syncd.worksection.request import encode
from syncd.worksection.secret import Hidden, redact
from syncd.worksection.signing import FORM, Signed
from syncd.worksection.tokens import Tokens, tokens_from
from syncd.worksection.transport import Transport

OAUTH_URL: Final = "https://worksection.com"
SCOPES: Final = (
    "projects_read",
    "tasks_read",
    "tasks_write",
    "costs_read",
    "tags_read",
    "tags_write",
    "comments_read",
    "files_read",
    "files_write",
    "users_read",
)
MAX_BODY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Owner:
    """The person whose rights a token carries, and the account it is good for."""

    id: int
    name: str
    email: str
    account_url: str


def authorize_url(
    client_id: str,
    redirect_uri: str,
    state: str,
    *,
    scope: Sequence[str] = SCOPES,
    oauth_url: str = OAUTH_URL,
) -> str:
    """Return the page where a person consents; the code it leads to lives ten minutes.

    The client secret is not in it: an address ends up in histories and logs.
    """
    base = checked_base_url(oauth_url, setting="account.oauth_url")
    query = encode(
        (
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("response_type", "code"),
            ("state", state),
            ("scope", ",".join(scope)),
        )
    )
    return f"{base}/oauth2/authorize?{query}"


@dataclass(frozen=True, slots=True)
class Consent:
    """One registered application, talking to the OAuth2 endpoints."""

    client_id: str
    client_secret: Secret
    timeout_s: float
    oauth_url: str = OAUTH_URL
    ca_file: Path | None = None

    def exchange_code(self, code: Secret, redirect_uri: str) -> Tokens:
        """Return tokens for the code of a consent. Raises Unauthorized when it is not good."""
        tokens = tokens_from(
            self._post(
                "token",
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", redirect_uri),
            )
        )
        return _present(tokens)

    def refresh(self, old: Tokens) -> Tokens:
        """Return a new pair; the old one is dead from then on. Keeps what the reply leaves out."""
        renewed = tokens_from(
            self._post("refresh", ("grant_type", "refresh_token"), ("refresh_token", old.refresh))
        )
        fresh = _present(renewed)
        return Tokens(
            access=fresh.access,
            refresh=fresh.refresh,
            account_url=fresh.account_url or old.account_url,
            rest={**old.rest, **fresh.rest},
        )

    def resource(self, access: Secret) -> Owner:
        """Return whose token it is."""
        owner = _owner(self._post("resource", ("access_token", access)))
        if owner is None:
            raise BadReply("The answer about the token's owner makes no sense: it names nobody")
        return owner

    def _post(self, endpoint: str, *pairs: tuple[str, str | Secret]) -> dict[str, Any]:
        base = checked_base_url(self.oauth_url, setting="account.oauth_url")
        who = (("client_id", self.client_id), ("client_secret", self.client_secret))
        reply = self._exchange(_form(f"{base}/oauth2/{endpoint}", (*who, *pairs)))
        failure = reply.failure(endpoint)
        if failure is not None:
            raise failure
        return reply.document() or {}

    def _exchange(self, signed: Signed) -> _Reply:
        transport = Transport(timeout_s=self.timeout_s, ca_file=self.ca_file)
        with closing(transport):
            incoming = transport.open(signed, fresh=True, on_leaving=lambda: None)
            with closing(incoming):
                return _Reply(incoming.status, _body(incoming.chunks()), signed.secrets)


@dataclass(frozen=True, slots=True)
class _Reply:
    """What an endpoint said; it may hold tokens, so its repr shows nothing."""

    status: int
    body: bytes = field(repr=False)
    secrets: tuple[Secret | Hidden, ...]

    def document(self) -> dict[str, Any] | None:
        """Return the JSON object, or None if it is none."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def failure(self, endpoint: str) -> AccountError | None:
        """Return what the status or the words mean, or None for a good reply."""
        if self.status >= 500 or self.status == 429:
            return Unanswered(f"The OAuth2 endpoint {endpoint} failed: HTTP {self.status}")
        document = self.document()
        if document is None:
            text = self.body[:8000].decode("utf-8", "replace")
            return BadReply(
                f"The OAuth2 endpoint {endpoint} sent no JSON (HTTP {self.status})",
                body=redact(text, *self.secrets)[:2000],
            )
        if "error" in document or self.status >= 300:
            return self._refused(endpoint, document)
        return None

    def _refused(self, endpoint: str, document: dict[str, Any]) -> Unauthorized:
        words = (document.get(key) for key in ("errorDescription", "error_description", "message"))
        said = next((str(text) for text in words if text), "")
        kind = str(document.get("error") or f"HTTP {self.status}")
        return Unauthorized(
            redact(f"OAuth2 {endpoint} was refused: {kind}: {said}", *self.secrets),
            hint="Authorise syncd again with `syncd init`; a refresh token lives a month.",
        )


def _form(url: str, pairs: tuple[tuple[str, str | Secret], ...]) -> Signed:
    """Put everything in the body: an address ends up in logs."""
    secrets = tuple(value for _, value in pairs if isinstance(value, Secret))
    plain = tuple((key, v.reveal() if isinstance(v, Secret) else v) for key, v in pairs)
    return Signed("POST", Hidden(url), (("Content-Type", FORM),), encode(plain).encode(), secrets)


def _body(chunks: Iterator[bytes]) -> bytes:
    body = BytesIO()
    for size in map(body.write, chunks):
        if size > MAX_BODY or body.tell() > MAX_BODY:
            raise BadReply("The OAuth2 answer is far too large")
    return body.getvalue()


def _present(tokens: Tokens | None) -> Tokens:
    if tokens is None:
        raise BadReply("The OAuth2 answer makes no sense: it holds no pair of tokens")
    return tokens


def _owner(document: Mapping[str, Any]) -> Owner | None:
    names = (str(document.get(key) or "") for key in ("first_name", "last_name"))
    try:
        return Owner(
            id=int(document["id"]),
            name=" ".join(names).strip(),
            email=str(document.get("email") or ""),
            account_url=str(document.get("account_url") or ""),
        )
    except (KeyError, TypeError, ValueError):
        return None
