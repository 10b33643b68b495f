"""Webhooks and their notices, and an index by which an agency's answers are listed.

The way down leaves in the ledger that the rows are gone.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from yupana.database.migrations import ledger

revision = "0007"
down_revision = "0006"

_MOMENT = sa.DateTime(timezone=True)
_KEYS = {"webhooks": ("id",), "webhook_notices": ("id", "webhook")}
_INDEX, _RECORDS = "prediction_records_by_agency", "prediction_records"


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=12), primary_key=True),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("removed", _MOMENT),
    )
    op.create_table(
        "webhook_notices",
        sa.Column("id", sa.String(length=80), primary_key=True),
        sa.Column("webhook", sa.String(length=12), primary_key=True),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("due", _MOMENT, nullable=False),
    )
    op.create_index("webhook_notices_due", "webhook_notices", ["state", "due"])
    op.create_index(_INDEX, _RECORDS, ["agency", "time", "seq"])


def downgrade() -> None:
    ledger.forget(op.get_bind(), _KEYS)
    op.drop_index(_INDEX, _RECORDS)
    op.drop_table("webhook_notices")
    op.drop_table("webhooks")
