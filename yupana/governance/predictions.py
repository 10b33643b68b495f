"""The prediction log: every answer that was given, in the platform database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

_METADATA = sa.MetaData()

PREDICTIONS = sa.Table(
    "predictions",
    _METADATA,
    sa.Column("prediction_id", sa.String(32), primary_key=True),
    sa.Column("time", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("model_version", sa.String(64), nullable=False),
    sa.Column("ubigeo", sa.String(6), nullable=False),
    sa.Column("data_as_of", sa.String(10), nullable=False),
    sa.Column("features", sa.JSON, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
)


@lru_cache(maxsize=4)
def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url)
    _METADATA.create_all(engine)
    return engine


def record(url: str, answers: Sequence[dict[str, Any]]) -> None:
    """Write answers in one transaction; each has the columns of `PREDICTIONS` but `time`."""
    now = datetime.now(UTC)
    with _engine(url).begin() as connection:
        connection.execute(sa.insert(PREDICTIONS), [{"time": now, **a} for a in answers])


def logged(url: str, use_case: str) -> list[dict[str, Any]]:
    """All logged answers of a use case, oldest first."""
    query = sa.select(PREDICTIONS).where(PREDICTIONS.c.use_case == use_case)
    with _engine(url).connect() as connection:
        rows = connection.execute(query.order_by(PREDICTIONS.c.time)).mappings()
        return [dict(row) for row in rows]
