"""Changes with valid defaults: a test says only what it is about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from syncd.model.change import Change
from syncd.model.outbound import Place, PushPlan, Step
from syncd.sync.push_plan import plan_push
from tests.support.records import MONDAY

TASK = 331894
PROJECT = 8562


def at(seconds: float) -> Any:
    """Return an instant so many seconds after Monday's."""
    return MONDAY + timedelta(seconds=seconds)


def an_update(id: int, /, *, base: dict[str, Any] | None = None, **fields: Any) -> Change:
    """Return an edit of the task, queued `id` minutes after Monday; keywords are its fields."""
    return a_change(id, "update", fields=fields, base=base or {})


def a_completion(id: int, **values: Any) -> Change:
    return a_change(id, "complete", **values)


def a_reopening(id: int, **values: Any) -> Change:
    return a_change(id, "reopen", **values)


def a_creation(id: int, ref: str, **values: Any) -> Change:
    """Return a creation in the project; `under` is a parent's id or ref."""
    under = values.pop("under", None)
    fields = {"project_id": PROJECT, "name": ref, **values.pop("fields", {})}
    if under is not None:
        fields |= {"parent_ref" if isinstance(under, str) else "parent_id": under}
    return a_change(
        id, "create", task_id=values.pop("task_id", None), ref=ref, fields=fields, **values
    )


def a_change(id: int, operation: Any, **values: Any) -> Change:
    defaults: dict[str, Any] = {"task_id": TASK, "created_at": at(60 * id)}
    return Change(id, operation, **defaults | values)


def a_step(verb: Any = "update", **values: Any) -> Step:
    defaults: dict[str, Any] = {
        "lane": f"task {TASK}",
        "fields": {},
        "changes": (1,),
        "since": MONDAY,
        "task_id": TASK,
    }
    return Step(verb, **defaults | values)


def a_plan(changes: Any, places: Any = None, **values: Any) -> PushPlan:
    """Plan at a time when everything is due."""
    defaults: dict[str, Any] = {"now": at(10**7), "max_batch": 10_000}
    return plan_push(changes, places=places or {TASK: Place(PROJECT)}, **defaults | values)


def verbs(plan: PushPlan) -> list[tuple[str, tuple[int, ...]]]:
    """Return what a plan sends, shortly: verbs and the changes that each carries."""
    return [(each.step.verb, each.step.changes) for each in plan.steps]


def waits(plan: PushPlan) -> dict[int, str]:
    """Return why each waiting change waits."""
    return {id: str(each.wait) for each in plan.waiting for id in each.changes}
