"""What a pull remembers of the pulls before it, and the refusal to mix two accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from syncd import __version__
from syncd.errors import ConfigError
from syncd.model.listing import Scope
from syncd.resources.derived import Derived
from syncd.resources.tags import ids_by_name
from syncd.resources.tasks.wire import TagIds
from syncd.store.state import recall_all

ADMIN = "admin"
_NAMES = (
    "account",
    "scope",
    "digest",
    "rights",
    "over_limit_at",
    "catalogues_at",
    "derived",
    "hidden",
)


@dataclass(frozen=True, slots=True)
class Memory:
    """The state of the mirror that a pull starts from."""

    account: str | None
    previous: Scope | None
    digest: Any
    rights: str
    over_limit_at: datetime | None
    catalogues_at: datetime | None
    derived: Any
    tag_ids: TagIds
    hidden: Any = None


def load(tx: Connection) -> Memory:
    """Read what is remembered."""
    known = recall_all(tx, _NAMES)
    scope = known.get("scope")
    return Memory(
        account=known.get("account"),
        previous=Scope(scope["archived"], tuple(scope["extra"]), scope["rights"])
        if scope
        else None,
        digest=known.get("digest"),
        rights=known.get("rights") or ADMIN,
        over_limit_at=_instant(known.get("over_limit_at")),
        catalogues_at=_instant(known.get("catalogues_at")),
        derived=known.get("derived"),
        tag_ids=ids_by_name(tx),
        hidden=known.get("hidden"),
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def account_name(base_url: str) -> str:
    """Return what tells one account from another: the host of its address."""
    return urlsplit(base_url).hostname or base_url


def check_account(memory: Memory, base_url: str) -> None:
    """Raise ConfigError where the database mirrors another account than the configured one."""
    name = account_name(base_url)
    if memory.account not in (None, name):
        raise ConfigError(
            f"The database mirrors {memory.account}, and account.url names {name}.",
            hint="Use a database (or a schema) of its own for each account.",
        )


def digest_of(scope: Scope, answer_digest: str) -> list[str]:
    """Return what must be equal for an equal answer to mean that nothing changed."""
    return [answer_digest, scope.fingerprint, __version__]


def derived_of(derived: Derived) -> list[str | None]:
    """Return what the derived columns were made with."""
    return [derived.base_url, derived.zone.key if derived.zone else None]


def to_remember(
    *,
    base_url: str,
    scope: Scope,
    digest: str | None,
    complete: bool,
    derived: Derived,
    at: datetime,
) -> dict[str, object]:
    """Return what a pull leaves, by name; only a complete one is what the next is compared with.

    `clock` is for the reporting views, which ask what day it is in the account (`report_today`).
    """
    kept: dict[str, object] = {
        "account": account_name(base_url),
        "derived": derived_of(derived),
        "clock": derived.clock(at),
        "rights": scope.rights,
        "digest": digest_of(scope, digest) if complete and digest else None,
    }
    if complete:
        kept["scope"] = {
            "archived": scope.archived,
            "extra": list(scope.extra),
            "rights": scope.rights,
        }
    return kept
