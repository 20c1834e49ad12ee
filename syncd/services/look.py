"""Looking before believing: what the account answers when it is asked about what is missing.

A look costs requests, so the cheap ones come first: the projects, then many tasks at once by
search, which can only save a task, then `get_task`, whose code 5 is the evidence for a deletion.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

from syncd.errors import BadReply, Refused, Throttled, Unanswered, Unreachable
from syncd.model.listing import Scope
from syncd.services.progress import Progress
from syncd.sync.removal import ARCHIVED, Evidence, brake_limit
from syncd.sync.survey import Indexed
from syncd.worksection.client import Client
from syncd.worksection.filters import Field
from syncd.worksection.methods.projects import get_project, get_projects
from syncd.worksection.methods.tasks import get_task, search_tasks
from syncd.worksection.scalars import as_id, as_text

SEARCH_IDS = 200
"""Ids in one search: a filter of about 2 kB, far under the 8 kB an address may have."""
FEW = 3
"""Up to so many tasks are asked one by one at once: a search would cost two requests."""
CODE_PROJECT, CODE_TASK = 4, 5

Node = dict[str, Any]
Passing = (Unreachable, Throttled, Unanswered, BadReply)


@dataclass(frozen=True, slots=True)
class Looked:
    """The evidence, whether the answer was caught leaving out what exists, and what went wrong."""

    evidence: Evidence
    answer_lies: bool = False
    trouble: str = ""


def read_projects(client: Client) -> dict[int, str]:
    """Return the status of every project the account shows."""
    nodes: list[Node] = client.call(get_projects()).decode(list[Node]) or []
    found = {}
    for node in nodes:
        id, status = as_id(node.get("id")), as_text(node.get("status"))
        if id is not None and status is not None:
            found[id] = ARCHIVED if status == "archived" else status
    return found


def look(
    client: Client,
    missing: Mapping[int, Indexed],
    *,
    scope: Scope,
    max_removals: int | None,
    live: int,
    allow_removals: bool,
    projects: Mapping[int, str] | None,
    progress: Progress,
) -> Looked:
    """Ask the account about missing tasks, as far as it takes to believe or to brake.

    A passing failure ends the looking and leaves what is not settled unsettled.
    """
    looked = Looked(Evidence())
    try:
        known = dict(projects) if projects is not None else read_projects(client)
        looked = Looked(_look_at_projects(client, missing, known))
        rest = _unexplained(missing, looked.evidence, scope)
        if len(rest) > FEW:
            looked = _search(client, rest, looked, progress)
            rest = [id for id in rest if id not in looked.evidence.alive]
        if looked.answer_lies or (
            len(rest) > brake_limit(live, max_removals) and not allow_removals
        ):
            return looked
        return _ask_each(client, rest, missing, looked, progress)
    except (*Passing, Refused) as error:
        return replace(looked, trouble=error.message)


def _look_at_projects(
    client: Client, missing: Mapping[int, Indexed], known: dict[int, str]
) -> Evidence:
    """Ask for each project that is not shown and has missing tasks: code 4 is the evidence."""
    lost = set()
    for id in sorted({task.project_id for task in missing.values()} - known.keys()):
        try:
            node = client.call(get_project(id)).decode(dict[str, Any]) or {}
            known[id] = as_text(node.get("status")) or "active"
        except Refused as error:
            if error.code == CODE_PROJECT:
                lost.add(id)
    return Evidence(projects=known, lost=frozenset(lost))


def _unexplained(missing: Mapping[int, Indexed], evidence: Evidence, scope: Scope) -> list[int]:
    """Return the tasks whose absence neither their project nor the configuration explains."""
    projects = evidence.projects or {}
    return [
        id
        for id, task in sorted(missing.items())
        if (scope.subtasks or task.level == 1)
        and task.project_id not in evidence.lost
        and (scope.archived or projects.get(task.project_id) != ARCHIVED)
    ]


def _search(client: Client, ids: Collection[int], looked: Looked, progress: Progress) -> Looked:
    """Look for many tasks at once. Most of a batch alive: the answer lies, and it is enough."""
    alive = dict(looked.evidence.alive)
    asked, total = 0, len(ids)
    remaining = iter(ids)
    while batch := list(islice(remaining, SEARCH_IDS)):
        left_s = client.budget.estimate_s(2 * -(-(total - asked) // SEARCH_IDS))
        progress.step("missing tasks, searched", done=asked, total=total, left_s=left_s)
        statuses: tuple[Literal["active", "done"], ...] = ("active", "done")
        for status in statuses:
            condition = Field("id").is_in(batch)
            try:
                answer = client.call(search_tasks(filter=condition, status=status))
            except Refused:
                return looked  # an account that cannot search by id is asked task by task
            alive.update(_projects_by_task(answer.decode(list[Node]) or []))
        asked += len(batch)
        found = sum(id in alive for id in batch)
        if found > len(batch) / 2:
            return Looked(replace(looked.evidence, alive=alive), answer_lies=True)
    return replace(looked, evidence=replace(looked.evidence, alive=alive))


def _projects_by_task(nodes: list[Node]) -> dict[int, int]:
    found = {}
    for node in nodes:
        id = as_id(node.get("id"))
        project_id = as_id((node.get("project") or {}).get("id"))
        if id is not None and project_id is not None:
            found[id] = project_id
    return found


def _ask_each(
    client: Client,
    ids: Collection[int],
    missing: Mapping[int, Indexed],
    looked: Looked,
    progress: Progress,
) -> Looked:
    gone, alive = set(looked.evidence.gone), dict(looked.evidence.alive)
    trouble = ""
    for done, id in enumerate(ids):
        left_s = client.budget.estimate_s(len(ids) - done)
        progress.step("missing tasks, one by one", done=done, total=len(ids), left_s=left_s)
        try:
            node = client.call(get_task(id)).decode(dict[str, Any]) or {}
            alive[id] = _projects_by_task([node]).get(id, missing[id].project_id)
        except Refused as error:
            if error.code == CODE_TASK:
                gone.add(id)
        except Passing as error:
            trouble = error.message
            break
    evidence = replace(looked.evidence, gone=frozenset(gone), alive=alive)
    return replace(looked, evidence=evidence, trouble=trouble)


def tasks_themselves(client: Client, ids: Collection[int]) -> dict[int, Node]:
    """Return the tasks themselves, asked one by one, with every part they can show."""
    found = {}
    for id in ids:
        try:
            answer = client.call(get_task(id, extra=("text", "files", "relations", "tags")))
        except Refused:
            continue
        found[id] = answer.decode(dict[str, Any]) or {}
    return found
