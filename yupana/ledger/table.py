"""The ledger's table, which takes new rows alone: triggers (made by its migration) refuse every
change and removal."""

from __future__ import annotations

import sqlalchemy as sa

from yupana.database.engine import TABLES

LEDGER = sa.Table(
    "ledger",
    TABLES,
    # Given by the writer and not by the database, so that there are no gaps.
    sa.Column(
        "seq",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    # Said in the line too; here for the index.
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("line", sa.Text, nullable=False, doc="the event's canonical text"),
    sa.Index("ledger_by_kind", "kind", "subject", "seq"),
)
