"""`live_conflicts` and its triggers on PostgreSQL: an editor needs rights on the view alone."""

from __future__ import annotations

from syncd.store.live.columns import SETTABLE
from syncd.store.live.conflicts import CONFLICT_COMMENTS, WAITING, conflicts_view, other_columns
from syncd.store.live.guards import words
from syncd.store.live.postgresql import described, pinned
from syncd.store.live.showing import MADE
from syncd.store.live.texts import fill, literal

_SIDES = """
  SELECT o.id AS change_id, o.task_id, coalesce(o.ref, m.ref) AS ref, o.error_code AS code,
    CASE WHEN t.id IS NULL THEN 1 ELSE 0 END AS gone, e.key AS field,
    CASE WHEN o.base ? e.key THEN 1 ELSE 0 END AS base_known,
    CASE WHEN o.base ? e.key THEN <<base>> END AS base,
    <<mine>> AS mine,
    <<theirs>> AS theirs,
    <<base_tags>> AS base_tags,
    <<mine_tags>> AS mine_tags
  FROM outbox o
  CROSS JOIN LATERAL jsonb_object_keys(o.fields) e (key)
  LEFT JOIN tasks t ON t.id = o.task_id AND t.removed_at IS NULL
  LEFT JOIN members b ON b.id = t.assignee_id
  LEFT JOIN outbox m ON m.task_id = o.task_id AND <<made>>
  WHERE o.task_id IS NOT NULL AND <<waiting>> AND e.key IN (<<fields>>)
"""

_SAID = """CASE
      WHEN e.key = 'tags' THEN (SELECT string_agg(a.label, ',' ORDER BY a.label COLLATE "C")
        FROM (SELECT coalesce(g.label, CASE WHEN n.id IS NULL THEN '' ELSE '#' END || i.tag)
            AS label
          FROM jsonb_array_elements_text(<<tags>>) i (tag)
          CROSS JOIN LATERAL (
            SELECT CASE WHEN i.tag ~ '^[0-9]{1,18}$' THEN i.tag::bigint END) n (id)
          LEFT JOIN tags g ON g.id = n.id) a)
      WHEN e.key IN ('priority', 'max_time', 'max_money') THEN CASE
        WHEN <<value>> ~ '^[0-9]{1,15}([.][0-9]+)?$'
        THEN trim_scale(round(<<value>>::numeric, 4))::text ELSE <<value>> END
      WHEN e.key IN ('date_start', 'date_end', 'date_closed') THEN left(<<value>>, 10)
      WHEN e.key = 'assignee_email' THEN CASE
        WHEN upper(btrim(coalesce(<<value>>, 'NOONE'))) IN ('ANY', 'NOONE')
        THEN upper(btrim(coalesce(<<value>>, 'NOONE'))) ELSE lower(btrim(<<value>>)) END
      ELSE <<value>> END"""

_THEIRS = """CASE WHEN t.id IS NULL THEN NULL ELSE CASE e.key
      WHEN 'name' THEN t.name
      WHEN 'status' THEN t.status
      WHEN 'priority' THEN t.priority::text
      WHEN 'assignee_email' THEN CASE WHEN coalesce(t.assignee_id, 0) IN (0, 1) THEN 'NOONE'
        WHEN t.assignee_id = 2 THEN 'ANY' ELSE coalesce(b.email, '#' || t.assignee_id) END
      WHEN 'date_start' THEN to_char(t.date_start, 'YYYY-MM-DD')
      WHEN 'date_end' THEN to_char(t.date_end, 'YYYY-MM-DD')
      WHEN 'date_closed' THEN to_char(t.date_closed, 'YYYY-MM-DD')
      WHEN 'max_time' THEN trim_scale(t.max_time)::text
      WHEN 'max_money' THEN trim_scale(t.max_money)::text
      WHEN 'tags' THEN (SELECT string_agg(coalesce(g.label, '#' || l.tag_id), ','
          ORDER BY coalesce(g.label, '#' || l.tag_id) COLLATE "C")
        FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id WHERE l.task_id = t.id)
      END END"""

_TAGS = """CASE jsonb_typeof(o.<<doc>> -> 'tags') WHEN 'array' THEN o.<<doc>> -> 'tags'
      ELSE '[]' END"""

_ONE_LEFT = """EXISTS (SELECT 1 FROM jsonb_array_elements(c.<<these>>) a (tag)
        WHERE a.tag NOT IN (SELECT d.tag FROM jsonb_array_elements(c.<<but>>) d (tag))
        AND a.tag <<shown>> (SELECT to_jsonb(k.tag_id) FROM task_tags k
          WHERE k.task_id = c.task_id))"""

_TITLE = (
    r"btrim(replace(replace(replace(<<x>>, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '),"
    r" E' \t\n\x0B\x0C')"
)

_UPDATE = """
CREATE OR REPLACE FUNCTION live_conflicts_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $body$
BEGIN
  IF <<others>> THEN
    RAISE EXCEPTION USING MESSAGE = <<fixed>>, ERRCODE = 'check_violation', DETAIL = <<detail>>;
  END IF;
  IF NEW.keep NOT IN ('mine', 'theirs') THEN
    RAISE EXCEPTION USING MESSAGE = <<keep>>, ERRCODE = 'check_violation', DETAIL = <<detail>>;
  END IF;
  IF NEW.keep = 'mine' AND OLD.why = 'removed' THEN
    RAISE EXCEPTION USING MESSAGE = <<removed>>, ERRCODE = 'check_violation', DETAIL = <<detail>>;
  END IF;
  IF NEW.keep IS NOT DISTINCT FROM OLD.keep THEN
    RETURN NEW;
  END IF;
  IF NEW.keep IS NULL THEN
    DELETE FROM outbox_choices h WHERE h.field = OLD.field AND h.change_id IN
      (SELECT o.id FROM outbox o WHERE o.task_id = OLD.task_id AND <<waiting>>);
    RETURN NEW;
  END IF;
  INSERT INTO outbox_choices (change_id, field, keep, theirs, chosen_at, chosen_by)
  SELECT o.id, OLD.field, NEW.keep, OLD.theirs, clock_timestamp(), outbox_actor() FROM outbox o
  WHERE o.task_id = OLD.task_id AND <<waiting>> AND o.fields ? OLD.field ORDER BY o.id
  ON CONFLICT (change_id, field) DO UPDATE SET keep = excluded.keep, theirs = excluded.theirs,
    chosen_at = excluded.chosen_at, chosen_by = excluded.chosen_by;
  PERFORM pg_notify('syncd_outbox', current_schema());
  NEW.chosen_by := outbox_actor();
  RETURN NEW;
END $body$"""

_TRIGGER = """
CREATE OR REPLACE TRIGGER live_conflicts_update INSTEAD OF UPDATE ON live_conflicts
FOR EACH ROW EXECUTE FUNCTION live_conflicts_update()"""

_REFUSE = """
CREATE OR REPLACE TRIGGER live_conflicts_<<verb>> INSTEAD OF <<verb>> ON live_conflicts
FOR EACH ROW EXECUTE FUNCTION outbox_refuses(<<refusal>>)"""

SAYS = "The conflicts, one row for each field to choose. UPDATE of keep chooses."


def conflicts_on_postgresql() -> list[str]:
    """Return the statements that make the view, its triggers and their comments."""
    return [
        conflicts_view("CREATE OR REPLACE", sides=_sides(), left=_left(), title=_TITLE),
        fill(
            _UPDATE,
            others=other_columns("IS DISTINCT FROM"),
            fixed=literal("conflict_fixed"),
            keep=literal("conflict_keep"),
            removed=literal("conflict_removed"),
            detail="'change ' || OLD.change_id || ': ' || OLD.field",
            waiting=WAITING,
        ),
        _TRIGGER,
        *(
            fill(_REFUSE, verb=verb, refusal=literal(f"conflict_{verb}"))
            for verb in ("insert", "delete")
        ),
        pinned("live_conflicts_update"),
        *described("live_conflicts", SAYS, CONFLICT_COMMENTS),
    ]


def _sides() -> str:
    tags = {name: fill(_TAGS, doc=name) for name in ("base", "fields")}
    return fill(
        _SIDES,
        base=_said("base"),
        mine=_said("fields"),
        theirs=_THEIRS,
        base_tags=tags["base"],
        mine_tags=tags["fields"],
        made=MADE,
        waiting=WAITING,
        fields=words(SETTABLE),
    )


def _said(document: str) -> str:
    """Return a value of a change as `live_tasks` would show it, as text."""
    return fill(_SAID, tags=fill(_TAGS, doc=document), value=f"(o.{document} ->> e.key)")


def _left() -> str:
    """Return whether something of our edit of the tags is not in theirs."""
    put_on = fill(_ONE_LEFT, these="last_tags", but="first_tags", shown="NOT IN")
    taken_off = fill(_ONE_LEFT, these="first_tags", but="last_tags", shown="IN")
    return f"{put_on}\n      OR {taken_off}"
