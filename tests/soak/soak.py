"""The soak: two daemons on one PostgreSQL for a long time, and everything that happens to services.

`python -m tests.soak.soak SECONDS [SEED]`, or `make soak`. People edit on both sides; requests and
replies get lost; daemons are hung up on, frozen, killed and started again; the server restarts.
Then the trouble ends, people decide what waits for them, and the account has to be the mirror,
every change final, nothing lost or doubled, no two requests closer than the budget allows (by the
account's own log), and memory flat. Prints its seed, and what it did.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from syncd import bootstrap, config
from syncd.sandbox import Account, Fault, Sandbox
from syncd.store import upgrade
from tests.support.mirror import Mirror, assert_mirror_equals, build, rows
from tests.support.postgres import Cluster
from tests.support.processes import Running, start_syncd

PER_SECOND = 4.0
SPACING_S = 1 / PER_SECOND
QUIET_S = 240.0
"""How long the account may take to come to rest."""
INTERVALS = {
    "SYNCD_PULL__INTERVAL": "6s",
    "SYNCD_PULL__EVENTS_INTERVAL": "3s",
    "SYNCD_PUSH__INTERVAL": "4s",
    "SYNCD_VERIFY__INTERVAL": "15s",
    "SYNCD_PUSH__CONFLICTS": "ask",
    "SYNCD_SERVER__LISTEN": "",
}
DECISIONS = {
    "conflict": ("resolve", "--keep", "mine"),
    "failed": ("retry",),
    "held": ("release",),
}
STROKES: tuple[dict[str, Any], ...] = (
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "http_status", "status": 500, "when": "after"},
    {"kind": "http_status", "status": 502, "when": "before"},
    {"kind": "cut_body"},
    {"kind": "too_many_requests"},
)


@dataclass(slots=True)
class Host:
    """One machine's daemon: started, killed and started again. Its state directory is its own."""

    name: str
    config: Path
    folder: Path
    runs: int = 0
    context: Any = None
    process: Running | None = None

    def start(self) -> None:
        """Start it."""
        self.runs += 1
        env = {**INTERVALS, "STATE_DIRECTORY": os.fspath(self.folder)}
        output = self.folder / f"run{self.runs}"
        self.context = start_syncd(
            "--config", os.fspath(self.config), "run", output=output, env=env
        )
        self.process = self.context.__enter__()

    def signal(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def end(self, number: int) -> None:
        """End it, and take it away."""
        if self.process is not None:
            self.process.end(number)
            self.context.__exit__(None, None, None)
            self.process = None

    @property
    def rss_kb(self) -> int:
        """Its memory now."""
        if self.process is None:
            return 0
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0
        return int(status.partition("VmRSS:")[2].split()[0]) if "VmRSS:" in status else 0


@dataclass(slots=True)
class Soak:
    """Everything that is under way, and what was asked for."""

    mirror: Mirror
    cluster: Cluster
    hosts: list[Host]
    rng: Random
    first: frozenset[int] = frozenset()
    """The tasks that the mirror has had from the start."""
    frozen: dict[str, float] = field(default_factory=dict)
    did: Counter[str] = field(default_factory=Counter)
    deeds: list[tuple[float, str]] = field(default_factory=list)
    refs: list[str] = field(default_factory=list)
    wanted: dict[int, str] = field(default_factory=dict)
    memory: list[tuple[float, int]] = field(default_factory=list)

    def step(self) -> None:
        """Do one thing, often an edit and sometimes harm."""
        acts: tuple[tuple[int, Callable[[], None]], ...] = (
            (30, self.they_edit),
            (25, self.we_edit),
            (8, self.we_create),
            (10, self.a_fault),
            (2, self.hang_up),
            (2, self.freeze),
            (1, self.kill),
            (1, self.restart_server),
        )
        act = self.rng.choices([act for _, act in acts], [weight for weight, _ in acts])[0]
        self.deeds.append((time.monotonic(), act.__name__))
        act()
        self.did[act.__name__] += 1
        self.thaw()

    def begin(self) -> None:
        """Wait for the first pull."""
        ends = time.monotonic() + QUIET_S
        while not self.first:
            assert time.monotonic() < ends, "no first pull"
            time.sleep(0.2)
            known = rows(self.mirror.database_url, "SELECT id FROM tasks WHERE removed_at IS NULL")
            self.first = frozenset(row["id"] for row in known)

    # --- people

    def they_edit(self) -> None:
        """A person in the account changes what no script of ours changes, or what it does."""
        task = self.rng.choice(self._tasks())
        values: dict[str, Any] = {"priority": self.rng.randrange(11)}
        with suppress(KeyError, ValueError):
            self.mirror.account.edit_task(task, **values)

    def we_edit(self) -> None:
        """A script renames a task: its names are ours alone, and the last one has to stay."""
        task = self.rng.choice(self._tasks())
        name = f"ours {len(self.wanted)} {self.rng.random():.6f}"
        priority = self.rng.choice(["", "", f", priority = {self.rng.randrange(11)}"])
        if self._queue(f"UPDATE live_tasks SET name = '{name}'{priority} WHERE id = {task}"):
            self.wanted[task] = name

    def we_create(self) -> None:
        """A script creates a task, and says so twice: its ref keeps it single."""
        ref = f"ref-{len(self.refs)}"
        projects = self.mirror.account.projects.values()
        project = self.rng.choice(sorted(one.id for one in projects if one.status == "active"))
        new = f"INSERT INTO live_tasks (project_id, ref, name) VALUES ({project}, '{ref}', '{ref}')"
        if self._queue(new):
            self.refs.append(ref)
            self._queue(new)

    def _queue(self, statement: str) -> bool:
        """Queue it; False where the server is away or the mirror does not know the task yet."""
        try:
            self.mirror.execute(statement)
        except psycopg.Error:
            return False
        return True

    def _tasks(self) -> list[int]:
        return [
            task.id
            for task in list(self.mirror.account.tasks.values())
            if task.id in self.first and task.status == "active"
            if self._assignable(task.assignee_id)
        ]

    def _assignable(self, member: int) -> bool:
        known = self.mirror.account.members.get(member)
        return known is None or known.active

    # --- harm

    def a_fault(self) -> None:
        """A request, or its answer, goes astray."""
        stroke = self.rng.choice(STROKES)
        action = self.rng.choice(["*", "update_task", "post_task", "get_*"])
        self.mirror.box.faults.add(Fault(action=action, **stroke))

    def hang_up(self) -> None:
        """SIGHUP: the configuration is read again."""
        host = self.rng.choice(self.hosts)
        if host.name not in self.frozen:
            host.signal(signal.SIGHUP)

    def freeze(self) -> None:
        """SIGSTOP, and SIGCONT a while later: now and then after the other has taken over."""
        host = self.rng.choice(self.hosts)
        if host.name not in self.frozen and host.process is not None:
            host.signal(signal.SIGSTOP)
            self.frozen[host.name] = time.monotonic() + self.rng.choice([1, 3, 10, 50])

    def thaw(self, *, every: bool = False) -> None:
        """SIGCONT for those whose time has come."""
        for host in self.hosts:
            until = self.frozen.get(host.name)
            if until is not None and (every or time.monotonic() > until):
                del self.frozen[host.name]
                self.deeds.append((time.monotonic(), f"thaw {host.name}"))
                host.signal(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9, and another start."""
        host = self.rng.choice(self.hosts)
        self.frozen.pop(host.name, None)
        host.end(signal.SIGKILL)
        host.start()

    def restart_server(self) -> None:
        """The database is gone for a moment."""
        self.cluster.stop()
        self.cluster.start()

    # --- the end

    def come_to_rest(self) -> None:
        """End the trouble, decide what waits for a person, and wait until nothing moves."""
        self.mirror.box.faults.clear()
        self.thaw(every=True)
        ends = time.monotonic() + QUIET_S
        while not self._at_rest():
            self._decide()
            if time.monotonic() > ends:
                raise AssertionError(f"no rest within {QUIET_S} s: {self._open()}")
            time.sleep(1)

    def _open(self) -> list[dict[str, Any]]:
        query = "SELECT * FROM outbox WHERE state NOT IN ('confirmed', 'cancelled')"
        return rows(self.mirror.database_url, query)

    def _at_rest(self) -> bool:
        if self._open():
            return False
        since = rows(self.mirror.database_url, "SELECT max(id) AS id FROM sync_runs")[0]["id"]
        landed = "kind = 'pull' AND outcome = 'complete'"
        query = f"SELECT id FROM sync_runs WHERE {landed} AND id > {since}"
        ends = time.monotonic() + 30
        while not rows(self.mirror.database_url, query):
            if time.monotonic() > ends:
                return False
            time.sleep(0.2)
        return not self._open()

    def _decide(self) -> None:
        """A person lets ours stand in a conflict, releases what is held, retries what failed."""
        from syncd.cli.entry import run

        for row in self._open():
            word = {
                "conflict": ["resolve", "--keep", "mine"],
                "failed": ["retry"],
                "held": ["release"],
            }
            if chosen := word.get(row["state"]):
                argv = [
                    "--config",
                    str(self.mirror.path),
                    "--json",
                    "queue",
                    chosen[0],
                    str(row["id"]),
                ]
                run([*argv, *chosen[1:]])

    def check(self) -> None:
        """Nothing lost, nothing doubled, never too fast, no leak."""
        assert_mirror_equals(self.mirror)
        names = Counter(task.name for task in self.mirror.account.tasks.values())
        assert dict.fromkeys(self.refs, 1) == {ref: names[ref] for ref in self.refs}
        shown = {id: self.mirror.account.tasks[id].name for id in self.wanted}
        lost = {id: (name, shown[id]) for id, name in self.wanted.items() if name != shown[id]}
        assert not lost, [(id, each, self._trail(id)) for id, each in lost.items()]
        self._check_pace()
        self._check_memory()

    def _trail(self, task_id: int) -> list[dict[str, Any]]:
        query = (
            "SELECT o.id, fields, base, e.from_state, e.to_state, e.at, e.actor, e.detail"
            f" FROM outbox_events e JOIN outbox o ON o.id = e.change_id WHERE o.task_id = {task_id}"
            " ORDER BY e.id"
        )
        return rows(self.mirror.database_url, query)

    def _check_pace(self) -> None:
        log = sorted(self.mirror.box.log.entries(), key=lambda entry: entry.started)
        pairs = [(b.started - a.started, a, b) for a, b in pairwise(log)]
        closest = min((apart for apart, *_ in pairs), default=1.0)
        print(f"requests {len(log)}, the closest two {closest * 1000:.0f} ms apart")
        for apart, first, second in pairs:
            if apart < SPACING_S:
                print(f"{apart:.3f} s: {first}\n{second}\nbefore: {self._deeds(second.started)}")
        assert closest >= SPACING_S, f"{closest} s apart, {SPACING_S} s are allowed"

    def _deeds(self, until: float) -> list[str]:
        """What was done in the minute before, and how many seconds before."""
        return [f"{what} -{until - at:.2f}" for at, what in self.deeds if 0 < until - at < 60]

    def _check_memory(self) -> None:
        quarter = len(self.memory) // 4
        if quarter < 10:
            return
        second = [kb for _, kb in self.memory[quarter : 2 * quarter]]
        last = [kb for _, kb in self.memory[-quarter:]]
        growth = max(last) / max(second) - 1
        print(f"memory: second quarter {max(second)} kB, last {max(last)} kB ({growth:+.1%})")
        assert growth <= 0.05

    def note_memory(self) -> None:
        """Take down the larger of the two daemons."""
        self.memory.append((time.monotonic(), max(host.rss_kb for host in self.hosts)))


def main(seconds: float, seed: int) -> None:
    """Soak for so long."""
    print(f"soak of {seconds:.0f} s, seed {seed}", flush=True)
    cluster = Cluster()
    with (
        TemporaryDirectory(prefix="soak-") as place,
        Sandbox(Account.seeded(tasks=150, seed=seed)) as box,
    ):
        try:
            cluster.start()
            _soak(Path(place), cluster, box, seconds, seed)
        finally:
            cluster.close()


def _soak(place: Path, cluster: Cluster, box: Sandbox, seconds: float, seed: int) -> None:
    url = cluster.url_for(cluster.create_database())
    mirror = build(box, url, place / "syncd.toml", pace=PER_SECOND)
    app = bootstrap.build(config.load(mirror.path, {}))
    upgrade.upgrade(app.db, now=app.clock())
    app.db.close()
    hosts = [Host(name, mirror.path, place / name) for name in ("first", "second")]
    for host in hosts:
        host.folder.mkdir()
    soak = Soak(mirror, cluster, hosts, Random(seed))
    try:
        for host in hosts:
            host.start()
        soak.begin()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            soak.step()
            soak.note_memory()
            time.sleep(soak.rng.uniform(0.1, 0.8))
        print("did:", json.dumps(soak.did), flush=True)
        soak.come_to_rest()
        soak.check()
    finally:
        soak.thaw(every=True)
        for host in hosts:
            host.end(signal.SIGTERM)
    print(f"at rest: {len(soak.refs)} created, {len(soak.wanted)} renamed, all of them once")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 1_000_000)
