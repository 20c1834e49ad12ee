"""The actions on costs (the API sheet, sections 6.6 and 8)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from syncd.sandbox.actions.reading import check_limit
from syncd.sandbox.actions.values import date_value
from syncd.sandbox.calls import Call
from syncd.sandbox.parameters import amount
from syncd.sandbox.records import Cost
from syncd.sandbox.replies import OK, RefusedError, Reply, required
from syncd.sandbox.tasks_wire import TaskWriter

CLOCK = re.compile(r"^(\d+):([0-5]?\d)$")
CENT = Decimal("0.01")


def minutes(text: str) -> int:
    """A duration: 0:09, or hours as 0.15 or 0,15."""
    if match := CLOCK.match(text.strip()):
        return int(match[1]) * 60 + int(match[2])
    return int((amount("time", text) * 60).to_integral_value(ROUND_HALF_UP))


def duration(total: int) -> str:
    """H:MM."""
    return f"{total // 60}:{total % 60:02d}"


def get_costs(call: Call) -> Reply:
    """The rows that the conditions leave, and their total; `filter` is not simulated."""
    found = wanted(call)
    check_limit(call, len(found))
    return Reply({"data": [form(call, each) for each in found], "total": total(found)})


def wanted(call: Call) -> list[Cost]:
    """The rows of the project, task, days and kind asked for; the user is no condition."""
    tests = list(conditions(call))
    visible = [c for c in call.account.costs.values() if call.sees(call.account.tasks[c.task_id])]
    return [cost for cost in visible if all(test(cost) for test in tests)]


def conditions(call: Call) -> list[Callable[[Cost], bool]]:
    """One test per condition that was sent."""
    tests: list[Callable[[Cost], bool]] = []
    tasks = call.account.tasks
    if call.parameters.text("id_project"):
        project_id = call.project().id
        tests.append(lambda cost: tasks[cost.task_id].project_id == project_id)
    if call.parameters.text("id_task"):
        task_id = call.task().id
        tests.append(lambda cost: cost.task_id == task_id)
    if call.parameters.text("is_timer"):
        is_timer = call.parameters.flag("is_timer")
        tests.append(lambda cost: cost.is_timer == is_timer)
    first, last = day(call, "datestart", date.min), day(call, "dateend", date.max)
    tests.append(lambda cost: first <= cost.date <= last)
    return tests


def day(call: Call, name: str, otherwise: date) -> date:
    """A day of the period."""
    sent: date | None = date_value(call, name, name).get(name)
    return sent or otherwise


def form(call: Call, cost: Cost) -> dict[str, Any]:
    """A row with its task."""
    writer = TaskWriter(call.account, call.switches, frozenset())
    return {
        "id": str(cost.id),
        "comment": cost.comment,
        "time": duration(cost.minutes),
        "money": f"{cost.money:.2f}",
        "date": cost.date.isoformat(),
        "is_timer": cost.is_timer,
        "user_from": writer.user(cost.member_id),
        "task": writer.single(call.account.tasks[cost.task_id]),
    }


def total(costs: list[Cost]) -> dict[str, str]:
    """The sums."""
    money = sum((cost.money for cost in costs), Decimal(0))
    return {"time": duration(sum(cost.minutes for cost in costs)), "money": f"{money:.2f}"}


def get_costs_total(call: Call) -> Reply:
    """The sums alone, by project with extra=projects."""
    found = wanted(call)
    keys: dict[str, Any] = {"total": total(found)}
    if "projects" in call.parameters.extras():
        keys["projects"] = by_project(call, found)
    return Reply(keys)


def by_project(call: Call, costs: list[Cost]) -> list[dict[str, Any]]:
    """The sums of each project that has any."""
    parts: dict[int, list[Cost]] = {}
    for cost in costs:
        parts.setdefault(call.account.tasks[cost.task_id].project_id, []).append(cost)
    names = call.account.projects
    return [{"id": str(i), "name": names[i].name, **total(part)} for i, part in parts.items()]


def add_costs(call: Call) -> Reply:
    """Write a row down; its id is a number beside the status."""
    task = call.task()
    if not call.parameters.text("time") and not call.parameters.text("money"):
        raise required("time or money")
    author = call.author()
    sent = values(call, author)
    return Reply({"id": call.account.add_cost(task.id, by=author, **sent)})


def values(call: Call, member_id: int) -> dict[str, Any]:
    """The fields that were sent; with is_rate the money follows from the hours."""
    sent: dict[str, Any] = date_value(call, "date", "date")
    if time := call.parameters.text("time"):
        sent["minutes"] = minutes(time)
    if money := call.parameters.text("money"):
        sent["money"] = amount("money", money).quantize(CENT)
    if call.parameters.text("comment") is not None:
        sent["comment"] = call.parameters.text("comment")
    if call.parameters.flag("is_rate") and "minutes" in sent:
        rate = call.account.members[member_id].rate or Decimal(0)
        sent["money"] = (rate * sent["minutes"] / 60).quantize(CENT)
    return sent


def row(call: Call) -> Cost:
    """The row named by id_costs."""
    call.parameters.required("id_costs")
    cost = call.account.costs.get(call.parameters.number("id_costs") or 0)
    if cost is None or not call.sees(call.account.tasks[cost.task_id]):
        raise RefusedError(10, "Field is required", "id_costs")
    return cost


def update_costs(call: Call) -> Reply:
    """Change a row; its owner cannot be changed."""
    cost = row(call)
    call.account.edit_cost(cost.id, **values(call, cost.member_id))
    return OK


def delete_costs(call: Call) -> Reply:
    """Delete a row: the one thing besides webhooks that the API deletes."""
    call.account.delete_cost(row(call).id)
    return OK


ACTIONS = {
    "get_costs": ("costs_read", get_costs),
    "get_costs_total": ("costs_read", get_costs_total),
    "add_costs": ("costs_write", add_costs),
    "update_costs": ("costs_write", update_costs),
    "delete_costs": ("costs_write", delete_costs),
}
