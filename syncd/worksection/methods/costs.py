"""Costs: time and money spent. API sheet, sections 6.6 and 8."""

from __future__ import annotations

from datetime import date
from typing import Literal

from syncd.worksection.filters import Expression
from syncd.worksection.parameters import Pairs, filled
from syncd.worksection.request import Request


def get_costs(
    *,
    id_project: int | None = None,
    id_task: int | None = None,
    datestart: date | None = None,
    dateend: date | None = None,
    is_timer: bool | None = None,
    filter: Expression | None = None,
) -> Request:
    """The rows of spent time and money, with their `total` beside the data."""
    return Request(
        "get_costs", _conditions(id_project, id_task, datestart, dateend, is_timer, filter)
    )


def get_costs_total(
    *,
    id_project: int | None = None,
    id_task: int | None = None,
    datestart: date | None = None,
    dateend: date | None = None,
    is_timer: bool | None = None,
    filter: Expression | None = None,
    extra: Literal["projects", "tasks", "tasks_top_level"] | None = None,
) -> Request:
    """The sums alone."""
    conditions = _conditions(id_project, id_task, datestart, dateend, is_timer, filter)
    return Request("get_costs_total", (*conditions, *filled(extra=extra)))


def _conditions(
    id_project: int | None,
    id_task: int | None,
    datestart: date | None,
    dateend: date | None,
    is_timer: bool | None,
    expression: Expression | None,
) -> Pairs:
    return filled(
        id_project=id_project,
        id_task=id_task,
        datestart=datestart,
        dateend=dateend,
        is_timer=is_timer,
        filter=None if expression is None else str(expression),
    )
