"""The data dictionary as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncd.cli.dictionary_words import MAY, NOTES, TYPES, may_be_null, who_may
from syncd.services.dictionary import Column, Relation, Section

TITLE = "# Data dictionary"


def markdown(sections: Sequence[Section]) -> str:
    """Return the whole dictionary."""
    return "\n".join(_lines(sections)) + "\n"


def _lines(sections: Sequence[Section]) -> Iterator[str]:
    yield from (TITLE, "", *NOTES, "")
    yield from _table(("type", "on SQLite", "on PostgreSQL"), TYPES)
    yield from _contents(sections)
    for section in sections:
        yield from (f"## {section.title}", "", section.meaning, "")
        for relation in section.relations:
            yield from _relation(relation)


def _contents(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        links = ", ".join(f"[{one.name}](#{one.name})" for one in section.relations)
        yield f"- [{section.title}](#{section.title.lower().replace(' ', '-')}): {links}"
    yield ""


def _relation(one: Relation) -> Iterator[str]:
    yield from (f"### {one.name}", "", f"{one.kind.capitalize()}. {one.meaning}", "")
    if one.reads:
        yield from ("From: " + ", ".join(f"[{name}](#{name})" for name in one.reads) + ".", "")
    yield from (f"{MAY}: {who_may(one)}.", "")
    heads = ("column", "SQLite", "PostgreSQL", "NULL", "meaning")
    yield from _table(heads, [_row(column) for column in one.columns])


def _row(column: Column) -> Sequence[str]:
    name = f"`{column.name}`" + (" (key)" if column.key else "")
    return (name, column.sqlite, column.postgresql, may_be_null(column), column.meaning)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
