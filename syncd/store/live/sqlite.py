"""The INSTEAD OF triggers on SQLite.

A trigger here has no variables and no WITH: every value is an expression, written where it is
needed and put together by the functions below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncd.store.live import rules
from syncd.store.live.columns import COLUMNS, SETTABLE
from syncd.store.live.guards import SQLITE_ACTOR, SQLITE_NOW
from syncd.store.live.rules import (
    Rule,
    changed,
    sqlite_amount,
    sqlite_assignee,
    sqlite_people,
    sqlite_tag_ids,
)
from syncd.store.live.texts import fill, literal
from syncd.store.outbox import STANDING

_UPDATED = tuple(name for name in SETTABLE if name != "status")

_QUEUE = """INSERT INTO outbox (operation, task_id, ref, fields, base, state, attempts, created_at,
    created_by, batch, depends_on)
  SELECT <<operation>>, <<task>>, <<ref>>, <<fields>>, <<base>>, 'queued', 0, <<now>>,
    <<actor>>, strftime('%Y%m%dT%H%M%f', 'now'), <<depends_on>>
  WHERE <<where>>;"""
"""`now` stands still during one statement (sqlite.org/lang_datefunc.html): it names the batch."""


def triggers_on_sqlite() -> list[str]:
    """Return the three triggers of the gate."""
    return [_update(), _insert(), _delete()]


def _refusals(all_rules: Sequence[Rule], **parts: str) -> str:
    """Return one statement that raises for the first rule that is broken."""
    arms = []
    for rule in all_rules:
        if rule.sqlite is not None:
            test = f"({rule.when}) AND ({rule.sqlite})" if rule.when else rule.sqlite
            arms.append(f"    WHEN {test}\n      THEN RAISE(ABORT, {literal(rule.text)})")
    written = fill("\n".join(arms), **parts)
    for name in COLUMNS:
        written = written.replace(f"<<changed {name}>>", changed(name, "sqlite"))
    return f"SELECT CASE\n{written}\n  END;"


def _queue(operation: str, where: str, **parts: str) -> str:
    common = {"operation": f"'{operation}'", "now": SQLITE_NOW, "actor": SQLITE_ACTOR}
    return fill(_QUEUE, **common, where=where, **parts)


# --- UPDATE

_CREATION = """(SELECT c.<<column>> FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1)"""


def _update() -> str:
    """Queue what differs: reopen, then the fields, then complete.

    A date_closed that comes with `done` goes last: completing sets that date itself.
    """
    status = changed("status", "sqlite")
    completes = f"({status} AND NEW.status = 'done')"
    dated = f"({completes} AND {_differs('date_closed')})"
    target = {
        "task": "OLD.id",
        "ref": "CASE WHEN OLD.id IS NULL THEN OLD.ref END",
        "depends_on": fill(_CREATION, column="id"),
    }
    as_status = {"fields": "json_object('status', NEW.status)", "base": _base(["status"])}
    fields = {"fields": _object(_new(_UPDATED)), "base": _base(_UPDATED)}
    any_field = f"({' OR '.join(_differs(name) for name in _UPDATED)})"
    steps = (
        _queue("reopen", f"{status} AND NEW.status = 'active'", **target, **as_status),
        _queue("update", f"NOT {dated} AND {any_field}", **target, **fields),
        _queue("complete", completes, **target, **as_status),
        _queue("update", dated, **target, **fields),
    )
    body = "\n  ".join((_refusals(rules.UPDATE), *steps))
    return (
        f"\nCREATE TRIGGER live_tasks_update INSTEAD OF UPDATE ON live_tasks\nBEGIN\n  {body}\nEND"
    )


def _differs(name: str) -> str:
    """Return the condition that the effective value is to change, whatever form it came in."""
    match name:
        case "assignee_email":
            exact = f"{sqlite_assignee('NEW')} <> {sqlite_assignee('OLD')}"
        case "tags":
            exact = f"{sqlite_tag_ids('NEW')} <> {sqlite_tag_ids('OLD')}"
        case "max_time" | "max_money":
            exact = f"{sqlite_amount('NEW', name)} IS NOT {sqlite_amount('OLD', name)}"
        case "priority":
            exact = "CAST(NEW.priority AS INTEGER) <> OLD.priority"
        case "date_closed":
            exact = "substr(NEW.date_closed, 1, 10) IS NOT substr(OLD.date_closed, 1, 10)"
        case "name":
            exact = "CAST(NEW.name AS TEXT) <> OLD.name"
        case _:
            return changed(name, "sqlite")
    return f"({changed(name, 'sqlite')} AND {exact})"


def _value(name: str, row: str = "NEW") -> str:
    """Return a value as JSON, in the form in which it is queued."""
    match name:
        case "assignee_email":
            return f"json_quote({sqlite_assignee(row)})"
        case "tags":
            return sqlite_tag_ids(row)
        case "max_time" | "max_money":
            return f"json_quote({sqlite_amount(row, name)})"
        case "priority":
            return f"json_quote(CAST({row}.priority AS INTEGER))"
        case "date_closed":
            return f"json_quote(substr({row}.date_closed, 1, 10))"
        case _:
            return f"json_quote('' || {row}.{name})"


def _new(names: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    return ((name, _value(name), _differs(name)) for name in names)


def _object(members: Iterable[tuple[str, str, str]]) -> str:
    """Return a JSON object of those (name, value, condition) whose condition holds."""
    parts = (
        f"""CASE WHEN {condition} THEN ',"{name}":' || {value} ELSE '' END"""
        for name, value, condition in members
    )
    return "'{' || substr(" + "\n      || ".join(parts) + ", 2) || '}'"


_MIRRORED = {
    "assignee_email": "coalesce((SELECT m.email FROM members m WHERE m.id = t.assignee_id),"
    " 'NOONE')",
    "date_closed": "substr(t.date_closed, 1, 10)",
}
_UNSAID = {"status": "'active'", "priority": "1", "assignee_email": "'NOONE'"}
"""What the account gives a new task by itself (API sheet, section 6.1)."""


def _base(names: Iterable[str]) -> str:
    """Return the mirror's values of what changes; for a pending creation, what it is to create."""
    return _object((name, _before(name), _differs(name)) for name in names)


def _before(name: str) -> str:
    if name == "tags":
        mirrored = (
            "(SELECT json_group_array(l.tag_id) FROM"
            " (SELECT tag_id FROM task_tags WHERE task_id = OLD.id ORDER BY 1) l)"
        )
        created = f"json_extract({fill(_CREATION, column='fields')}, '$.tags')"
        return f"CASE WHEN OLD.id IS NULL THEN coalesce({created}, '[]') ELSE {mirrored} END"
    column = _MIRRORED.get(name, f"t.{name}")
    created = f"json_extract({fill(_CREATION, column='fields')}, '$.{name}')"
    if name in _UNSAID:
        created = f"coalesce({created}, {_UNSAID[name]})"
    return (
        f"json_quote(CASE WHEN OLD.id IS NULL THEN {created}"
        f" ELSE (SELECT {column} FROM tasks t WHERE t.id = OLD.id) END)"
    )


# --- INSERT

_PARENT_TASK = """coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND <<standing>>))"""
_PARENT = f"""coalesce(
        (SELECT t.<<column>> FROM tasks t WHERE t.removed_at IS NULL AND t.id = {_PARENT_TASK}),
        (SELECT json_extract(p.fields, '$.<<column>>') FROM outbox p
          WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND <<standing>>))"""
_PARENT_STATUS = f"""coalesce(
        (SELECT json_extract(o.fields, '$.status') FROM outbox o
          WHERE o.task_id = {_PARENT_TASK} AND o.state NOT IN ('confirmed', 'cancelled')
            AND o.state <> 'failed' AND json_type(o.fields, '$.status') IS NOT NULL
          ORDER BY o.id DESC LIMIT 1),
        (SELECT t.status FROM tasks t WHERE t.id = {_PARENT_TASK}))"""
_PARENT_CREATION = """(SELECT p.id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND <<standing>>)"""


def _insert() -> str:
    standing = f"p.{STANDING.replace('state', 'p.state')}"
    parent = {
        "parent_project": fill(_PARENT, column="project_id", standing=standing),
        "parent_level": fill(_PARENT, column="level", standing=standing),
        "parent_status": fill(_PARENT_STATUS, standing=standing),
    }
    queue = _queue(
        "create",
        "1",
        task="NULL",
        ref="coalesce(nullif(NEW.ref, ''), 'new-' || lower(hex(randomblob(8))))",
        fields=_object(_given()),
        base="'{}'",
        depends_on=_PARENT_CREATION,
    )
    parent |= {"parent_task": _PARENT_TASK, "parent_creation": _PARENT_CREATION}
    body = fill(
        f"""SELECT RAISE(IGNORE) FROM outbox p WHERE p.ref = NEW.ref AND <<standing>>;
  {_refusals(rules.INSERT, **parent)}
  {fill(queue, **parent)}""",
        standing=standing,
    )
    return (
        f"\nCREATE TRIGGER live_tasks_insert INSTEAD OF INSERT ON live_tasks\nBEGIN\n  {body}\nEND"
    )


def _given() -> Iterable[tuple[str, str, str]]:
    """Return what a creation says: what was given, and what follows from the parent."""
    number = "json_quote(CAST(<<>> AS INTEGER))"
    yield (
        "project_id",
        number.replace("<<>>", "coalesce(NEW.project_id, <<parent_project>>)"),
        "1",
    )
    yield "parent_id", number.replace("<<>>", "<<parent_task>>"), "<<parent_task>> IS NOT NULL"
    yield "parent_ref", "json_quote(NEW.parent_ref)", "<<parent_creation>> IS NOT NULL"
    yield "level", "json_quote(coalesce(<<parent_level>>, 0) + 1)", "1"
    for name in ("name", "priority", "text", "date_start", "date_end", "max_time", "max_money"):
        yield (
            name,
            _value(name),
            f"NEW.{name} <> ''" if name == "text" else f"NEW.{name} IS NOT NULL",
        )
    yield "assignee_email", _value("assignee_email"), "NEW.assignee_email IS NOT NULL"
    yield (
        "author_email",
        "json_quote(lower(trim(NEW.author_email)))",
        "NEW.author_email IS NOT NULL",
    )
    yield "tags", _value("tags"), "trim(NEW.tags) <> ''"
    yield "checklist", "json(NEW.checklist)", "NEW.checklist IS NOT NULL"
    for name in ("subscribers", "hidden", "mentions"):
        people = (
            "(SELECT json_group_array(i.email) FROM"
            f" (SELECT DISTINCT lower(trim(e.value)) AS email FROM {sqlite_people(name)}"
            " ORDER BY 1) i)"
        )
        yield name, people, f"trim(NEW.{name}, ' ,') <> ''"


# --- DELETE


def _delete() -> str:
    return (
        "\nCREATE TRIGGER live_tasks_delete INSTEAD OF DELETE ON live_tasks\nBEGIN\n"
        f"  SELECT RAISE(ABORT, {literal('delete')});\nEND"
    )
