"""Roles of a PostgreSQL server: what they may do in this schema, and the SQL that changes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql

from syncd.store.access import RIGHTS, Rights
from syncd.store.live.texts import fill

_dialects: Any = postgresql  # its constructors are not typed
_PREPARER = _dialects.dialect(paramstyle="named").identifier_preparer
"""Of a style that leaves percent signs alone: what is made is for psql as well."""
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
"""Of these six write, or let somebody else write."""
_HERE = "c.relnamespace = quote_ident(current_schema())::regnamespace"

_PLACE = """
SELECT current_database() AS database, current_schema() AS schema, current_user AS who,
  pg_get_userbyid(c.relowner) AS owner, pg_has_role(c.relowner, 'USAGE') AS ours
FROM pg_class c WHERE c.oid = 'tasks'::regclass"""

_ROLE = """
SELECT pg_has_role(r.oid, c.relowner, 'USAGE') AS almighty,
  has_database_privilege(r.oid, current_database(), 'CONNECT') AS connects,
  has_schema_privilege(r.oid, current_schema(), 'CREATE') AS creates
FROM pg_roles r, pg_class c
WHERE r.rolname = :name AND c.oid = 'tasks'::regclass"""

_HELD = fill(
    """
SELECT c.relname, p.privilege
FROM pg_class c CROSS JOIN unnest(CAST(:privileges AS text[])) p (privilege)
WHERE <<here>> AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND CASE WHEN p.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
    THEN has_any_column_privilege(CAST(:name AS name), c.oid, p.privilege)
    ELSE has_table_privilege(CAST(:name AS name), c.oid, p.privilege) END""",
    here=_HERE,
)

_READERS = fill(
    """
SELECT r.rolname
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE <<here>> AND c.relname = ANY(:readable)
  AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
GROUP BY r.rolname
HAVING count(DISTINCT c.oid) =
  (SELECT count(*) FROM pg_class c WHERE <<here>> AND c.relname = ANY(:readable))
ORDER BY r.rolname""",
    here=_HERE,
)

_THERE = fill(
    "SELECT c.relname FROM pg_class c WHERE <<here>> AND c.relname = ANY(:names)", here=_HERE
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the mirror is: its database and schema, who owns it, and whether that is us."""

    database: str
    schema: str
    who: str
    owner: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the server. An almighty one is a superuser, or belongs to the mirror's owner."""

    almighty: bool
    connects: bool
    creates: bool


def place(tx: Connection) -> Place:
    """Return where the mirror is."""
    return Place(**tx.execute(text(_PLACE)).one()._mapping)


def role(tx: Connection, name: str) -> Role | None:
    """Return what is known of a role; None where the server has none of that name."""
    found = tx.execute(text(_ROLE), {"name": name}).one_or_none()
    return None if found is None else Role(**found._mapping)


def held(tx: Connection, name: str) -> frozenset[tuple[str, str]]:
    """Return what a role may do here by whatever way: name of a table or view, and privilege."""
    found = tx.execute(text(_HELD), {"name": name, "privileges": list(PRIVILEGES)})
    return frozenset((row.relname, row.privilege) for row in found)


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return str(_PREPARER.quote(name))


def execute(tx: Connection, statement: str) -> None:
    """Run a statement as it is: to the driver a percent sign begins a parameter."""
    tx.exec_driver_sql(statement, execution_options={"no_parameters": True})


def granting(tx: Connection, name: str, rights: Rights) -> Iterator[str]:
    """Return the statements that give a role these rights to what there is."""
    here, whom, there = _schema(tx), quoted(name), _existing(tx, rights)
    yield f"GRANT USAGE ON SCHEMA {here} TO {whom}"
    for privileges, names in groupby(there, lambda each: rights[each]):
        listed = ", ".join(f"{here}.{each}" for each in names)
        yield f"GRANT {', '.join(privileges)} ON {listed} TO {whom}"


def revoking(tx: Connection, name: str) -> Iterator[str]:
    """Return the statements that take back whatever was given to a role itself."""
    here, whom = _schema(tx), quoted(name)
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {here} FROM {whom}"
    yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {here} FROM {whom}"
    yield f"REVOKE ALL ON SCHEMA {here} FROM {whom}"
    # Older advice of ours gave default privileges to readers.
    yield f"ALTER DEFAULT PRIVILEGES IN SCHEMA {here} REVOKE ALL ON TABLES FROM {whom}"


def readers(tx: Connection) -> tuple[str, ...]:
    """Return the roles that were given everything there is for readers; none on SQLite.

    Who may read a part of it is somebody's own arrangement, which is left alone.
    """
    if tx.dialect.name != "postgresql":
        return ()
    return tuple(tx.scalars(text(_READERS), {"readable": list(RIGHTS["reader"])}))


def renew(tx: Connection, names: Iterable[str]) -> None:
    """Let readers read what an upgrade has added for them.

    Default privileges could not: they give every new table away, the inner ones included.
    """
    for name in names:
        for statement in granting(tx, name, RIGHTS["reader"]):
            execute(tx, statement)


def _schema(tx: Connection) -> str:
    return quoted(str(tx.scalar(text("SELECT current_schema()"))))


def _existing(tx: Connection, names: Collection[str]) -> list[str]:
    there = set(tx.scalars(text(_THERE), {"names": list(names)}))
    return [name for name in names if name in there]
