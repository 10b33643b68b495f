"""The event log moves from a file of JSON lines into the database, each line as it was.

Its file is `events.jsonl` in the platform's home; a database on a server says so by no address,
so the caller names the home. The file stays as it is on the way up, and is written anew on the way
down. Ledger entries of steps hold the SHA-256 of each line, and go on holding.

Revision ID: 0005
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from yupana.core.errors import TerminalError, UsageError

revision = "0005"
down_revision = "0004"

LOG, WAITING = "events.jsonl", "events.pending"
_ADD = sa.text(
    "INSERT INTO events (seq, time, step, subject, status, body) "
    "VALUES (:seq, :time, :step, :subject, :status, :body)"
)
_ADD_REF = sa.text("INSERT INTO event_refs (ref, role, event) VALUES (:ref, :role, :event)")
_LAST_STEP = sa.text("SELECT line FROM ledger WHERE kind = 'step' ORDER BY seq DESC LIMIT 1")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "events",
        sa.Column("seq", number, autoincrement=False, primary_key=True),
        sa.Column("time", sa.String(length=40), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("events_by_step", "events", ["step", "subject", "seq"])
    op.create_index("events_by_time", "events", ["time"])
    op.create_table(
        "event_refs",
        sa.Column("ref", sa.Text(), primary_key=True),
        sa.Column("role", sa.String(length=6), primary_key=True),
        sa.Column("event", number, autoincrement=False, primary_key=True),
    )
    home = _home()
    if home and (home / LOG).exists():
        _take_in(home)


def _home() -> Path | None:
    """The platform's home: as the caller names it, or the folder of an SQLite database."""
    if home := context.config.attributes.get("home"):
        return Path(home)
    url = op.get_bind().engine.url
    on_disk = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)).parent if on_disk else None


def _take_in(home: Path) -> None:
    connection = op.get_bind()
    for number, line in enumerate(_lines(home), 1):
        event = _event(line, f"{home / LOG}, line {number}")
        columns = {name: str(event.get(name, "")) for name in ("time", "step", "subject", "status")}
        connection.execute(_ADD, {"seq": number, "body": line.decode(), **columns})
        refs = [
            {"ref": ref, "role": role, "event": number}
            for role in ("input", "output")
            for ref in dict.fromkeys(event.get(f"{role}s", ()))
        ]
        if refs:
            connection.execute(_ADD_REF, refs)


def _lines(home: Path) -> Iterator[bytes]:
    """The log's lines, and the one that a killed process put aside, if the ledger has its event."""
    last = b""
    aside = (home / WAITING).read_bytes().rstrip(b"\n") if (home / WAITING).exists() else b""
    recorded = bool(aside) and _digest_of_last_step() == hashlib.sha256(aside).hexdigest()
    with (home / LOG).open("rb") as log:
        for line in log:
            last = line.rstrip(b"\n")
            if recorded and not line.endswith(b"\n") and aside.startswith(last):
                break
            yield last
    if recorded and last != aside:
        yield aside


def _digest_of_last_step() -> str:
    line = op.get_bind().scalar(_LAST_STEP)
    return str(json.loads(line)["facts"].get("sha256", "")) if line else ""


def _event(line: bytes, where: str) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except ValueError as error:
        raise TerminalError(
            "The event log has a line that is not JSON.",
            where=where,
            fix="If it is the last line, a crash tore it: delete that line.",
        ) from error


def downgrade() -> None:
    connection, home = op.get_bind(), _home()
    bodies = connection.execute(sa.text("SELECT body FROM events ORDER BY seq"))
    if home is None:
        if bodies.first() is not None:
            raise UsageError(
                "An earlier release has the event log in a file, and nobody said where.",
                where=f"events, schema {revision}",
                fix="Migrate by `yupana database downgrade`, with YUPANA_HOME set.",
            )
    else:
        _write(home, (f"{body}\n".encode() for (body,) in bodies))
    op.drop_table("event_refs")
    op.drop_table("events")


def _write(home: Path, lines: Iterator[bytes]) -> None:
    """Put the file in its place, on the disk, before the tables go."""
    aside = home / f".{LOG}.new"
    with aside.open("wb") as log:
        log.writelines(lines)
        log.flush()
        os.fsync(log.fileno())
    if aside.stat().st_size:
        aside.replace(home / LOG)
        (home / WAITING).unlink(missing_ok=True)
    else:
        aside.unlink()
