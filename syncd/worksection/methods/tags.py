"""Task tags: the catalogue, and those of one task. API sheet, sections 6.4 and 8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from syncd.worksection.parameters import comma_list, filled
from syncd.worksection.request import Request


def get_task_tags(
    *,
    group: int | str | None = None,
    type: Literal["status", "label"] | None = None,
    access: Literal["public", "private"] | None = None,
) -> Request:
    """The tags that tasks can have."""
    return Request("get_task_tags", filled(group=group, type=type, access=access))


def update_task_tags(
    id_task: int, *, plus: Sequence[int] = (), minus: Sequence[int] = ()
) -> Request:
    """Add and take away tags by id, since names repeat. Raises ValueError if there is nothing."""
    if not plus and not minus:
        raise ValueError("update_task_tags needs a tag to add or to take away")
    params = filled(
        id_task=id_task, plus=comma_list(plus, what="tag"), minus=comma_list(minus, what="tag")
    )
    return Request("update_task_tags", params)
