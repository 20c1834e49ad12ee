"""Fixtures: companies that share a PostgreSQL, a schema each; a standby that follows the server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from tests.scale.companies import Company, at_once, found
from tests.support.postgres import Cluster

DEEP = os.environ.get("SYNCD_HYPOTHESIS") == "deep"
NAMES = tuple(f"company {n}" for n in range(8)) if DEEP else ("acme", "Büro 2")


@dataclass(frozen=True, slots=True)
class Town:
    """One database and its companies."""

    url: str
    companies: list[Company]


@pytest.fixture(scope="module")
def town(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Companies whose first pulls, schemas and all, have run at the same time."""
    name = postgres.create_database()
    folder = tmp_path_factory.mktemp("town")
    with ExitStack() as stack:
        url = postgres.url_for(name)
        companies = [found(stack, url, folder, each) for each in NAMES]
        for done in at_once(companies, "pull"):
            done.expect(0)
        yield Town(url, companies)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def standby(postgres: Cluster) -> Iterator[Cluster]:
    """A standby that streams from the tests' own server; feedback and delays are the defaults."""
    with closing(Cluster(standby_of=postgres)) as made:
        yield made
