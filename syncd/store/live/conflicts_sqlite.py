"""`live_conflicts` and its triggers on SQLite."""

from __future__ import annotations

from syncd.store.live.columns import SETTABLE
from syncd.store.live.conflicts import WAITING, conflicts_view, other_columns
from syncd.store.live.guards import SQLITE_ACTOR, SQLITE_NOW, words
from syncd.store.live.showing import MADE
from syncd.store.live.texts import fill, literal

_SIDES = """
  SELECT o.id AS change_id, o.task_id, coalesce(o.ref, m.ref) AS ref, o.error_code AS code,
    t.id IS NULL AS gone, e.key AS field,
    json_type(o.base, '$.' || e.key) IS NOT NULL AS base_known,
    CASE WHEN json_type(o.base, '$.' || e.key) IS NOT NULL THEN <<base>> END AS base,
    <<mine>> AS mine,
    <<theirs>> AS theirs,
    <<base_tags>> AS base_tags,
    <<mine_tags>> AS mine_tags
  FROM outbox o
  JOIN json_each(o.fields) e
  LEFT JOIN tasks t ON t.id = o.task_id AND t.removed_at IS NULL
  LEFT JOIN members b ON b.id = t.assignee_id
  LEFT JOIN outbox m ON m.task_id = o.task_id AND <<made>>
  WHERE o.task_id IS NOT NULL AND <<waiting>> AND e.key IN (<<fields>>)
"""

_SAID = """CASE
      WHEN e.key = 'tags' THEN (SELECT group_concat(label, ',') FROM (
        SELECT coalesce(g.label, CASE a.type WHEN 'integer' THEN '#' ELSE '' END || a.value)
          AS label FROM json_each(<<tags>>) a LEFT JOIN tags g ON g.id = a.value ORDER BY 1))
      WHEN e.key IN ('priority', 'max_time', 'max_money') THEN <<number>>
      WHEN e.key IN ('date_start', 'date_end', 'date_closed') THEN substr(<<value>>, 1, 10)
      WHEN e.key = 'assignee_email' THEN CASE
        WHEN upper(trim(coalesce(<<value>>, 'NOONE'))) IN ('ANY', 'NOONE')
        THEN upper(trim(coalesce(<<value>>, 'NOONE'))) ELSE lower(trim(<<value>>)) END
      ELSE <<value>> END"""

_THEIRS = """CASE WHEN t.id IS NULL THEN NULL ELSE CASE e.key
      WHEN 'name' THEN t.name
      WHEN 'status' THEN t.status
      WHEN 'priority' THEN CAST(t.priority AS TEXT)
      WHEN 'assignee_email' THEN CASE WHEN coalesce(t.assignee_id, 0) IN (0, 1) THEN 'NOONE'
        WHEN t.assignee_id = 2 THEN 'ANY' ELSE coalesce(b.email, '#' || t.assignee_id) END
      WHEN 'date_start' THEN t.date_start
      WHEN 'date_end' THEN t.date_end
      WHEN 'date_closed' THEN substr(t.date_closed, 1, 10)
      WHEN 'max_time' THEN <<max_time>>
      WHEN 'max_money' THEN <<max_money>>
      WHEN 'tags' THEN (SELECT group_concat(label, ',') FROM (
        SELECT coalesce(g.label, '#' || l.tag_id) AS label FROM task_tags l
        LEFT JOIN tags g ON g.id = l.tag_id WHERE l.task_id = t.id ORDER BY 1))
      END END"""

_NUMBER = """CASE WHEN <<x>> IS NULL THEN NULL
        WHEN round(CAST(<<x>> AS REAL), 4) = CAST(round(CAST(<<x>> AS REAL), 4) AS INTEGER)
        THEN CAST(CAST(round(CAST(<<x>> AS REAL), 4) AS INTEGER) AS TEXT)
        ELSE CAST(round(CAST(<<x>> AS REAL), 4) AS TEXT) END"""

_TAGS = """CASE json_type(o.<<doc>>, '$.tags') WHEN 'array'
      THEN json_extract(o.<<doc>>, '$.tags') END"""

_ONE_LEFT = """EXISTS (SELECT 1 FROM json_each(c.<<these>>) a
        WHERE a.value NOT IN (SELECT d.value FROM json_each(c.<<but>>) d)
        AND a.value <<shown>> (SELECT k.tag_id FROM task_tags k WHERE k.task_id = c.task_id))"""

_TITLE = (
    "trim(replace(replace(replace(<<x>>, char(13, 10), char(10)), char(13), char(10)),"
    " char(160), ' '), ' ' || char(9, 10, 11, 12))"
)

_UPDATE = """
CREATE TRIGGER live_conflicts_update INSTEAD OF UPDATE ON live_conflicts
BEGIN
  SELECT CASE
    WHEN <<others>>
      THEN RAISE(ABORT, <<fixed>>)
    WHEN NEW.keep NOT IN ('mine', 'theirs')
      THEN RAISE(ABORT, <<keep>>)
    WHEN NEW.keep = 'mine' AND OLD.why = 'removed'
      THEN RAISE(ABORT, <<removed>>)
  END;
  DELETE FROM outbox_choices WHERE NEW.keep IS NOT OLD.keep AND field = OLD.field
    AND change_id IN (SELECT o.id FROM outbox o WHERE o.task_id = OLD.task_id AND <<waiting>>);
  INSERT INTO outbox_choices (change_id, field, keep, theirs, chosen_at, chosen_by)
  SELECT o.id, OLD.field, NEW.keep, OLD.theirs, <<now>>, <<actor>> FROM outbox o
  WHERE NEW.keep IS NOT NULL AND NEW.keep IS NOT OLD.keep AND o.task_id = OLD.task_id
    AND <<waiting>> AND json_type(o.fields, '$.' || OLD.field) IS NOT NULL;
END"""

_REFUSE = """
CREATE TRIGGER live_conflicts_<<verb>> INSTEAD OF <<verb>> ON live_conflicts
BEGIN
  SELECT RAISE(ABORT, <<refusal>>);
END"""


def conflicts_on_sqlite() -> list[str]:
    """Return the statements that make the view and its triggers."""
    return [
        conflicts_view("CREATE", sides=_sides(), left=_left(), title=_TITLE),
        fill(
            _UPDATE,
            others=other_columns("IS NOT"),
            fixed=literal("conflict_fixed"),
            keep=literal("conflict_keep"),
            removed=literal("conflict_removed"),
            waiting=WAITING,
            now=SQLITE_NOW,
            actor=SQLITE_ACTOR,
        ),
        *(
            fill(_REFUSE, verb=verb, refusal=literal(f"conflict_{verb}"))
            for verb in ("insert", "delete")
        ),
    ]


def _sides() -> str:
    tags = {name: fill(_TAGS, doc=name) for name in ("base", "fields")}
    return fill(
        _SIDES,
        base=_said("base"),
        mine=_said("fields"),
        theirs=fill(_THEIRS, **{name: _number(f"t.{name}") for name in ("max_time", "max_money")}),
        base_tags=tags["base"],
        mine_tags=tags["fields"],
        made=MADE,
        waiting=WAITING,
        fields=words(SETTABLE),
    )


def _said(document: str) -> str:
    """Return a value of a change as `live_tasks` would show it, as text."""
    value = f"json_extract(o.{document}, '$.' || e.key)"
    return fill(_SAID, tags=fill(_TAGS, doc=document), number=_number(value), value=value)


def _number(value: str) -> str:
    return fill(_NUMBER, x=value)


def _left() -> str:
    """Return whether something of our edit of the tags is not in theirs."""
    put_on = fill(_ONE_LEFT, these="last_tags", but="first_tags", shown="NOT IN")
    taken_off = fill(_ONE_LEFT, these="first_tags", but="last_tags", shown="IN")
    return f"{put_on}\n      OR {taken_off}"
