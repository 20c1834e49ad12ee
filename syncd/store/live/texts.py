"""What the gate says when it refuses: what is wrong, and what to do. The same on both databases.

SQLite's RAISE takes a literal only, so no text names the value it is about.
"""

from __future__ import annotations

_MOVE = "Move it in Worksection; the next pull shows it."
_ON_INSERT = "can be given only when a task is created. Leave it out of SET."
_LEAVE_OUT = "Leave it out."
_DATE = "must be a date of the form YYYY-MM-DD, such as '2026-02-01', or NULL."
_AMOUNT = "from 0 to less than 100000000000, or NULL."
_PEOPLE = (
    "must be emails of members of the account, joined by commas. See: SELECT email FROM members."
)

TEXTS = {
    # what UPDATE cannot set
    "fixed_id": "id is the number that the account gave the task; it cannot be set."
    " Name the task in WHERE.",
    "fixed_ref": f"ref {_ON_INSERT}",
    "fixed_project_id": f"The account's API cannot move a task to another project. {_MOVE}",
    "fixed_parent_id": f"The account's API cannot move a task under another parent. {_MOVE}",
    "fixed_parent_ref": f"The account's API cannot move a task under another parent. {_MOVE}",
    "fixed_level": f"level follows from the parent and cannot be set. {_LEAVE_OUT}",
    "fixed_author_email": "The account's API cannot change who created a task."
    " Leave author_email out of SET.",
    "fixed_text": "The account's API cannot change the text of a task once it is created."
    " Edit it in Worksection, or add a comment there.",
    "fixed_date_added": f"date_added is set by the account. {_LEAVE_OUT}",
    "fixed_url": f"url is set by the account. {_LEAVE_OUT}",
    "fixed_sync_state": "sync_state is kept by syncd. To retry, cancel or resolve a change:"
    " syncd queue --help",
    "fixed_sync_error": "sync_error is kept by syncd. To retry, cancel or resolve a change:"
    " syncd queue --help",
    "fixed_checklist": f"checklist {_ON_INSERT}",
    "fixed_subscribers": f"subscribers {_ON_INSERT}",
    "fixed_hidden": f"hidden {_ON_INSERT}",
    "fixed_mentions": f"mentions {_ON_INSERT}",
    # values
    "name": "name must not be empty. Give the task a title.",
    "nul": "name and text cannot hold a NUL character. Remove it.",
    "status": "status must be 'active' or 'done'.",
    "priority": "priority must be a whole number from 0 to 10.",
    "assignee_email": "assignee_email must be the email of a member of the account, ANY, NOONE"
    " or NULL. See: SELECT email FROM members.",
    "date_start": f"date_start {_DATE}",
    "date_end": f"date_end {_DATE}",
    "date_closed": f"date_closed {_DATE} The account takes no time of day.",
    "max_time": f"max_time must be a number of hours {_AMOUNT}",
    "max_money": f"max_money must be a number {_AMOUNT}",
    "tags_unknown": "tags holds a label that no tag has. Labels are joined by commas;"
    " see: SELECT label, name FROM tags. New tags are made in Worksection.",
    "tags_removed": "tags holds a tag that the account no longer has."
    " See: SELECT label, name FROM tags WHERE removed_at IS NULL.",
    # INSERT
    "new_id": "id is given by the account. Leave it out; name a new task by ref.",
    "new_status": "A new task is active. Leave status out, and complete the task afterwards.",
    "new_level": f"level follows from the parent and cannot be set. {_LEAVE_OUT}",
    "new_date_added": f"date_added is set by the account. {_LEAVE_OUT}",
    "new_date_closed": "A new task is active and has no date_closed. Leave it out.",
    "new_url": f"url is set by the account. {_LEAVE_OUT}",
    "new_sync_state": f"sync_state is kept by syncd. {_LEAVE_OUT}",
    "new_sync_error": f"sync_error is kept by syncd. {_LEAVE_OUT}",
    "text": "text must not be longer than 65536 characters: the account would cut it."
    " Shorten it, or attach a file.",
    "checklist": """checklist must be a JSON array of texts, such as '["one", "two"]'.""",
    "author_email": "author_email must be the email of a member of the account, or NULL for"
    " the owner of the key. See: SELECT email FROM members.",
    "subscribers": f"subscribers {_PEOPLE}",
    "hidden": f"hidden {_PEOPLE}",
    "mentions": f"mentions {_PEOPLE}",
    "parent_twice": "Give parent_id or parent_ref, not both.",
    "parent_id": "parent_id must be the id of a task that is in the account."
    " See: SELECT id, name FROM live_tasks.",
    "parent_ref": "parent_ref must be the ref of a task that was queued before, and did not fail."
    " Queue the parent first.",
    "parent_project": "The parent is in another project. Leave project_id out,"
    " or choose a parent in that project.",
    "parent_level": "Tasks have three levels, and the parent is on the third."
    " Choose its parent instead.",
    "parent_done": "The parent is done, and the account adds no subtask to it."
    " Reopen it first: UPDATE live_tasks SET status = 'active'.",
    "project_missing": "A new task needs a project_id, or a parent.",
    "project_id": "project_id must be the id of a project that is in the account."
    " See: SELECT id, name FROM projects.",
    # DELETE
    "delete": "The account's API cannot delete tasks. Complete it instead, with"
    " UPDATE live_tasks SET status = 'done', or delete it in Worksection."
    " A creation that was not sent yet: syncd queue cancel ID",
    # live_conflicts
    "conflict_fixed": "Of a conflict only keep can be set: 'mine' or 'theirs', or NULL to take the"
    " choice back. For another value: syncd queue cancel ID, and queue it anew.",
    "conflict_keep": "keep must be 'mine', 'theirs', or NULL to take the choice back.",
    "conflict_removed": "The task is gone from the account, and nothing creates it again."
    " Give the change up: keep = 'theirs'.",
    "conflict_insert": "Conflicts are found by syncd. To choose:"
    " UPDATE live_conflicts SET keep = 'mine' or 'theirs'.",
    "conflict_delete": "A conflict goes when it is resolved:"
    " UPDATE live_conflicts SET keep = 'mine' or 'theirs'. To drop the change:"
    " syncd queue cancel ID",
    # the outbox itself
    "outbox_born": "A change begins as queued or held. Queue it through live_tasks.",
    "outbox_state": "A change cannot go from its state to that one. See: syncd queue --help",
    "outbox_fields": "What a change says cannot be altered once it was sent."
    " Queue another change through live_tasks.",
    "outbox_identity": "What a change is about, and who queued it, cannot be altered."
    " Queue another change through live_tasks.",
    "outbox_kept": "A change that is not settled, or that another one waits for, cannot be"
    " deleted. Cancel it: syncd queue cancel ID",
    "outbox_events": "outbox_events is append-only: what happened stays to be read.",
}


def literal(key: str) -> str:
    """Return a text as an SQL string."""
    return "'" + TEXTS[key].replace("'", "''") + "'"


def fill(template: str, **parts: str) -> str:
    """Put parts in place of their `<<name>>`; SQL is full of braces, dollars and percent signs."""
    for name, part in parts.items():
        template = template.replace(f"<<{name}>>", part)
    return template
