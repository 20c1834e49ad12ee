"""Put tags on a task and take tags off: update_task_tags, by id. API sheet, section 6.4.

A request of its own: whether update_task replaces tags, adds to them or passes over them is
documented three ways.
"""

from __future__ import annotations

from syncd.model.change import Fields
from syncd.model.outbound import Step, TagEdit
from syncd.operations.operation import Draft, Operation, Sending, ids, unknown_tag
from syncd.sync.settle import Landing, settle_edit
from syncd.worksection.methods.tags import update_task_tags


def request(sending: Sending) -> Draft:
    """Return what puts on and takes off what the merge left; the task's other tags stay."""
    edit = sending.values.get("tags")
    if not isinstance(edit, TagEdit) or edit == TagEdit():
        return None
    if bad := unknown_tag(edit.plus | edit.minus):
        return bad
    return update_task_tags(sending.id(), plus=ids(edit.plus), minus=ids(edit.minus))


def landed(step: Step, theirs: Fields | None) -> Landing:
    """Say whether the task has the new tags and lacks the old ones; both sides as ids."""
    return settle_edit(step.fields, step.base, theirs)


TAG = Operation("tag", frozenset({"tags"}), request, landed)
