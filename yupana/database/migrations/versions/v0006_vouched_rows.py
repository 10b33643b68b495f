"""Rows that decide or testify are vouched for by the ledger, those that are there already too.

What the tables hold now becomes a `baseline` in the ledger, which later events go on from. The way
down leaves the ledger and the nonces as they are, so that the baseline of the way up again says of
each row that nobody touched what the events before it say: `audit verify` names the others.

Revision ID: 0006
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op

from yupana.database.migrations import ledger

revision = "0006"
down_revision = "0005"

MOST = 5_000
# By table: the columns of the key, what is left out, and whether a row has a nonce.
_ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...], bool]] = {
    "activity": (("id",), (), True),
    "alert_messages": (("id", "channel"), (), True),
    "alerts": (("id",), (), True),
    "deployment_slots": (("use_case", "slot"), (), True),
    "entity_counts": (("day",), (), True),
    "feedback": (("feedback_id",), (), True),
    "keys": (("id",), ("last_used",), True),
    "keys_revision": (("id",), (), True),
    "monitor_checks": (("run",), (), True),
    "monitor_runs": (("run",), (), True),
    "people": (("pseudonym",), (), True),
    "prediction_log_state": (("name",), (), True),
    "predictions": (("key",), (), False),
    "projects": (("name",), (), True),
    "request_counts": (("day",), (), True),
    "subjects_revoked": (("id",), (), True),
}
_DAILY, _ALIVE = ("entity_counts", "request_counts"), ("prediction_log_state", "alive")


class _Row(NamedTuple):
    """A row, or the rows of one key; `texts` are canonical JSON."""

    table: str
    key: str
    has_nonce: bool
    texts: list[str]


def upgrade() -> None:
    connection = op.get_bind()
    ledger.hold(connection)
    nonces = _nonces(connection)
    kept = {(source, key): nonce for source, key, nonce in connection.execute(sa.select(nonces))}
    connection.execute(sa.delete(nonces))
    recorded = _recorded(connection)
    pairs = []
    for row in _present(connection):
        name = row.table, row.key
        nonce = kept.get(name, "")
        digest = _digest(nonce, row.texts)
        # What was changed in between gets another: else it could be tried out by the old one.
        if row.has_nonce and recorded.get(name) != digest:
            nonce = secrets.token_hex(16)
            digest = _digest(nonce, row.texts)
        pairs.append((*name, digest))
        if nonce:
            values = {"source": row.table, "key": row.key, "nonce": nonce}
            connection.execute(sa.insert(nonces), values)
    events = [*_steps_before(connection), *_missing_answers(connection)]
    for start in range(0, len(pairs) or bool(recorded), MOST):
        facts: dict[str, list[list[str]]] = {}
        for table, key, digest in pairs[start : start + MOST]:
            facts.setdefault(table, []).append([key, digest])
        subject = "tables" if start and not recorded else "baseline"
        events.append({"kind": "rows", "subject": subject, "facts": facts})
    ledger.append(connection, events)


def downgrade() -> None:
    """Nothing goes: the release before does not know the nonces, and the way up needs them."""


def _nonces(connection: sa.Connection) -> sa.Table:
    if sa.inspect(connection).has_table("row_nonces"):
        return sa.Table("row_nonces", sa.MetaData(), autoload_with=connection)
    return op.create_table(
        "row_nonces",
        sa.Column("source", sa.String(length=64), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("nonce", sa.String(length=32), nullable=False),
    )


def _recorded(connection: sa.Connection) -> dict[tuple[str, str], str | None]:
    """The last digest of each row in the ledger, by table and key."""
    lines = sa.select(ledger.LEDGER.c.line).where(ledger.LEDGER.c.kind == "rows")
    return {
        (table, key): digest
        for line in connection.execute(lines.order_by(ledger.LEDGER.c.seq)).scalars()
        for table, rows in json.loads(line)["facts"].items()
        for key, digest, *_ in rows
    }


def _digest(nonce: str, texts: list[str]) -> str:
    whole = "\n".join([nonce, *texts]).encode("utf-8", "surrogatepass")
    return hashlib.sha256(whole).hexdigest()


def _present(connection: sa.Connection) -> Iterator[_Row]:
    """Each row as it is, or the rows of one key; none of a day that is not over."""
    today = datetime.now(UTC).date().isoformat()
    for name, (keys, free, has_nonce) in _ROWS.items():
        table = sa.Table(name, sa.MetaData(), autoload_with=connection)
        columns = [table.c[key] for key in keys]
        rows = connection.execute(sa.select(table).order_by(*columns, *table.primary_key))
        kinds = {c.name: c.type for c in table.c if c.name not in free}

        def name_of(row: Any, keys: tuple[str, ...] = keys) -> str:
            return "/".join(str(row[key]) for key in keys)

        for key, same in groupby(rows.mappings(), name_of):
            if (name, key) == _ALIVE or (name in _DAILY and key >= today):
                continue
            texts = [ledger.text({c: _plain(row[c]) for c in kinds}) for row in same]
            yield _Row(name, key, has_nonce, texts)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime):
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return value.isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def _steps_before(connection: sa.Connection) -> list[ledger.Event]:
    """The event log's rows from before the ledger, where no step was recorded since."""
    step = sa.select(ledger.LEDGER.c.seq).where(ledger.LEDGER.c.kind == "step").limit(1)
    bodies = connection.execute(sa.text("SELECT body FROM events ORDER BY seq")).scalars().all()
    if not bodies or connection.scalar(step):
        return []
    whole = hashlib.sha256(b"".join(f"{body}\n".encode() for body in bodies)).hexdigest()
    facts = {"before": {"lines": len(bodies), "sha256": whole}}
    return [{"kind": "step", "subject": "events.jsonl", "facts": facts}]


def _missing_answers(connection: sa.Connection) -> list[ledger.Event]:
    """By use case, the last group of answers of which rows moved to the lake without an event."""
    count = sa.text("SELECT count(*) FROM prediction_records WHERE seq BETWEEN :first AND :last")
    groups = sa.select(ledger.LEDGER.c.line).where(ledger.LEDGER.c.kind == "predictions")
    last: dict[str, int] = {}
    for (line,) in connection.execute(groups.order_by(ledger.LEDGER.c.seq)).all():
        event = json.loads(line)
        rows = event["facts"]["rows"]
        there = connection.scalar(count, {"first": rows[0], "last": rows[1]})
        if there != event["facts"]["n"]:
            last[event["subject"]] = rows[1]
    return [
        {"kind": "archive", "subject": name, "facts": {"rows": [1, row], "before": True}}
        for name, row in last.items()
    ]
