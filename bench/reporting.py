"""What the reporting views cost at 100,000 tasks with 500,000 past versions, on both databases.

    python -m bench.reporting [--tasks 100000] [--versions 500000] [--only VIEW ...]

For every view: rows, and milliseconds to count it, to work out every column of every row without
sending any, to read it all through Python's driver, and of a question with a WHERE. What the third
takes above the second is transport. The server is the tests' own. Times are the best of two runs.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench.live_tasks import best
from syncd.resources.members import members
from syncd.resources.projects import projects
from syncd.resources.tags import relabel, tags
from syncd.resources.tasks.table import (
    files,
    task_history,
    task_history_fields,
    task_relations,
    task_tags,
    tasks,
)
from syncd.store import authorship
from syncd.store.activity import activity
from syncd.store.engine import Database, open_database
from syncd.store.report import VIEWS, View
from syncd.store.schema import sync_runs, sync_state
from syncd.store.upgrade import upgrade
from syncd.sync.changed import NAMES, written
from tests.support.postgres import Cluster

NOW = datetime.now(UTC).replace(microsecond=0)
FIRST, PROJECTS, PEOPLE, TAGS = 300_000, 200, 200, 40
SPAN = timedelta(days=365)
BATCH = 20_000
RUNS = 2
ASKED = ("count", "worked", "read", "where")
ONE = FIRST + 50_001
WHERE = {
    "report_tasks": "project_id = 5007",
    "report_open": "assignee_id = 117",
    "report_overdue": "assignee_id = 117",
    "report_workload": "member_id = 117",
    "report_projects": "project_id = 5007",
    "report_daily": "project_id = 5007",
    "report_blocked": f"task_id = {ONE}",
    "report_cycle_time": "project_id = 5007",
    "report_tag_time": f"task_id = {ONE}",
    "report_due_slips": "project_id = 5007",
    "task_changes": f"task_id = {ONE}",
    "task_versions": f"valid_from <= '{NOW - SPAN / 2:%Y-%m-%d %H:%M:%S}+00'"
    f" AND (valid_to > '{NOW - SPAN / 2:%Y-%m-%d %H:%M:%S}+00' OR valid_to IS NULL)",
}

Row = dict[str, Any]


def seed(db: Database, count: int, versions: int) -> None:
    """Fill the mirror with tasks of common shapes and a year of their history."""
    random_ = random.Random(1)
    upgrade(db, now=NOW)
    with db.write() as tx:
        tx.execute(insert(members), [_person(n) for n in range(PEOPLE)])
        tx.execute(insert(projects), [_project(n) for n in range(PROJECTS)])
        tx.execute(insert(tags), [{"id": 700 + n, "name": f"Tag {n}"} for n in range(TAGS)])
        tx.execute(insert(sync_state), [{"name": "clock", "value": _clock()}])
        tx.execute(insert(sync_runs), [_run(n) for n in range(1, 2001)])
        relabel(tx)
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        lives = [_life(n, versions / count, random_) for n in numbers]
        with db.write() as tx:
            _write(tx, tasks, (life[-1] for life in lives))
            _write(tx, task_history, (past for life in lives for past in life[:-1]))
            _write(tx, task_history_fields, (row for life in lives for row in _changes(life)))
            _write(tx, task_tags, (link for life in lives for link in _links(life[-1])))
            _write(tx, files, (_file(n) for n in numbers if n % 9 == 0))
            _write(tx, task_relations, _edges(numbers, random_))
            _write(tx, activity, _events(lives, random_))
    with db.write() as tx:
        authorship.name_all(tx)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as own:
        own.exec_driver_sql("ANALYZE" if db.is_sqlite else "VACUUM ANALYZE")


def _write(tx: Any, table: Any, rows: Iterable[Row]) -> None:
    """Insert in bulk, each row with the columns of the table that it has."""
    names = {column.name for column in table.columns}
    found = [{key: value for key, value in row.items() if key in names} for row in rows]
    for start in range(0, len(found), 5000):
        tx.execute(insert(table), found[start : start + 5000])


def _clock() -> Row:
    return {"zone": "Europe/Kyiv", "offsets": [["0001-01-01 00:00:00", 7200]]}


def _person(n: int) -> Row:
    email = f"u{n}@acme.example"
    return {"id": 100 + n, "email": email, "name": f"U {n}", "kind": "person"}


def _project(n: int) -> Row:
    return {"id": 5000 + n, "name": f"P {n}", "page": f"/project/{5000 + n}/", "url": "u"}


def _run(n: int) -> Row:
    at = NOW - SPAN + n * SPAN / 2000
    return {
        "id": n,
        "kind": "pull" if n % 2 else "events",
        "scope": "account",
        "started_at": at,
        "finished_at": at,
        "observed_at": at,
        "outcome": "complete",
        "counts": {},
        "detail": {"notes": []},
    }


def _life(n: int, mean: float, random_: random.Random) -> list[Row]:
    """Return the images of one task, the present one last."""
    row, at = _born(n, random_), NOW - SPAN * random_.random()
    row |= {"valid_from": at, "observed_at": at}
    images = [row]
    for _ in range(random_.randint(0, round(2 * mean))):
        at += (NOW - at) * random_.random() * 0.5 + timedelta(seconds=1)
        past = images[-1]
        past |= {"task_id": past["id"], "valid_to": at, "run_id": random_.randint(1, 2000)}
        edit = _edited(past, at, random_)
        images.append(past | edit | {"valid_from": at, "observed_at": at})
    return images


def _born(n: int, random_: random.Random) -> Row:
    due = NOW.date() + timedelta(n % 400 - 300)
    page = f"/project/{5000 + n % PROJECTS}/{FIRST + n}/"
    below = n % 4 == 3 and n >= PROJECTS
    return {
        "id": FIRST + n,
        "project_id": 5000 + n % PROJECTS,
        "parent_id": FIRST + n - PROJECTS if below else None,
        "level": 2 if below else 1,
        "name": f"Task number {n} of the project",
        "page": page,
        "url": f"https://acme.worksection.com{page}",
        "status": "active",
        "priority": n % 11,
        "author_id": 100 + n % PEOPLE,
        "assignee_id": 100 + n % 77,
        "date_added": (NOW - SPAN - timedelta(days=n % 300)).replace(tzinfo=None),
        "date_start": due - timedelta(30) if n % 2 else None,
        "date_end": due if n % 3 else None,
        "date_closed": None,
        "max_time": random_.choice((None, 8, 12.5)),
        "content_hash": b"0" * 16,
        "tags": sorted(random_.sample(range(700, 700 + TAGS), random_.choice((0, 1, 1, 2)))),
        "relations": [],
        "removed_at": None,
        "removed_reason": None,
    }


def _edited(past: Row, at: datetime, random_: random.Random) -> Row:
    match random_.randrange(6):
        case 0:
            return {"assignee_id": 100 + random_.randrange(77)}
        case 1:
            return {"date_end": date(2026, 1, 1) + timedelta(random_.randrange(500))}
        case 2 | 3 if past["status"] == "active":
            return {"status": "done", "date_closed": at.replace(tzinfo=None, second=0)}
        case 2:
            return {"status": "active", "date_closed": None}
        case 4:
            return {"priority": (past["priority"] + 1) % 11}
    return {"tags": [700 + random_.randrange(TAGS)]}


def _changes(life: list[Row]) -> Iterator[Row]:
    """Return what each image and the next one differ in."""
    for past, after in pairwise(life):
        kept = {key: past[key] for key in ("task_id", "valid_from", "run_id")}
        for column, field in NAMES.items():
            old, new = past.get(column), after.get(column)
            if old != new:
                values = {"old": written(old), "new": written(new)}
                yield kept | {"field": field, "at": after["valid_from"]} | values


def _links(row: Row) -> Iterator[Row]:
    return ({"task_id": row["id"], "tag_id": tag} for tag in row["tags"])


def _file(n: int) -> Row:
    return {"id": n, "task_id": FIRST + n, "name": "a.pdf", "size": 1000, "page": "", "url": ""}


def _edges(numbers: range, random_: random.Random) -> Iterator[Row]:
    """One relation for every fifth task, from one of the thousand before it."""
    for n in numbers:
        if n % 5 == 0 and n:
            yield {
                "from_task_id": FIRST + max(0, n - random_.randint(1, 1000)),
                "to_task_id": FIRST + n,
                "type": random_.choice(("finish-to-start", "finish-to-start", "start-to-start")),
                "reported_by_from": 1,
                "reported_by_to": 1,
            }


def _events(lives: list[list[Row]], random_: random.Random) -> Iterator[Row]:
    """Tell of a tenth of the changes who made them."""
    for life in lives:
        for after in life[1:]:
            if random_.random() < 0.1:
                yield {
                    "fingerprint": f"{after['id']} {after['valid_from']}",
                    "action": "update",
                    "entity": "task",
                    "entity_id": after["id"],
                    "task_id": after["id"],
                    "member_id": 100,
                    "member_name": "U 0",
                    "date_added": after["valid_from"].replace(tzinfo=None),
                    "at": after["valid_from"] - timedelta(seconds=1),
                    "new": {"priority": str(after["priority"])},
                    "seen_at": after["valid_from"],
                }


def measure(db: Database, only: list[str]) -> None:
    """Print one line for each view, in milliseconds."""
    print(f"\n{'SQLite' if db.is_sqlite else 'PostgreSQL'}")
    print(f"{'':20}" + "".join(f"{name:>10}" for name in ("rows", *ASKED)))
    for one in VIEWS:
        if only and one.name not in only:
            continue
        with db.read() as tx:
            rows = tx.exec_driver_sql(f"SELECT count(*) FROM {one.name}").scalar_one()
            connection = tx.connection.dbapi_connection
            runs = _runs(connection, one, sqlite=db.is_sqlite)
            costs = [best(run, RUNS) for run in runs]
        print(f"{one.name:20}{rows:10}" + "".join(f"{cost:10.0f}" for cost in costs), flush=True)


def _runs(connection: Any, one: View, *, sqlite: bool) -> list[Callable[[], None]]:
    """Return a run for each of ASKED."""
    whole, count = f"SELECT * FROM {one.name}", f"SELECT count(*) FROM {one.name}"
    lengths = ", ".join(f"total(length({column}))" for column in one.columns)
    # PostgreSQL works out what EXPLAIN ANALYZE is asked for; SQLite only what somebody looks at.
    worked = f"EXPLAIN (ANALYZE, TIMING OFF) {whole}"
    worked = f"SELECT {lengths} FROM {one.name}" if sqlite else worked
    where = WHERE.get(one.name, "TRUE")
    where = where.replace("+00'", "'") if sqlite else where
    asked = (count, worked, whole, f"{whole} WHERE {where}")
    return [partial(_read, connection, query) for query in asked]


def _read(connection: Any, query: str) -> None:
    """Read every row."""
    cursor = connection.cursor()
    cursor.execute(query)
    while cursor.fetchmany(1000):
        pass


def bench(db: Database, given: argparse.Namespace) -> None:
    """Measure one database."""
    started = time.perf_counter()
    seed(db, given.tasks, given.versions)
    print(f"seeded in {time.perf_counter() - started:.0f} s", flush=True)
    measure(db, given.only)
    db.close()


def main() -> None:
    """Measure both databases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--versions", type=int, default=500_000)
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench(open_database(f"sqlite:///{Path(folder) / 'syncd.db'}"), given)
    cluster = Cluster()
    try:
        bench(open_database(cluster.url_for(cluster.create_database())), given)
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
