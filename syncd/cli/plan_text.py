"""A plan in words: exactly what a pull would write, record by record and field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from syncd.cli.output import Output, one_line
from syncd.cli.words import counted
from syncd.model.plan import CatalogueChange, FieldChange, TaskPlan
from syncd.model.records import FileRecord, Relation, TaskRecord
from syncd.model.reports import Names, PullReport

LONGEST = 60
KINDS = {"project_id": "project", "assignee_id": "member", "author_id": "member", "tags": "tag"}
KINDS |= {"manager_id": "member", "parent_id": "task"}
SIGNS = {"added": "+", "changed": "~", "restored": "^", "removed": "-"}
COLOURS = {"+": "green", "~": "yellow", "^": "green", "-": "red", "?": "yellow"}


def plan_lines(report: PullReport, out: Output) -> Iterator[str]:
    """Return every change that a pull would make, a few lines each."""
    text = PlanText(report.names, out)
    for change in report.catalogues:
        yield from text.catalogue(change)
    for plan in report.plans:
        yield from text.tasks(plan)


class PlanText:
    """Puts changes in words, with the names that ids stand for."""

    def __init__(self, names: Names, out: Output) -> None:
        self._names = names
        self._out = out

    def catalogue(self, change: CatalogueChange) -> Iterator[str]:
        """Tell of a project, a member or a tag."""
        yield self._head(SIGNS[change.what], change.kind, change.id, change.name)
        yield from self.fields(change.fields)

    def tasks(self, plan: TaskPlan) -> Iterator[str]:
        """Tell of tasks: new, changed, back again, removed, missing."""
        for new in plan.inserts:
            yield self._task("+", new.record)
        for update in plan.updates:
            yield self._task("~", update.record)
            yield from self.fields(update.changes)
        for restore in plan.restores:
            yield self._task("^", restore.record)
        for removal in plan.removals:
            yield self._task("-", removal.before.record) + f": {removal.reason}"
        for id in plan.suspects:
            name = self._names["task"].get(id, "")
            yield self._head("?", "task", id, name) + ": missing, and nothing proves it gone"

    def _task(self, sign: str, record: TaskRecord) -> str:
        project = self.named("project_id", record.project_id)
        return f"{self._head(sign, 'task', record.id, record.name)} in {project}"

    def _head(self, sign: str, kind: str, id: int, name: str) -> str:
        shown = self._out.paint(sign, fg=COLOURS[sign], bold=True)
        return f'{shown} {kind} {id} "{_short(name)}"'

    def fields(self, changes: Sequence[FieldChange]) -> Iterator[str]:
        """Tell what each field was and what it becomes."""
        for change in changes:
            old, new = (self.named(change.name, value) for value in (change.old, change.new))
            yield f"    {change.name.removesuffix('_id')}: {old} → {new}"

    def named(self, field: str, value: Any) -> str:
        """Return a value as a person reads it: what ids stand for, and texts on one line."""
        kind = KINDS.get(field)
        match value:
            case None | () | "":
                return "none"
            case str():
                return f'"{_short(value)}"'
            case int() if kind is not None:
                name = self._names.get(kind, {}).get(value)
                return f"{_short(name)} ({value})" if name else str(value)
            case tuple():
                return ", ".join(self._part(field, part) for part in value)
            case Decimal():
                return f"{value:f}"
        return _short(str(value))

    def _part(self, field: str, part: Any) -> str:
        match part:
            case FileRecord():
                return f"{_short(part.name)} ({counted(part.size or 0, 'byte')})"
            case Relation():
                return f"{part.from_task_id} {part.type} {part.to_task_id}"
        return self.named(field, part)


def _short(text: str) -> str:
    """Return a text on one line, cut where it is long."""
    line = one_line(text)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def plan_document(report: PullReport) -> dict[str, Any]:
    """Return the plan for a program: whole records, and both values of what differs."""
    plans = report.plans
    return {
        "inserts": [one.record for plan in plans for one in plan.inserts],
        "updates": [
            {"id": one.record.id, "name": one.record.name, "changes": _changes(one.changes)}
            for plan in plans
            for one in plan.updates
        ],
        "restores": [one.record for plan in plans for one in plan.restores],
        "removals": [
            {
                "id": one.before.record.id,
                "name": one.before.record.name,
                "reason": one.reason,
            }
            for plan in plans
            for one in plan.removals
        ],
        "suspects": [id for plan in plans for id in plan.suspects],
        "catalogues": [
            {
                "kind": one.kind,
                "id": one.id,
                "name": one.name,
                "what": one.what,
                "changes": _changes(one.fields),
            }
            for one in report.catalogues
        ],
    }


def _changes(changes: Sequence[FieldChange]) -> dict[str, Any]:
    return {change.name: {"old": change.old, "new": change.new} for change in changes}
