"""What reading `live_tasks` costs against reading `tasks`, at 100,000 tasks, on both databases.

    python -m bench.live_tasks [TASKS]

Prints, for 0 and for 500 pending changes, milliseconds for the table, for the view, and their
ratio. "by hand" is the same information put together from the mirror's tables by a query of one's
own: emails and labels included, changes not. The server is the tests' own. Times are the best of
several runs; on a busy machine only the ratios mean something.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, text

from syncd.resources.members import members
from syncd.resources.projects import projects
from syncd.resources.tags import relabel, tags
from syncd.resources.tasks.table import task_tags, tasks
from syncd.store.engine import Database, open_database
from syncd.store.live.columns import COLUMNS
from syncd.store.upgrade import upgrade
from tests.support.postgres import Cluster

NOW = datetime(2026, 1, 5, tzinfo=UTC)
FIRST, PROJECTS, PEOPLE, TAGS = 300_000, 200, 200, 100
PENDING = 500
_PLAIN = "id, project_id, parent_id, level, name, status, priority, author_id, assignee_id, text,"
_PLAIN += " date_added, date_start, date_end, date_closed, max_time, max_money, url"
_LABELS = {
    True: "(SELECT group_concat(label, ',') FROM (SELECT g.label FROM task_tags l JOIN tags g"
    " ON g.id = l.tag_id WHERE l.task_id = t.id ORDER BY 1))",
    False: """(SELECT string_agg(g.label, ',' ORDER BY g.label COLLATE "C") FROM task_tags l"""
    " JOIN tags g ON g.id = l.tag_id WHERE l.task_id = t.id)",
}
ONE = FIRST + 50_001
QUERIES = {
    "SELECT *": "",
    "WHERE id = ?": f"id = {ONE}",
    "COUNT(*)": "",
    "WHERE project_id = ?": "project_id = 5007",
    "WHERE date_end < ?": "date_end < '2025-02-10'",
}


def seed(db: Database, count: int) -> None:
    """Fill the mirror with tasks of common shapes, about one tag each."""
    random_ = random.Random(1)
    upgrade(db, now=NOW)
    with db.write() as tx:
        tx.execute(insert(members), [_person(n) for n in range(PEOPLE)])
        tx.execute(insert(projects), [_project(n) for n in range(PROJECTS)])
        tx.execute(insert(tags), [{"id": 700 + n, "name": f"Tag {n}"} for n in range(TAGS)])
        relabel(tx)
        for start in range(0, count, 10_000):
            numbers = range(start, min(start + 10_000, count))
            tx.execute(insert(tasks), [_task(n, random_) for n in numbers])
            tx.execute(insert(task_tags), [link for n in numbers for link in _links(n, random_)])
    analyze(db)


def analyze(db: Database) -> None:
    """Let the planner know the mirror, as autovacuum would; the outbox is new."""
    mirror = "tasks, task_tags, tags, members, projects"
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as own:
        own.exec_driver_sql("ANALYZE" if db.is_sqlite else f"VACUUM ANALYZE {mirror}")


def whole(db: Database, name: str, *, times: int = 3) -> dict[str, float]:
    """Return the milliseconds of one of QUERIES without a WHERE, on the table and on the view."""
    table, _, view = _three("", count=name == "COUNT(*)", sqlite=db.is_sqlite)
    with db.read() as tx:
        return {
            "tasks": best(fetch(tx, table), times),
            "live_tasks": best(fetch(tx, view), times),
        }


def _person(n: int) -> dict[str, Any]:
    email = f"u{n}@acme.example"
    return {"id": 100 + n, "email": email, "name": f"U {n}", "kind": "person"}


def _project(n: int) -> dict[str, Any]:
    return {"id": 5000 + n, "name": f"P {n}", "page": f"/project/{5000 + n}/", "url": "u"}


def _task(n: int, random_: random.Random) -> dict[str, Any]:
    due = date(2025, 2, 1) + timedelta(n % 400)
    page = f"/project/{5000 + n % PROJECTS}/{FIRST + n}/"
    return {
        "id": FIRST + n,
        "project_id": 5000 + n % PROJECTS,
        "level": 1,
        "name": f"Task number {n} of the project",
        "page": page,
        "url": f"https://acme.worksection.com{page}",
        "status": "done" if n % 3 else "active",
        "priority": n % 11,
        "author_id": 100 + n % PEOPLE,
        "assignee_id": 100 + n % 77,
        "text": "Some description. " * random_.randrange(20),
        "date_added": datetime(2025, 1, 1, 10, 0),
        "date_start": due - timedelta(30) if n % 2 else None,
        "date_end": due if n % 2 else None,
        "valid_from": NOW,
        "observed_at": NOW,
        "content_hash": b"0" * 16,
    }


def _links(n: int, random_: random.Random) -> Iterator[dict[str, int]]:
    for tag in random_.sample(range(TAGS), random_.choice((0, 0, 1, 1, 2, 3))):
        yield {"task_id": FIRST + n, "tag_id": 700 + tag}


def best(run: Callable[[], object], times: int) -> float:
    """Return the shortest of several runs, in milliseconds."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
    return min(took) * 1000


def fetch(tx: Connection, query: str) -> Callable[[], object]:
    """Return a run of a query by the driver alone: our column types are not what is measured."""
    connection = tx.connection.dbapi_connection
    assert connection is not None  # noqa: S101 - it is open
    return lambda: connection.cursor().execute(query).fetchall()


def measure(db: Database, pending: int) -> None:
    """Print one table of costs."""
    db.close()  # a plan that a driver prepared on an empty outbox is not what is measured
    print(f"\n{'SQLite' if db.is_sqlite else 'PostgreSQL'}, {pending} pending changes")
    print(f"{'':24}{'tasks':>10}{'by hand':>10}{'live_tasks':>12}{'ratio':>8}{'to hand':>9}")
    with db.read() as tx:
        for name, where in QUERIES.items():
            table, hand, view = _three(where, count=name == "COUNT(*)", sqlite=db.is_sqlite)
            times = 3 if name == "SELECT *" else 15
            costs = [best(fetch(tx, query), times) for query in (table, hand, view)]
            ratios = costs[2] / costs[0], costs[2] / costs[1]
            print(
                f"{name:24}{costs[0]:10.2f}{costs[1]:10.2f}{costs[2]:12.2f}"
                f"{ratios[0]:8.1f}{ratios[1]:9.1f}"
            )


def _three(where: str, *, count: bool, sqlite: bool) -> tuple[str, str, str]:
    live = " WHERE t.removed_at IS NULL" + (f" AND t.{where}" if where else "")
    columns = ", ".join(f"t.{name.strip()}" for name in _PLAIN.split(","))
    hand = f"{columns}, a.email, b.email, {_LABELS[sqlite]}"
    joined = "tasks t LEFT JOIN members a ON a.id = t.author_id"
    joined += " LEFT JOIN members b ON b.id = t.assignee_id"
    view = " WHERE " + where if where else ""
    if count:
        columns = hand = "COUNT(*)"
    shown = "COUNT(*)" if count else ", ".join(COLUMNS)
    return (
        f"SELECT {columns} FROM tasks t{live}",
        f"SELECT {hand} FROM {joined}{live}",
        f"SELECT {shown} FROM live_tasks{view}",
    )


def queue(db: Database, count: int) -> float:
    """Queue changes by one statement; returns the seconds it took."""
    start = time.perf_counter()
    with db.write() as tx:
        step = f"(id - {FIRST}) % 150 = 7 AND id < {FIRST + 150 * count}"
        tx.execute(
            text(f"UPDATE live_tasks SET priority = 10 - priority, name = name || '!' WHERE {step}")
        )
    return time.perf_counter() - start


def mass_edit(db: Database) -> float:
    """Return the seconds of an UPDATE of 5,000 tasks, undone afterwards."""
    start = 0.0
    with db.engine.connect() as tx:
        start = time.perf_counter()
        where = f"id BETWEEN {FIRST + 20_000} AND {FIRST + 24_999}"
        tx.execute(text(f"UPDATE live_tasks SET max_time = 7.5 WHERE {where}"))
        took = time.perf_counter() - start
        tx.rollback()
    return took


def bench(db: Database, count: int) -> None:
    """Measure one database."""
    seed(db, count)
    measure(db, 0)
    print(f"queued {PENDING} in {queue(db, PENDING):.2f} s")
    measure(db, PENDING)
    print(f"UPDATE of 5,000 rows: {mass_edit(db):.2f} s")
    db.close()


def main() -> None:
    """Measure both databases."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        bench(open_database(f"sqlite:///{Path(folder) / 'syncd.db'}"), count)
    cluster = Cluster()
    try:
        bench(open_database(cluster.url_for(cluster.create_database())), count)
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
