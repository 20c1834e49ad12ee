"""What a dry run shows beside its plan: the catalogues' changes, and what the ids are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, select

from syncd.model.plan import CatalogueChange, FieldChange, TaskPlan
from syncd.model.reports import Names
from syncd.resources.catalogue import Catalogue, Changes
from syncd.resources.members import members
from syncd.resources.projects import projects
from syncd.resources.tags import tags
from syncd.resources.tasks.table import tasks
from syncd.services.catalogues import CataloguePlan
from syncd.store.mirror import Values, rows_by

_OURS = frozenset({"id", "in_catalogue", "removed_at", "removed_reason"})
"""Columns that say how a row is kept, and nothing about the account."""


def catalogue_changes(planned: CataloguePlan) -> tuple[CatalogueChange, ...]:
    """Return what would be written about projects, members and tags, record by record."""
    return tuple(one for pair in planned.changes for one in _changes(*pair))


def _changes(catalogue: Catalogue, changes: Changes) -> Iterator[CatalogueChange]:
    for row in changes.rows:
        yield _change(catalogue.kind, row, changes.before.get(row["id"]))
    for id in changes.gone:
        yield CatalogueChange(catalogue.kind, id, changes.before[id]["name"], "removed")


def _change(kind: str, row: Values, before: Values | None) -> CatalogueChange:
    if before is None:
        return CatalogueChange(kind, row["id"], row["name"], "added")
    fields = tuple(
        FieldChange(name, before[name], value)
        for name, value in row.items()
        if name not in _OURS and before[name] != value
    )
    back = before["removed_at"] is not None
    return CatalogueChange(kind, row["id"], row["name"], "restored" if back else "changed", fields)


def names(tx: Connection, plans: Sequence[TaskPlan], changes: Iterable[CatalogueChange]) -> Names:
    """Return what the ids in a plan are called, as they would be after it."""
    found = {
        kind: {row.id: row.name for row in tx.execute(select(table.c.id, table.c.name))}
        for kind, table in (("project", projects), ("member", members), ("tag", tags))
    }
    for change in changes:
        found[change.kind][change.id] = change.name
    suspects = [id for plan in plans for id in plan.suspects]
    found["task"] = {
        row.id: row.name for row in rows_by(tx, (tasks.c.id, tasks.c.name), tasks.c.id, suspects)
    }
    return found
