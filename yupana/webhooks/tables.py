"""The tables of webhooks: where agencies want notices, and the notices with what became of them."""

from __future__ import annotations

import sqlalchemy as sa

from yupana.database.engine import TABLES, Moment

WEBHOOKS = sa.Table(
    "webhooks",
    TABLES,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("agency", sa.String(100), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("topics", sa.JSON, nullable=False, doc="patterns of `Notice.topic`"),
    sa.Column("created", Moment, nullable=False),
    sa.Column("removed", Moment),
)
NOTICES = sa.Table(
    "webhook_notices",
    TABLES,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("webhook", sa.String(12), primary_key=True),
    sa.Column("topic", sa.String(100), nullable=False),
    sa.Column("body", sa.Text, nullable=False, doc="the bytes that are signed"),
    sa.Column("created", Moment, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False, doc="of the last try"),
    sa.Column("due", Moment, nullable=False, doc="of the next try; of the last one once it ended"),
    sa.Index("webhook_notices_due", "state", "due"),
)
"""One notice to one webhook; `id` is the same for all of them and for all tries."""

WAITING, DELIVERED, FAILED, CANCELLED = STATES = ("waiting", "delivered", "failed", "cancelled")
