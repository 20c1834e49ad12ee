"""The push against everything at once: people on both sides, faults, crashes, restarts, time.

Hypothesis draws a story and shrinks it where it ends badly. A story ends with the faults off, time
moving on, and a person deciding whatever waits for one; then nothing may be lost or doubled. The
steps that it prints are the whole of the story: the account is always the same one, and the seed
in `begin` draws the waits and the decisions at the end.

No edit is made in the account between a look of ours and the write that follows: the API has no
precondition, and such an edit is overwritten unseen (docs/push.md).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import structlog
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from syncd.sandbox import Fault
from tests.support.push_world import PEOPLE, TAGS, Doom, Point, Way, World

DEEP = 1000
"""A profile with more examples than this is the nightly one."""

tasks = st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3, 4, 5, -1, -1, -1, -2])
"""Mostly the same few, so that both sides meet; the last ones are those that were just created."""
ways: st.SearchStrategy[Way] = st.sampled_from(["sql", "command", "python"])
NAMES = (
    *("name", "name", "priority", "date_end", "date_end", "tags", "tags", "status", "status"),
    *("assignee_email", "date_start", "max_time", "max_money", "date_closed"),
)
names = st.sampled_from(NAMES)
moments = st.sampled_from([1, 1, 40, 1200, 100_000]).map(lambda seconds: timedelta(seconds=seconds))
ANY_WRITE = "[!gs]*_task*"  # none of get_task, search_tasks, ...
WRITES = (ANY_WRITE, ANY_WRITE, ANY_WRITE, "post_task", "update_task", "complete_task")
READS = ("get_*", "get_task", "get_tasks", "search_tasks", "get_all_tasks")
STROKES: tuple[dict[str, Any], ...] = (
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "drop", "when": "after", "reset": True},
    {"kind": "http_status", "status": 500, "when": "before"},
    {"kind": "http_status", "status": 500, "when": "after"},
    {"kind": "http_status", "status": 502, "when": "before"},
    {"kind": "http_status", "status": 502, "when": "after"},
    {"kind": "cut_body"},
    {"kind": "cut_body", "keep": 0.0, "honest_length": True},
    {"kind": "garbage", "when": "after"},
    {"kind": "html_login", "when": "before"},
    {"kind": "html_login", "when": "after"},
)
counts = st.sampled_from([1, 1, 1, 2, 3])


def faults(actions: Iterable[str], strokes: Iterable[dict[str, Any]]) -> st.SearchStrategy[Fault]:
    return st.builds(
        lambda action, stroke, skip, count: Fault(action=action, skip=skip, count=count, **stroke),
        st.sampled_from(tuple(actions)),
        st.sampled_from(tuple(strokes)),
        st.sampled_from([0, 0, 0, 1, 2]),
        counts,
    )


TOO_FAST = tuple({"kind": "too_many_requests", "retry_after": after} for after in (None, "7200"))
on_writes = faults(WRITES, (*STROKES, *TOO_FAST))
on_reads = faults(READS, STROKES)
dooms = st.builds(
    Doom,
    st.sampled_from(["write asked", "write answered", "publish", "read answered", "commit"]),
    st.sampled_from([1, 1, 1, 2, 2, 3, 4, 8]),
)
troubles = st.one_of(
    st.none(),
    on_writes,
    on_writes,
    on_writes,
    dooms,
    dooms,
    st.tuples(on_writes, on_writes),
    on_reads,
)


class PushMachine(RuleBasedStateMachine):
    """One story. `open_world` makes the database that it happens on."""

    def __init__(self, open_world: Callable[..., World]) -> None:
        super().__init__()
        self._open_world = open_world
        self.world: World

    @initialize(
        seed=st.integers(0, 2**32 - 1),
        max_batch=st.sampled_from([100, 100, 100, 100, 100, 6]),
        conflicts=st.sampled_from(["ask", "ask", "ask", "mine", "theirs"]),
    )
    def begin(self, seed: int, max_batch: int, conflicts: str) -> None:
        self.world = self._open_world(seed=seed, max_batch=max_batch, conflicts=conflicts)

    # --- a person in the account

    @rule(number=tasks, name=names, clear=st.booleans())
    def they_edit(self, number: int, name: str, clear: bool) -> None:
        edit_theirs(self.world, number, name, clear=clear)

    @rule(
        number=tasks,
        to=st.integers(0, 1),
        deed=st.sampled_from(["create", "create", "delete", "move"]),
    )
    def they_reshape(self, number: int, to: int, deed: str) -> None:
        world = self.world
        project = sorted(world.account.projects)[to]
        if deed == "create":
            name, parent = f"R{world.fresh()}", world.remote_task(number)
            world.remotely(lambda account: account.create_task(project, name, parent_id=parent))
            return
        id = world.remote_task(number, whole=True)
        if deed == "move" and id is not None:
            world.remotely(lambda account: account.move_task(id, project_id=project))
        elif id is not None and len(world.account.tasks) > 4:
            world.remotely(lambda account: account.delete_task(id))

    # --- a person at the database

    @rule(
        way=ways,
        number=tasks,
        chosen=st.sets(names, min_size=1, max_size=3),
        clear=st.booleans(),
        back=st.booleans(),
    )
    def we_edit(self, way: Way, number: int, chosen: set[str], clear: bool, back: bool) -> None:
        edit_ours(self.world, way, number, chosen, clear=clear, back=back)

    @rule(
        way=ways,
        number=tasks,
        below=st.booleans(),
        chosen=st.sets(st.sampled_from(["priority", "date_end", "max_time", "tags", "text"])),
    )
    def we_create(self, way: Way, number: int, below: bool, chosen: set[str]) -> None:
        create_ours(self.world, way, number, chosen, below=below)

    @rule(number=tasks, verb=st.sampled_from(["retry", "cancel", "release", "mine", "theirs"]))
    def we_handle(self, number: int, verb: str) -> None:
        states = {"mine": ("conflict",), "theirs": ("conflict",), "release": ("held",)}
        every = ("queued", "held", "conflict", "failed", "uncertain")
        rows = self.world.changes(*states.get(verb, every))
        if rows:
            self.world.handle(verb, rows[number % len(rows)])

    @rule(way=ways, number=tasks, name=names, first=st.booleans())
    def both_edit(self, way: Way, number: int, name: str, first: bool) -> None:
        """The same field of the same task, at the same time or nearly so."""
        if first:
            edit_theirs(self.world, number, name, clear=False)
        edit_ours(self.world, way, number, {name}, clear=False, back=False)
        if not first:
            edit_theirs(self.world, number, name, clear=False)

    # --- syncd, and what befalls it

    @rule(later=moments, trouble=st.one_of(st.none(), on_reads, dooms))
    def pull(self, later: timedelta, trouble: Any) -> None:
        self.world.clock.move(later)
        self.world.pull(*befalling(trouble))

    @rule(later=moments, trouble=troubles)
    def push(self, later: timedelta, trouble: Any) -> None:
        self.world.clock.move(later)
        self.world.push(*befalling(trouble))

    @rule(
        way=ways,
        number=tasks,
        chosen=st.sets(names, min_size=1, max_size=2),
        verb=st.sampled_from(["edit", "create"]),
        trouble=troubles,
    )
    def push_at_once(
        self, way: Way, number: int, chosen: set[str], verb: str, trouble: Any
    ) -> None:
        """Queue something, and push it into whatever befalls it."""
        if verb == "edit":
            edit_ours(self.world, way, number, chosen, clear=False, back=False)
        else:
            create_ours(self.world, way, number, set(), below=number > 0)
        self.world.push(*befalling(trouble))

    @rule(
        kind=st.sampled_from(["write asked", "write answered", "read answered"]),
        nth=st.integers(1, 3),
        way=ways,
        number=tasks,
        verb=st.sampled_from(["edit", "edit", "create", "cancel"]),
        chosen=st.sets(names, min_size=1, max_size=2),
    )
    def push_while_we_act(
        self, kind: Point, nth: int, way: Way, number: int, verb: str, chosen: set[str]
    ) -> None:
        """Somebody writes between two requests of a push, which holds no transaction then."""
        world = self.world

        def act() -> None:
            if verb == "create":
                create_ours(world, way, number, set(), below=True)
            elif verb == "edit":
                edit_ours(world, way, number, chosen, clear=False, back=False)
            elif rows := world.changes("queued", "held", "conflict", "failed"):
                world.handle("cancel", rows[number % len(rows)])

        world.push(Doom(kind, nth, act))

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            if sys.exception() is not None:
                return  # it ended badly before its end: that is what is to be told
            self.world.come_to_rest()
            self.world.check()
            for row in self.world.rows("SELECT state, error_code AS code FROM outbox"):
                event(f"a change ends {row['state']} {row['code'] or ''}")
        finally:
            self.world.close()


def befalling(trouble: Any) -> tuple[Any, ...]:
    """What a run is given: how it dies, and what its requests meet."""
    if isinstance(trouble, Doom):
        return (replace(trouble),)  # a story is told more than once
    return (None, *(trouble if isinstance(trouble, tuple) else [trouble] if trouble else []))


def edit_theirs(world: World, number: int, name: str, *, clear: bool) -> None:
    id = world.remote_task(number, whole=name == "name")
    if id is None:
        return
    task = world.account.tasks[id]
    if name == "status":
        turn = "complete_task" if task.status == "active" else "reopen_task"
        world.remotely(lambda account: getattr(account, turn)(id))
    elif name == "tags":
        tag = sorted(world.account.tags)[world.fresh() % len(TAGS)]
        turn = "untag_task" if tag in task.tag_ids else "tag_task"
        world.remotely(lambda account: getattr(account, turn)(id, tag))
    elif name == "assignee_email":
        who = [*world.account.members, 1, 2][world.fresh() % 4]
        world.remotely(lambda account: account.edit_task(id, assignee_id=who))
    elif name != "date_closed":
        value = None if clear and name not in ("name", "priority") else new_value(world, name, "R")
        world.remotely(lambda account: account.edit_task(id, **{name: value}))


def edit_ours(
    world: World, way: Way, number: int, names: set[str], *, clear: bool, back: bool
) -> None:
    row = world.local_target(number)
    if row is None:
        return
    fields: dict[str, Any] = {}
    for name in sorted(names):
        if name == "status":
            fields[name] = "active" if row["status"] == "done" else "done"
        elif name == "date_closed" and row["status"] != "done":
            continue
        elif back and (past := world.ledger.history.get((row["id"], name))):
            fields[name] = labelled(world, name, past[-1][1])
        elif clear and name not in ("name", "priority", "date_closed"):
            fields[name] = None
        else:
            fields[name] = labelled(world, name, new_value(world, name, "L"))
    if fields and world.edit(way, row, fields):
        event(f"we edit {'a task' if row['id'] else 'a creation'}")


def create_ours(world: World, way: Way, number: int, names: set[str], *, below: bool) -> None:
    ref = f"ref{world.fresh()}"
    fields: dict[str, Any] = {"ref": ref, "name": f"L{world.fresh()}"}
    for name in sorted(names):
        fields[name] = labelled(world, name, new_value(world, name, "L"))
    row = world.local_target(number) if below else None
    if row is None:
        fields["project_id"] = sorted(world.account.projects)[number % 2]
    else:
        fields |= {"parent_id": row["id"]} if row["id"] else {"parent_ref": row["ref"]}
    world.create(way, fields)


def new_value(world: World, name: str, who: str) -> Any:
    """A value that no other edit has written, as far as the field has that many."""
    n = world.fresh()
    match name:
        case "name" | "text":
            return f"{who}{n}"
        case "priority":
            return n % 11
        case "assignee_email":
            return PEOPLE[n % len(PEOPLE)]
        case "max_time" | "max_money":
            return Decimal(n) + Decimal("0.25")
        case "tags":
            ids = sorted(world.account.tags)
            return frozenset(id for place, id in enumerate(ids) if n >> place & 1)
        case _:
            return date(2026, 5, 1) + timedelta(days=n)


def labelled(world: World, name: str, value: Any) -> Any:
    if name != "tags" or value is None:
        return value
    return ",".join(sorted(world.account.tags[id].title for id in value)) or None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the log of thousands of runs out of what a failure prints."""
    structlog.configure(processors=[_drop])
    try:
        yield
    finally:
        structlog.reset_defaults()


def _drop(*_: object) -> Any:
    raise structlog.DropEvent


def tell(open_world: Callable[..., World], *, fast: int) -> None:
    """Tell some stories, or in the nightly profile a great many."""
    deep = settings().max_examples > DEEP
    chosen = settings(
        max_examples=settings().max_examples if deep else fast,
        stateful_step_count=40 if deep else 20,
        derandomize=not deep,  # the same stories each time; new ones are the nightly profile's
        database=settings().database if deep else None,
    )
    with quiet():
        run_state_machine_as_test(lambda: PushMachine(open_world), settings=chosen)


def test_nothing_is_lost_or_doubled_whatever_happens(ready_sqlite_url, tmp_path):
    folder = tmp_path / "world"

    def open_world(**chosen: Any) -> World:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = shutil.copy(ready_sqlite_url.removeprefix("sqlite:///"), folder / "syncd.db")
        return World(f"sqlite:///{path}", folder, **chosen)

    tell(open_world, fast=6)


def test_nothing_is_lost_or_doubled_on_a_server(
    postgres, ready_postgres_url, tmp_path, monkeypatch
):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    template = ready_postgres_url.rpartition("/")[2]
    names: list[str] = []

    def open_world(**chosen: Any) -> World:
        while names:
            postgres.drop_database(names.pop())
        names.append(postgres.create_database(template=template))
        return World(postgres.url_for(names[0]), tmp_path, **chosen)

    tell(open_world, fast=2)
