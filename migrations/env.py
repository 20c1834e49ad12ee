"""Alembic's environment: runs on the connection that syncd hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

import syncd.resources.members
import syncd.resources.projects
import syncd.resources.tags
import syncd.resources.tasks.table
import syncd.store.activity
import syncd.store.choices
import syncd.store.enclosures
import syncd.store.incidents
import syncd.store.outbox  # noqa: F401 - the tables hang on the metadata
from syncd.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
)
context.run_migrations()
