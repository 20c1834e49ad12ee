"""A table: fitted to a terminal, or separated by tabs for the program that reads it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.cli.output import Output, one_line

GAP = "  "
NARROWEST = 8
Style = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, and how it looks on a terminal.

    Where room is short, columns with `share` give way, down to parts of that proportion.
    """

    title: str
    share: int = 0
    right: bool = False
    style: Style = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with how far it stands in, which only a terminal shows, and its style there."""

    text: str
    indent: int = 0
    style: Style = field(default_factory=dict)


Line = Sequence[Cell]


def show_table(out: Output, columns: Sequence[Column], rows: Sequence[Line]) -> None:
    """Show rows to a person, or to whatever the output is piped into."""
    out.lines(_fitted(out, columns, rows) if out.terminal else _separated(columns, rows))


def _separated(columns: Sequence[Column], rows: Sequence[Line]) -> Iterator[str]:
    yield "\t".join(column.title for column in columns)
    for row in rows:
        yield "\t".join(one_line(cell.text) for cell in row)


def _fitted(out: Output, columns: Sequence[Column], rows: Sequence[Line]) -> Iterator[str]:
    from rich.cells import cell_len

    shown = [[" " * cell.indent + one_line(cell.text) for cell in row] for row in rows]
    titles = [column.title for column in columns]
    wanted = [max(map(cell_len, texts)) for texts in zip(titles, *shown, strict=True)]
    widths = fit(wanted, columns, shutil.get_terminal_size().columns)
    yield out.paint(_line(titles, columns, widths).rstrip(), bold=True)
    for row, texts in zip(rows, shown, strict=True):
        cells = [
            out.paint(_padded(text, column, width), **column.style, **cell.style)
            for cell, text, column, width in zip(row, texts, columns, widths, strict=True)
        ]
        yield GAP.join(cells).rstrip()


def fit(wanted: Sequence[int], columns: Sequence[Column], space: int) -> list[int]:
    """Return widths that fit into `space`, taken from those that have most for their share."""
    widths = list(wanted)
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - space
    for _ in range(excess):
        able = [n for n, one in enumerate(columns) if one.share and widths[n] > NARROWEST]
        if not able:
            break
        widths[max(able, key=lambda n: widths[n] / columns[n].share)] -= 1
    return widths


def _line(texts: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    return GAP.join(map(_padded, texts, columns, widths))


def _padded(text: str, column: Column, width: int) -> str:
    """Return a text of exactly that width on a terminal, where some letters take two places."""
    from rich.cells import cell_len, set_cell_size

    size = cell_len(text)
    if size > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - size) + text if column.right else text + " " * (width - size)
