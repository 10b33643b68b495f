"""Alerts and runs of the monitor are of a period: a week, a month, what the use case counts.

Revision ID: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_COLUMNS = (
    ("alerts", "first_week", "first_period"),
    ("alerts", "week", "period"),
    ("monitor_runs", "week", "period"),
    ("monitor_checks", "week", "period"),
)


def upgrade() -> None:
    # Both databases take the index of a renamed column with it.
    for table, week, period in _COLUMNS:
        op.alter_column(table, week, new_column_name=period)


def downgrade() -> None:
    for table, week, period in _COLUMNS:
        op.alter_column(table, period, new_column_name=week)
