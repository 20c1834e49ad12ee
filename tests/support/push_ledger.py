"""The ledger of a push under test: who wrote what, having seen what, and where it went.

Values are new with every edit as far as a field allows, so a value tells who wrote it. Whatever
becomes different in the account has to be a person's edit there, or a queued change whose author
had seen what it replaced, or a person's decision. Whatever was queued has to be found again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

from syncd.model.change import FINAL
from syncd.model.fields import read_fields
from syncd.sandbox import Account
from syncd.store import proof
from syncd.sync.canonical import same
from syncd.sync.states import INITIAL, may_follow
from tests.support.mirror import Mirror, Row, assert_mirror_equals

SETTABLE = (
    *("name", "status", "priority", "assignee_email", "date_start", "date_end", "date_closed"),
    *("max_time", "max_money", "tags"),
)
FIXED = ("project_id", "parent_id", "text", "author_id")
Shown = Mapping[int, Mapping[str, Any]]
Rows = Callable[[str], list[Row]]
Move = tuple[int, bool]
"""A tag, and whether it was put on or taken off."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One queued change: what its author wanted and saw; `saw` is empty for a creation."""

    id: int
    operation: str
    ref: str | None
    creation: int | None
    fields: Mapping[str, Any]
    saw: Mapping[str, Any]
    looks: int

    def sight(self, name: str) -> Any:
        """What its author took the field to be; of a new task, what they made it."""
        return self.saw[name] if self.saw else self.fields[name]


@dataclass(slots=True)
class Ledger:
    """What happened so far. `rows` reads the mirror's database as it is now."""

    rows: Rows
    edits: dict[int, Edit] = field(default_factory=dict)
    shown: Shown = field(default_factory=dict)
    history: dict[tuple[int, str], list[tuple[int, Any]]] = field(default_factory=dict)
    decided: dict[tuple[int, str], list[Any]] = field(default_factory=dict)
    wrote: dict[tuple[int, str], int] = field(default_factory=dict)
    theirs: dict[tuple[int, str], list[Any]] = field(default_factory=dict)
    born: list[tuple[int, str]] = field(default_factory=list)
    looks: int = 0

    # --- what people and syncd do

    def look(self, now: Shown, *, by: Literal["remote", "syncd"]) -> None:
        """Take down how the account stands after somebody acted."""
        self.looks += 1
        before, self.shown = self.shown, now
        if by == "syncd":
            self._account_for(before, now)
        for id, task in now.items():
            for name in SETTABLE:
                old = before.get(id, {}).get(name)
                if id not in before or task[name] != old:
                    self.history.setdefault((id, name), []).append((self.looks, task[name]))
                    if by == "remote":
                        self.wrote.pop((id, name), None)
                        self.theirs.setdefault((id, name), []).append(task[name])

    def queued(self, *, saw: Row | None) -> None:
        """Take down what was just queued, and what whoever did it was looking at."""
        last = max(self.edits, default=0)
        for row in self.rows(f"SELECT * FROM outbox WHERE id > {last} ORDER BY id"):
            self.edits[row["id"]] = Edit(
                id=row["id"],
                operation=row["operation"],
                ref=row["ref"],
                creation=row["depends_on"] if row["operation"] != "create" else None,
                fields=_fields(row["fields"]),
                saw=saw or {},
                looks=self.looks,
            )

    def resolved(self, task_id: int) -> None:
        """Take down what a person saw who is about to say that their own value stands."""
        for row in live_rows(self.rows, table="tasks"):
            if row["id"] == task_id:
                for name in SETTABLE:
                    self.decided.setdefault((task_id, name), []).append(row[name])

    def lost_creations(self) -> set[str]:
        """The titles of creations that the account may have without our knowing which they are."""
        open_ = "operation = 'create' AND task_id IS NULL AND state IN ('sending', 'uncertain')"
        ids = [row["id"] for row in self.rows(f"SELECT id FROM outbox WHERE {open_}")]
        return {title for id in ids for title in self._titles(self.edits[id])}

    # --- at every step

    def no_task_twice(self) -> None:
        """`live_tasks` shows every task once, under whatever name it goes."""
        found = self.rows("SELECT id, ref, name FROM live_tasks")
        for column in ("id", "ref", "name"):
            counts = Counter(row[column] for row in found if row[column] is not None)
            twice = [value for value, count in counts.items() if count > 1]
            assert not twice, f"live_tasks shows {column} {twice} twice: {found}"

    def _account_for(self, before: Shown, now: Shown) -> None:
        """Whatever syncd made different was queued, and whoever queued it saw what was there."""
        assert before.keys() <= now.keys(), f"syncd removed {before.keys() - now.keys()}"
        tasks = self._tasks()
        for id in now.keys() - before.keys():
            self._account_for_birth(id, now[id]["name"])
        for id in before.keys() & now.keys():
            old, new = before[id], now[id]
            for name in (*FIXED, *SETTABLE):
                if old[name] == new[name]:
                    continue
                assert name in SETTABLE, f"syncd changed {name} of task {id}"
                if name == "date_closed" and old["status"] != new["status"]:
                    continue
                edits = [e for e in self.edits.values() if tasks[e.id] == id and name in e.fields]
                if name == "tags":
                    self._account_for_tags(id, old[name], new[name], edits)
                else:
                    self._account_for_field(id, name, old[name], new[name], edits)

    def _account_for_birth(self, id: int, title: str) -> None:
        """A new task is a creation's; whoever edits it later has seen what that creation wrote."""
        made = [e.id for e in self._creations() if title in self._titles(e)]
        assert made, f"syncd created task {id}, {title!r}, which nobody queued"
        self.born.append((id, title))
        self.wrote |= {(id, name): made[0] for name in SETTABLE}

    def _account_for_field(self, id: int, name: str, old: Any, new: Any, edits: list[Edit]) -> None:
        said = f"task {id}: syncd wrote {name} = {new!r} over {old!r}"
        writers = [edit.id for edit in edits if same(name, edit.fields[name], new)]
        assert writers, f"{said}, which nobody queued"
        earlier = self.wrote.get((id, name))
        self.wrote[id, name] = max(writers)
        if earlier is not None:
            assert earlier <= max(writers), f"{said}, a later edit"
            return
        if name == "date_closed":
            return  # closing a task sets its day of closing, which nobody typed
        seen = [edit.sight(name) for edit in edits if edit.id <= max(writers)]
        seen += self.decided.get((id, name), []) + self._decided_by_policy(name)
        assert any(same(name, each, old) for each in seen), f"{said}, which nobody had seen: {seen}"

    def _account_for_tags(
        self, id: int, old: frozenset[int], new: frozenset[int], edits: list[Edit]
    ) -> None:
        for tag in new - old:
            wanted = any(tag in e.fields["tags"] - e.saw.get("tags", frozenset()) for e in edits)
            assert wanted, f"task {id}: syncd put on tag {tag}, which nobody wanted"
        for tag in old - new:
            wanted = any(
                tag in e.saw.get("tags", ()) and tag not in e.fields["tags"] for e in edits
            )
            assert wanted, f"task {id}: syncd took off tag {tag}, which nobody wanted"

    def _decided_by_policy(self, name: str, side: str = "theirs") -> list[Any]:
        events = "event IN ('conflict.decided', 'conflict.found')"
        details = self.rows(f"SELECT detail FROM audit_log WHERE {events}")
        fields = [_document(row["detail"])["fields"].get(name, {}) for row in details]
        return [_fields({name: each[side]})[name] for each in fields if side in each]

    # --- at the end

    def check(self, mirror: Mirror) -> None:
        """Everything is in its place: both sides are equal, and nothing is lost or doubled."""
        self._check_states()
        assert_mirror_equals(mirror)
        self._check_live()
        self._check_creations()
        self._check_edits()
        self._check_conflicts()
        self._check_trail()
        with mirror.app.db.read() as tx:
            assert proof.prove(tx).holds

    def _check_states(self) -> None:
        unsettled = [
            dict(row) for row in self.rows("SELECT * FROM outbox") if row["state"] not in FINAL
        ]
        assert not unsettled, f"not final: {unsettled}"

    def _check_live(self) -> None:
        for row in live_rows(self.rows):
            if row["id"] is not None:
                task = self.shown[row["id"]]
                unequal = [name for name in SETTABLE if not same(name, row[name], task[name])]
                assert not unequal, f"live_tasks shows {unequal} of {row}; the account has {task}"

    def _check_creations(self) -> None:
        rows = {row["id"]: row for row in self.rows("SELECT * FROM outbox")}
        for edit in self._creations():
            titles, row = self._titles(edit), rows[edit.id]
            made = [id for id, name in self.born if name in titles]
            if row["state"] == "confirmed" or row["task_id"] is not None:
                least, most = 1, 1
            else:
                least, most = 0, 0 if row["state"] == "cancelled" else 1
            assert least <= len(made) <= most, f"{row['state']} creation made {made}: {row}"
            if row["task_id"] is not None:
                assert made == [row["task_id"]]

    def _check_edits(self) -> None:
        rows = {row["id"]: row for row in self.rows("SELECT * FROM outbox")}
        assert rows.keys() == self.edits.keys()
        for edit in self.edits.values():
            row = rows[edit.id]
            for name in edit.fields.keys() & set(SETTABLE):
                if row["state"] == "confirmed" and not self._recorded(edit, name):
                    found = self._landed(edit, name, row["task_id"]) or self._overwritten(
                        edit, name, rows
                    )
                    assert found, f"{name} of {edit} is lost: {row}"
                elif row["state"] != "confirmed":
                    kept = name in _fields(row["fields"]) or self._recorded(edit, name)
                    assert kept, f"{name} of {edit} is not on record: {row}"

    def _landed(
        self, edit: Edit, name: str, task_id: int, besides: AbstractSet[Move] = frozenset()
    ) -> bool:
        """Whether the account has had the value since it was queued, `besides` some of the tags."""
        path = self.history.get((task_id, name), [])
        first = max((at for at, _ in path if at <= edit.looks), default=0)
        since = [value for at, value in path if at >= first]
        if name == "tags":
            moves = _moves(edit) - besides
            return any(all((tag in shown) == on for tag, on in moves) for shown in since)
        return any(same(name, edit.fields[name], value) for value in since)

    def _overwritten(self, edit: Edit, name: str, rows: Mapping[int, Row]) -> bool:
        """Whether a later edit of our own went in its place, or it set back what one had set."""
        lane = [e for e in self.edits.values() if self._lane(e, rows) == self._lane(edit, rows)]
        later = [e for e in lane if e.id > edit.id and name in e.fields]
        earlier = [e for e in lane if e.id < edit.id and name in e.fields]
        if name == "date_closed":  # reopening takes it away
            later += [e for e in lane if e.id > edit.id and e.fields.get("status") == "active"]
        return (
            any(rows[e.id]["state"] == "confirmed" for e in later)
            # One that failed over another of its fields has had this one written all the same.
            or any(
                self._landed(e, name, rows[edit.id]["task_id"]) for e in later if name in e.fields
            )
            or self._set_back(edit, name, earlier, rows[edit.id])
        )

    def _set_back(self, edit: Edit, name: str, earlier: list[Edit], row: Row) -> bool:
        """Whether it set back what an earlier edit had set: together the two are nothing.

        Tags are set back one by one, those that our own edit alone had moved and the mirror had
        not seen move. The edit's other tags have to have landed.
        """
        if name != "tags":
            return any(same(name, e.saw.get(name), edit.fields[name]) for e in earlier)
        base = _fields(row["base"]).get(name) or frozenset()
        moved = {move for each in earlier for move in _moves(each)}
        undone = {(tag, not on) for tag, on in moved if (tag in base) != on}
        return self._landed(edit, name, row["task_id"], besides=undone)

    def _recorded(self, edit: Edit, name: str) -> bool:
        """Whether the value was given up in a conflict, and is on record there."""
        query = f"SELECT detail FROM outbox_events WHERE change_id = {edit.id}"
        olds = [_document(row["detail"]).get("fields", {}) for row in self.rows(query)]
        kept = [_fields(old)[name] for old in olds if name in old]
        row = self.rows(f"SELECT fields FROM outbox WHERE id = {edit.id}")[0]
        if kept and name not in _fields(row["fields"]):
            return any(same(name, each, edit.fields[name]) for each in kept)
        mine = self._decided_by_policy(name, "mine")
        return any(same(name, each, edit.fields[name]) for each in mine)

    def _check_conflicts(self) -> None:
        """Nobody is asked about their own value: the other side of a conflict is another's."""
        tasks = self._tasks()
        for row in self.rows("SELECT * FROM audit_log WHERE event = 'conflict.found'"):
            for name, sides in _document(row["detail"])["fields"].items():
                if sides["why"] == "both":
                    shown, id = _fields({name: sides["theirs"]})[name], tasks[row["entity_id"]]
                    theirs = any(
                        same(name, each, shown) for each in self.theirs.get((id or 0, name), [])
                    ) or self._tried_over_a_newer(row["entity_id"], name, shown)
                    assert theirs, f"{name} of task {id} in conflict with our own: {sides}"

    def _tried_over_a_newer(self, id: int, name: str, shown: Any) -> bool:
        """Whether a person tries a failed edit again, where a later one of ours has gone since."""
        retried = f"change_id = {id} AND from_state = 'failed' AND to_state = 'queued'"
        if not self.rows(f"SELECT id FROM outbox_events WHERE {retried}"):
            return False
        tasks = self._tasks()
        return any(
            same(name, edit.fields[name], shown)
            for edit in self.edits.values()
            if edit.id > id and tasks[edit.id] == tasks[id] and name in edit.fields
        )

    def _check_trail(self) -> None:
        events = [
            row
            for row in self.rows("SELECT * FROM outbox_events ORDER BY id")
            if "base" not in _document(row["detail"])  # tells what it said before, beside a move
        ]
        for id in self.edits:
            path = [(e["from_state"], e["to_state"]) for e in events if e["change_id"] == id]
            assert path[0] in [(None, state) for state in INITIAL]
            for before, after in pairwise(path):
                assert before[1] == after[0], f"change {id}: {path}"
                assert after[0] == after[1] or may_follow(*after), f"change {id}: {path}"

    # --- who is who

    def _creations(self) -> list[Edit]:
        return [edit for edit in self.edits.values() if edit.operation == "create"]

    def _titles(self, creation: Edit) -> set[str]:
        """The names under which a creation may be found, each used once.

        It may have gone out with those of edits that followed it, or been renamed in the same push.
        """
        tasks = self._tasks()
        made = tasks[creation.id]
        edits = [
            edit
            for edit in self.edits.values()
            if creation.id in (edit.id, edit.creation)
            or (made is not None and made == tasks[edit.id])
        ]
        return {edit.fields["name"] for edit in edits if "name" in edit.fields}

    def _tasks(self) -> dict[int, int | None]:
        return {row["id"]: row["task_id"] for row in self.rows("SELECT id, task_id FROM outbox")}

    def _lane(self, edit: Edit, rows: Mapping[int, Row]) -> object:
        return rows[edit.id]["task_id"] or edit.creation or edit.id


def _moves(edit: Edit) -> AbstractSet[Move]:
    """The tags that an edit put on or took off, of those that its author saw."""
    wanted, before = edit.fields["tags"], edit.saw.get("tags") or frozenset()
    return {(tag, tag in wanted) for tag in wanted ^ before}


def account_shows(account: Account) -> Shown:
    """Every task of the account in the words of `live_tasks`, tags as ids."""
    truth = account.snapshot()
    people = {id: member["email"] for id, member in truth["members"].items()}
    return {
        id: {
            **{name: task[name] for name in (*FIXED, *SETTABLE) if name in task},
            "assignee_email": people[task["assignee_id"]],
            "date_closed": task["date_closed"] and task["date_closed"].date(),
            "tags": frozenset(task["tags"]),
        }
        for id, task in truth["tasks"].items()
    }


def live_rows(rows: Rows, *, table: str = "live_tasks") -> list[Row]:
    """The rows of `live_tasks`, or of the mirror below it, as typed values."""
    if table == "tasks":
        return list(_mirrored(rows))
    labels = {row["label"]: row["id"] for row in rows("SELECT id, label FROM tags")}
    found = []
    for row in rows("SELECT * FROM live_tasks ORDER BY id IS NULL, id, ref"):
        tags = frozenset(labels[label] for label in (row["tags"] or "").split(",") if label)
        found.append({**_typed(row), "tags": tags})
    return found


def _mirrored(rows: Rows) -> Iterator[Row]:
    people = {row["id"]: row["email"] for row in rows("SELECT id, email FROM members")}
    worn = rows("SELECT task_id, tag_id FROM task_tags")
    for row in rows("SELECT * FROM tasks WHERE removed_at IS NULL"):
        tags = frozenset(each["tag_id"] for each in worn if each["task_id"] == row["id"])
        who = people.get(row["assignee_id"])
        yield {**_typed(row), "assignee_email": who, "tags": tags}


def _typed(row: Row) -> Row:
    found = dict(row)
    for name in ("date_start", "date_end", "date_closed"):
        found[name] = date.fromisoformat(str(row[name])[:10]) if row[name] else None
    for name in ("max_time", "max_money"):
        found[name] = Decimal(str(row[name])) if row[name] is not None else None
    return found


def _fields(raw: Any) -> dict[str, Any]:
    return read_fields(_document(raw))


def _document(raw: Any) -> Any:
    return json.loads(raw) if isinstance(raw, str) else raw
