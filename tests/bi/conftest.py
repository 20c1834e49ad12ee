"""One small mirror, filled by a real pull, for clients that are none of ours.

The clients come with `make bi`; without it these tests are skipped, and say what is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from syncd.sandbox import Account, Sandbox
from syncd.services.grants import give
from tests.support.mirror import Mirror, build, connected
from tests.support.postgres import Cluster

ROLE, SCHEMA = "bi_reader", "worksection"
MISSING = "the clients are not installed: make bi"


@dataclass(frozen=True, slots=True)
class Place:
    """How a client reaches the mirror: a SQLite file, or a server as a role that only reads."""

    path: Path | None = None
    port: int = 0
    database: str = ""
    password: str = ""

    @property
    def url(self) -> str:
        """What SQLAlchemy opens it by."""
        if self.path is not None:
            return f"sqlite:///file:{self.path}?mode=ro&uri=true"
        return self.server_url.replace("postgresql", "postgresql+psycopg", 1)

    @property
    def server_url(self) -> str:
        return f"postgresql://{ROLE}:{self.password}@127.0.0.1:{self.port}/{self.database}"


def small_account() -> Account:
    """Three tasks whose dates shift and whose letters break where somebody is careless.

    The times are Kyiv's: half past midnight in summer is the day before in UTC, and the due date of
    the second task is a day of 25 hours.
    """
    account = Account()
    account.create_member("Олена", "Її'ґєнко", "olena@example.com")
    account.create_project("Ремонт «Під ключ»")
    olena = max(account.members)
    made = (
        ("Їжак і ґава: € — «так»", date(2025, 3, 30), datetime(2025, 7, 1, 0, 30), "7.75"),
        ("Здати звіт 📌", date(2025, 10, 26), datetime(2025, 1, 15, 23, 45), "0.1"),
        ("Колись", date(2099, 12, 31), datetime(2025, 3, 30, 4, 0), None),
    )
    for name, due, added, hours in made:
        account.create_task(
            max(account.projects),
            name,
            date_end=due,
            date_added=added,
            max_time=Decimal(hours) if hours else None,
            assignee_id=olena,
        )
    return account


TASKS = (
    "SELECT name, date_end, date_added, added_at, max_time, assignee_name, is_open"
    " FROM report_tasks ORDER BY id"
)
WHO = "Олена Її'ґєнко"
TASKS_ANSWER = [
    (
        *("Їжак і ґава: € — «так»", "2025-03-30", "2025-07-01 00:30:00", "2025-06-30 21:30:00"),
        *(Decimal("7.75"), WHO, 1),
    ),
    (
        *("Здати звіт 📌", "2025-10-26", "2025-01-15 23:45:00", "2025-01-15 21:45:00"),
        *(Decimal("0.1"), WHO, 1),
    ),
    ("Колись", "2099-12-31", "2025-03-30 04:00:00", "2025-03-30 01:00:00", None, WHO, 1),
]
OVERDUE = "SELECT name, date_end FROM report_overdue ORDER BY id"
OVERDUE_ANSWER = [row[:2] for row in TASKS_ANSWER[:2]]


@pytest.fixture(scope="session")
def sqlite_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The mirror in a SQLite file, while syncd still has it open."""
    folder = tmp_path_factory.mktemp("bi")
    url = f"sqlite:///{folder / 'syncd.db'}"
    with Sandbox(small_account()) as box:
        mirror = _pulled(build(box, url, folder / "syncd.toml"))
        yield Place(path=folder / "syncd.db")
        mirror.app.db.close()


@pytest.fixture(scope="session")
def server_place(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> Iterator[Place]:
    """The mirror on PostgreSQL, in a schema of its own, and a role that was made a reader."""
    name = postgres.create_database()
    url, path = postgres.url_for(name), tmp_path_factory.mktemp("bi") / "syncd.toml"
    with Sandbox(small_account()) as box:
        mirror = _pulled(build(box, url, path, schema=SCHEMA))
        postgres.create_role(ROLE)
        give(mirror.app.db, ROLE, "reader", run=True)
        place = Place(port=postgres.port, database=name, password=postgres.password)
        with connected(place.server_url) as own:
            for setting in (f"search_path TO {SCHEMA}", "timezone TO 'UTC'"):
                own.execute(f'ALTER ROLE {ROLE} IN DATABASE "{name}" SET {setting}')
            own.commit()
        yield place
        mirror.app.db.close()
    postgres.drop_database(name)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    """The mirror, on each of the two databases."""
    kind = {"sqlite": "sqlite_place", "postgresql": "server_place"}[request.param]
    found: Place = request.getfixturevalue(kind)
    return found


def _pulled(mirror: Mirror) -> Mirror:
    assert "complete" == mirror.pull().outcome
    return mirror


def program(name: str, package: str) -> str:
    """The path of a program; skips where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here: apt-get install {package}")
    return found
