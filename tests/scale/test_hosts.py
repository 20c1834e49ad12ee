"""Two accounts on two hosts, one PostgreSQL: a host works for one and stands by for the other.

One account on two hosts is tests/hosts. Where network namespaces cannot be made these tests are
skipped, and say what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from syncd.sandbox import Account
from tests.hosts.world import KILLED_S, PER_SECOND, SETTINGS, SILENT_S, Machine, served
from tests.scale.companies import seen_by
from tests.scale.conftest import DEEP
from tests.support.daemons import Place, until
from tests.support.mirror import assert_mirror_equals, build, config_text
from tests.support.netns import Host, NoHosts, make_hosts
from tests.support.postgres import Cluster

pytestmark = pytest.mark.skipif(
    not DEEP, reason="four daemons and a server of their own: in the deep profile"
)
Crew = dict[str, dict[str, Machine]]
"""The daemons by account and host."""


@pytest.fixture
def two_hosts() -> Iterator[list[Host]]:
    """The hosts north and south, beside those of tests/hosts."""
    with ExitStack() as stack:
        try:
            hosts, missing = make_hosts(stack, "north", "south", first=2), ""
        except NoHosts as why:
            hosts, missing = [], str(why)
        if missing:
            pytest.skip(f"no two hosts in network namespaces here: {missing}")
        yield hosts


@pytest.fixture
def crew(two_hosts: list[Host], tmp_path: Path) -> Iterator[Crew]:
    """Both accounts' daemons on both hosts, none started yet."""
    if os.environ.get("SYNCD_TEST_NO_POSTGRES") == "1":
        pytest.skip("SYNCD_TEST_NO_POSTGRES=1")
    with ExitStack() as stack:
        networks = [host.server for host in two_hosts]
        server = stack.enter_context(closing(Cluster(networks=networks)))
        name = server.create_database()
        yield {each: _daemons(stack, server, name, two_hosts, tmp_path, each) for each in NAMES}


NAMES = ("acme", "globex")


def _daemons(
    stack: ExitStack, server: Cluster, database: str, hosts: list[Host], folder: Path, name: str
) -> dict[str, Machine]:
    """The instances `syncd@NAME` of one account, one on each host."""
    account = Account.seeded(tasks=60, seed=sum(name.encode()), archived=0, pending=0, delayed=0)
    boxes = list(served(stack, account, hosts))
    url = server.url_for(database)
    mirror = build(boxes[0], url, folder / f"{name}.toml", schema=name)
    stack.callback(mirror.app.db.close)
    mirror.app.ready(write=True)
    mirror.database_url = seen_by(url, name)
    machines = {}
    for host, box in zip(hosts, boxes, strict=True):
        (home := folder / f"{name}@{host.name}").mkdir()
        place = Place(mirror, home / "syncd.toml", stack)
        reached = server.url_for(database, host=str(host.server.ip))
        place.path.write_text(config_text(box, reached, pace=PER_SECOND, schema=name))
        place.configure(**SETTINGS)
        machines[host.name] = Machine(host, box, place)
    return machines


def _works(machine: Machine, standby: Machine) -> None:
    """Let one of an account's daemons hold its lease, and the other stand by."""
    machine.run()
    machine.takes_over()
    standby.run()
    standby.stands_by(machine)
    machine.daemon.has_pulled()


def _edited(crew: Crew, at: int) -> None:
    """Queue an edit in each account, and wait until the account has it."""
    for name, machines in crew.items():
        place = machines["north"].place
        place.edit(place.leaves()[at], name=f"{name} {at}")
    for machines in crew.values():
        place = machines["north"].place
        until(lambda p=place: p.states() == {"confirmed": at + 1}, what=place.states)


def _check(crew: Crew, edits: int) -> None:
    for name, machines in crew.items():
        place = machines["north"].place
        edited = place.leaves()[:edits]
        asked = [each for machine in machines.values() for each in machine.asked if each.effect]
        assert edited == sorted(int(each.parameters["id_task"]) for each in asked)
        assert [f"{name} {n}" for n in range(edits)] == [
            place.account.tasks[task].name for task in edited
        ]
        assert_mirror_equals(place.mirror)


@pytest.mark.parametrize("end", ["killed", "cut off"])
def test_a_host_that_dies_leaves_both_accounts_to_the_other(crew: Crew, end: str):
    acme, globex = crew.values()
    _works(acme["north"], acme["south"])
    _works(globex["south"], globex["north"])
    _edited(crew, 0)
    held = globex["south"].place.mirror.value("SELECT fencing FROM lease")
    if end == "killed":
        for each in (acme["north"], globex["north"]):
            each.daemon.process.kill()
    else:
        acme["north"].host.cut()
    assert acme["south"].takes_over() < (KILLED_S if end == "killed" else SILENT_S)
    _edited(crew, 1)
    assert held == globex["south"].place.mirror.value("SELECT fencing FROM lease")
    for machines in crew.values():
        assert machines["south"].name == machines["south"].place.mirror.value(
            "SELECT holder FROM lease"
        )
    _check(crew, 2)
