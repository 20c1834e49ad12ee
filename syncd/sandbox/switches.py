"""How the simulated account behaves where the real one is unknown (the API sheet, section 11).

Every default is the sheet's likeliest reading; a daemon is to be tested against the other ones
as well. Switches are data: they travel over the control endpoint and change while serving.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec


@dataclass(frozen=True, slots=True)
class Switches:
    """One setting for each thing that the real account was not seen to do, or does both ways."""

    record_limit: int = 10_000
    """Records of one answer, above which the whole request fails (section 3)."""

    limit_counts_children: bool = True
    """Whether subtasks count towards the record limit (section 3)."""

    omit_empty_data: bool = False
    """Leave `data` out of an answer whose list is empty (section 1)."""

    tags_in_lists: Literal["map", "extra", "names", "never"] = "map"
    """Tags of listed tasks: always, only with extra=tags, as names, or never (section 5.3)."""

    tags_in_children: bool = True
    """Whether tasks inside `child` carry their tags (section 5.3)."""

    tags_when_empty: Literal["absent", "list", "map"] = "absent"
    """What a task without tags shows: no key, [] or {} (section 5.3)."""

    child_under_subtask: bool = False
    """Whether get_task of a subtask shows its own children (section 5.1)."""

    has_comments_always: bool = False
    """Show `has_comments` without extra=comments as well (section 5.3)."""

    escape_entities: bool = False
    """Whether names and texts come with HTML entities for < > & and quotes (section 4)."""

    email_case_varies: bool = False
    """Whether tasks show addresses in another case than get_users does (section 4)."""

    pending_listed: bool = True
    """Whether get_all_tasks holds the tasks of pending projects."""

    archived_by_id: bool = True
    """Whether get_tasks and get_task answer for an archived project (section 5.1)."""

    search_default_status: Literal["active", "all"] = "active"
    """What search_tasks finds when no status was asked for (section 5.4)."""

    search_task_id: Literal["task", "subtree"] = "task"
    """What search_tasks finds for id_task alone (section 5.4)."""

    date_closed_lingers: bool = False
    """Whether a reopened task keeps showing date_closed (section 5.3)."""

    assignee_reset_on_omit: bool = False
    """Whether update_task without email_user_to sets nobody (section 6.2)."""

    empty_value: Literal["clear", "keep", "error"] = "clear"
    """What an empty date, limit or tag list does in update_task (section 6.2)."""

    zero_limit: Literal["clear", "keep", "store"] = "clear"
    """What max_time=0 and max_money=0 do (section 6.2)."""

    update_task_tags: Literal["overwrite", "ignore"] = "overwrite"
    """Whether update_task heeds `tags` (section 6.2)."""

    bad_date: Literal["error", "ignore"] = "error"
    """What a date in a wrong format does (section 6.2)."""

    bad_priority: Literal["clamp", "error", "ignore"] = "clamp"
    """What a priority outside 0..10 does (section 11, point 20)."""

    assignee_must_be_member: bool = False
    """Whether an assignee outside the project's team is refused with code 11 (section 6.1)."""

    tags_must_be_attached: bool = True
    """Whether a tag of a group not attached to the project is refused (section 6.1)."""

    tag_case_matters: bool = False
    """Whether tag names are matched with their case (section 6.1)."""

    post_reply_has_tags: bool = True
    """Whether post_task answers with the tags it set (section 6.1)."""

    complete_reply: Literal["ok", "stale"] = "ok"
    """complete_task answers ok alone, or with the task as it was before (section 6.3)."""

    rate_limit: Literal["off", "429", "200", "503"] = "off"
    """How requests above the rate are answered (section 3)."""

    requests_per_second: float = 1.0
    """The rate, when a limit is on."""

    rate_scope: Literal["account", "key"] = "account"
    """Whether all credentials share the counter (section 3)."""

    retry_after_s: int | None = None
    """The Retry-After header of rate answers; none when absent."""

    md5_over: Literal["both", "encoded", "raw"] = "both"
    """Which form of the parameters the hash may be made over (section 2.1)."""

    legacy_hash: bool = True
    """Whether the older hash over page and action is accepted (section 2.2)."""

    hmac_tolerance_s: float | None = 300.0
    """How far the time of a signature may be from the server's; None accepts any (2.3)."""

    clock_skew_s: float = 0.0
    """How far the server's clock runs ahead of the account's, in `Date` and signatures."""

    scope_error_code: int = 2
    """The status_code of a call beyond the token's scopes (section 11, point 16)."""

    url_limit: int = 8192
    """Bytes of a URL, above which HTTP 414 comes (section 3)."""

    events_rename_key: Literal["title", "name"] = "title"
    """The key of a changed task name in events (section 7.1)."""

    events_subtask_creation: bool = True
    """Whether the creation of subtasks is reported."""

    events_moves: bool = False
    """Whether moves are reported."""

    events_task_deletes: bool = True
    """Whether deletions of tasks are reported."""

    events_text_edits: bool = True
    """Whether rewritten descriptions are reported."""

    events_tag_changes: bool = True
    """Whether changes of a task's tags are reported; they never reach a webhook."""

    events_without_change: bool = True
    """Whether an update that changed nothing is reported (section 6.2)."""

    webhook_page: Literal["task", "project"] = "task"
    """Pages in webhooks: /task/ID/, or as in get_events (section 7.2)."""


def read_switches(pairs: Iterable[str]) -> Switches:
    """The switches from NAME=VALUE; numbers and true or false are read as such.

    Raises ValueError for a switch or a value that does not exist.
    """
    wanted: dict[str, str] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name not in Switches.__slots__:
            raise ValueError(f"there is no switch {name!r}")
        wanted[name] = value
    return msgspec.convert(wanted, Switches, strict=False)
