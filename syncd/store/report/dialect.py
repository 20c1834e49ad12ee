"""The pieces of SQL in which SQLite (3.35 and later) and PostgreSQL (14 and later) differ.

Each piece says by its name what it gives; nothing in it looks at the time zone, the date style or
the language of whoever reads. Instants of SQLite are texts in UTC with six digits of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

SEPARATOR = "\n--;;\n"
"""Stands between the statements of a frozen copy."""


class Dialect(Protocol):
    """What a view asks of its database."""

    @property
    def name(self) -> str:
        """Return sqlite or postgresql."""

    @property
    def now(self) -> str:
        """Return the present instant."""

    @property
    def clock(self) -> str:
        """Return a SELECT of how far the account's clock is ahead of UTC, from which instants on.

        It is to be named `clock` in a WITH: `ahead`, `local` and `local_day` look there.
        """

    @property
    def zone(self) -> str:
        """Return the name of the account's time zone, of a row `s` of sync_state."""

    def differ(self, one: str, other: str) -> str:
        """Return a condition that takes NULL for a value like any other."""

    def day(self, moment: str) -> str:
        """Return the date of a wall clock time."""

    def ahead(self, instant: str) -> str:
        """Return how many seconds the account's clock is ahead of UTC at an instant."""

    def local(self, instant: str) -> str:
        """Return the account's wall clock time of an instant, to the second."""

    def local_day(self, instant: str) -> str:
        """Return the account's date of an instant."""

    def days(self, later: str, earlier: str) -> str:
        """Return the whole days from one date to another."""

    def plus_days(self, day: str, days: int) -> str:
        """Return the date so many days later."""

    def later(self, day: str, days: str) -> str:
        """Return the date as many days later as a value says."""

    def numbers(self, count: str) -> str:
        """Return a table `e` whose column `key` holds 0, 1 and so on, as many as told."""

    def monday(self, day: str) -> str:
        """Return the Monday of a date's week, as ISO 8601 counts weeks."""

    def seconds(self, moment: str) -> str:
        """Return whole seconds since 1970 of an instant or of a wall clock time."""

    def hours(self, seconds: str) -> str:
        """Return hours with two digits of whole seconds, exact on both databases."""

    def number(self, value: str, digits: int = 4) -> str:
        """Return a sum of decimals without the noise of binary fractions."""

    def smaller(self, one: str, other: str) -> str:
        """Return the smaller of two values, none of them NULL."""

    def larger(self, one: str, other: str) -> str:
        """Return the larger of two values, none of them NULL."""

    def labels(self, task: str) -> str:
        """Return the labels of a task's tags, sorted, joined by commas."""

    def labels_in(self, ids: str) -> str:
        """Return the labels of the tags in a JSON array of ids, sorted, joined by commas."""


@dataclass(frozen=True, slots=True)
class _Sqlite:
    name: str = "sqlite"
    now: str = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'"
    clock: str = (
        "SELECT json_extract(e.value, '$[0]') AS from_at, json_extract(e.value, '$[1]') AS seconds"
        " FROM sync_state s, json_each(s.value, '$.offsets') e WHERE s.name = 'clock'"
    )
    zone: str = "json_extract(s.value, '$.zone')"

    def differ(self, one: str, other: str) -> str:
        return f"{one} IS NOT {other}"

    def day(self, moment: str) -> str:
        return f"substr({moment}, 1, 10)"

    def ahead(self, instant: str) -> str:
        return (
            f"coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= {instant}"
            " ORDER BY c.from_at DESC LIMIT 1), 0)"
        )

    def local(self, instant: str) -> str:
        return f"datetime(substr({instant}, 1, 19), {self.ahead(instant)} || ' seconds')"

    def local_day(self, instant: str) -> str:
        return f"date(substr({instant}, 1, 19), {self.ahead(instant)} || ' seconds')"

    def days(self, later: str, earlier: str) -> str:
        return f"CAST(julianday({later}) - julianday({earlier}) AS INTEGER)"

    def plus_days(self, day: str, days: int) -> str:
        return f"date({day}, '{days:+} days')"

    def later(self, day: str, days: str) -> str:
        return f"date({day}, {days} || ' days')"

    def numbers(self, count: str) -> str:
        # Not a recursion, which no WHERE from outside would get through.
        return f"json_each('[0' || replace(hex(zeroblob({count} - 1)), '00', ',0') || ']') e"

    def monday(self, day: str) -> str:
        return f"date({day}, 'weekday 0', '-6 days')"

    def seconds(self, moment: str) -> str:
        return f"CAST(strftime('%s', substr({moment}, 1, 19)) AS INTEGER)"

    def hours(self, seconds: str) -> str:
        return f"(({seconds}) * 100 + 1800) / 3600 / 100.0"

    def number(self, value: str, digits: int = 4) -> str:
        return f"round({value}, {digits})"

    def smaller(self, one: str, other: str) -> str:
        return f"min({one}, {other})"

    def larger(self, one: str, other: str) -> str:
        return f"max({one}, {other})"

    def labels(self, task: str) -> str:
        return (
            "(SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || l.tag_id) AS"
            " label FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id"
            f" WHERE l.task_id = {task} ORDER BY 1))"
        )

    def labels_in(self, ids: str) -> str:
        return (
            "(SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS"
            f" label FROM json_each({ids}) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1))"
        )


@dataclass(frozen=True, slots=True)
class _Postgresql:
    name: str = "postgresql"
    now: str = "now()"
    clock: str = (
        "SELECT array_agg((e ->> 0)::timestamp AT TIME ZONE 'UTC' ORDER BY e ->> 0) AS from_at,"
        " array_agg((e ->> 1)::integer ORDER BY e ->> 0) AS seconds"
        " FROM sync_state s, jsonb_array_elements(s.value -> 'offsets') e WHERE s.name = 'clock'"
    )
    zone: str = "s.value ->> 'zone'"

    def differ(self, one: str, other: str) -> str:
        return f"{one} IS DISTINCT FROM {other}"

    def day(self, moment: str) -> str:
        return f"({moment})::date"

    def ahead(self, instant: str) -> str:
        # No subquery for each row: the planner would count it so dear that it compiles the plan.
        place = f"width_bucket({instant}, (SELECT c.from_at FROM clock c))"
        return f"coalesce((SELECT c.seconds FROM clock c)[{place}], 0)"

    def local(self, instant: str) -> str:
        moment = f"{instant} AT TIME ZONE 'UTC' + {self.ahead(instant)} * interval '1 second'"
        return f"date_trunc('second', {moment})"

    def local_day(self, instant: str) -> str:
        return f"({self.local(instant)})::date"

    def days(self, later: str, earlier: str) -> str:
        return f"({later} - {earlier})"

    def plus_days(self, day: str, days: int) -> str:
        return f"({day} + {days})"

    def later(self, day: str, days: str) -> str:
        return f"({day} + {days}::integer)"

    def numbers(self, count: str) -> str:
        # Of generate_series the planner believes that it gives a thousand, and compiles.
        filled = f"unnest(array_fill(0, ARRAY[{count}])) WITH ORDINALITY u (zero, place)"
        return f"LATERAL (SELECT u.place - 1 FROM {filled}) e (key)"

    def monday(self, day: str) -> str:
        return f"date_trunc('week', ({day})::timestamp)::date"

    def seconds(self, moment: str) -> str:
        # Not extract, which works in numeric. A double holds a microsecond of these centuries.
        return f"floor(date_part('epoch', {moment}))::bigint"

    def hours(self, seconds: str) -> str:
        return f"trim_scale(round((({seconds})::bigint * 100 + 1800) / 3600 / 100.0, 2))"

    def number(self, value: str, digits: int = 4) -> str:
        return f"trim_scale(round({value}, {digits}))"

    def smaller(self, one: str, other: str) -> str:
        return f"least({one}, {other})"

    def larger(self, one: str, other: str) -> str:
        return f"greatest({one}, {other})"

    def labels(self, task: str) -> str:
        return (
            "(SELECT string_agg(coalesce(g.label, '#' || l.tag_id), ','"
            """ ORDER BY coalesce(g.label, '#' || l.tag_id) COLLATE "C")"""
            f" FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id WHERE l.task_id = {task})"
        )

    def labels_in(self, ids: str) -> str:
        return (
            "(SELECT string_agg(coalesce(g.label, '#' || e.id), ','"
            """ ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C")"""
            f" FROM jsonb_array_elements_text({ids}) e (id)"
            " LEFT JOIN tags g ON g.id = e.id::bigint)"
        )


SQLITE: Dialect = _Sqlite()
POSTGRESQL: Dialect = _Postgresql()
