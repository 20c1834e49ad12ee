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
from syncd.store.engine import Database
from syncd.store.state import recall, remember

ADMIN = "admin"


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
    scope = recall(tx, "scope")
    return Memory(
        account=recall(tx, "account"),
        previous=Scope(scope["archived"], tuple(scope["extra"]), scope["rights"])
        if scope
        else None,
        digest=recall(tx, "digest"),
        rights=recall(tx, "rights") or ADMIN,
        over_limit_at=_instant(recall(tx, "over_limit_at")),
        catalogues_at=_instant(recall(tx, "catalogues_at")),
        derived=recall(tx, "derived"),
        tag_ids=ids_by_name(tx),
        hidden=recall(tx, "hidden"),
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


def store(
    db: Database,
    tx: Connection,
    *,
    base_url: str,
    scope: Scope,
    digest: str | None,
    complete: bool,
    derived: Derived,
    at: datetime,
) -> None:
    """Remember a pull; only a complete one is what the next is compared with.

    `clock` is for the reporting views, which ask what day it is in the account (`report_today`).
    """
    remember(db, tx, "account", account_name(base_url))
    remember(db, tx, "derived", derived_of(derived))
    remember(db, tx, "clock", derived.clock(at))
    if complete:
        remember(
            db,
            tx,
            "scope",
            {"archived": scope.archived, "extra": list(scope.extra), "rights": scope.rights},
        )
    remember(db, tx, "digest", digest_of(scope, digest) if complete and digest else None)
