"""What a reporting view is: its name, what every column means, and its SELECT on each database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from syncd.store.report.dialect import POSTGRESQL, SQLITE, Dialect


@dataclass(frozen=True, slots=True)
class View:
    """One view. `columns` holds the explanation of each column, in their order."""

    name: str
    comment: str
    columns: Mapping[str, str]
    sql: Mapping[str, str]
    """The SELECT by the name of the dialect: sqlite or postgresql."""


def view(
    name: str, comment: str, columns: Mapping[str, str], select: Callable[[Dialect], str]
) -> View:
    """Return a view whose SELECT is written for both dialects."""
    written = {dialect.name: select(dialect).strip() for dialect in (SQLITE, POSTGRESQL)}
    return View(name, comment, columns, written)
