"""Who may read the mirror, and who may edit through it: roles of a server, or a file's readers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from syncd.errors import ConfigError
from syncd.store import roles
from syncd.store.access import RIGHTS, Access
from syncd.store.engine import Database
from syncd.store.roles import Place

_NOBODYS: Final = ("public", "none")
"""Words that PostgreSQL reads as something else than a role, quoted or not."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What was given to a role or taken back, or would be; and what it may do besides.

    `exists` and what follows describe the role after the statements, where they ran.
    """

    role: str
    place: Place
    statements: tuple[str, ...]
    ran: bool
    exists: bool = True
    access: tuple[Access, ...] = ()
    beyond: tuple[tuple[str, str], ...] = ()
    connects: bool = True
    creates: bool = False

    @property
    def exit_code(self) -> int:
        """3 where the role may do more than was meant, or cannot get in."""
        return 3 if self.beyond or self.creates or not self.connects else 0

    @property
    def search_path(self) -> str | None:
        """What lets the role leave the schema's name out; it may run that itself."""
        whom, database, schema = map(
            roles.quoted, (self.role, self.place.database, self.place.schema)
        )
        if self.place.schema == "public":
            return None
        return f"ALTER ROLE {whom} IN DATABASE {database} SET search_path TO {schema}"

    @property
    def connecting(self) -> str:
        """What lets the role connect to the database, for its owner to run."""
        return f"GRANT CONNECT ON DATABASE {roles.quoted(self.place.database)} TO " + roles.quoted(
            self.role
        )


@dataclass(frozen=True, slots=True)
class FileAccess:
    """How a SQLite database is read by others: whoever may read the file may read all of it."""

    path: str
    uri: str


def give(db: Database, name: str, access: Access, *, run: bool) -> Granted:
    """Give a role what a reader or an editor needs; with `run` false, only say how.

    Raises ConfigError where the role is not there or above all rights, or the mirror is not ours
    to give.
    """
    with db.write() if run else db.read() as tx:
        place = _place(tx, name, run=run)
        statements = tuple(roles.granting(tx, name, RIGHTS[access]))
        for each in statements if run else ():
            roles.execute(tx, each)
        return _told(tx, name, Granted(name, place, statements, run), meant=tuple(RIGHTS))


def take_back(db: Database, name: str, *, run: bool) -> Granted:
    """Take back whatever was given to a role itself; with `run` false, only say how.

    Raises ConfigError as `give` does.
    """
    with db.write() if run else db.read() as tx:
        place = _place(tx, name, run=run)
        statements = tuple(roles.revoking(tx, name))
        for each in statements if run else ():
            roles.execute(tx, each)
        return _told(tx, name, Granted(name, place, statements, run), meant=())


def file_access(db: Database) -> FileAccess:
    """Return how others read the file of a SQLite database, while syncd works with it.

    `immutable` is not for that: SQLite would then read neither the log nor the locks, and show
    old rows or broken ones (sqlite.org/uri.html, "immutable").
    """
    if db.path is None:
        raise ConfigError(f"{db.label} is a server's.", hint="Roles have rights there.")
    path = db.path.absolute()
    return FileAccess(str(path), f"{path.as_uri()}?mode=ro".replace("file:///", "file:/", 1))


def _place(tx: Connection, name: str, *, run: bool) -> Place:
    """Return where the mirror is. Raises ConfigError where `name` cannot be given rights there."""
    if name.lower() in _NOBODYS or not name:
        raise ConfigError(
            f"{name or 'Nothing'} is no role, it would mean everybody.", hint="Name one role."
        )
    place, role = roles.place(tx), roles.role(tx, name)
    if role is not None and role.almighty:
        raise ConfigError(
            f"{name} is a superuser, or belongs to {place.owner}, who owns the mirror:"
            " no right bounds it.",
            hint=f"Make a role without powers: {making(f'{name}_reads')}",
        )
    if run and role is None:
        raise ConfigError(
            f"The server has no role {name}.", hint=f"As an administrator: {making(name)}"
        )
    if run and not place.ours:
        raise ConfigError(
            f"The mirror belongs to {place.owner}, so {place.who} cannot give rights to it.",
            hint="Run this as the owner, or hand the SQL on: add --print",
        )
    return place


def making(name: str) -> str:
    """Return how a role is made; the password goes in by psql, where no history keeps it."""
    whom = roles.quoted(name)
    return f"CREATE ROLE {whom} LOGIN; and in psql for the password: \\password {whom}"


def _told(tx: Connection, name: str, done: Granted, *, meant: tuple[Access, ...]) -> Granted:
    """Add what the role may do now, by whatever way it got there."""
    role = roles.role(tx, name)
    if role is None or not done.ran:
        return replace(done, exists=role is not None)
    held = roles.held(tx, name)
    return replace(
        done,
        access=tuple(each for each in RIGHTS if _pairs([each]) <= held),
        beyond=tuple(sorted(held - _pairs(meant))),
        connects=role.connects,
        creates=role.creates,
    )


def _pairs(kinds: Iterable[Access]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (name, privilege)
        for kind in kinds
        for name, privileges in RIGHTS[kind].items()
        for privilege in privileges
    )
