"""A small account, its mirror, people on both sides, and a syncd that can be killed at any point.

What each of them did and saw is told to a Ledger, which checks that it can be accounted for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Literal

import msgspec
import psycopg
from sqlalchemy import event

import syncd
from syncd.errors import AccountError
from syncd.model.change import FINAL
from syncd.sandbox import Account, Fault, Sandbox
from syncd.sandbox.locking import ImpossibleError
from syncd.services import handling, queueing, resolve
from syncd.services.progress import Silent
from syncd.services.pull import pull
from syncd.services.push import push
from syncd.services.push.epoch import Epoch
from syncd.services.refusal import ChangeRefused
from syncd.sync.states import STATES
from syncd.worksection.client import Client
from syncd.worksection.request import Request
from tests.support.mirror import Clock, Mirror, Row, build, connected, fetched
from tests.support.push_ledger import Ledger, account_shows, live_rows

ACTOR = "cli:machine"
PEOPLE = ("ann@example.com", "ben@example.com", "ANY", "NOONE", None)
TAGS = ("red", "green", "blue")
EXTRA = ("subtasks", "relations", "files", "text")
REFUSED = (ChangeRefused, sqlite3.IntegrityError, psycopg.errors.CheckViolation)
Way = Literal["sql", "command", "python"]
Point = Literal[
    *("write asked", "write answered", "read asked", "read answered", "publish", "begin", "commit")
]
"""Where a run can end: around requests, before the epoch is published, and around commits."""


class Killed(BaseException):
    """The end of a process: nothing of ours may catch it."""


@dataclass(slots=True)
class Doom:
    """Waits for the nth point of a kind in one run, and there ends it, or lets somebody act.

    The dead do nothing more: every later point raises too, whatever is being unwound.
    """

    kind: Point | None = None
    nth: int = 1
    act: Callable[[], None] | None = None
    dead: bool = False

    def point(self, kind: Point) -> None:
        """Pass a point."""
        if self.dead:
            raise Killed
        if kind != self.kind:
            return
        self.nth -= 1
        if self.nth == 0 and self.act is not None:
            self.act()
        elif self.nth == 0:
            self.dead = True
            raise Killed


class MortalClient:
    """The client of a process that may end before a request leaves, or once it is answered."""

    def __init__(self, client: Client, doom: Doom) -> None:
        self._client = client
        self._doom = doom

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def call(self, request: Request) -> Any:
        return self._mortal(request, lambda: self._client.call(request))

    def stream(self, request: Request, receive: Any) -> Any:
        return self._mortal(request, lambda: self._client.stream(request, receive))

    def _mortal(self, request: Request, ask: Callable[[], Any]) -> Any:
        self._doom.point("write asked" if request.writes else "read asked")
        answer = ask()
        self._doom.point("write answered" if request.writes else "read answered")
        return answer


@dataclass(frozen=True, slots=True)
class MortalEpoch(Epoch):
    """An epoch whose publisher may end just before it."""

    doom: Doom

    def publish(self, count: int) -> None:
        self.doom.point("publish")
        Epoch.publish(self, count)


class World:
    """One account and one mirror, from the first pull to the last."""

    def __init__(
        self, url: str, folder: Path, *, seed: int, max_batch: int, conflicts: str
    ) -> None:
        self.clock, self.rng = Clock(), Random(seed)
        self._url, self._folder = url, folder
        self._push = {"max_batch": max_batch, "conflicts": conflicts}
        self._doom = Doom()
        self._used = 0
        self.account = _account(self.clock)
        self.box = Sandbox(self.account).start()
        self.mirror = self._start()
        self._reading = ExitStack()
        self._reader = self._reading.enter_context(connected(url))
        if not url.startswith("sqlite"):
            self._reader.autocommit = True
        self.ledger = Ledger(self.rows)
        self.ledger.look(account_shows(self.account), by="remote")
        self.pull()

    def close(self) -> None:
        self._reading.close()
        self.mirror.app.db.close()
        self.box.close()

    def rows(self, query: str) -> list[Row]:
        """What a SELECT gives, on a connection of its own that stays: opening costs more."""
        return fetched(self._reader, query)

    def fresh(self) -> int:
        """A number that was not used yet, so that every value tells who wrote it."""
        self._used += 1
        return self._used

    # --- syncd

    def pull(self, doom: Doom | None = None, *faults: Fault) -> None:
        """Pull as far as it goes; nothing in the account may become different."""
        with (
            self._running(doom or Doom(), faults) as living,
            self.mirror.app.pulling(Silent()) as work,
        ):
            pull(replace(work, client=MortalClient(work.client, living)), allow_removals=True)

    def push(self, doom: Doom | None = None, *faults: Fault) -> None:
        """Push as far as it goes; what becomes different has to be accounted for."""
        with (
            self._running(doom or Doom(), faults) as living,
            self.mirror.app.pushing(Silent()) as work,
        ):
            epoch = MortalEpoch(work.epoch.db, work.epoch.path, living)
            push(replace(work, client=MortalClient(work.client, living), epoch=epoch))

    @contextmanager
    def _running(self, doom: Doom, faults: Iterable[Fault]) -> Iterator[Doom]:
        self.clock.move(timedelta(seconds=1))
        self._doom = doom
        self.box.faults.add(*faults)
        try:
            with suppress(AccountError):
                yield doom
        except Killed:
            pass
        finally:
            self._doom = Doom()
            self.box.faults.clear()
        self.ledger.look(account_shows(self.account), by="syncd")
        if doom.dead:
            self.mirror.app.db.close()
            self.mirror = self._start()
        self.ledger.no_task_twice()

    def _start(self) -> Mirror:
        made = build(self.box, self._url, self._folder / "syncd.toml", extra=EXTRA)
        settings = made.app.settings
        pushes = msgspec.structs.replace(settings.push, **self._push)
        settings = msgspec.structs.replace(settings, push=pushes)
        made.app = replace(made.app, clock=self.clock, rng=self.rng, settings=settings)
        made.clock = self.clock
        for kind in ("begin", "commit"):
            point = partial(self._point, kind)
            event.listen(made.app.db.engine, kind, point, insert=True)  # before BEGIN itself
        return made

    def _point(self, kind: Point, _: object) -> None:
        self._doom.point(kind)

    # --- a person in the web interface

    def remotely(self, edit: Callable[[Account], Any]) -> bool:
        """Let a person edit in the account, if the account lets them."""
        try:
            edit(self.account)
        except ImpossibleError:
            return False
        self.ledger.look(account_shows(self.account), by="remote")
        return True

    def remote_task(self, number: int, *, whole: bool = False) -> int | None:
        """Pick a task; with `whole` one that does not hold what only a title tells is ours.

        A lost creation is found by its title and place: a person who renames, moves or deletes it
        before we look takes it away from us (docs/push.md).
        """
        ours = self.ledger.lost_creations()
        ids = [
            id
            for id, task in self.account.tasks.items()
            if not whole or not any(each.name in ours for each in self.account.subtree(task))
        ]
        return ids[number % len(ids)] if ids else None

    # --- a person or a script at the database

    def local_target(self, number: int) -> Row | None:
        """Pick a row of `live_tasks`."""
        found = live_rows(self.rows)
        return found[number % len(found)] if found else None

    def edit(self, way: Way, row: Row, fields: Mapping[str, Any]) -> bool:
        """Edit a task by one of the ways there are; False where the gate refused."""
        named = row["id"] if row["id"] is not None else row["ref"]
        ways: dict[Way, Callable[[], Any]] = {
            "sql": lambda: self.mirror.execute(_update(named, fields)),
            "command": lambda: self._command(named, fields),
            "python": lambda: self._script(named, fields),
        }
        return self._queued(ways[way], saw=row)

    def create(self, way: Way, fields: Mapping[str, Any]) -> bool:
        """Create a task by one of the ways there are."""
        given = {name: value for name, value in fields.items() if value is not None}
        ways: dict[Way, Callable[[], Any]] = {
            "sql": lambda: self.mirror.execute(_insert(given)),
            "command": lambda: queueing.add_task(self.mirror.app.db, given, actor=ACTOR),
            "python": lambda: self._new_by_script(given),
        }
        return self._queued(ways[way], saw=None)

    def _command(self, named: int | str, fields: Mapping[str, Any]) -> None:
        """As `syncd task edit`, `task done` and `task reopen` do."""
        rest = {name: value for name, value in fields.items() if name != "status"}
        db = self.mirror.app.db
        if rest:
            queueing.edit_task(db, named, queueing.Edit(rest), actor=ACTOR)
        if "status" in fields:
            queueing.set_status(db, [named], fields["status"], actor=ACTOR)

    def _script(self, named: int | str, fields: Mapping[str, Any]) -> None:
        rest: Any = {name: value for name, value in fields.items() if name != "status"}
        with syncd.Client(self.mirror.path) as client:
            if rest:
                client.edit(named, **rest)
            if "status" in fields:
                turn = client.done if fields["status"] == "done" else client.reopen
                turn(named)

    def _new_by_script(self, fields: Mapping[str, Any]) -> None:
        given: Any = dict(fields)
        if "project_id" in given:
            given["project"] = given.pop("project_id")
        for name in ("parent_id", "parent_ref"):
            if name in given:
                given["parent"] = given.pop(name)
        with syncd.Client(self.mirror.path) as client:
            client.add(**given)

    def _queued(self, do: Callable[[], Any], *, saw: Row | None) -> bool:
        try:
            do()
        except REFUSED:
            return False
        finally:
            self.ledger.queued(saw=saw)
        return True

    # --- a person at the queue

    def changes(self, *states: str) -> list[Row]:
        wanted = ", ".join(f"'{state}'" for state in states)
        return self.rows(f"SELECT * FROM outbox WHERE state IN ({wanted}) ORDER BY id")

    def handle(self, verb: str, row: Row) -> bool:
        """Do one thing to a queued change; False where it is refused."""
        db, at = self.mirror.app.db, self.clock()
        chosen = handling.Chosen((row["id"],))
        limit = self._push["max_batch"]
        deeds: dict[str, Callable[[], Any]] = {
            "retry": lambda: handling.retry(db, [row["id"]], actor=ACTOR, at=at),
            "cancel": lambda: handling.cancel(db, chosen, actor=ACTOR, at=at),
            "release": lambda: handling.release(
                db, chosen, max_batch=int(limit), actor=ACTOR, at=at
            ),
            "mine": lambda: self._resolve(row, "mine"),
            "theirs": lambda: self._resolve(row, "theirs"),
        }
        try:
            deeds[verb]()
        except ChangeRefused:
            return False
        return True

    def _resolve(self, row: Row, winner: Any) -> None:
        if winner == "mine" and row["task_id"] is not None:
            self.ledger.resolved(row["task_id"])
        choice = resolve.Choice(otherwise=winner)
        resolve.resolve(self.mirror.app.db, row["id"], choice, actor=ACTOR, at=self.clock())

    # --- the end

    def come_to_rest(self) -> None:
        """Without faults, with time and a person who decides, everything ends."""
        before: object = None
        for _ in range(40):
            self.clock.move(timedelta(days=2))
            self.pull()
            self.push()
            now = [(row["id"], row["state"], row["attempts"]) for row in self._open()]
            if not self._decide() and (not now or now == before):
                break
            before = now
        self.pull()

    def _open(self) -> list[Row]:
        return self.changes(*(state for state in STATES if state not in FINAL))

    def _decide(self) -> bool:
        """Let a person settle whatever waits for one; a failed change may be tried once more."""
        moved = False
        for row in self.changes("held", "conflict", "failed"):
            match row["state"]:
                case "held":
                    verbs = self.rng.choice([("release",), ("release",), ("cancel",)])
                case "conflict":
                    verbs = self.rng.choice([("mine", "theirs"), ("theirs",)])
                case _ if row["operation"] == "create" and row["task_id"] is None:
                    verbs = self.rng.choice([("retry",), ("cancel",), ("cancel",)])
                case _:
                    verbs = ("retry",) if self.rng.random() < 0.3 else ()
            moved |= any(self.handle(verb, row) for verb in verbs)
        return moved

    def check(self) -> None:
        self.ledger.check(self.mirror)


def _account(clock: Clock) -> Account:
    """Two projects, two people, three tags, and a tree of three levels beside single tasks."""
    account = Account(clock=lambda: clock.now)
    for email in PEOPLE[:2]:
        account.create_member(str(email)[:3].title(), "Example", email)
    group = account.create_tag_group("Colours")
    for title in TAGS:
        account.create_tag(group, title)
    one, two = account.create_project("One"), account.create_project("Two")
    top = account.create_task(one, "T1", tag_ids=[min(account.tags)])
    below = account.create_task(one, "T2", parent_id=top, priority=3)
    account.create_task(one, "T3", parent_id=below)
    account.create_task(one, "T4", date_end=date(2026, 4, 1), max_time=Decimal("1.5"))
    account.complete_task(account.create_task(two, "T5"))
    account.create_task(two, "T6", assignee_id=max(account.members))
    return account


def _update(named: int | str, fields: Mapping[str, Any]) -> str:
    values = ", ".join(f"{name} = {_literal(value)}" for name, value in fields.items())
    column = "id" if isinstance(named, int) else "ref"
    return f"UPDATE live_tasks SET {values} WHERE {column} = {_literal(named)}"


def _insert(fields: Mapping[str, Any]) -> str:
    values = ", ".join(map(_literal, fields.values()))
    return f"INSERT INTO live_tasks ({', '.join(fields)}) VALUES ({values})"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int | Decimal):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
