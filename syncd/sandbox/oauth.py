"""The OAuth2 endpoints, answered here on the account's own host (the API sheet, section 2.4).

Errors come with HTTP 200; a refresh replaces both tokens and kills the old pair.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from syncd.sandbox.parameters import Parameters
from syncd.sandbox.requests import Answer, json_answer

if TYPE_CHECKING:
    from syncd.sandbox.account import Account

CODE_LIVES = timedelta(minutes=10)
ACCESS_LIVES = timedelta(hours=24)
REFRESH_LIVES = timedelta(days=30)
AREAS = ["projects", "tasks", "costs", "tags", "comments", "files", "users", "contacts"]
SCOPES = frozenset(
    {f"{a}_{right}" for a in AREAS for right in ("read", "write")} | {"administrative"}
)


class OAuthError(Exception):
    """A refusal of these endpoints: an error word and its description."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code or token stands for."""

    member_id: int
    scopes: frozenset[str]
    projects: frozenset[int] | None
    expires_at: datetime
    partner: str = ""


class OAuth:
    """Codes and tokens; `projects` None lets the user see every project."""

    def __init__(self, account: Account, client: tuple[str, str]) -> None:
        self.account = account
        self.client_id, self.client_key = client
        self.account_url = ""
        self.codes: dict[str, Grant] = {}
        self.access: dict[str, Grant] = {}
        self.refresh: dict[str, Grant] = {}
        self.issued = 0
        """How many pairs and codes were given out so far."""
        self.sees: dict[int, frozenset[int]] = {}
        """Which projects a member sees, for those who do not see all."""

    def clock(self) -> datetime:
        """Now, by the account's clock."""
        return self.account.clock()

    def grant(
        self,
        *,
        member_id: int | None = None,
        scopes: frozenset[str] = SCOPES,
        projects: frozenset[int] | None = None,
    ) -> dict[str, Any]:
        """Tokens for a member, as if they had gone through the browser."""
        member_id = member_id or self.account.owner_id
        seen = self.sees.get(member_id) if projects is None else projects
        return self._issue(Grant(member_id, scopes, seen, self.clock()))

    def _issue(self, basis: Grant) -> dict[str, Any]:
        access, refresh = secrets.token_urlsafe(24), f"def502{secrets.token_hex(24)}"
        now = self.clock()
        self.issued += 1
        self.access[access] = replace(basis, expires_at=now + ACCESS_LIVES, partner=refresh)
        self.refresh[refresh] = replace(basis, expires_at=now + REFRESH_LIVES, partner=access)
        return {
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIVES.total_seconds()),
            "access_token": access,
            "refresh_token": refresh,
            "account_url": self.account_url,
        }

    def expire_access(self) -> None:
        """Let every access token be expired from now on; refresh tokens live."""
        now = self.clock()
        self.access = {t: replace(grant, expires_at=now) for t, grant in self.access.items()}

    def revoke_all(self) -> None:
        """Forget every code and token, as when the user takes the rights back."""
        for tokens in (self.codes, self.access, self.refresh):
            tokens.clear()

    def answer(self, endpoint: str, sent: Parameters) -> Answer:
        """One of the four endpoints; anything else is not found."""
        endpoints = {
            "authorize": self._authorize,
            "token": self._token,
            "refresh": self._refresh,
            "resource": self._resource,
        }
        if endpoint not in endpoints:
            return json_answer({"error": "not_found"}, 404)
        try:
            with self.account.lock:
                return endpoints[endpoint](sent)
        except OAuthError as error:
            word, description = error.args
            return json_answer({"error": word, "errorDescription": description})

    def _authorize(self, sent: Parameters) -> Answer:
        """Consent at once: redirect with the code, or show it when there is nowhere to go."""
        if sent.text("client_id") != self.client_id:
            raise OAuthError("invalid_client", "Client authentication failed")
        code = self._new_code(sent)
        target = sent.text("redirect_uri")
        if not target:
            return json_answer({"code": code})
        state = {"state": sent.text("state")} if "state" in sent else {}
        joint = "&" if "?" in target else "?"
        location = f"{target}{joint}{urlencode({'code': code} | state)}"
        return Answer(b"", 302, headers={"Location": location})

    def _new_code(self, sent: Parameters) -> str:
        code = secrets.token_urlsafe(16)
        scopes = frozenset((sent.text("scope") or " ".join(SCOPES)).replace(",", " ").split())
        member_id = sent.number("user") or self.account.owner_id
        expires_at = self.clock() + CODE_LIVES
        self.issued += 1
        self.codes[code] = Grant(member_id, scopes & SCOPES, self.sees.get(member_id), expires_at)
        return code

    def _check_client(self, sent: Parameters) -> None:
        if (sent.text("client_id"), sent.text("client_secret")) != (
            self.client_id,
            self.client_key,
        ):
            raise OAuthError("invalid_client", "Client authentication failed")

    def _token(self, sent: Parameters) -> Answer:
        self._check_client(sent)
        grant = self.codes.pop(sent.text("code") or "", None)
        if grant is None or self.clock() >= grant.expires_at:
            raise OAuthError("invalid_request", "Authorization code has been revoked")
        return json_answer(self._issue(grant))

    def _refresh(self, sent: Parameters) -> Answer:
        self._check_client(sent)
        grant = self.refresh.get(sent.text("refresh_token") or "")
        if grant is None or self.clock() >= grant.expires_at:
            raise OAuthError("invalid_request", "Cannot decrypt the refresh token")
        del self.refresh[sent.text("refresh_token") or ""]
        self.access.pop(grant.partner, None)
        return json_answer(self._issue(grant))

    def _resource(self, sent: Parameters) -> Answer:
        self._check_client(sent)
        grant = self.access.get(sent.text("access_token") or "")
        if grant is None:
            raise OAuthError("invalid_request", "Access token is invalid")
        member = self.account.members[grant.member_id]
        return json_answer(
            {
                "id": str(member.id),
                "first_name": member.first_name,
                "last_name": member.last_name,
                "email": member.email,
                "account_url": self.account_url,
            }
        )
