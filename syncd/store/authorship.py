"""Who made the changes that stand in `task_history_fields`, by what the account's feed has told.

The one place of this rule, in SQL, since it is asked of many changes at once. It is that of
`services.authors`, which looks at one task and at values that no version holds yet. A change and
what is told of it come in either order; whoever writes the one or the other calls this, in the
same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, text

from syncd.store.mirror import batches
from syncd.store.report.dialect import POSTGRESQL, SQLITE, Dialect
from syncd.store.types import Id, Instant


def name_seen(tx: Connection, at: datetime) -> None:
    """Name the authors of the changes that were seen at an instant."""
    tx.execute(text(_naming(_dialect(tx), "c.at = :seen_at")).bindparams(_seen_at), {"seen_at": at})


def name_told(tx: Connection, task_ids: Iterable[int]) -> None:
    """Name the authors of the changes of these tasks, of which more has been told now."""
    statement = text(_naming(_dialect(tx), "c.task_id IN :ids")).bindparams(_ids)
    for batch in batches(sorted(set(task_ids))):
        tx.execute(statement, {"ids": batch})


def name_all(tx: Connection) -> None:
    """Name all authors anew: when the events were is known otherwise now, or not at all."""
    forget = "UPDATE task_history_fields SET author = NULL, author_id = NULL"
    tx.execute(text(f"{forget} WHERE author IS NOT NULL OR author_id IS NOT NULL"))
    tx.execute(text(_naming(_dialect(tx), "1 = 1")))


_NAMING = (
    "UPDATE task_history_fields AS c SET author = e.member_name, author_id = e.member_id"
    " FROM activity e WHERE {}"
)
_EVENT = (
    "(SELECT a.id FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND {}"
    " ORDER BY a.at DESC, a.id DESC LIMIT 1)"
)
_seen_at = bindparam("seen_at", type_=Instant)
_ids = bindparam("ids", type_=Id, expanding=True)


def _dialect(tx: Connection) -> Dialect:
    return POSTGRESQL if tx.dialect.name == POSTGRESQL.name else SQLITE


def _naming(d: Dialect, which: str) -> str:
    """Return an update of those changes `c` whose author is known and not named so yet."""
    named = f"{d.differ('c.author', 'e.member_name')} OR {d.differ('c.author_id', 'e.member_id')}"
    return _NAMING.format(f"{which} AND e.id = {_event(d)} AND ({named})")


def _event(d: Dialect) -> str:
    """Return the event that told of change `c`: that very value, at a time that fits.

    Stamps are minutes; without the account's time zone none can be held against a version, so
    nobody is named then.
    """
    minute = "(c.valid_from - interval '1 minute')"
    if d is not POSTGRESQL:
        whole = "substr(c.valid_from, 1, 23)"
        minute = f"strftime('%Y-%m-%d %H:%M:%f', {whole}, '-60 seconds') || '000'"
    return _EVENT.format(f"a.at > {minute} AND a.at <= c.at AND {_told(d)}")


def _told(d: Dialect) -> str:
    """Return whether event `a` told that the field of change `c` became what it is."""
    if d is POSTGRESQL:
        plain, name = "a.new ->> c.field", "coalesce(a.new ->> 'title', a.new ->> 'name')"
        member = "a.new -> 'user_to' ->> 'id'"
        tags = (
            """(SELECT string_agg(e, ',' ORDER BY e COLLATE "C") FROM jsonb_array_elements_text("""
            "CASE jsonb_typeof(a.new -> 'tags') WHEN 'array' THEN a.new -> 'tags' END) e)"
        )
        wanted = d.labels_in("CASE c.field WHEN 'tags' THEN c.new::jsonb END")
        has_tags = "jsonb_typeof(a.new -> 'tags') = 'array'"
    else:
        plain = "CAST(json_extract(a.new, '$.' || c.field) AS TEXT)"
        name = "coalesce(json_extract(a.new, '$.title'), json_extract(a.new, '$.name'))"
        member = "CAST(json_extract(a.new, '$.user_to.id') AS TEXT)"
        tags = (
            "(SELECT group_concat(value, ',') FROM"
            " (SELECT value FROM json_each(a.new, '$.tags') ORDER BY 1))"
        )
        wanted = d.labels_in("CASE c.field WHEN 'tags' THEN c.new END")
        has_tags = "json_type(a.new, '$.tags') = 'array'"
    return (
        "CASE c.field WHEN 'status' THEN"
        " a.action = CASE c.new WHEN 'done' THEN 'close' ELSE 'reopen' END"
        " WHEN 'removed_reason' THEN a.action = 'delete' AND c.new IS NOT NULL"
        f" WHEN 'name' THEN {name} = c.new"
        f" WHEN 'assignee_email' THEN {member} = c.new"
        f" WHEN 'tags' THEN {has_tags} AND coalesce({tags}, '') = coalesce({wanted}, '')"
        f" WHEN 'time_start' THEN {plain} = coalesce(substr(c.new, 1, 5), '')"
        f" WHEN 'time_end' THEN {plain} = coalesce(substr(c.new, 1, 5), '')"
        f" ELSE {plain} = coalesce(c.new, '') END"
    )
