"""Fixtures: two hosts with a PostgreSQL that both reach, and a world between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime

import pytest

from syncd.store import upgrade
from syncd.store.engine import open_database
from tests.hosts.world import World, build_world
from tests.support.netns import Host, NoHosts, make_hosts
from tests.support.postgres import Cluster


@pytest.fixture(scope="session")
def two_hosts() -> Iterator[list[Host]]:
    """The hosts one and two; where they cannot be made, it is said why."""
    with ExitStack() as stack:
        try:
            hosts, missing = make_hosts(stack, "one", "two"), ""
        except NoHosts as why:
            hosts, missing = [], str(why)
        if missing:
            pytest.skip(f"no two hosts in network namespaces here: {missing}")
        yield hosts


@pytest.fixture(scope="session")
def server(two_hosts: list[Host]) -> Iterator[Cluster]:
    """A PostgreSQL that listens at our end of each host's wire, and on our loopback."""
    if os.environ.get("SYNCD_TEST_NO_POSTGRES") == "1":
        pytest.skip("SYNCD_TEST_NO_POSTGRES=1")
    with closing(Cluster(networks=[host.server for host in two_hosts])) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def template(server: Cluster) -> str:
    """A database with its schema, to be copied."""
    name = server.create_database()
    with closing(open_database(server.url_for(name))) as db:
        upgrade.upgrade(db, now=datetime(2026, 1, 5, tzinfo=UTC))
    return name


@pytest.fixture(scope="session")
def worlds(
    server: Cluster,
    template: str,
    two_hosts: list[Host],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[], World]]:
    """Gives the world that there is, or a new one where a test failed in that."""
    made: list[World] = []

    def give() -> World:
        if not made or made[-1].spoilt:
            stack.close()
            name = server.create_database(template=template)
            stack.callback(server.drop_database, name)
            folder = tmp_path_factory.mktemp("hosts")
            made.append(build_world(stack, server, name, two_hosts, folder))
        return made[-1]

    with ExitStack() as stack:
        yield give


@pytest.fixture
def world(worlds: Callable[[], World], two_hosts: list[Host]) -> Iterator[World]:
    """Two hosts, an account and a PostgreSQL; every wire is whole at the beginning."""
    yield worlds()
    for host in two_hosts:
        host.mend()
