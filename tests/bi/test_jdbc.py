"""JDBC, the road of Metabase and DBeaver: a small program in Java, far from the account's zone."""

from __future__ import annotations

import os
import re
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bi.conftest import OVERDUE, OVERDUE_ANSWER, ROLE, TASKS, TASKS_ANSWER, Place, program

DRIVER = Path("/usr/share/java/postgresql.jar")
PROGRAM = Path(__file__).with_name("Ask.java")
OLDEST = 17


@pytest.fixture(scope="session", autouse=True)
def java() -> str:
    """A Java that runs a source file, and Debian's driver."""
    found = program("java", "default-jdk-headless libpostgresql-jdbc-java")
    program("javac", "default-jdk-headless")
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=True).stderr
    version = re.search(r'"(\d+)', told)
    if version is None or int(version[1]) < OLDEST:
        pytest.skip(f"Java {OLDEST} or newer: apt-get install default-jdk-headless")
    if not DRIVER.exists():
        pytest.skip(f"no {DRIVER}: apt-get install libpostgresql-jdbc-java")
    return found


def asked(java: str, place: Place, *queries: str) -> subprocess.CompletedProcess[str]:
    url = f"jdbc:postgresql://127.0.0.1:{place.port}/{place.database}"
    options = ["-Dstdout.encoding=UTF-8", "-Dfile.encoding=UTF-8", "-XX:TieredStopAtLevel=1"]
    zone = "-Duser.timezone=America/Los_Angeles"
    return subprocess.run(
        [java, *options, zone, "-cp", DRIVER, PROGRAM, url, *queries],
        env=os.environ | {"PGUSER": ROLE, "PGPASSWORD": place.password, "LANG": "C.UTF-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_java_gets_the_numbers_the_dates_and_the_letters_and_cannot_write(java, server_place):
    said = asked(java, server_place, TASKS, OVERDUE, "UPDATE tasks SET name = 'x' RETURNING id")
    expected = [*map(shown, TASKS_ANSWER), *map("\t".join, OVERDUE_ANSWER)]
    assert expected == said.stdout.splitlines()
    assert "permission denied for table tasks" in said.stderr


def shown(row: tuple[str | int | Decimal | None, ...]) -> str:
    """A row as Java prints it: java.time leaves out seconds that are none."""
    name, due, added, instant, hours, who, is_open = row
    local, utc = (str(one).removesuffix(":00").replace(" ", "T") for one in (added, instant))
    cells = (name, due, local, f"{utc}Z", "null" if hours is None else hours, who)
    return "\t".join([*map(str, cells), "true" if is_open else "false"])
