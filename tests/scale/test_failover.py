"""The primary dies, and the standby becomes the server: the same daemon goes on there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncd.sandbox import Account, Sandbox
from tests.scale.companies import QUIET
from tests.scale.conftest import DEEP
from tests.support.daemons import Place, until
from tests.support.mirror import assert_mirror_equals, build, config_text
from tests.support.postgres import Cluster

pytestmark = pytest.mark.skipif(not DEEP, reason="two servers of its own: in the deep profile")
BACK_S = 30.0
SETTLED_S = 120.0
"""An uncertain creation is looked for half a minute later, and again after that."""


@dataclass(slots=True)
class Servers:
    """Two servers, a place whose configuration names both, and the database that it is in."""

    primary: Cluster
    standby: Cluster
    place: Place
    database: str

    def change_over(self) -> None:
        """The primary is gone for good; somebody makes a primary of the standby."""
        self.primary.kill()
        assert self.standby.value("SELECT pg_promote()")
        self.place.mirror.database_url = self.standby.url_for(self.database)

    def has(self, changes: int, within_s: float = BACK_S) -> None:
        """Wait until so many changes are confirmed, in the database that works now."""
        wanted = {"confirmed": changes}
        until(lambda: self.place.states() == wanted, within_s, what=self.everything)

    def everything(self) -> str:
        """What is queued, and all that the daemon has said."""
        return f"{self.place.states()}\n{self.place.daemons[-1].everything()}"


@pytest.fixture
def servers(own_postgres: Cluster, tmp_path: Path) -> Iterator[Servers]:
    """A mirror on a primary that has a standby; no daemon runs yet."""
    with ExitStack() as stack:
        standby = stack.enter_context(closing(Cluster(standby_of=own_postgres)))
        name = own_postgres.create_database()
        account = Account.seeded(tasks=60, archived=0, pending=0, delayed=0)
        box = stack.enter_context(Sandbox(account))
        mirror = build(box, own_postgres.url_for(name), tmp_path / "first.toml")
        stack.callback(mirror.app.db.close)
        assert "complete" == mirror.pull().outcome
        place = Place(mirror, tmp_path / "syncd.toml", stack)
        place.path.write_text(config_text(box, both(own_postgres, standby, name)))
        place.configure(**QUIET)
        yield Servers(own_postgres, standby, place, name)


def both(primary: Cluster, standby: Cluster, database: str) -> str:
    """The address of whichever of the two takes writes, as libpq looks for it."""
    return (
        f"postgresql+psycopg://syncd:{primary.password}@/{database}?host=127.0.0.1,127.0.0.1"
        f"&port={primary.port},{standby.port}&target_session_attrs=read-write"
    )


def test_a_daemon_goes_on_at_the_promoted_standby(servers: Servers):
    place = servers.place
    daemon = place.run()
    daemon.has_pulled()
    first, second = place.leaves()[:2]
    place.edit(first, name="before")
    servers.has(1)
    servers.standby.catch_up_with(servers.primary)
    servers.change_over()
    daemon.says("holding the lease", BACK_S)
    place.edit(second, name="after")
    servers.has(2)
    assert [1, 1] == [place.updates(task) for task in (first, second)]
    assert_mirror_equals(place.mirror)
    daemon.stop()


def test_a_standby_that_missed_the_last_commits_creates_nothing_twice(servers: Servers):
    """It knows a creation as queued that was sent: the count of sendings outside tells."""
    place = servers.place
    place.configure(push={"interval": "5s"}, pull={"interval": "10s"})
    project = min(task.project_id for task in place.account.tasks.values())
    author = place.account.members[place.account.owner_id].email
    place.mirror.execute(
        "INSERT INTO live_tasks (ref, project_id, name, author_email)"
        f" VALUES ('once', {project}, 'Only once', '{author}')"
    )
    servers.standby.catch_up_with(servers.primary)
    servers.standby.stop()
    daemon = place.run()
    servers.has(1)
    servers.primary.kill()
    servers.standby.start()
    servers.change_over()
    assert {"queued": 1} == place.states()
    daemon.says("holding the lease", BACK_S)
    servers.has(1, SETTLED_S)
    named = [task for task in place.account.tasks.values() if task.name == "Only once"]
    assert 1 == len(named)
    assert 1 == len(place.mirror.box.log.entries("post_task"))
    assert_mirror_equals(place.mirror)
    daemon.stop()
