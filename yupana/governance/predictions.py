"""The prediction log: every answer that was given, in the platform database.

A forecast is the same for all who ask until the model or the data change, so it is stored once,
under the hash of its content; an answer is a slim row that points to it.
"""

from __future__ import annotations

import secrets
import threading
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from yupana.governance.database import engine
from yupana.governance.prediction_found import opened

METADATA = sa.MetaData()
TOLD = ("answer", "simulation")
"""Kinds of answers that someone received; a shadow was only recorded."""

FORECASTS = sa.Table(
    "forecasts_told",
    METADATA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("use_case", sa.String, nullable=False),
    sa.Column("model_version", sa.String, nullable=False),
    sa.Column("deployment", sa.String, nullable=False),
    sa.Column("features_ref", sa.String, nullable=False),
    sa.Column("ubigeo", sa.String, nullable=False),
    sa.Column("data_as_of", sa.String, nullable=False),
    # JSON in text: written as it is, and read by whoever needs it.
    sa.Column("features", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("caveats", sa.Text, nullable=False),
)
ANSWERS = sa.Table(
    "answers_given",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("prediction_id", sa.String, nullable=False, unique=True),
    sa.Column("time", sa.Double, nullable=False, doc="seconds since 1970"),
    sa.Column("told", sa.String, nullable=False),
    sa.Column("horizon", sa.Integer, nullable=False),
    sa.Column("as_of", sa.String, nullable=False),
    sa.Column("key_id", sa.String, nullable=False),
    sa.Column("agency", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("request_id", sa.String, nullable=False),
    # A number is never given twice, also after the newest rows were removed.
    sqlite_autoincrement=True,
)
SIGNS = sa.Table(
    "log_signs",
    METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
"""What tells this log from another, and the writer's signs of life."""


class Told(NamedTuple):
    """One distinct forecast; `key` is the hash of all the rest (32 hexadecimal digits)."""

    key: str
    use_case: str
    model_version: str
    deployment: str
    features_ref: str
    ubigeo: str
    data_as_of: str
    features: dict[str, Any]
    answer: list[dict[str, Any]]
    caveats: list[Any]


class Given(NamedTuple):
    """One answer: whom a forecast was given to, when, and for how many weeks.

    Attributes:
        time: seconds since 1970.
        kind: answer, shadow (recorded and not told) or simulation.
    """

    prediction_id: str
    time: float
    told: Told
    horizon: int
    as_of: str
    key_id: str
    agency: str
    kind: str
    request_id: str


_pool = bytearray()
_pool_lock = threading.Lock()


def _drawn() -> str:
    """20 random hexadecimal digits; the system is asked for many at once, since asking is slow."""
    with _pool_lock:
        if not _pool:
            _pool.extend(secrets.token_bytes(4000))
        mine = _pool[-10:].hex()
        del _pool[-10:]
        return mine


def new_id(now: float) -> str:
    """32 hexadecimal digits that rise with time (UUIDv7, RFC 9562): an index grows at its end.

    Args:
        now: seconds since 1970.
    """
    drawn = _drawn()
    # 7 is the version, and 8 to b the variant.
    return f"{int(now * 1000):012x}7{drawn[:3]}{'89ab'[int(drawn[3], 16) & 3]}{drawn[4:19]}"


def joined(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Answers with their forecasts, by number."""
    facts = [c for c in FORECASTS.columns if c.name != "key"]
    return (
        sa.select(*ANSWERS.columns, *facts)
        .join_from(ANSWERS, FORECASTS, ANSWERS.c.told == FORECASTS.c.key)
        .where(*conditions)
        .order_by(ANSWERS.c.seq)
    )


def logged(
    url: str, use_case: str, since: datetime | None = None, kinds: tuple[str, ...] = TOLD
) -> list[dict[str, Any]]:
    """Answers of a use case with their forecasts, oldest first.

    Args:
        since: the oldest moment of interest (with its time zone).
        kinds: answer, simulation, shadow.

    Returns:
        The fields of `Given` and `Told`, `told` as the forecast's key, `time` as a moment in
        UTC, `answer` as the weeks that were asked for.
    """
    query = joined(FORECASTS.c.use_case == use_case, ANSWERS.c.kind.in_(kinds))
    if since:
        query = query.where(ANSWERS.c.time >= since.timestamp())
    with engine(url, METADATA).connect() as connection:
        return [opened(row) for row in connection.execute(query).mappings()]


def found(url: str, prediction_id: str) -> dict[str, Any] | None:
    """One answer as `logged` tells it, of any kind; None when the log has no such id."""
    with engine(url, METADATA).connect() as connection:
        query = joined(ANSWERS.c.prediction_id == prediction_id)
        row = connection.execute(query).mappings().one_or_none()
    return opened(row) if row else None
