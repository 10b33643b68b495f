"""What is told of an alert, kept in the transaction that changes it, and its ledger entries."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.governance.ledger import book
from yupana.governance.ledger.book import Entry

METADATA = sa.MetaData()
LOG, MAIL, WEBHOOK = "log", "mail", "webhook"

MESSAGES = sa.Table(
    "alert_messages",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("channel", sa.String, primary_key=True),
    sa.Column("alert", sa.String, nullable=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("delivered", sa.Float),
    sa.Index("alert_messages_waiting", "delivered", "time"),
)
"""One message to one channel; `id` is the same for all channels and all tries of a message."""

_SUBJECTS = {
    "opened": ("alerta nueva", "new alert"),
    "reopened": ("la alerta volvió", "the alert is back"),
    "worse": ("la alerta empeoró", "the alert got worse"),
    "resolved": ("la alerta se resolvió", "the alert is resolved"),
}
_TOLD = (
    "use_case", "check", "column", "group", "kind", "severity", "owner", "asks", "runbook", "es",
    "en", "state",
)  # fmt: skip


def channels(settings: Settings) -> list[str]:
    """Where alerts are told: the log always, the others where they are set."""
    mail = [MAIL] if settings.alert_smtp and settings.alert_to else []
    return [LOG, *mail, *([WEBHOOK] if settings.alert_webhook else [])]


def prepare(url: str) -> None:
    """Make the tables, before a transaction writes into them."""
    from yupana.governance.database import engine

    engine(url, METADATA)
    book.prepare(url)


def add(
    settings: Settings, connection: sa.Connection, row: dict[str, Any], what: str, now: datetime
) -> None:
    """Keep one message for each channel, until it is delivered there.

    Args:
        row: the alert.
        what: `opened`, `reopened`, `worse` or `resolved`.
    """
    es, en = _SUBJECTS[what]
    name = f"{row['id']}-{row['times']}-{what}"
    body = {
        "id": name,
        "what": what,
        "alert": row["id"],
        "time": now.isoformat(timespec="seconds"),
        "week": str(row["week"]),
        "times": row["times"],
        "subject": f"[yupana] {row['use_case']}: {es} / {en}: {row['check']}",
        **{key: row[key] for key in _TOLD},
    }
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    fresh = {"id": name, "alert": row["id"], "time": now.timestamp(), "body": text}
    connection.execute(sa.delete(MESSAGES).where(MESSAGES.c.id == name))
    for channel in channels(settings):
        connection.execute(
            sa.insert(MESSAGES).values(**fresh, channel=channel, tries=0, error="")
        )  # fmt: skip


def enter(
    connection: sa.Connection, told: list[tuple[str, dict[str, Any]]], run: str, now: datetime
) -> None:
    """Write into the ledger what a run changed, last in its transaction."""
    entries = [
        Entry(
            "alert",
            f"alert:{row['id']}",
            {
                "what": what, "run": run, "use_case": row["use_case"], "check": row["check"],
                "column": row["column"], "group": row["group"], "severity": row["severity"],
                "week": str(row["week"]),
            },
        )
        for what, row in told
    ]  # fmt: skip
    if entries:
        book.write(connection, entries, now)


def answered(connection: sa.Connection, row: dict[str, Any], actor: str, now: datetime) -> None:
    """Write into the ledger that someone acknowledged or closed an alert, without their words."""
    facts = {"what": row["state"], "use_case": row["use_case"], "check": row["check"]}
    book.write(connection, [Entry("acknowledge", f"alert:{row['id']}", facts, actor)], now)
