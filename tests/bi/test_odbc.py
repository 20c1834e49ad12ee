"""ODBC, the road of Excel, Power BI and Tableau: by pyodbc, and by unixODBC's own isql."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.bi.conftest import (
    MISSING,
    OVERDUE,
    OVERDUE_ANSWER,
    ROLE,
    TASKS,
    TASKS_ANSWER,
    Place,
    program,
)
from tests.reporting.story import plain

SERVER, FILE = "PostgreSQL Unicode", "SQLite3"
PACKAGES = "apt-get install unixodbc odbc-postgresql libsqliteodbc"


@pytest.fixture(scope="session", autouse=True)
def pyodbc() -> Any:
    """pyodbc, and both of Debian's drivers."""
    try:
        module = pytest.importorskip("pyodbc", reason=MISSING)
    except ImportError as error:  # its wheel looks for the system's libodbc
        pytest.skip(f"{error}: {PACKAGES}")
    if missing := {SERVER, FILE} - set(module.drivers()):
        pytest.skip(f"no ODBC driver {missing}: {PACKAGES}")
    return module


def words(place: Place) -> dict[str, Any]:
    """The connection string's keys, as docs/bi/odbc.md gives them."""
    if place.path is not None:
        return {"Driver": FILE, "Database": f"file:{place.path}?mode=ro"}
    return {
        "Driver": SERVER,
        "Servername": "127.0.0.1",
        "Port": place.port,
        "Database": place.database,
        "Username": ROLE,
        "Password": place.password,
        "BoolsAsChar": 0,
    }


def string(place: Place) -> str:
    return ";".join(f"{key}={value}" for key, value in words(place).items())


@pytest.mark.parametrize(("query", "answer"), [(TASKS, TASKS_ANSWER), (OVERDUE, OVERDUE_ANSWER)])
def test_pyodbc_gets_the_numbers_the_dates_and_the_letters(pyodbc, place, query, answer):
    with closing(pyodbc.connect(string(place), readonly=True)) as own:
        assert answer == [tuple(map(plain, row)) for row in own.execute(query).fetchall()]


def test_pyodbc_cannot_write(pyodbc, place):
    with closing(pyodbc.connect(string(place))) as own, pytest.raises(pyodbc.Error) as refused:
        own.execute("UPDATE tasks SET name = 'x'")
    assert any(word in str(refused.value) for word in ("permission denied", "readonly"))


def test_isql_shows_the_letters(place: Place, tmp_path: Path):
    isql = program("isql", "unixodbc")
    source = "\n".join(["[mirror]", *(f"{key} = {value}" for key, value in words(place).items())])
    (tmp_path / "odbc.ini").write_text(source, encoding="utf-8")
    who = [ROLE, place.password] if place.path is None else []
    said = subprocess.run(
        [isql, "-b", "-d|", "mirror", *who],
        input=OVERDUE + "\n",
        env=os.environ | {"ODBCINI": str(tmp_path / "odbc.ini"), "LANG": "C.UTF-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    assert [list(row) for row in OVERDUE_ANSWER] == [
        [cell.strip() for cell in line.split("|")] for line in said.splitlines() if "|" in line
    ]
