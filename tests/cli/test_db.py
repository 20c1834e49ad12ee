"""`syncd db current` and `syncd db upgrade`."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from syncd import shipped
from syncd.store.engine import open_database
from syncd.store.revisions import known_revisions
from syncd.store.upgrade import downgrade
from tests.support.home import Home

KEYS = {"database", "revision", "head", "current"}


def test_the_revisions_are_read_as_alembic_reads_them() -> None:
    scripts = ScriptDirectory(str(shipped.path("migrations")))
    known = known_revisions()
    assert scripts.get_current_head() == known.head
    assert {one.revision for one in scripts.walk_revisions()} == set(known.all)


def test_it_tells_the_schema_and_makes_no_database(home: Home) -> None:
    told = home.syncd("db", "current", "--json").expect(0).document
    assert (KEYS, None, False) == (set(told), told["revision"], told["current"])
    assert not home.database.exists()


def test_an_upgrade_makes_the_schema_and_a_second_does_nothing(home: Home) -> None:
    told = home.syncd("db", "upgrade", "--json").expect(0).document
    assert KEYS | {"from", "backup"} == set(told)
    assert (None, told["head"], None) == (told["from"], told["revision"], told["backup"])
    assert "already" in home.syncd("db", "upgrade").expect(0).stdout
    assert "as needed" in home.syncd("db", "current").expect(0).stdout


def test_on_postgresql_too(home: Home, postgres_url: str) -> None:
    env = {"SYNCD_DATABASE__URL": postgres_url, "SYNCD_DATABASE__SCHEMA": "mirror"}
    assert home.syncd("db", "upgrade", "--json", env=env).expect(0).document["current"]
    assert "schema mirror" in home.syncd("db", "current", env=env).expect(0).stdout


@pytest.fixture
def older(pulled: Home) -> Home:
    """A mirror whose schema is one revision behind."""
    db = open_database(f"sqlite:///{pulled.database}")
    downgrade(db, "-1")
    db.close()
    return pulled


def test_an_older_schema_is_named_with_the_way_up(older: Home) -> None:
    for command in ("status", "task list"):
        assert "syncd db upgrade" in older.syncd(*command.split()).expect(2).stderr


def test_an_older_schema_is_copied_before_it_is_brought_up(older: Home) -> None:
    told = older.syncd("db", "upgrade", "--json").expect(0).document
    assert told["from"] != told["revision"] == told["head"]
    assert Path(told["backup"]).is_file()
    older.syncd("status").expect(0)


def test_a_dry_run_upgrades_nothing(older: Home) -> None:
    before = older.database.read_bytes()
    assert "syncd db upgrade" in older.syncd("pull", "--dry-run").expect(2).stderr
    assert before == older.database.read_bytes()
