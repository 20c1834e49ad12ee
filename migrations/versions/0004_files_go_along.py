"""Files go along with a creation: what `task add --attach` keeps until it is sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make room for files."""
    op.create_table(
        "outbox_files",
        sa.Column(
            "id", ID, nullable=False, comment="number of the file; files go out in its order"
        ),
        sa.Column(
            "change_id", ID, nullable=False, comment="the creation that it goes with, outbox.id"
        ),
        sa.Column(
            "name", sa.Text(), nullable=False, comment="what the file is called in the account"
        ),
        sa.Column("content_type", sa.Text(), nullable=False, comment="its MIME type"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="what is in it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_files")),
        comment="Files of creations that are still to be sent.",
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_outbox_files_change_id"), "outbox_files", ["change_id"], unique=False)


def downgrade() -> None:
    """Drop the files that were not sent."""
    op.drop_index(op.f("ix_outbox_files_change_id"), table_name="outbox_files")
    op.drop_table("outbox_files")
