"""Ids and what people write for them: emails of members, labels of tags.

A record is shown here in the words of `live_tasks`, the third side of a merge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from syncd.model.change import Fields, Tags, Value
from syncd.model.fields import labelled_id
from syncd.model.records import TaskRecord
from syncd.sync.canonical import ANYONE, NOBODY

_SENTINELS: Final[Mapping[int | None, str]] = {None: NOBODY, 0: NOBODY, 1: NOBODY, 2: ANYONE}


@dataclass(frozen=True)
class Names:
    """The emails of members, gone ones included, and the names of the tags there are, by id."""

    members: Mapping[int, str] = field(default_factory=dict)
    tags: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def _by_name(self) -> Mapping[str, int]:
        return _unique(self.tags)

    @cached_property
    def _by_any_case(self) -> Mapping[str, int]:
        """For an account that ignores the case of tags; ours never does where two differ by it."""
        return _unique({id: name.casefold() for id, name in self.tags.items()})

    def email(self, id: int | None) -> str | None:
        """Return a member's address, ANY or NOONE; None for somebody we do not know."""
        return _SENTINELS.get(id) or self.members.get(id or 0)

    def tag_id(self, label: str) -> int | None:
        """Return the tag that a label means: #ID, or the name of one tag alone."""
        labelled = labelled_id(label)
        if labelled is not None:
            return labelled
        return self._by_name.get(label) or self._by_any_case.get(label.casefold())

    def tag_ids(self, tags: Tags) -> Tags:
        """Return ids for labels; a label that means no tag stays what it is, for an error."""
        return frozenset(tag if isinstance(tag, int) else (self.tag_id(tag) or tag) for tag in tags)


def _unique(names: Mapping[int, str]) -> dict[str, int]:
    """Return ids by name, where the name belongs to one tag only."""
    count = Counter(names.values())
    return {name: id for id, name in names.items() if count[name] == 1}


def with_ids(fields: Fields, names: Names) -> Fields:
    """Return fields with their tags as ids, which is how tags are merged and sent."""
    tags = fields.get("tags")
    if not isinstance(tags, frozenset):
        return fields
    return {**fields, "tags": names.tag_ids(tags)}


def shown(record: TaskRecord, names: Names) -> dict[str, Value]:
    """Return a record in the columns of `live_tasks`, tags as ids.

    What the answer did not decide is left out. A member we do not know is #ID, so that somebody
    is never taken for nobody.
    """
    fields: dict[str, Value] = {
        "name": record.name,
        "status": record.status,
        "priority": record.priority,
        "assignee_email": _who(record.assignee_id, names),
        "author_email": _who(record.author_id, names),
        "date_start": record.date_start,
        "date_end": record.date_end,
        "date_closed": record.date_closed.date() if record.date_closed else None,
        "max_time": record.max_time,
        "max_money": record.max_money,
        "project_id": record.project_id,
        "parent_id": record.parent_id,
        "level": record.level,
    }
    decided = {"text": record.text, "tags": None if record.tags is None else frozenset(record.tags)}
    return fields | {name: value for name, value in decided.items() if value is not None}


def _who(id: int | None, names: Names) -> str:
    return names.email(id) or f"#{id}"
