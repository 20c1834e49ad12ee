"""The bundle in docs/bi/superset, imported into a real Superset that then answers for every chart.

`make superset` installs it and runs this. It stands in Los Angeles, the account in Kyiv.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.bi.conftest import OVERDUE_ANSWER, ROLE, SCHEMA, WHO, Place
from tests.bi.superset_charts import Form, dataset, query
from tests.bi.superset_site import Site, Superset
from tests.support.mirror import LATER, START, connected, rows
from tests.support.postgres import Cluster

BUNDLE = Path(__file__).parents[2] / "docs" / "bi" / "superset" / "bundle.py"
PROGRAMS = "SYNCD_SUPERSET"
FORGOTTEN = "bi_forgotten"
BOARD = "/api/v1/dashboard/worksection"
PROJECT = "Ремонт «Під ключ»"
NUMBERS = {
    "Open tasks": {"count": 3},
    "Overdue tasks": {"count": 2},
    "Hours still to do": {"hours": 7.85},
    "Work of each person": {"member_name": WHO, "open": 3, "overdue": 2},
}
ADDED = {"2025-01-13": 1, "2025-03-24": 1, "2025-06-30": 1}
"""The Mondays of the weeks in which the three tasks were added, by Kyiv's days."""
FIRST_DAYS = {1: date(2025, 1, 15), 2: date(2025, 3, 30), 3: date(2025, 7, 1)}
"""The first day on which so many were open."""
SOURCES = {"fast lane", "members", "projects", "tags", "tasks"}

Ask = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Superset:
    """A Superset with nothing in it but its admin."""
    programs = os.environ.get(PROGRAMS)
    if not programs:  # 800 MB in an environment of its own, which only its make target makes
        pytest.skip("Superset is not installed: make superset")
    made = Superset(Path(programs), tmp_path_factory.mktemp("superset"))
    made.prepare()
    return made


@pytest.fixture(scope="session")
def address(superset: Superset, server_place: Place, postgres: Cluster) -> str:  # noqa: ARG001 (asked for first: it may skip)
    """The mirror's, for a role that only reads and that nobody gave its time zone."""
    postgres.create_role(FORGOTTEN)
    with connected(postgres.admin_url_for(server_place.database)) as own:
        own.execute(f"GRANT {ROLE} TO {FORGOTTEN}")
        own.execute(f"ALTER ROLE {FORGOTTEN} SET search_path TO {SCHEMA}")
    found = server_place.server_url.replace(ROLE, FORGOTTEN, 1)
    (zone,) = rows(found, "SELECT current_setting('TimeZone') AS name")
    assert "UTC" != zone["name"]
    return found


@pytest.fixture(scope="session")
def packed(superset: Superset, address: str) -> Path:
    """The bundle, with that address in it."""
    path = superset.folder / "worksection.zip"
    uri = address.replace("postgresql", "postgresql+psycopg2", 1)
    subprocess.run([sys.executable, BUNDLE, uri, path], check=True)
    return path


@pytest.fixture(scope="session")
def site(superset: Superset, packed: Path) -> Iterator[Site]:
    """That Superset with the bundle imported, being served."""
    superset.take(packed)
    with superset.serve() as served:
        yield served


@pytest.fixture(scope="session")
def forms(site: Site) -> dict[str, Form]:
    """The settings of each chart on the dashboard, as Superset has them, by the chart's name."""
    return {one["slice_name"]: one["form_data"] for one in site.get(f"{BOARD}/charts")["result"]}


@pytest.fixture(scope="session")
def ask(site: Site, forms: dict[str, Form]) -> Ask:
    """Gives the rows that a chart draws."""
    return lambda name: site.rows(dataset(forms[name]), query(forms[name]))


def test_the_dashboard_is_there_with_every_chart_in_its_place(site, forms):
    board = site.get(BOARD)["result"]
    places = board["position_json"]
    assert ("Worksection", True) == (board["dashboard_title"], board["published"])
    assert len(list(BUNDLE.parent.glob("charts/*.yaml"))) == len(forms)
    assert all(f'"chartId": {form["slice_id"]},' in places for form in forms.values())
    title = re.search(r"<title>\s*(.*?)\s*</title>", site.page("/superset/dashboard/worksection/"))
    assert title is not None
    assert "Worksection" == title[1]


def test_every_chart_answers_with_rows(forms, ask):
    assert [] == [name for name in forms if not ask(name)]


@pytest.mark.parametrize(("chart", "answer"), NUMBERS.items(), ids=NUMBERS)
def test_the_numbers_are_those_of_the_account(ask, chart, answer):
    assert [answer] == ask(chart)


def test_what_is_overdue_has_its_letters_and_its_days(ask):
    found = ask("Overdue the longest")
    assert OVERDUE_ANSWER == [(row["name"], str(day(row["date_end"]))) for row in found]
    assert {(PROJECT, WHO)} == {(row["project_name"], row["assignee_name"]) for row in found}
    # Both are late until the same day: the account's today, whichever that is.
    assert 1 == len({day(row["date_end"]) + timedelta(row["days_late"]) for row in found})


def test_each_day_is_there_once_and_none_is_shifted(ask):
    found = ask("Open tasks by day")
    days = [day(row["day"]) for row in found]
    assert [days[0] + timedelta(n) for n in range(len(days))] == days
    assert FIRST_DAYS == {row[PROJECT]: day(row["day"]) for row in reversed(found)}


def test_each_week_begins_on_its_monday(ask):
    found = ask("Added and closed by week")
    assert ADDED == {str(day(row["week_start"])): row["added"] for row in found if row["added"]}
    assert {0} == {row["closed"] for row in found}


def test_how_fresh_it_is_has_the_instant_in_utc(ask):
    found = {row["source"]: row for row in ask("How fresh this is")}
    assert SOURCES == set(found)
    seen = instant(found["tasks"]["as_of"])
    assert START + LATER <= seen < START + LATER + timedelta(minutes=1)


def test_the_datasets_have_the_columns_that_superset_finds_in_the_database(site):
    known = site.get("/api/v1/dataset/?q=(page_size:100)")["result"]
    assert len(list(BUNDLE.parent.glob("datasets/*/*.yaml"))) == len(known)
    for one in known:
        found = site.get(f"/datasource/external_metadata/table/{one['id']}/")
        columns = site.get(f"/api/v1/dataset/{one['id']}")["result"]["columns"]
        assert types(found) == types(columns), one["table_name"]
        site.rows(one["id"], {"columns": list(types(columns)), "row_limit": 10})


def test_a_column_that_is_missing_is_an_error(site, forms):
    form = forms["Overdue the longest"] | {"all_columns": ["name", "nothing_of_ours"]}
    answer = site.data(dataset(form), query(form))
    assert 400 == answer.status_code
    assert "Columns missing in dataset: ['nothing_of_ours']" in answer.json()["message"]


def test_a_second_import_makes_nothing_twice(superset, packed, site, forms, ask):
    before = counted(site)
    superset.take(packed)
    assert before == counted(site)
    assert [] == [name for name in forms if not ask(name)]


def counted(site: Site) -> dict[str, int]:
    kinds = ("chart", "dashboard", "dataset", "database")
    return {kind: site.get(f"/api/v1/{kind}/")["count"] for kind in kinds}


def types(columns: list[dict[str, Any]]) -> dict[str, str]:
    return {one["column_name"]: one["type"] for one in columns}


def instant(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def day(milliseconds: float) -> date:
    """The day that a chart shows: its midnight in UTC is what Superset sends."""
    found = instant(milliseconds)
    assert found == datetime(found.year, found.month, found.day, tzinfo=UTC)
    return found.date()
