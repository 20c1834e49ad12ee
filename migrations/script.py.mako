"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say what it does."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Say what it undoes."""
    ${downgrades if downgrades else "pass"}
