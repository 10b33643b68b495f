"""Cases: what citizens sent as it is handled, with history, attachments and notices.

The way down leaves in the ledger that the rows are gone.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from yupana.database.migrations import ledger

revision = "0009"
down_revision = "0008"

_MOMENT = sa.DateTime(timezone=True)
_TABLES = ("cases", "case_events", "case_attachments", "case_notices")


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.String(32), primary_key=True),
        _text("use_case", 100),
        sa.Column("receipt", sa.String(20), nullable=False, unique=True),
        sa.Column("secret", sa.LargeBinary(32), nullable=False),
        sa.Column("request", sa.String(64)),
        _text("body", 64),
        sa.Column("received", _MOMENT, nullable=False),
        _text("channel", 20),
        sa.Column("place", sa.JSON(), nullable=False),
        _text("language", 8),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("original", sa.LargeBinary()),
        sa.Column("contact", sa.LargeBinary()),
        _text("state", 12),
        _text("label", 200),
        sa.Column("confidence", sa.Double(), nullable=False),
        _text("abstention", 32),
        _text("model", 128),
        _text("prediction_id", 32),
        _text("priority", 32),
        _number("rank"),
        _text("department", 100),
        sa.Column("deadline", _MOMENT, nullable=False),
        _text("taken_by", 23),
        _number("transfers"),
        _number("objections"),
        _text("duplicate_of", 32),
        _text("fingerprint", 64),
        sa.Column("shingles", sa.LargeBinary()),
        sa.Column("answer", sa.JSON()),
        _number("version"),
        _text("claimed_by", 32),
        sa.Column("claimed_until", _MOMENT),
    )
    op.create_index("cases_by_request", "cases", ["use_case", "request"], unique=True)
    op.create_index("cases_queue", "cases", ["use_case", "state", "rank", "deadline", "id"])
    op.create_index("cases_by_fingerprint", "cases", ["use_case", "fingerprint"])
    op.create_index("cases_by_first", "cases", ["duplicate_of"])
    _create_what_hangs_on_cases()


def _create_what_hangs_on_cases() -> None:
    op.create_table(
        "case_events",
        sa.Column("id", sa.String(32), primary_key=True),
        _text("case_id", 32),
        _number("number"),
        sa.Column("time", _MOMENT, nullable=False),
        _text("what", 20),
        _text("by", 23),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
    op.create_index("case_events_by_case", "case_events", ["case_id", "number"], unique=True)
    op.create_table(
        "case_attachments",
        sa.Column("id", sa.String(32), primary_key=True),
        _text("case_id", 32),
        _text("sha256", 64),
        _number("size"),
        _text("name", 200),
        _text("media_type", 100),
    )
    op.create_index("ix_case_attachments_case_id", "case_attachments", ["case_id"])
    op.create_table(
        "case_notices",
        sa.Column("id", sa.String(32), primary_key=True),
        _text("case_id", 32),
        _text("channel", 10),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        _text("state", 10),
        _number("tries"),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("due", _MOMENT, nullable=False),
    )
    op.create_index("case_notices_due", "case_notices", ["state", "due"])


def downgrade() -> None:
    ledger.forget(op.get_bind(), dict.fromkeys(_TABLES, ("id",)))
    for name in reversed(_TABLES):
        op.drop_table(name)
