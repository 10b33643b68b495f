"""The tables as they were when migrations began; a database from before them is adopted as it is.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from yupana.core.errors import UsageError

revision = "0001"
down_revision = None

_REFUSAL = "the ledger is append-only"
_SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS ledger_no_{what.lower()} BEFORE {what} ON ledger "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    for what in ("UPDATE", "DELETE")
] + [
    # INSERT OR REPLACE would pass over the others: it removes a row without a DELETE.
    "CREATE TRIGGER IF NOT EXISTS ledger_no_replace BEFORE INSERT ON ledger "
    "WHEN NEW.seq <= (SELECT max(seq) FROM ledger) "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
]
_POSTGRESQL = [
    "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
    "CREATE OR REPLACE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger "
    "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
    "CREATE OR REPLACE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()",
    # A replica's session would pass over ordinary triggers.
    "ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_no_change",
    "ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_no_truncate",
]


def _table(name: str, *columns: sa.schema.SchemaItem, **options: bool) -> None:
    op.create_table(name, *columns, if_not_exists=True, **options)


def upgrade() -> None:
    _table(
        "activity",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=12), nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
    op.create_index("ix_activity_time", "activity", ["time"], if_not_exists=True)
    _table(
        "alert_messages",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("delivered", sa.Float()),
    )
    op.create_index(
        "alert_messages_waiting", "alert_messages", ["delivered", "time"],
        if_not_exists=True,
    )
    _table(
        "alerts",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("use_case", sa.String(), nullable=False),
        sa.Column("check", sa.String(), nullable=False),
        sa.Column("column", sa.String(), nullable=False),
        sa.Column("group", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("asks", sa.String(), nullable=False),
        sa.Column("runbook", sa.String(), nullable=False),
        sa.Column("es", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("threshold", sa.Float()),
        sa.Column("first_week", sa.Date(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
    )
    op.create_index("ix_alerts_use_case", "alerts", ["use_case"], if_not_exists=True)
    _table(
        "answers_given",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("prediction_id", sa.String(), nullable=False),
        sa.Column("time", sa.Double(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.UniqueConstraint("prediction_id"),
        sqlite_autoincrement=True,
    )
    _table(
        "deployment_slots",
        sa.Column("use_case", sa.String(length=64), primary_key=True),
        sa.Column("slot", sa.String(length=16), primary_key=True),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
    )
    _table(
        "districts_asked",
        sa.Column("day", sa.String(length=10), primary_key=True),
        sa.Column("agency", sa.String(length=100), primary_key=True),
        sa.Column("model", sa.String(length=128), primary_key=True),
        sa.Column("ubigeo", sa.String(length=6), primary_key=True),
        sa.Column("asked", sa.BigInteger(), nullable=False),
    )
    _table(
        "feedback",
        sa.Column("feedback_id", sa.String(), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prediction_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("week_ending", sa.String()),
        sa.Column("cases", sa.Integer()),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
    )
    op.create_index("ix_feedback_prediction_id", "feedback", ["prediction_id"], if_not_exists=True)
    op.create_index("ix_feedback_time", "feedback", ["time"], if_not_exists=True)
    _table(
        "forecasts_told",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("use_case", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("features_ref", sa.String(), nullable=False),
        sa.Column("ubigeo", sa.String(), nullable=False),
        sa.Column("data_as_of", sa.String(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("caveats", sa.Text(), nullable=False),
    )
    _table(
        "keys",
        sa.Column("id", sa.String(length=12), primary_key=True),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("old_salt", sa.LargeBinary(length=16)),
        sa.Column("old_hash", sa.LargeBinary(length=32)),
        sa.Column("old_until", sa.DateTime(timezone=True)),
        sa.Column("quota", sa.String(length=32), nullable=False),
        sa.Column("rate", sa.String(length=32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked", sa.DateTime(timezone=True)),
        sa.Column("last_used", sa.DateTime(timezone=True)),
    )
    _table(
        "keys_revision",
        sa.Column("id", sa.Integer(), autoincrement=False, primary_key=True),
        sa.Column("revision", sa.Integer(), nullable=False),
    )
    _table(
        "ledger",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            primary_key=True,
        ),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
    )
    op.create_index("ledger_by_kind", "ledger", ["kind", "subject", "seq"], if_not_exists=True)
    _table(
        "log_signs",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", sa.String(), nullable=False),
    )
    _table(
        "monitor_checks",
        sa.Column("run", sa.String(), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("use_case", sa.String(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("check", sa.String(), nullable=False),
        sa.Column("column", sa.String(), nullable=False),
        sa.Column("group", sa.String(), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("threshold", sa.Float()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("es", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("runbook", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
    )
    op.create_index(
        "monitor_checks_trend", "monitor_checks", ["use_case", "check", "column", "group", "week"],
        if_not_exists=True,
    )
    _table(
        "monitor_runs",
        sa.Column("run", sa.String(), primary_key=True),
        sa.Column("use_case", sa.String(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
    )
    op.create_index("ix_monitor_runs_use_case", "monitor_runs", ["use_case"], if_not_exists=True)
    _table(
        "people",
        sa.Column("account", sa.String(length=200), primary_key=True),
        sa.Column("pseudonym", sa.String(length=23), nullable=False),
        sa.UniqueConstraint("pseudonym"),
    )
    _table(
        "projects",
        sa.Column("name", sa.String(length=64), primary_key=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("lock", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_on", sa.String(length=10), nullable=False),
    )
    _table(
        "quota_spent",
        sa.Column("key_id", sa.String(length=12), primary_key=True),
        sa.Column("policy", sa.String(length=16), primary_key=True),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
    )
    _table(
        "requests_counted",
        sa.Column("day", sa.String(length=10), primary_key=True),
        sa.Column("key_id", sa.String(length=12), primary_key=True),
        sa.Column("agency", sa.String(length=100), primary_key=True),
        sa.Column("model", sa.String(length=128), primary_key=True),
        sa.Column("scope", sa.String(length=64), primary_key=True),
        sa.Column("status", sa.Integer(), primary_key=True),
        sa.Column("latency", sa.Integer(), primary_key=True),
        sa.Column("n", sa.BigInteger(), nullable=False),
    )
    _table(
        "subjects_revoked",
        sa.Column("id", sa.String(length=12), primary_key=True),
        sa.Column("before", sa.DateTime(timezone=True), nullable=False),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL if postgresql else _SQLITE:
        op.execute(statement)


def downgrade() -> None:
    raise UsageError(
        "The first schema has no way down: it holds the ledger, which nobody may remove.",
        where="REVISION",
        fix="Name a later schema; or, where its records may go, remove the database.",
    )
