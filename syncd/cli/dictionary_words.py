"""What the data dictionary says in words, whatever its form."""

from __future__ import annotations

from syncd.services.dictionary import Column, Relation

MAY = "Rights by `syncd db grant`"
NOTES = (
    "Every table, view and column of the database that syncd keeps. Written by",
    "`syncd db dictionary` from the comments in its code; PostgreSQL shows the same comments.",
    "`date_*` columns hold what the account shows, on its own clock; `*_at` columns are UTC.",
    "In the column NULL a view says nothing: what a missing value means stands in the meaning.",
)
TYPES = (
    ("date", "text: 2026-02-01", "date"),
    ("time of day", "text: 09:30:00", "time"),
    ("the account's clock", "text: 2026-02-01 09:30:00", "timestamp without time zone"),
    ("instant", "text in UTC: 2026-02-01 07:30:00.000000", "timestamp with time zone"),
    ("document", "text; json_extract(extra, '$.a')", "jsonb; extra->>'a'"),
    ("yes or no", "0 or 1", "boolean"),
    ("number", "INTEGER of 64 bits, or NUMERIC", "smallint, integer, bigint, numeric"),
)


def may_be_null(column: Column) -> str:
    """Return what stands in the column NULL."""
    return {None: "", True: "yes", False: "no"}[column.nullable]


def who_may(one: Relation) -> str:
    """Return what readers and editors may do, in words."""
    said = [f"{kind} {', '.join(rights)}" for kind, rights in one.rights.items()]
    return "; ".join(said) or "syncd alone"
