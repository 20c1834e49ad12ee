"""Two hosts, one PostgreSQL behind a wire of each, one account, and what must be true at the end.

Each host reaches the account over its own loopback, by a server of its own for the same account:
the wire to the database can be cut alone, and that server's log says who asked what.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from syncd.sandbox import Account, Entry, Sandbox
from tests.hosts import clock
from tests.support.daemons import LISTING, Daemon, Place, until
from tests.support.mirror import Mirror, assert_mirror_equals, build, config_text
from tests.support.netns import Host
from tests.support.postgres import Cluster

DEEP = os.environ.get("SYNCD_HYPOTHESIS") == "deep"
SOONER = {} if DEEP else {"syncd.store.keeper.STALE_S": 2, "syncd.store.keeper.BEAT_S": 0.4}
"""A silent holder is given up sooner than in earnest, where 60 s would be too long a test."""
SILENT_S = 60.0
KILLED_S = 15.0
PER_SECOND = 4.0
UNEVEN_S = 0.05
"""By how much a busy machine may bring two requests closer on their way: the account counts
arrivals, and five hundredths of the spacing are kept back for it, which is for a whole network."""
SETTINGS = {
    "pull": {"interval": "2s", "events_interval": "1h"},
    "push": {"interval": "1h"},
    "verify": {"interval": "1h", "sample": 0},
    "backup": {"keep": 0},
    "server": {"listen": ""},
    "limits": {"timeout": "60s"},
}
LOCKS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND ((classid::bigint << 32) | objid::bigint) = hashtextextended('syncd lease public', 0)
"""
OBEY = """
from pathlib import Path
from tests.hosts import clock
clock.obey(Path({path!r}))
"""


@dataclass(slots=True)
class Machine:
    """One host with its daemon, its configuration, and its way to the account."""

    host: Host
    box: Sandbox
    place: Place

    def run(self) -> None:
        """Start its daemon, unless it runs; it has a state directory and a clock of its own."""
        self.set_clock(0)
        if self.place.daemons and self.daemon.process.process.poll() is None:
            return
        via = [*self.host.via, "env", f"STATE_DIRECTORY={self.place.path.parent}"]
        self.place.run(patched=SOONER, more=OBEY.format(path=str(self._clock)), via=via)

    @property
    def daemon(self) -> Daemon:
        """The daemon that was started last."""
        return self.place.daemons[-1]

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.daemon.process.pid

    @property
    def name(self) -> str:
        """Its daemon, as the lease names it."""
        return f"pid {self.pid} on {self.host.name}"

    @property
    def holds(self) -> bool:
        """Whether it says that it has the lease."""
        return self.daemon.manager.status.startswith("holding the lease")

    def takes_over(self) -> float:
        """Wait until it holds the lease; returns the seconds it took."""
        return self.daemon.says("holding the lease", SILENT_S)

    def stands_by(self, holder: Machine) -> None:
        """Wait until it knows that the other has the lease."""
        self.daemon.says(f"standing by: {holder.name} holds the lease", SILENT_S)

    def set_clock(self, hours: float) -> None:
        """Let its wall clock be off by so much."""
        clock.move(self._clock, hours)

    @property
    def _clock(self) -> Path:
        return self.place.path.with_name("clock")

    @property
    def asked(self) -> list[Entry]:
        """What it has asked the account."""
        return self.box.log.entries()


@dataclass(slots=True)
class World:
    """The two machines; the mirror is looked at from the server's side.

    Tests share it, since daemons take long to start. Whatever a test left behind, `pair` begins
    with a holder and a standby; a world that failed its last one is `spoilt`.
    """

    one: Machine
    two: Machine
    mirror: Mirror
    edited: list[int] = field(default_factory=list)
    spoilt: bool = False

    def pair(self) -> tuple[Machine, Machine]:
        """The holder of the lease, and the one that stands by."""
        self.spoilt = True
        for machine in (self.one, self.two):
            machine.run()
        until(lambda: self.one.holds or self.two.holds, what=self.everything)
        holder, standby = (self.one, self.two) if self.one.holds else (self.two, self.one)
        holder.daemon.has_pulled()
        standby.stands_by(holder)
        return holder, standby

    @property
    def fencing(self) -> int:
        """How often the lease was taken."""
        number: int = self.mirror.value("SELECT fencing FROM lease")
        return number

    def edit(self, number: int) -> None:
        """Queue an edit of so many tasks that have none yet."""
        new = [task for task in self.one.place.leaves() if task not in self.edited][:number]
        assert number == len(new), "the account has too few tasks"
        self.edited += new
        for task in new:
            self.one.place.edit(task, name=f"edited {task}")

    def sent(self, number: int) -> None:
        """Wait until so many of the edits that are queued now have landed."""
        known = len(self.edited) - number
        until(lambda: len(self.updates()) > known, what=self.everything)

    def confirmed(self) -> None:
        """Wait until every change is confirmed."""
        everyone = {"confirmed": len(self.edited)}
        until(lambda: everyone == self.one.place.states(), what=self.everything)

    def pulls_go_on(self, machine: Machine) -> None:
        """Wait for a pull that was not under way yet."""
        before = len(machine.asked)
        until(
            lambda: sum(each.action == LISTING for each in machine.asked[before:]) >= 2,
            what=self.everything,
        )

    def observed(self) -> list[datetime]:
        """What the runs showed of the account: as of when, in the order in which they ended."""
        seen = "SELECT observed_at FROM sync_runs WHERE observed_at IS NOT NULL ORDER BY id"
        return [row["observed_at"] for row in self.mirror.rows(seen)]

    def updates(self) -> Counter[int]:
        """How often the account took an update of each task, whoever sent it."""
        asked = [*self.one.asked, *self.two.asked]
        updates = [each for each in asked if each.action == "update_task" and each.effect]
        return Counter(int(each.parameters["id_task"]) for each in updates)

    def check(self, holder: Machine, former: Machine) -> None:
        """What is true whatever happened: nothing lost, doubled or too fast, and one holder."""
        assert dict.fromkeys(self.edited, 1) == self.updates()
        (row,) = self.mirror.rows("SELECT holder, acquired_at FROM lease")
        assert (holder.name, 1) == (row["holder"], self.mirror.value(LOCKS))
        assert not [each for each in former.asked if each.started_at >= row["acquired_at"]]
        starts = sorted(each.started for each in [*self.one.asked, *self.two.asked])
        assert min(b - a for a, b in pairwise(starts)) >= 1 / PER_SECOND - UNEVEN_S
        observed = self.observed()
        assert sorted(observed) == observed
        assert_mirror_equals(self.mirror)
        self.spoilt = False

    def everything(self) -> str:
        """What is queued, and all that the daemons have said so far."""
        said = [
            each.everything() for machine in (self.one, self.two) for each in machine.place.daemons
        ]
        return "\n".join([str(self.mirror.rows("SELECT * FROM outbox")), *said])


def build_world(
    stack: ExitStack, server: Cluster, database: str, hosts: list[Host], folder: Path
) -> World:
    """An account and its two machines."""
    account = Account.seeded(tasks=150, archived=0, pending=0, delayed=0)
    boxes = list(served(stack, account, hosts))
    mirror = build(boxes[0], server.url_for(database), folder / "mirror.toml")
    stack.callback(mirror.app.db.close)
    machines = []
    for host, box in zip(hosts, boxes, strict=True):
        (home := folder / host.name).mkdir()
        place = Place(mirror, home / "syncd.toml", stack)
        url = server.url_for(database, host=str(host.server.ip))
        place.path.write_text(config_text(box, url, pace=PER_SECOND))
        place.configure(**SETTINGS)
        machines.append(Machine(host, box, place))
    return World(*machines, mirror)


def served(stack: ExitStack, account: Account, hosts: list[Host]) -> Iterator[Sandbox]:
    """The account on each host's loopback, by the same address everywhere."""
    port = 0
    for host in hosts:
        box = Sandbox(account, port=port)
        host.there(box.start)
        stack.callback(host.there, box.close)
        port = box.port
        yield box
