"""The scheme of a user's OAuth2 token, which renews itself. API sheet, section 2.4."""

from __future__ import annotations

from typing import Final

from syncd.secrets import Secret
from syncd.worksection.consent import Consent
from syncd.worksection.request import Request, encode
from syncd.worksection.secret import Hidden
from syncd.worksection.signing import FORM, MAX_TARGET, Rejection, Signed, addressed
from syncd.worksection.tokens import TokenFile, Tokens

OAUTH_PATH: Final = "/api/oauth2"


class OAuth2:
    """A bearer token from a file, renewed when the account says that it expired."""

    scoped = True
    signs_text = False

    def __init__(self, file: TokenFile, consent: Consent) -> None:
        self._file = file
        self._consent = consent
        self._tokens: Tokens | None = None
        self._unsaved: Tokens | None = None

    @property
    def account_url(self) -> str:
        """The account that the token is good for, as the vendor told."""
        return self._current().account_url

    def sign(self, request: Request, base_url: str) -> Signed:
        """Put the token in a header, never in the address."""
        access = self._current().access
        headers = (("Authorization", f"Bearer {access.reveal()}"),)
        endpoint = base_url + OAUTH_PATH
        if not request.attachments and len(encode(request.pairs)) > MAX_TARGET - len(endpoint):
            return _form(request, endpoint, headers, access)
        return addressed(request, endpoint, encode(request.pairs), headers, (access,))

    def recover(self, request: Request, rejection: Rejection) -> bool:  # noqa: ARG002 - Scheme's
        """Renew an expired token, or take the one that another process has renewed.

        Raises what renewing raises: Unauthorized needs a person, Unreachable may pass.
        """
        used = self._current()
        with self._file.locked():
            stored = self._file.load()
            if stored.access != used.access:
                self._tokens = stored
            elif "token is expired" in rejection.said.lower():
                self._tokens = self._renewed(stored)
            else:
                return False
        return True

    def observe(self, skew_s: float) -> None:
        """A bearer token knows no time."""

    def secrets(self) -> tuple[Secret, ...]:
        """Return the tokens and the application's secret."""
        held = [tokens for tokens in (self._tokens, self._unsaved) if tokens is not None]
        pairs = [secret for tokens in held for secret in (tokens.access, tokens.refresh)]
        return (*pairs, self._consent.client_secret)

    def _current(self) -> Tokens:
        if self._unsaved is not None:
            self._save(self._unsaved)
        if self._tokens is None:
            self._tokens = self._file.load()
        return self._tokens

    def _renewed(self, old: Tokens) -> Tokens:
        """Ask for a new pair only when there is room to keep it, and keep it before using it.

        Between the vendor's answer and the rename lies one write: a crash just there loses the
        pair, and a person must authorise again.
        """
        with self._file.room() as store:
            fresh = self._consent.refresh(old)
            self._unsaved = fresh
            store(fresh)
        self._unsaved = None
        return fresh

    def _save(self, tokens: Tokens) -> None:
        """Store a pair whose storing failed: it is the only one that is still good."""
        with self._file.locked():
            self._file.save(tokens)
        self._tokens, self._unsaved = tokens, None


def _form(
    request: Request, endpoint: str, headers: tuple[tuple[str, str], ...], access: Secret
) -> Signed:
    """What is too long for an address goes as a form, the action staying in the address."""
    url = Hidden(f"{endpoint}?{encode((('action', request.action),))}")
    body = encode(request.params).encode()
    return Signed("POST", url, (*headers, ("Content-Type", FORM)), body, (access,))
