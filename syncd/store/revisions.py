"""Which schema versions this code knows, and what a database's version means for it.

Reads the migrations as text: loading Alembic takes longer than most commands may.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from syncd import shipped
from syncd.errors import NoMirror, SchemaMismatch

VERSION_TABLE = "alembic_version"
OUR_TABLE = "sync_runs"
"""Another program's database can have a version table of the same name, or even our version."""
_NAMED = re.compile(r"""^(revision|down_revision)\b[^=\n]*=\s*(?:["'](\w+)["']|None)\s*$""", re.M)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The database's schema against the code's: revisions, and whether there is anything at all."""

    revision: str | None
    head: str
    empty: bool

    @property
    def current(self) -> bool:
        """Whether the code can work with the database as it is."""
        return self.revision == self.head


@dataclass(frozen=True, slots=True)
class Known:
    """The revisions that came with this program, and the last of them."""

    head: str
    all: frozenset[str]


def known_revisions() -> Known:
    """Read the names of the migrations that came with this program."""
    named = [
        dict(_NAMED.findall(file.read_text(encoding="utf-8")))
        for file in sorted((shipped.path("migrations") / "versions").glob("*.py"))
    ]
    revisions = frozenset(one["revision"] for one in named)
    (head,) = revisions - {one.get("down_revision", "") for one in named}
    return Known(head, revisions)


def schema_state_of(label: str, tables: Collection[str], revision: str | None) -> SchemaState:
    """Judge a database by its tables and its revision.

    Raises SchemaMismatch where the tables are another program's, or of a version this code does
    not know.
    """
    known = known_revisions()
    if tables and (revision is None or OUR_TABLE not in tables):
        shown = ", ".join(sorted(tables)[:3])
        raise SchemaMismatch(
            f"{label} is not ours: it holds other tables ({shown}).",
            hint="Name an empty database in database.url, or on PostgreSQL a schema of its own.",
        )
    if revision is not None and revision not in known.all:
        raise SchemaMismatch(
            f"{label} has schema {revision}, which this syncd does not know: it is newer.",
            hint="Upgrade syncd: pip install --upgrade worksection-syncd",
        )
    return SchemaState(revision, known.head, empty=revision is None)


def no_mirror(said: str) -> NoMirror:
    """Return the error for a place where no mirror is yet."""
    return NoMirror(f"There is no mirror yet: {said}.", hint="Make it with: syncd pull")


def outdated(label: str, state: SchemaState) -> SchemaMismatch:
    """Return the error for a schema that is older than the code."""
    return SchemaMismatch(
        f"{label} has schema {state.revision}; this syncd needs {state.head}.",
        hint="Bring it up with: syncd db upgrade",
    )
