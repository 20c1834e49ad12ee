"""Reading single tasks again: what the account shows of them now, in as few requests as are safe.

A task is asked for itself; where many of one project are wanted, the project's list tells as much
in one request. A search would not: it shows neither texts nor, for certain, tags (API sheet, 5.4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from syncd.errors import BadReply, Refused
from syncd.model.plan import Image
from syncd.model.records import Stub
from syncd.resources.answers import may_hold_nul
from syncd.resources.tasks.flat import place_of, unplaced
from syncd.resources.tasks.tree import Reading, read_listing, read_tree
from syncd.resources.tasks.wire import Node, TagIds
from syncd.services.look import CODE_TASK
from syncd.services.prepare import Pulling
from syncd.services.push.looking import UNTOLD
from syncd.services.push.mirroring import Observed
from syncd.worksection.answer import Answer
from syncd.worksection.methods.tasks import get_task, get_tasks
from syncd.worksection.scalars import as_id

FEW: Final = 3
"""Up to so many tasks of a project are asked one by one: a list may be long, and is slow."""
SHARE: Final = 100
"""Of a big project, one task in so many has to be wanted before all of it is asked for."""
MOST_REQUESTS: Final = 50
"""More than that is a pull's work."""
PLACE: Final = frozenset({"project_id", "parent_id", "level"})


@dataclass(slots=True)
class Reread:
    """What the account answered: tasks seen, tasks denied and when, and what is left to a pull.

    `stubs` are the projects, members and tags that the answers name.
    """

    seen: dict[int, Observed] = field(default_factory=dict)
    gone: dict[int, datetime] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)
    stubs: dict[str, dict[int, Stub]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tasks to read, by id with their project where known, and how many each project has."""

    tasks: Mapping[int, int | None]
    sizes: Mapping[int, int]

    def together(self) -> dict[int, list[int]]:
        """Return the projects whose list is asked for, with the tasks wanted of each."""
        by_project: dict[int, list[int]] = {}
        for id, project_id in sorted(self.tasks.items()):
            if project_id is not None:
                by_project.setdefault(project_id, []).append(id)
        return {
            project_id: ids
            for project_id, ids in by_project.items()
            if len(ids) > max(FEW, self.sizes.get(project_id, 0) // SHARE)
        }

    @property
    def requests(self) -> int:
        """How many requests it takes, if every list tells what is wanted of it."""
        lists = self.together()
        return len(self.tasks) - sum(len(ids) - 1 for ids in lists.values())


def reread(
    work: Pulling, wanted: Wanted, *, images: Mapping[int, Image], tag_ids: TagIds
) -> Reread:
    """Read the wanted tasks again. Raises AccountError where the account makes no sense as a whole.

    A record that makes no sense by itself is left to a pull, which has a quarantine for it.
    """
    reading = _Rereading(work, images, tag_ids, Reread())
    for project_id, ids in wanted.together().items():
        reading.ask_project(project_id, ids)
    rest = [id for id in sorted(wanted.tasks) if id not in reading.found.seen]
    for done, id in enumerate(rest):
        reading.ask(id, done, len(rest))
    return reading.found


@dataclass(slots=True)
class _Rereading:
    """One rereading under way."""

    work: Pulling
    images: Mapping[int, Image]
    tag_ids: TagIds
    found: Reread
    asked: int = 0

    def ask_project(self, project_id: int, ids: Collection[int]) -> None:
        """Take what a project's list tells; what it does not tell is asked for itself."""
        self._step(f"project {project_id}", 0, 1)
        try:
            answer = self.work.client.call(get_tasks(project_id, extra=(*self.work.extra, "tags")))
        except Refused:
            return
        part = read_listing(
            answer.raw,
            asked=frozenset(self.work.extra),
            observed_at=answer.observed_at,
            project_id=project_id,
            tag_ids=self.tag_ids,
        )
        for id in ids:
            record = part.tasks.get(id)
            if record is not None and (record.tags is not None or not self._has_tags(id)):
                self.found.seen[id] = Observed(record, answer.observed_at, UNTOLD)
        self._name(project=part.projects, member=part.members, tag=part.tags)

    def ask(self, id: int, done: int, total: int) -> None:
        """Ask for one task, and take what its own answer tells."""
        if self.asked >= MOST_REQUESTS:
            self.found.left[id] = "too many were to be asked for"
            return
        self._step("tasks, one by one", done, total)
        extra = tuple(word for word in self.work.extra if word != "subtasks")
        now = self.work.clock()
        try:
            answer = self.work.client.call(get_task(id, extra=(*extra, "tags")))
        except Refused as error:
            if error.code == CODE_TASK:
                self.found.gone[id] = now
            else:
                self.found.left[id] = error.said
            return
        try:
            self._read(id, answer)
        except (BadReply, ValueError, TypeError, AttributeError) as error:
            self.found.left[id] = str(error)

    def _read(self, id: int, answer: Answer) -> None:
        """Read a task's own answer. Raises ValueError and its like with the reason."""
        node = answer.decode(dict[str, Any]) or {}
        project_id = as_id((node.get("project") or {}).get("id"))
        if project_id is None:
            raise ValueError("its project is missing")
        placed = not unplaced([node])
        suspicious = may_hold_nul(answer.raw)
        reading = Reading(frozenset(self.work.extra), self.tag_ids, check_nul=suspicious)
        read_tree(_alone(node), place_of(node, project_id), reading)
        record = reading.tasks.get(id)
        if record is None:
            raise ValueError(reading.rejected[0].reason if reading.rejected else "another came")
        undecided = UNTOLD if placed else UNTOLD | PLACE
        self.found.seen[id] = Observed(record, answer.observed_at, undecided, placed=placed)
        self._name(
            project=reading.projects.values(),
            member=reading.members.values(),
            tag=reading.tags.values(),
        )

    def _name(self, **stubs: Iterable[Stub]) -> None:
        for kind, each in stubs.items():
            self.found.stubs.setdefault(kind, {}).update({stub.id: stub for stub in each})

    def _has_tags(self, id: int) -> bool:
        image = self.images.get(id)
        return image is not None and bool(image.record.tags)

    def _step(self, what: str, done: int, total: int) -> None:
        self.asked += 1
        left_s = self.work.client.budget.estimate_s(total - done)
        self.work.progress.step(what, done=done, total=total, left_s=left_s)


def _alone(node: Node) -> Node:
    """Return a task's own answer without its trimmed children; no tags there means none."""
    return {**node, "child": None, "tags": node.get("tags") or {}}
