"""What a task's absence means: the evidence, the verdict, and the brake over many of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from syncd.model.listing import Scope
from syncd.model.plan import Brake
from syncd.model.records import RemovedReason
from syncd.sync.survey import Indexed

BRAKE_TASKS = 10
BRAKE_SHARE = 0.02
ARCHIVED = "archive"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the account answered when it was asked about what is missing.

    `projects` is the status of each project it shows, None where it was not asked; `lost` are
    projects it denies (code 4); `gone` are tasks it denies (code 5); `alive` are tasks it still
    answers for, with the project it shows them in.
    """

    projects: Mapping[int, str] | None = None
    lost: frozenset[int] = frozenset()
    gone: frozenset[int] = frozenset()
    alive: Mapping[int, int] = field(default_factory=dict)


def judge(
    id: int, task: Indexed, *, evidence: Evidence, scope: Scope, previous: Scope | None
) -> RemovedReason | None:
    """Say why a missing task is gone, or None where nothing proves that it is.

    Absence alone is no proof: archived projects, lost rights, delayed publication and a cut answer
    look the same (API sheet, section 10, trap 15).
    """
    if not scope.subtasks and task.level > 1:
        return "out_of_scope"
    project_id = evidence.alive.get(id, task.project_id)
    if (evidence.projects or {}).get(project_id) == ARCHIVED and not scope.archived:
        return "out_of_scope" if previous is not None and previous.archived else "archived"
    if id in evidence.alive:
        return None
    if task.project_id in evidence.lost:
        return "out_of_reach"
    if id in evidence.gone:
        same_rights = previous is None or previous.rights == scope.rights
        return "deleted" if same_rights else "out_of_reach"
    return None


def brake_limit(tasks: int, max_removals: int | None) -> int:
    """Return how many of `tasks` may go at once without asking."""
    if max_removals is not None:
        return max_removals
    return max(BRAKE_TASKS, int(tasks * BRAKE_SHARE))


def brakes(
    candidates: Mapping[int, int],
    live: Mapping[int, int],
    *,
    listed: int,
    max_removals: int | None,
) -> tuple[Brake, ...]:
    """Return the brakes that so many removals trip: the account's, or those of single projects.

    `candidates` gives the project of each task that may go, `live` how many tasks each project has
    in the mirror, `listed` how many the answer held.
    """
    if not candidates:
        return ()
    by_project = Counter(candidates.values())
    projects = tuple(sorted(by_project))
    total, tasks = len(candidates), sum(live.values())
    limit = brake_limit(tasks, max_removals)
    if listed == 0:
        return (Brake(total, 0, projects, "the answer is empty, and the account had tasks"),)
    if total > limit:
        return (Brake(total, limit, projects, f"more than {limit} of {tasks} tasks"),)
    return tuple(
        Brake(count, limit, (project,), f"more than {limit} of the {live[project]} in one project")
        for project, count in sorted(by_project.items())
        if count > (limit := brake_limit(live[project], max_removals))
    )
