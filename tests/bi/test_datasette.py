"""Datasette on the SQLite file, with the metadata and the queries of docs/bi/datasette."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncd.store.access import INNER, QUEUE
from tests.bi.conftest import MISSING, OVERDUE_ANSWER, TASKS_ANSWER, WHO, Place
from tests.reporting.story import plain

METADATA = Path(__file__).parents[2] / "docs" / "bi" / "datasette" / "metadata.yaml"


@pytest.fixture(scope="session", autouse=True)
def settings() -> dict[str, Any]:
    """The settings for the file named syncd."""
    pytest.importorskip("datasette", reason=MISSING)
    yaml = pytest.importorskip("yaml", reason=MISSING)
    found: dict[str, Any] = yaml.safe_load(METADATA.read_text("utf-8"))["databases"]["syncd"]
    return found


@pytest.fixture(scope="session")
def get(settings, sqlite_place: Place) -> Callable[[str], Any]:
    """Asks for a page, of Datasette on the file that syncd has open."""
    app = pytest.importorskip("datasette.app")
    metadata = {"databases": {"syncd": settings}}
    served = app.Datasette([str(sqlite_place.path)], metadata=metadata)

    async def asked(path: str) -> Any:
        await served.invoke_startup()
        return await served.client.get(path)

    return lambda path: asyncio.run(asked(path))


def test_it_shows_the_numbers_the_dates_and_the_letters(get):
    found = get("/syncd/report_tasks.json?_shape=array&_sort=id").json()
    columns = (
        *("name", "date_end", "date_added", "added_at", "max_time", "assignee_name", "is_open"),
    )
    assert TASKS_ANSWER == [tuple(plain(row[name]) for name in columns) for row in found]


def test_it_shows_what_is_overdue_by_the_queries_that_come_along(get):
    (row,) = get("/syncd/overdue_by_person.json?_shape=array").json()
    assert (WHO, len(OVERDUE_ANSWER)) == (row["assignee_name"], row["tasks"])


def test_every_query_runs(settings, get):
    asked = {"find_task": "&words=звіт", "on_a_day": "&day=2099-01-01"}
    expected = {"find_task": 1, "on_a_day": 3, "slips": 0, "freshness": 5, "overdue_by_person": 1}
    assert expected == {
        name: len(get(f"/syncd/{name}.json?_shape=array{asked.get(name, '')}").json())
        for name in settings["queries"]
    }


def test_a_visitor_sees_what_a_reader_sees(settings, get):
    shut = {name for name, one in settings["tables"].items() if one == {"allow": False}}
    assert {*QUEUE, *INNER} == shut
    assert 403 == get("/syncd/outbox.json").status_code
    assert 403 == get("/syncd.json?sql=SELECT+*+FROM+outbox").status_code
