"""`syncd db dictionary`: every table, view and column, explained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from syncd.cli.invocation import Invocation
from syncd.cli.words import counted

if TYPE_CHECKING:
    from syncd.services.dictionary import Relation, Section

Form = Literal["markdown", "html"]


@click.command("dictionary")
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "html"]),
    help="markdown, or one page of HTML; by default as FILE is called, else markdown.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to this file instead of the terminal.",
)
@click.pass_obj
def dictionary(call: Invocation, *, form: Form | None, output: Path | None) -> int:
    """Explain every table, view and column of the database.

    What each is for, where a view has its rows from, types on SQLite and PostgreSQL, what may be
    NULL, who may read it. It describes this version of syncd and needs neither a database nor a
    configuration.
    """
    from syncd.services.dictionary import dictionary as explained

    sections = explained()
    if output is not None:
        output.write_text(_written(sections, form or _by_name(output)), encoding="utf-8")
    call.out.document(_document(sections, output))
    if output is None:
        call.out.lines(_written(sections, form or "markdown").splitlines())
    else:
        call.out.lines([f"{output}: {_summary(sections)}"])
    return 0


def _by_name(output: Path) -> Form:
    return "html" if output.suffix.lower() in {".html", ".htm"} else "markdown"


def _written(sections: Sequence[Section], form: Form) -> str:
    if form == "html":
        from syncd.cli.dictionary_page import page

        return page(sections)
    from syncd.cli.dictionary_markdown import markdown

    return markdown(sections)


def _summary(sections: Sequence[Section]) -> str:
    relations = [one for section in sections for one in section.relations]
    tables = sum(one.kind == "table" for one in relations)
    columns = sum(len(one.columns) for one in relations)
    return (
        f"{counted(tables, 'table')}, {counted(len(relations) - tables, 'view')},"
        f" {counted(columns, 'column')}"
    )


def _document(sections: Sequence[Section], output: Path | None) -> dict[str, Any]:
    found = [
        {"section": section.title, **_relation(one)}
        for section in sections
        for one in section.relations
    ]
    return {"file": output, "relations": found, "exit_code": 0}


def _relation(one: Relation) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "meaning": one.meaning,
        "reads": one.reads,
        "rights": one.rights,
        "columns": [
            {
                "name": column.name,
                "sqlite": column.sqlite,
                "postgresql": column.postgresql,
                "nullable": column.nullable,
                "key": column.key,
                "meaning": column.meaning,
            }
            for column in one.columns
        ],
    }
