"""The prediction log: every prediction that left a service, in the platform database.

A prediction is the same for all who ask until the model or the data change, so it is stored once,
under the hash of its content; a record is a slim row that points to it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

import sqlalchemy as sa

from yupana.core.hashing import value_sha256
from yupana.database.engine import TABLES, engine
from yupana.predictions.entry import Basis, LogEntry, log_entry

_SECRET, _NUMBERS = secrets.token_bytes(32), count()

SENT = ("answer", "simulation")
"""Kinds of records that someone received; a shadow is in the log alone."""

SANDBOX = "sandbox"
"""The kind of what a key for trying out received: recorded, and no use of anything."""

CLOCK_SECONDS = 300
"""By which an answer's time may differ from that of the event that seals it."""

PREDICTIONS = sa.Table(
    "predictions",
    TABLES,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("use_case", sa.String, nullable=False),
    sa.Column("model_version", sa.String, nullable=False),
    sa.Column("deployment", sa.String, nullable=False),
    sa.Column("features_ref", sa.String, nullable=False),
    sa.Column("data_as_of", sa.String, nullable=False),
    sa.Column("entity", sa.String, nullable=False),
    # JSON in text: written as it is, and read by whoever needs it.
    sa.Column("features", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("payload_version", sa.Integer, nullable=False),
    sa.Column("caveats", sa.Text, nullable=False),
)
RECORDS = sa.Table(
    "prediction_records",
    TABLES,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("prediction_id", sa.String, nullable=False, unique=True),
    sa.Column("time", sa.Double, nullable=False, doc="seconds since 1970"),
    sa.Column("prediction_key", sa.String, nullable=False),
    sa.Column("parameters", sa.Text, nullable=False, doc="JSON"),
    sa.Column("key_id", sa.String, nullable=False),
    sa.Column("agency", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("request_id", sa.String, nullable=False),
    sa.Index("prediction_records_by_agency", "agency", "time", "seq"),
    # A number is never used twice, also after the newest rows were removed.
    sqlite_autoincrement=True,
)
STATE = sa.Table(
    "prediction_log_state",
    TABLES,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
"""What distinguishes this log from another, and the writer's signs of life."""


class Prediction(NamedTuple):
    """One distinct prediction; `key` is the hash of all the rest (32 hexadecimal digits).

    Attributes:
        entity: what it is about, of any length.
        features: by name; a number that is none becomes null.
        payload: in the shape that the use case's kind gives it.
        payload_version: of that shape, from 1.
    """

    key: str
    basis: Basis
    entity: str
    features: dict[str, Any]
    payload: dict[str, Any]
    payload_version: int
    caveats: list[Any]


class PredictionRecord(NamedTuple):
    """One prediction that was asked for: by whom, when, and with which parameters.

    Attributes:
        time: seconds since 1970.
        parameters: what was asked for beside the entity; JSON.
        kind: answer, shadow (recorded and not sent), simulation or sandbox.
    """

    prediction_id: str
    time: float
    prediction: Prediction
    parameters: dict[str, Any]
    key_id: str
    agency: str
    kind: str
    request_id: str


def prediction(
    basis: Basis,
    entity: str,
    payload: dict[str, Any],
    *,
    payload_version: int,
    features: dict[str, Any],
    caveats: list[Any],
) -> Prediction:
    """A prediction that is named by its content."""
    content = [*basis, entity, features, payload, payload_version, caveats]
    key = value_sha256(content)[:32]
    return Prediction(key, basis, entity, features, payload, payload_version, caveats)


def new_id(now: float) -> str:
    """32 hexadecimal digits that rise with time (UUIDv7, RFC 9562): an index grows at its end.

    Of the moment that is recorded, which a library's `uuid7()` cannot be told. Its random digits
    are a keyed hash of a number: a draw from the system for each would give the interpreter's
    lock away to the log's thread, in the middle of every answer.

    Args:
        now: seconds since 1970.
    """
    number = b"%d %d" % (os.getpid(), next(_NUMBERS))
    digits = hashlib.blake2b(number, key=_SECRET, digest_size=10).hexdigest()
    # 7 is the version, and 8 to b the variant.
    return f"{int(now * 1000):012x}7{digits[:3]}{'89ab'[int(digits[3], 16) & 3]}{digits[4:19]}"


def joined(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Records with their predictions, by number."""
    facts = [c for c in PREDICTIONS.columns if c.name != "key"]
    return (
        sa.select(*RECORDS.columns, *facts)
        .join_from(RECORDS, PREDICTIONS, RECORDS.c.prediction_key == PREDICTIONS.c.key)
        .where(*conditions)
        .order_by(RECORDS.c.seq)
    )


def entries(
    url: str, use_case: str, since: datetime | None = None, kinds: tuple[str, ...] = SENT
) -> list[LogEntry]:
    """The predictions of a use case, oldest first.

    Args:
        since: the oldest moment of interest (with its time zone).
        kinds: answer, simulation, shadow.
    """
    query = joined(PREDICTIONS.c.use_case == use_case, RECORDS.c.kind.in_(kinds))
    if since:
        query = query.where(RECORDS.c.time >= since.timestamp())
    with engine(url).connect() as connection:
        return [log_entry(row) for row in connection.execute(query).mappings()]


def by_id(url: str, prediction_id: str, use_case: str | None) -> LogEntry | None:
    """One prediction of any kind by its id.

    Args:
        use_case: whose prediction it must be; None asks all of them, for one who has the whole
            database anyway and never for a caller of a service.

    Returns:
        None when that use case has no such prediction.
    """
    query = joined(RECORDS.c.prediction_id == prediction_id)
    if use_case is not None:
        query = query.where(PREDICTIONS.c.use_case == use_case)
    with engine(url).connect() as connection:
        row = connection.execute(query).mappings().one_or_none()
    return log_entry(row) if row else None


def newest_id(url: str, use_case: str) -> str:
    """The id of the newest answer of a use case; empty when it has none."""
    query = (
        joined(PREDICTIONS.c.use_case == use_case, RECORDS.c.kind == "answer")
        .with_only_columns(RECORDS.c.prediction_id)
        .order_by(None)
        .order_by(RECORDS.c.seq.desc())
        .limit(1)
    )
    with engine(url).connect() as connection:
        return connection.scalar(query) or ""
