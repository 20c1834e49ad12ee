"""What the gate refuses, in order: one list for both dialects, so that both say the same first.

`when` is cheap and tells whether the rule is worth asking; `sqlite` and `postgresql` are true for
what is wrong. None: that database cannot hold such a value, or refuses it itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncd.store.live.columns import COLUMNS, SETTABLE, WRITE_ONLY

MOST = "100000000000"
"""Amounts below it have at most 15 digits, which any reader of JSON keeps exactly."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse a row, under the key of its text."""

    text: str
    sqlite: str | None
    postgresql: str | None
    when: str = ""


def changed(name: str, dialect: str) -> str:
    """Return the condition that a statement gives this column another value."""
    return f"NEW.{name} {'IS NOT' if dialect == 'sqlite' else 'IS DISTINCT FROM'} OLD.{name}"


# --- values, in the form in which they are queued

_SQLITE_LABELS = (
    """json_each('[' || replace(json_quote('' || <<row>>.tags), ',', '","') || ']') e"""
)
"""The labels of a list: quoted as one JSON string, which is then cut at its commas."""
_PERSON = "m.kind = 'person' AND m.removed_at IS NULL"


def sqlite_labels(row: str) -> str:
    """Return the FROM item whose `e.value` are the labels of NEW's or OLD's tags."""
    return _SQLITE_LABELS.replace("<<row>>", row)


def sqlite_tag_ids(row: str) -> str:
    """Return the ids of a list of labels, as a sorted JSON array."""
    return (
        "(SELECT json_group_array(i.id) FROM (SELECT DISTINCT"
        " CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE"
        " (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END"
        f" AS id FROM {sqlite_labels(row)} WHERE trim(e.value) <> '' ORDER BY 1) i)"
    )


def sqlite_assignee(row: str) -> str:
    """Return an assignee in its canonical form: lower case, or ANY, or NOONE for nobody."""
    value = f"trim({row}.assignee_email)"
    return (
        f"CASE WHEN {row}.assignee_email IS NULL THEN 'NOONE'"
        f" WHEN upper({value}) IN ('ANY', 'NOONE') THEN upper({value}) ELSE lower({value}) END"
    )


def sqlite_amount(row: str, name: str) -> str:
    """Return an amount rounded to the four places that the column keeps; whole ones as integers."""
    value = f"round(CAST({row}.{name} AS REAL), 4)"
    return (
        f"CASE WHEN {row}.{name} IS NULL THEN NULL WHEN {value} = CAST({value} AS INTEGER)"
        f" THEN CAST({value} AS INTEGER) ELSE {value} END"
    )


def sqlite_people(name: str) -> str:
    """Return the FROM item whose `e.value` are the emails of a list."""
    return (
        f"""json_each('[' || replace(json_quote('' || NEW.{name}), ',', '","') || ']') e"""
        " WHERE trim(e.value) <> ''"
    )


# --- the rules of values, for UPDATE and INSERT alike


def _no_title(value: str, trim: str) -> str:
    return f"{value} IS NULL OR {trim} = ''"


_NAME = Rule(
    "name",
    _no_title("NEW.name", "trim(NEW.name, ' ' || char(9, 10, 11, 12, 13, 160))"),
    _no_title("NEW.name", r"btrim(NEW.name, E' \t\n\x0B\x0C\r\u00A0')"),
)
_NUL = Rule("nul", "instr(NEW.name, char(0)) OR instr(NEW.text, char(0))", None)
_PRIORITIES = ", ".join(f"'{n}'" for n in range(11))
_PRIORITY = Rule(
    "priority",
    "NOT CASE typeof(NEW.priority) WHEN 'text'"
    f" THEN trim(NEW.priority) IN ({_PRIORITIES})"
    " WHEN 'null' THEN 0 WHEN 'blob' THEN 0"
    " ELSE NEW.priority BETWEEN 0 AND 10 AND NEW.priority = CAST(NEW.priority AS INTEGER) END",
    "NEW.priority IS NULL OR NEW.priority NOT BETWEEN 0 AND 10",
)
_SENTINELS = "IN ('ANY', 'NOONE')"
_ASSIGNEE = Rule(
    "assignee_email",
    f"{sqlite_assignee('NEW')} NOT {_SENTINELS} AND NOT EXISTS (SELECT 1 FROM members m"
    f" WHERE m.email = {sqlite_assignee('NEW')} AND {_PERSON})",
    f"live_assignee(NEW.assignee_email) NOT {_SENTINELS} AND NOT EXISTS (SELECT 1 FROM members m"
    f" WHERE m.email = live_assignee(NEW.assignee_email) AND {_PERSON})",
)


def _day(value: str) -> str:
    """Return whether SQLite would read a text back as the very same day."""
    digits = "-".join("[0-9]" * n for n in (4, 2, 2))
    # Without the modifier date() gives the 30th of February back as it is.
    return f"{value} GLOB '{digits}' AND date({value}, '+0 days') IS {value} AND {value} >= '0001'"


def _date(name: str) -> Rule:
    return Rule(
        name,
        f"NEW.{name} IS NOT NULL AND NOT (typeof(NEW.{name}) = 'text' AND {_day(f'NEW.{name}')})",
        f"NEW.{name} NOT BETWEEN '0001-01-01' AND '9999-12-31'",
    )


_MIDNIGHTS = "'', ' 00:00', ' 00:00:00', ' 00:00:00.000000', 'T00:00', 'T00:00:00'"
_CLOSED = Rule(
    "date_closed",
    "NEW.date_closed IS NOT NULL AND NOT (typeof(NEW.date_closed) = 'text'"
    f" AND substr(NEW.date_closed, 11) IN ({_MIDNIGHTS})"
    f" AND {_day('substr(NEW.date_closed, 1, 10)')})",
    "NEW.date_closed NOT BETWEEN '0001-01-01' AND '9999-12-31'"
    " OR NEW.date_closed <> date_trunc('day', NEW.date_closed)",
)


def _amount(name: str) -> Rule:
    new = f"NEW.{name}"
    return Rule(
        name,
        f"{new} IS NOT NULL AND NOT CASE typeof({new}) WHEN 'blob' THEN 0 WHEN 'text'"
        f" THEN {new} GLOB '[0-9]*' AND {new} NOT GLOB '*[^0-9.]*' AND {new} NOT GLOB '*.*.*'"
        f" AND CAST({new} AS REAL) < {MOST} ELSE {new} >= 0 AND {new} < {MOST} END",
        f"{new} < 0 OR {new} >= {MOST}",
    )


def _tags(*, update: bool) -> tuple[Rule, Rule]:
    """Only labels that are added are asked about: a task keeps what it has."""
    kept = (
        " AND trim(e.value) NOT IN"  # no NULL in the list: NOT IN would never be true
        f" (SELECT coalesce(trim(e.value), '') FROM {sqlite_labels('OLD')})"
    )
    sqlite = (
        f"EXISTS (SELECT 1 FROM {sqlite_labels('NEW')} WHERE trim(e.value) <> ''"
        f"{kept if update else ''} AND <<>>)"
    )
    old = "OLD.tags" if update else "NULL"
    by_id = "g.id = CAST(substr(trim(e.value), 2) AS INTEGER) AND '#' || g.id = trim(e.value)"
    return (
        Rule(
            "tags_unknown",
            sqlite.replace(
                "<<>>",
                f"CASE WHEN trim(e.value) GLOB '#*'"
                f" THEN NOT EXISTS (SELECT 1 FROM tags g WHERE {by_id})"
                " ELSE NOT EXISTS (SELECT 1 FROM tags g WHERE g.label = trim(e.value)"
                " AND g.removed_at IS NULL) END",
            ),
            f"live_tags_amiss(NEW.tags, {old}) = 'unknown'",
        ),
        Rule(
            "tags_removed",
            sqlite.replace(
                "<<>>",
                "trim(e.value) GLOB '#*'"
                f" AND EXISTS (SELECT 1 FROM tags g WHERE {by_id} AND g.removed_at IS NOT NULL)",
            ),
            f"live_tags_amiss(NEW.tags, {old}) = 'removed'",
        ),
    )


def _people(name: str) -> Rule:
    return Rule(
        name,
        f"EXISTS (SELECT 1 FROM {sqlite_people(name)} AND NOT EXISTS (SELECT 1 FROM members m"
        f" WHERE m.email = lower(trim(e.value)) AND {_PERSON}))",
        f"live_strangers(NEW.{name})",
        when=f"NEW.{name} IS NOT NULL",
    )


_STATUS_GIVEN = "NEW.status IS NULL OR NEW.status NOT IN ('active', 'done')"


def _if_changed(rule: Rule, column: str = "") -> Rule:
    return Rule(rule.text, rule.sqlite, rule.postgresql, when=f"<<changed {column or rule.text}>>")


def _if_given(rule: Rule, column: str = "") -> Rule:
    name = column or rule.text
    return Rule(rule.text, rule.sqlite, rule.postgresql, when=f"NEW.{name} IS NOT NULL")


UPDATE: Sequence[Rule] = (
    *(
        Rule(f"fixed_{name}", f"<<changed {name}>>", f"<<changed {name}>>")
        for name in COLUMNS
        if name not in SETTABLE
    ),
    *(_if_changed(rule, column) for rule, column in ((_NAME, ""), (_NUL, "name"))),
    _if_changed(Rule("status", _STATUS_GIVEN, _STATUS_GIVEN)),
    *(
        _if_changed(rule)
        for rule in (
            _PRIORITY,
            _date("date_start"),
            _date("date_end"),
            _CLOSED,
            _amount("max_time"),
            _amount("max_money"),
            _ASSIGNEE,
        )
    ),
    *(_if_changed(rule, "tags") for rule in _tags(update=True)),
)

_NOT_GIVEN = ("id", "level", "date_added", "date_closed", "url", "sync_state", "sync_error")

_HAS_PARENT = "(NEW.parent_id IS NOT NULL OR NEW.parent_ref IS NOT NULL)"


def _both(text: str, condition: str, when: str = "") -> Rule:
    return Rule(text, condition, condition, when)


INSERT: Sequence[Rule] = (
    *(_both(f"new_{name}", f"NEW.{name} IS NOT NULL") for name in _NOT_GIVEN),
    _both("new_status", "NEW.status <> 'active'"),
    _NAME,
    _NUL,
    *(_if_given(rule) for rule in (_PRIORITY, _date("date_start"), _date("date_end"))),
    *(_if_given(rule) for rule in (_amount("max_time"), _amount("max_money"))),
    Rule("text", "length(NEW.text) > 65536", "char_length(NEW.text) > 65536"),
    _if_given(
        Rule(
            "checklist",
            "CASE WHEN NOT json_valid(NEW.checklist) THEN 1"
            " WHEN json_type(NEW.checklist) <> 'array' THEN 1"
            " ELSE EXISTS (SELECT 1 FROM json_each(NEW.checklist) e WHERE e.type <> 'text') END",
            "live_checklist_amiss(NEW.checklist)",
        )
    ),
    _if_given(_ASSIGNEE),
    Rule(
        "author_email",
        "NOT EXISTS (SELECT 1 FROM members m"
        f" WHERE m.email = lower(trim(NEW.author_email)) AND {_PERSON})",
        "NOT EXISTS (SELECT 1 FROM members m"
        f" WHERE m.email = lower(btrim(NEW.author_email)) AND {_PERSON})",
        when="NEW.author_email IS NOT NULL",
    ),
    *(_people(name) for name in WRITE_ONLY if name != "checklist"),
    *(_if_given(rule, "tags") for rule in _tags(update=False)),
    _both("parent_twice", "NEW.parent_id IS NOT NULL AND NEW.parent_ref IS NOT NULL"),
    _both("parent_id", "<<parent_project>> IS NULL", when="NEW.parent_id IS NOT NULL"),
    _both("parent_ref", "<<parent_project>> IS NULL", when="NEW.parent_ref IS NOT NULL"),
    _both(
        "parent_project",
        "NEW.project_id <> <<parent_project>>",
        when=f"NEW.project_id IS NOT NULL AND {_HAS_PARENT}",
    ),
    _both("parent_level", "<<parent_level>> > 2", when=_HAS_PARENT),
    _both("parent_done", "<<parent_status>> = 'done'", when=_HAS_PARENT),
    _both("project_missing", f"NEW.project_id IS NULL AND NOT {_HAS_PARENT}"),
    _both(
        "project_id",
        "NOT EXISTS (SELECT 1 FROM projects j WHERE j.removed_at IS NULL"
        " AND j.id = coalesce(NEW.project_id, <<parent_project>>))",
    ),
)
