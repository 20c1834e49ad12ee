"""The actions on comments; there is none to edit or delete one (the API sheet, section 6.5)."""

from __future__ import annotations

from syncd.sandbox import wire
from syncd.sandbox.actions.writing import attach, whole_text
from syncd.sandbox.calls import Call
from syncd.sandbox.replies import Reply, data, required


def get_comments(call: Call) -> Reply:
    """All comments of a task, newest first."""
    task = call.task()
    files = "files" in call.parameters.extras()
    newest = [call.account.comments[comment_id] for comment_id in reversed(task.comment_ids)]
    return data([wire.comment(call.account, c, call.switches, files=files) for c in newest])


def post_comment(call: Call) -> Reply:
    """Say something; the stored text may differ from the one sent."""
    task = call.task()
    if not call.parameters.text("text") and not call.parameters.many("todo"):
        raise required("text")
    author = call.author()
    call.people("hidden")
    text = whole_text(call, call.people("mention"))
    comment_id = call.account.add_comment(task.id, text, by=author)
    attach(call, task.id, author, comment_id)
    return data(wire.comment(call.account, call.account.comments[comment_id], call.switches))


ACTIONS = {
    "get_comments": ("comments_read", get_comments),
    "post_comment": ("comments_write", post_comment),
}
