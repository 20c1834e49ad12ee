"""What changed from one version of a task to the next, field by field, and who did it if told."""

from __future__ import annotations

from syncd.store.report.dialect import POSTGRESQL, Dialect
from syncd.store.report.view import View, view
from syncd.sync.changed import NAMES

_FORMS = {
    **dict.fromkeys(("priority", "project_id", "parent_id", "level"), "whole"),
    **dict.fromkeys(("assignee_id", "author_id"), "member"),
    **dict.fromkeys(("date_start", "date_end"), "date"),
    **dict.fromkeys(("time_start", "time_end"), "time"),
    **dict.fromkeys(("date_closed", "date_added"), "moment"),
    **dict.fromkeys(("max_time", "max_money"), "number"),
    **{"tags": "tags", "extra": "document"},
}
"""How a column is written as text, where it is not text already."""
_ON_POSTGRESQL = {
    "whole": "{0}::text",
    "date": "to_char({0}::timestamp, 'YYYY-MM-DD')",
    "time": "{0}::text",
    "moment": "to_char({0}, 'YYYY-MM-DD HH24:MI:SS')",
    "number": "trim_scale({0})::text",
    "document": "{0}::text",
}


def _changes(d: Dialect) -> str:
    shown = ", ".join(f"{_shown(d, f'c.{value}')} AS {value}" for value in ("old", "new"))
    kept = f"c.task_id, c.at, c.field, {shown}, c.run_id"
    return f"""
SELECT c.task_id, c.at, c.field, c.old, c.new, c.author, c.author_id, c.run_id
FROM ({with_author(d, _stored(d), kept=kept, field="c.field", new="c.new")}) c"""


def _stored(d: Dialect) -> str:
    """Return the changes that stand with past images.

    The next image is looked up for its value alone: a question that asks for none, as a count or a
    GROUP BY field, reads neither. `changed` stands where there is a next image (migration 0010).
    """
    found = f"""
  SELECT h.task_id, h.valid_from AS since, h.valid_to AS at, h.run_id, f.value AS field,
    CASE f.value {_values(d, "h")} END AS old,
    CASE WHEN x.task_id IS NULL THEN CASE f.value {_values(d, "t")} END
      ELSE CASE f.value {_values(d, "x")} END END AS new
  FROM task_history h CROSS JOIN {_each(d)}
  LEFT JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
  LEFT JOIN tasks t ON t.id = h.task_id AND t.valid_from = h.valid_to{_few(d)}"""
    # Merged, each place that names `new` would hold all of its CASE, and the server compile them.
    return f"WITH s AS ({found}) SELECT * FROM s" if d is POSTGRESQL else found


def _few(d: Dialect) -> str:
    """Return a condition that always holds: by it the planner of a server expects few rows.

    Ten fields for each version, as it would have it, are so dear that it compiles for seconds.
    """
    return "\n  WHERE h.run_id = h.run_id + 0" if d is POSTGRESQL else ""


def _each(d: Dialect) -> str:
    if d is POSTGRESQL:
        # Of jsonb_array_elements_text the planner believes that it gives a hundred, and compiles.
        bare = """translate(h.changed::text, '[]" ', '')"""
        return f"LATERAL unnest(string_to_array({bare}, ',')) f (value)"
    return "json_each(h.changed) f"


def _present_tags(d: Dialect) -> str:
    if d is POSTGRESQL:
        listed = "jsonb_agg(l.tag_id ORDER BY l.tag_id)"
        return f"coalesce((SELECT {listed} FROM task_tags l WHERE l.task_id = t.id), '[]')"
    return (
        "'[' || coalesce((SELECT group_concat(tag_id, ', ') FROM"
        " (SELECT tag_id FROM task_tags WHERE task_id = t.id ORDER BY 1)), '') || ']'"
    )


def _values(d: Dialect, image: str) -> str:
    """Return the value of the field in an image as text: ids of members and tags as they are."""
    return " ".join(
        f"WHEN '{name}' THEN {_written(d, image, column)}" for column, name in NAMES.items()
    )


def _written(d: Dialect, image: str, column: str) -> str:
    form, source = _FORMS.get(column, ""), f"{image}.{column}"
    if form == "tags":
        source = _present_tags(d) if image == "t" else source
        return f"({source})::text" if d is POSTGRESQL else source
    if d is POSTGRESQL:
        form = "whole" if form == "member" else form
        return _ON_POSTGRESQL.get(form, "{0}").format(source)
    return f"CAST({source} AS TEXT)"


def _shown(d: Dialect, value: str) -> str:
    """Return a value as live_tasks writes it: emails and labels instead of ids."""
    if d is POSTGRESQL:
        labels = _LABELS.format(value)
        email = f"(SELECT jsonb_object_agg(m.id, m.email) FROM members m) ->> {value}"
    else:
        labels = d.labels_in(value)
        email = f"(SELECT m.email FROM members m WHERE m.id = {value})"
    return (
        f"CASE c.field WHEN 'tags' THEN {labels} WHEN 'assignee_email' THEN {email}"
        f" WHEN 'author_email' THEN {email} ELSE {value} END"
    )


_LABELS = """CASE WHEN strpos({0}, ',') > 0
    THEN (SELECT string_agg(coalesce(g.label, '#' || e.id), ','
        ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C")
      FROM unnest(string_to_array(btrim({0}, '[]'), ', ')) e (id)
      LEFT JOIN tags g ON g.id = e.id::bigint)
    WHEN {0} <> '[]' THEN coalesce((SELECT jsonb_object_agg(g.id, g.label) FROM tags g)
      ->> btrim({0}, '[]'), '#' || btrim({0}, '[]')) END"""
"""On PostgreSQL: one document of all labels, as of all emails, is made once and looked up in. Of a
small table it would read every row for each value. One tag alone needs no sorting either."""


def with_author(d: Dialect, changes: str, *, kept: str, field: str, new: str) -> str:
    """Return a select of `kept`, and of author and author_id, of a select of changes named `c`.

    Each change has task_id, since (the version before) and at. The author is who the account's
    feed says set that very value at a time that fits.
    """
    if d is not POSTGRESQL:
        name, id = (_author_of(d, f"a.member_{what}", field, new) for what in ("name", "id"))
        return f"SELECT {kept}, {name} AS author, {id} AS author_id FROM ({changes}) c"
    # A WITH is not merged into what stands around it, so the feed is asked once for both columns,
    # and not at all where none is wanted; a WHERE gets through all the same.
    told = _author_of(d, "ARRAY[a.member_name, a.member_id::text]", field, new)
    return (
        "SELECT k.*, k.told[1] AS author, k.told[2]::bigint AS author_id"
        f" FROM (WITH c AS ({changes}) SELECT {kept}, {told} AS told FROM c) k"
    )


def _author_of(d: Dialect, what: str, field: str, new: str) -> str:
    """Return something of the event that told of change `c`, by the rule of `services.authors`.

    Stamps are minutes; without the account's time zone none can be held against a version, so
    nobody is named then.
    """
    minute = "(c.since - interval '1 minute')"
    if d is not POSTGRESQL:
        whole = "substr(c.since, 1, 23)"
        minute = f"strftime('%Y-%m-%d %H:%M:%f', {whole}, '-60 seconds') || '000'"
    return (
        f"(SELECT {what} FROM activity a WHERE a.task_id = c.task_id"
        f" AND a.entity = 'task' AND a.at > {minute} AND a.at <= c.at"
        f" AND {_told(d, field, new)} ORDER BY a.at DESC, a.id DESC LIMIT 1)"
    )


def _told(d: Dialect, field: str, new: str) -> str:
    """Return whether event `a` told that a field became `new`, text in the form of the images."""
    if d is POSTGRESQL:
        plain, name = f"a.new ->> {field}", "coalesce(a.new ->> 'title', a.new ->> 'name')"
        member = "a.new -> 'user_to' ->> 'id'"
        tags = (
            """(SELECT string_agg(e, ',' ORDER BY e COLLATE "C") FROM jsonb_array_elements_text("""
            "CASE jsonb_typeof(a.new -> 'tags') WHEN 'array' THEN a.new -> 'tags' END) e)"
        )
        wanted = d.labels_in(f"CASE {field} WHEN 'tags' THEN {new}::jsonb END")
        has_tags = "jsonb_typeof(a.new -> 'tags') = 'array'"
    else:
        plain = f"CAST(json_extract(a.new, '$.' || {field}) AS TEXT)"
        name = "coalesce(json_extract(a.new, '$.title'), json_extract(a.new, '$.name'))"
        member = "CAST(json_extract(a.new, '$.user_to.id') AS TEXT)"
        tags = (
            "(SELECT group_concat(value, ',') FROM"
            " (SELECT value FROM json_each(a.new, '$.tags') ORDER BY 1))"
        )
        wanted = d.labels_in(f"CASE {field} WHEN 'tags' THEN {new} END")
        has_tags = "json_type(a.new, '$.tags') = 'array'"
    return (
        f"CASE {field} WHEN 'status' THEN"
        f" a.action = CASE {new} WHEN 'done' THEN 'close' ELSE 'reopen' END"
        f" WHEN 'removed_reason' THEN a.action = 'delete' AND {new} IS NOT NULL"
        f" WHEN 'name' THEN {name} = {new}"
        f" WHEN 'assignee_email' THEN {member} = {new}"
        f" WHEN 'tags' THEN {has_tags} AND coalesce({tags}, '') = coalesce({wanted}, '')"
        f" WHEN 'time_start' THEN {plain} = coalesce(substr({new}, 1, 5), '')"
        f" WHEN 'time_end' THEN {plain} = coalesce(substr({new}, 1, 5), '')"
        f" ELSE {plain} = coalesce({new}, '') END"
    )


CHANGES: tuple[View, ...] = (
    view(
        "task_changes",
        "One row for each field that differs between a version of a task and the next one.",
        {
            "task_id": "the task, tasks.id",
            "at": "when the new value was first seen, UTC: at most one pull after it was set",
            "field": "the field, by its name in live_tasks, or removed_reason; files and relations"
            " are not among them",
            "old": "the value before, as live_tasks writes it; NULL: none",
            "new": "the value after; NULL: none",
            "author": "who did it, where the account's feed told that very value; NULL: not known",
            "author_id": "who did it, members.id; NULL: not known",
            "run_id": "the run that saw it, sync_runs.id",
        },
        _changes,
    ),
)
