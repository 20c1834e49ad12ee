"""Comments of a task. API sheet, sections 6.5 and 8."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.worksection.parameters import extras, filled
from syncd.worksection.request import Request


def get_comments(id_task: int, *, extra: Sequence[str] = ()) -> Request:
    """All comments of a task; `files` in `extra` adds what is attached to them."""
    return Request("get_comments", filled(id_task=id_task, extra=extras(extra)))
