"""Every table there is: the modules that define one, and the metadata all of them hang on.

Migrations are compared with it, so a table whose module is missing here fails the suite.
"""

from __future__ import annotations

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

ALL_TABLES = tuple(metadata.sorted_tables)
