"""A look at tasks: what the account shows of them now, in the words of a merge.

A task's own answer tells everything. A search tells many tasks at once and less of each: it may
let a write go or confirm one, and is never the reason to stop one (API sheet, 5.1 and 5.4).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

import msgspec

from syncd.errors import BadReply, Refused
from syncd.model.change import Fields
from syncd.model.outbound import Place
from syncd.model.records import Stub, TaskRecord
from syncd.resources.tasks import wire
from syncd.resources.tasks.flat import place_of
from syncd.resources.tasks.wire import Node, TagIds, read_files, read_tags, read_task
from syncd.services.look import CODE_TASK
from syncd.sync.names import Names, shown
from syncd.worksection.client import Client
from syncd.worksection.filters import Field
from syncd.worksection.methods.tasks import get_task, search_tasks
from syncd.worksection.scalars import as_id, as_text

UNTOLD = frozenset({"extra"})
"""What a task's own answer is not believed about: it carries other unknown keys than a list."""
UNTOLD_BY_SEARCH = UNTOLD | {
    *("text", "files", "relations", "tags"),
    *("project_id", "parent_id", "level"),
}


@dataclass(frozen=True, slots=True)
class Sight:
    """A task as one answer showed it; `record` and `fields` are None where it is gone.

    `people` are the members that the answer names with their address.
    """

    task_id: int
    observed_at: datetime
    how: Literal["task", "search"]
    record: TaskRecord | None = None
    fields: Fields | None = None
    files: tuple[str, ...] | None = None
    people: tuple[Stub, ...] = ()

    @property
    def undecided(self) -> frozenset[str]:
        """Fields of the record that this answer does not decide."""
        return UNTOLD if self.how == "task" else UNTOLD_BY_SEARCH


@dataclass(frozen=True, slots=True)
class Eyes:
    """How answers are read: with what pulls ask for, and with the names of people and tags."""

    client: Client
    clock: Callable[[], datetime]
    extra: tuple[str, ...]
    names: Names
    tag_ids: TagIds

    def look(self, id: int) -> Sight:
        """Ask for one task. Raises an AccountError; BadReply where its record makes no sense."""
        form = "html" if "html" in self.extra else "text"
        try:
            answer = self.client.call(get_task(id, extra=(form, "files", "relations", "tags")))
        except Refused as error:
            if error.code != CODE_TASK:
                raise
            return Sight(id, self.clock(), "task")
        node = answer.decode(dict[str, Any]) or {}
        record = _sensible(id, partial(self._read, node))
        people = _people(node)
        fields = self._fields(record, people)
        if form == "text" and isinstance(node.get("text"), str):
            fields["text"] = node["text"]
        attached = read_files(node, frozenset({"files"})) or ()
        names = tuple(file.name for file in attached)
        return Sight(id, answer.observed_at, "task", record, fields, names, people)

    def search(
        self, ids: Collection[int], status: Literal["active", "done"], places: Mapping[int, Place]
    ) -> dict[int, Sight]:
        """Ask for many tasks of one status at once; what is not found is not in the result.

        Nor is a record that makes no sense: its own task is asked then, and only its lane waits.
        """
        condition = Field("id").is_in(sorted(ids))
        answer = self.client.call(search_tasks(filter=condition, status=status))
        found = {}
        for node in answer.decode(list[Node]) or []:
            id = as_id(node.get("id"))
            if id is not None and id in ids and id in places:
                try:
                    record = _sensible(id, partial(_flat, node, places[id]))
                except BadReply:
                    continue
                people = _people(node)
                fields = self._fields(record, people)
                found[id] = Sight(id, answer.observed_at, "search", record, fields, people=people)
        return found

    def _read(self, node: Node) -> TaskRecord:
        project = as_id((node.get("project") or {}).get("id"))
        place = place_of(node, project or 0)
        asked = frozenset(self.extra) - {"subtasks"}
        record = read_task(node, place, asked, self.tag_ids)
        if "tags" in node:
            return record
        return msgspec.structs.replace(record, tags=read_tags({"tags": None}, self.tag_ids))

    def _fields(self, record: TaskRecord, people: Iterable[Stub]) -> dict[str, Any]:
        named = {one.id: one.email for one in people if "@" in one.email}
        return shown(record, replace(self.names, members={**self.names.members, **named}))


def _people(node: Node) -> tuple[Stub, ...]:
    found = []
    for key in ("user_to", "user_from"):
        person = node.get(key) or {}
        id, email = as_id(person.get("id")), as_text(person.get("email"))
        if id is not None and email:
            found.append(Stub(id, as_text(person.get("name")) or "", email=email))
    return tuple(found)


def _flat(node: Node, at: Place) -> TaskRecord:
    place = wire.Place(at.project_id, at.parent_id, 1)
    record = read_task(node, place, frozenset(), {})
    return msgspec.structs.replace(record, tags=None)


def _sensible(id: int, read: Callable[[], TaskRecord]) -> TaskRecord:
    """Read a record, or say that the answer makes no sense."""
    try:
        record = read()
    except (ValueError, TypeError) as error:
        raise BadReply(f"The account's answer about task {id} makes no sense: {error}") from error
    if record.id != id:
        raise BadReply(f"The account answered about task {record.id}, asked for task {id}.")
    return record
