"""Alembic's environment: runs on the connection that syncd hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from syncd.resources.everything import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
)
context.run_migrations()
