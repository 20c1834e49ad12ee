"""The floor under a pull: the same bytes and the same rows with nothing around them.

The rows are those of the mirror that was just made, every column of them. They are written by the
driver's bulk path in one transaction, into tables with the same columns and keys, without checks
and without further indexes. What is read out for that is read before the clock starts. What checks
and indexes add is measured too, for it is the server's own work and no part of a budget.
"""

from __future__ import annotations

import gc
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import requests
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from zlib_ng import zlib_ng

from bench.account import Account, as_sent, fetch, listings
from bench.children import answer
from bench.timing import timed
from syncd.resources.members import members
from syncd.resources.projects import projects
from syncd.resources.tags import tags
from syncd.resources.tasks.table import files, task_relations, task_tags, tasks

WRITE, HASH, DECODE = "floor: fetch, decode, write", "floor: fetch, hash", "floor: fetch, decode"
INDEXED = "floor: fetch, decode, write with the mirror's checks and indexes"
UNZIP, UNZIP_NG = "unzipping its listings, zlib", "unzipping its listings, zlib-ng"
TABLES = (projects, members, tags, tasks, task_tags, task_relations, files)
TIMES = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table, as the driver takes them."""

    table: Table
    names: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    @property
    def types(self) -> list[str]:
        """The types of the columns, as a server calls them."""
        return [c.type.compile(postgresql.dialect()).lower() for c in self.table.c]


def making(table: Table, dialect: Any, *, indexed: bool) -> Iterator[str]:
    """Yield what makes a table of the same columns and key; `indexed` with all that it has more."""
    if indexed:
        whole = table.to_metadata(MetaData())
        yield str(CreateTable(whole).compile(dialect=dialect))
        yield from (str(CreateIndex(one).compile(dialect=dialect)) for one in whole.indexes)
        return
    bare = Table(
        table.name,
        MetaData(),
        *(Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False) for c in table.c),
    )
    yield str(CreateTable(bare).compile(dialect=dialect))


def selected(table: Table) -> str:
    """Return the query for all of a table."""
    return f"SELECT {', '.join(table.c.keys())} FROM {table.name}"


class OnSqlite:
    """The floor's own file, made as ours is."""

    def __init__(self, database: str, folder: Path, *, indexed: bool = False) -> None:
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as mirror:
            self._rows = [
                Rows(one, tuple(one.c.keys()), mirror.execute(selected(one)).fetchall())
                for one in TABLES
            ]
        name = "indexed.db" if indexed else "floor.db"
        self._floor = sqlite3.connect(folder / name, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
            self._floor.execute(f"PRAGMA {pragma}")
        for one in TABLES:
            for statement in making(one, sqlite.dialect(), indexed=indexed):
                self._floor.execute(statement)

    def write(self) -> None:
        """Write all rows in one transaction."""
        self._floor.execute("BEGIN IMMEDIATE")
        for one in self._rows:
            marks = ", ".join("?" * len(one.names))
            self._floor.executemany(f"INSERT INTO {one.table.name} VALUES ({marks})", one.rows)
        self._floor.execute("COMMIT")

    def empty(self) -> None:
        """Make place for the next time."""
        for one in TABLES:
            self._floor.execute(f"DELETE FROM {one.name}")


class OnPostgres:
    """The floor's own schema, beside the mirror."""

    def __init__(self, database: str, _: Path, *, indexed: bool = False) -> None:
        self._floor = psycopg.connect(database.replace("+psycopg", ""), autocommit=True)
        self._rows = [
            Rows(one, tuple(one.c.keys()), self._floor.execute(selected(one)).fetchall())
            for one in TABLES
        ]
        schema = "indexed" if indexed else "floor"
        self._floor.execute(f"CREATE SCHEMA {schema}")
        self._floor.execute(f"SET search_path TO {schema}")
        for one in TABLES:
            for statement in making(one, postgresql.dialect(), indexed=indexed):
                self._floor.execute(statement)

    def write(self) -> None:
        """Write all rows in one transaction."""
        with self._floor.transaction(), self._floor.cursor() as cursor:
            for one in self._rows:
                with cursor.copy(f"COPY {one.table.name} FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(one.types)
                    for row in one.rows:
                        copy.write_row(row)

    def empty(self) -> None:
        """Make place for the next time."""
        self._floor.execute(f"TRUNCATE {', '.join(one.name for one in TABLES)}")


def hashed(body: bytes) -> bytes:
    """Return what tells one answer from another."""
    return blake2b(body, digest_size=20).digest()


def each(
    session: requests.Session, addresses: Sequence[str], do: Callable[[bytes], object]
) -> None:
    """Fetch answers one by one and do something with each."""
    for address in addresses:
        do(fetch(session, address))


def unzipped(bodies: Sequence[bytes], zipper: Any) -> None:
    """Unzip answers."""
    for body in bodies:
        zipper.decompress(body, 16 + zipper.MAX_WBITS)


def measured(order: dict[str, Any]) -> dict[str, Any]:
    """Measure the floor of each kind of pull; `indexed` asks for that of an indexed mirror too."""
    account, database = Account(order["url"]), order["database"]
    all_reads = [account.signed(read) for read in order["reads"]]
    listed = [account.signed(read) for read in listings(order["reads"])]
    kind = OnSqlite if database.startswith("sqlite") else OnPostgres
    folder, samples = Path(order["folder"]), []
    places = {WRITE: kind(database, folder)}
    if order["indexed"]:
        places[INDEXED] = kind(database, folder, indexed=True)
    gc.freeze()  # the rows at hand are no part of what a floor costs
    with requests.Session() as session:
        each(session, all_reads, hashed)

        def whole(place: OnSqlite | OnPostgres) -> None:
            each(session, all_reads, msgspec.json.decode)
            place.write()

        zipped = [as_sent(session, address) for address in listed]
        for _ in range(TIMES):
            samples += timed(UNZIP, partial(unzipped, zipped, zlib))
            samples += timed(UNZIP_NG, partial(unzipped, zipped, zlib_ng))
            samples += timed(HASH, partial(each, session, listed, hashed))
            samples += timed(DECODE, partial(each, session, listed, msgspec.json.decode))
            for what, place in places.items():
                samples += timed(what, partial(whole, place))
                place.empty()
    return {"samples": samples}


if __name__ == "__main__":
    answer(measured)
