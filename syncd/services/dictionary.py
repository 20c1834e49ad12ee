"""The data dictionary: every table, view and column of this version, explained. No database needed.

One source: the comments on tables and columns in the code, which also feed PostgreSQL's comments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy import MetaData, String, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from syncd.resources.everything import ALL_TABLES
from syncd.services.view_types import view_type
from syncd.store import access
from syncd.store.access import Access
from syncd.store.live import live_conflicts, live_tasks, statements
from syncd.store.live.columns import COMMENTS
from syncd.store.live.conflicts import CONFLICT_COMMENTS
from syncd.store.live.conflicts_postgresql import SAYS as CONFLICTS_SAY
from syncd.store.live.postgresql import SAYS as TASKS_SAY
from syncd.store.report import VIEWS
from syncd.store.revisions import VERSION_TABLE

_dialects: Any = (sqlite, postgresql)  # their constructors are not typed
_SQLITE, _POSTGRESQL = (dialect.dialect() for dialect in _dialects)
_READS: Final = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `nullable` is None where the database does not say: a view promises nothing."""

    name: str
    sqlite: str
    postgresql: str
    nullable: bool | None
    key: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Relation:
    """One table or view; `reads` is where a view has its rows from."""

    name: str
    kind: Literal["table", "view"]
    meaning: str
    columns: tuple[Column, ...]
    reads: tuple[str, ...] = ()

    @property
    def rights(self) -> Mapping[Access, tuple[str, ...]]:
        """What readers and editors may do with it."""
        return {
            kind: rights[self.name] for kind, rights in access.RIGHTS.items() if self.name in rights
        }


@dataclass(frozen=True, slots=True)
class Section:
    """Tables and views that are there for the same thing."""

    title: str
    meaning: str
    relations: tuple[Relation, ...]


_SECTIONS: Final[tuple[tuple[str, str, Iterable[str]], ...]] = (
    ("Reports", "Views for people and BI tools: names instead of ids.", access.REPORTS),
    ("Live views", "The mirror with the queued edits over it; writing here queues.", access.LIVE),
    ("Mirror", "The account as it is and was. Only syncd writes here.", access.MIRROR),
    ("Freshness", "How fresh and how complete the mirror is.", access.FRESHNESS),
    ("Queue", "Edits on their way to the account. Written through the live views.", access.QUEUE),
    ("Inside", "What syncd itself works with; may change from release to release.", access.INNER),
)

_versions = Table(
    VERSION_TABLE,
    MetaData(),
    sa.Column(
        "version_num",
        String(32),
        primary_key=True,
        comment="the newest step of the schema that this database has",
    ),
    comment="One row: the version of the schema. Written by syncd db upgrade.",
)


def dictionary() -> tuple[Section, ...]:
    """Return everything that a database of this version holds, in the order of its use."""
    known = {one.name: one for one in (*_tables(), *_live_views(), *_reports())}
    return tuple(
        Section(title, meaning, tuple(known[name] for name in names))
        for title, meaning, names in _SECTIONS
    )


def _tables() -> Iterable[Relation]:
    for table in (*ALL_TABLES, _versions):
        columns = tuple(
            _column(
                one.name, one.type, one.comment or "", nullable=one.nullable, key=one.primary_key
            )
            for one in table.columns
        )
        yield Relation(table.name, "table", table.comment or "", columns)


def _live_views() -> Iterable[Relation]:
    written = {
        found[1]: text
        for text in statements("postgresql")
        if (found := re.match(r"\s*CREATE OR REPLACE VIEW (\w+)", text))
    }
    for view, says, comments in (
        (live_tasks, TASKS_SAY, COMMENTS),
        (live_conflicts, CONFLICTS_SAY, CONFLICT_COMMENTS),
    ):
        types = {column.name: column.type for column in view.columns}
        yield _view(view.name, says, comments, types.__getitem__, written[view.name])


def _reports() -> Iterable[Relation]:
    for view in VIEWS:
        yield _view(view.name, view.comment, view.columns, view_type, view.sql["postgresql"])


def _view(
    name: str,
    says: str,
    comments: Mapping[str, str],
    type_of: Callable[[str], TypeEngine[Any]],
    written: str,
) -> Relation:
    columns = tuple(
        _column(each, type_of(each), comment, nullable=None) for each, comment in comments.items()
    )
    return Relation(name, "view", says, columns, _read_by(written))


def _read_by(select: str) -> tuple[str, ...]:
    """Return the tables and views that a SELECT names."""
    named = set(_READS.findall(select))
    return tuple(name for _, _, names in _SECTIONS for name in names if name in named)


def _column(
    name: str, type_: TypeEngine[Any], meaning: str, *, nullable: bool | None, key: bool = False
) -> Column:
    server = str(type_.compile(dialect=_POSTGRESQL)).lower().replace("varchar", "character varying")
    return Column(name, str(type_.compile(dialect=_SQLITE)), server, nullable, key, meaning)
