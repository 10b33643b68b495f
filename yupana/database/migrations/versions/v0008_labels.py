"""Labels of texts, each with who or what gave it.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from yupana.database.migrations import ledger

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "labels",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("use_case", sa.String(100), nullable=False),
        sa.Column("entity", sa.String(200), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("prediction_id", sa.String(32), nullable=False),
    )
    op.create_index("labels_by_entity", "labels", ["use_case", "entity"])


def downgrade() -> None:
    ledger.forget(op.get_bind(), {"labels": ("id",)})
    op.drop_table("labels")
