"""How large the account is, and so how long its first pull will take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from syncd.errors import AccountError, TooManyRecords
from syncd.model.reports import Finding
from syncd.services.findings import note, of_error, ok, warning
from syncd.settings import Settings
from syncd.sync.removal import ARCHIVED
from syncd.worksection.client import Client
from syncd.worksection.methods.tasks import get_all_tasks

RECORD_LIMIT = 10_000
"""Records of one answer (API sheet, section 3)."""
NEAR = 0.9
CATALOGUES = 3
"""Requests for projects, members and tags, which come before the tasks."""


class _Node(msgspec.Struct):
    """A task as far as counting goes."""

    child: list[_Node] | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """What was counted: tasks, and the seconds their answer took; None tasks: over the limit."""

    tasks: int | None
    answer_s: float


def count_tasks(client: Client, settings: Settings) -> Size:
    """Ask for all tasks in the briefest form, subtasks included, and count them.

    There is no cheaper way to know how many there are: the account tells no totals.
    """
    extra = [word for word in ("subtasks",) if word in settings.pull.extra]
    if settings.pull.archived:
        extra.append("archive")
    try:
        answer = client.call(get_all_tasks(extra=extra))
    except TooManyRecords:
        return Size(None, 0.0)
    return Size(_count(answer.decode(list[_Node]) or []), answer.elapsed_s)


def _count(nodes: list[_Node]) -> int:
    return sum(1 + _count(node.child or []) for node in nodes)


def first_pull(client: Client, settings: Settings, projects: list[str] | None) -> Iterator[Finding]:
    """Tell the size of the account and the time of the first pull; one request."""
    try:
        size = count_tasks(client, settings)
    except AccountError as error:
        yield of_error("account.size", error)
        return
    yield _size(size.tasks, projects)
    yield _duration(size, projects, client.budget.spacing_s, archived=settings.pull.archived)


def _size(tasks: int | None, projects: list[str] | None) -> Finding:
    known = "" if projects is None else f" in {in_projects(projects)}"
    if tasks is None:
        return note(
            "account.size",
            f"more than {RECORD_LIMIT:,} tasks{known}: over the limit of one answer,"
            " so the account is pulled project by project",
        )
    if tasks == 0:
        return warning(
            "account.size",
            f"the account shows no task{known}",
            "Check that this is the right account, and that the key's owner sees its projects.",
        )
    if tasks >= NEAR * RECORD_LIMIT:
        return note(
            "account.size",
            f"{tasks:,} tasks{known}: near the limit of {RECORD_LIMIT:,} in one answer;"
            " above it syncd pulls project by project",
        )
    return ok("account.size", f"{tasks:,} tasks{known}")


def in_projects(statuses: list[str]) -> str:
    """Say how many projects there are, and how many of them are archived."""
    archived = sum(word in {ARCHIVED, "archived"} for word in statuses)
    told = f"{len(statuses):,} project{'' if len(statuses) == 1 else 's'}"
    return f"{told} ({archived:,} archived)" if archived else told


def _duration(
    size: Size, projects: list[str] | None, spacing_s: float, *, archived: bool
) -> Finding:
    requests = CATALOGUES + 1
    if size.tasks is None:
        if projects is None:
            return note("account.first_pull", "one request for each project, one a second")
        requests += sum(archived or word not in {ARCHIVED, "archived"} for word in projects)
    seconds = requests * spacing_s + size.answer_s
    return ok(
        "account.first_pull",
        f"the first pull will take about {in_words(seconds)}:"
        f" {requests:,} requests, {spacing_s:g} s apart",
    )


def in_words(seconds: float) -> str:
    """Write a length of time for people: 8 s, 12 min, 1 h 30 min."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
