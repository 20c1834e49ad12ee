"""Fixtures of the reporting tests: the story, told once for each database and file of tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.reporting.story import told
from tests.scenario.conftest import a_mirror, a_mirror_at
from tests.support.mirror import Mirror

__all__ = ["a_mirror", "a_mirror_at"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Mirror]:
    """The mirror of the story, for tests that only read."""
    folder = tmp_path_factory.mktemp("story")
    if request.param == "sqlite":
        template = request.getfixturevalue("_sqlite_template")
        with told(f"sqlite:///{shutil.copy(template, folder / 'syncd.db')}", folder) as mirror:
            yield mirror
    else:
        server = request.getfixturevalue("postgres")
        name = server.create_database(template=request.getfixturevalue("_postgres_template"))
        with told(server.url_for(name), folder) as mirror:
            yield mirror
        server.drop_database(name)
