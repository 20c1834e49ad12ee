"""Tasks in words: the list as a table, one task as lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from syncd.cli.output import Output, one_line
from syncd.cli.plan_text import PlanText
from syncd.cli.table import Cell, Column, show_table
from syncd.cli.words import counted, moment
from syncd.services.moments import moment_told
from syncd.services.task_detail import Neighbour, TaskDetail, Version
from syncd.services.tasks import ListedTask, TaskList

COLUMNS = (
    Column("id", right=True, style={"dim": True}),
    Column("task", share=2),
    Column("project", share=1),
    Column("status"),
    Column("prio", right=True),
    Column("assignee", share=1),
    Column("due"),
)
GONE = Column("removed")
INDENT = 2


def show_list(out: Output, found: TaskList, *, removed: bool) -> None:
    """Show the tasks that were found, and how many more there are."""
    if out.json:
        return
    columns = (*COLUMNS, GONE) if removed else COLUMNS
    show_table(out, columns, [_row(one, removed=removed) for one in found.tasks])
    out.note(_footer(found))


def _footer(found: TaskList) -> str:
    shown = len(found.tasks)
    count = counted(found.total, "task")
    told = count if shown == found.total else f"{shown:,} of {count} (a larger --limit shows more)"
    return f"{told}, as of {moment(found.as_of)}" if found.as_of else told


def _row(one: ListedTask, *, removed: bool) -> tuple[Cell, ...]:
    due = str(one.date_end) if one.date_end else ""
    row = (
        Cell(str(one.id)),
        Cell(one.name, INDENT * (one.level - 1)),
        Cell(one.project or str(one.project_id)),
        Cell("suspect", style={"fg": "yellow"}) if one.suspect else Cell(one.status),
        Cell(str(one.priority)),
        Cell(_person(one.assignee, one.assignee_email)),
        Cell(due, style={"fg": "red"} if one.overdue else {}),
    )
    if not removed:
        return row
    return (*row, Cell(f"{one.removed_at:%Y-%m-%d} {one.removed_reason}"))


def _person(name: str | None, email: str | None) -> str:
    """Name a person by the address, which commands take; the sentinels as commands call them."""
    match email:
        case None | "NOONE":
            return "nobody"
        case "ANY":
            return "anyone"
    return email or name or ""


def detail_lines(out: Output, found: TaskDetail) -> Iterator[str]:
    """Return one task, line by line."""
    one = found.task
    yield out.paint(one_line(one.name), bold=True)
    for label, value in _facts(found):
        if value not in (None, ""):
            yield f"  {label:<12} {value}"
    if found.text:
        yield ""
        yield from (f"  {one_line(line)}" for line in found.text.splitlines())
    yield from _section("Above", (_neighbour(each) for each in found.parents))
    yield from _section("Subtasks", (_neighbour(each) for each in found.subtasks))
    yield from _section("Files", (f"{file.name} ({file.size} bytes)" for file in found.files))
    yield from _section("Relations", _relations(found))
    yield from _section("Versions", _versions(out, found))


def _facts(found: TaskDetail) -> Iterator[tuple[str, Any]]:
    one = found.task
    yield "id", one.id
    yield "address", one.url
    yield "project", f"{one_line(one.project or '')} ({one.project_id})"
    yield "status", _status(found)
    yield "priority", one.priority
    yield "assignee", _named(one.assignee, one.assignee_email)
    yield "author", _named(found.author, found.author_email)
    yield "created", found.date_added
    yield "start", _day(one.date_start, found.time_start)
    yield "due", _day(one.date_end, found.time_end) + (" (overdue)" if one.overdue else "")
    yield "closed", one.date_closed
    yield "estimate", f"{one.max_time:f} h" if one.max_time is not None else None
    yield "budget", f"{one.max_money:f}" if one.max_money is not None else None
    yield "tags", ", ".join(one_line(tag) for tag in one.tags)
    for name, value in (found.extra or {}).items():
        yield one_line(name), one_line(str(value))


def _status(found: TaskDetail) -> str:
    one = found.task
    if one.removed_at is not None:
        return f"{one.status}; removed {moment(one.removed_at)}: {one.removed_reason}"
    return f"{one.status}; missing without evidence" if one.suspect else one.status


def _named(name: str | None, email: str | None) -> str:
    who = _person(name, email)
    return f"{one_line(name)} <{who}>" if name and "@" in who else who


def _day(day: object, time: object) -> str:
    return " ".join(str(part) for part in (day, time) if part is not None)


def _neighbour(task: Neighbour) -> str:
    known = f'"{one_line(task.name)}" ({task.status})' if task.name is not None else "not visible"
    return f"{task.id} {known}"


def _relations(found: TaskDetail) -> Iterator[str]:
    for one in found.relations:
        waits = "waits for" if one.side == "before" else "comes before"
        yield f"{waits} {_neighbour(one.task)}, {one.type}"


def _versions(out: Output, found: TaskDetail) -> Iterator[str]:
    if len(found.versions) < 2:
        return
    text = PlanText(found.names, out)
    for number, version in enumerate(found.versions, 1):
        yield f"{number}. from {moment(version.valid_from)} {_until(version)}{_by(version)}"
        yield from text.fields(_without_own(version).changes)


def _by(version: Version) -> str:
    """Name who made it so, and when as the account told."""
    told = [f"{one_line(each.name)} at {moment_told(each.at)}" for each in version.by]
    return f", by {' and '.join(told)}" if told else ""


def _until(version: Version) -> str:
    return f"to {moment(version.valid_to)}" if version.valid_to else "until now"


def _without_own(version: Version) -> Version:
    """Leave out the instant of a removal: the version begins with it."""
    told = tuple(change for change in version.changes if change.name != "removed_at")
    return replace(version, changes=told)


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    told = [f"  {line}" for line in lines]
    if told:
        yield from ("", title, *told)
