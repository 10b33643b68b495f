"""The ledger's table, which takes new rows alone: triggers refuse every change and removal."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData()

LEDGER = sa.Table(
    "ledger",
    METADATA,
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
    "CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger "
    "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
    "CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()",
    # A replica's session would pass over ordinary triggers.
    "ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_no_change",
    "ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_no_truncate",
]


@sa.event.listens_for(METADATA, "after_create")
def _sqlite_triggers(_: Any, connection: sa.Connection, **__: Any) -> None:
    # Each time, not with the table alone: SQLite does not make both in one transaction.
    if connection.dialect.name == "sqlite":
        for statement in _SQLITE:
            connection.exec_driver_sql(statement)


@sa.event.listens_for(LEDGER, "after_create")
def _postgresql_triggers(_: Any, connection: sa.Connection, **__: Any) -> None:
    if connection.dialect.name == "postgresql":
        for statement in _POSTGRESQL:
            connection.exec_driver_sql(statement)
