"""What the statistics of use say: by day and in all, with latency, and the districts asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from yupana.governance.database import engine
from yupana.governance.usage import DISTRICTS, METADATA, REQUESTS

TOP = 10


def report(url: str, since: date, agency: str = "", model: str = "") -> dict[str, Any]:
    """Requests since a day (UTC), of one agency and of one model, or of all.

    Args:
        model: a use case (all its versions) or one version, such as outbreak or outbreak@3.

    Returns:
        `total` and `days`: requests, refused (status 4xx), errors (5xx), and median and 95th
        percentile of the latency in milliseconds (the nearest rank); `agencies`: the same by
        agency; `districts`: the `TOP` that were asked for most.
    """
    with engine(url, METADATA, durable=False).connect() as connection:
        chosen = _chosen(REQUESTS, since, agency, model)
        (total,) = _figures(connection, chosen, [])
        return {
            "since": since.isoformat(),
            "agency": agency,
            "model": model,
            "total": total,
            "days": _figures(connection, chosen, [REQUESTS.c.day]),
            "agencies": _figures(connection, chosen, [REQUESTS.c.agency]),
            "districts": _districts(connection, since, agency, model),
        }


def _chosen(table: sa.Table, since: date, agency: str, model: str) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [table.c.day >= since.isoformat()]
    if agency:
        found.append(table.c.agency == agency)
    if model:
        versions = table.c.model.startswith(f"{model}@", autoescape=True)
        found.append(sa.or_(table.c.model == model, versions))
    return found


def _figures(
    connection: sa.Connection,
    chosen: Sequence[sa.ColumnElement[bool]],
    by: Sequence[sa.Column[Any]],
) -> list[dict[str, Any]]:
    """One row a group, in its order; one row of zeros when nothing is grouped and none is there."""
    c = REQUESTS.c
    ranked = sa.select(
        *by,
        c.status,
        c.milliseconds,
        sa.func.row_number().over(partition_by=by, order_by=c.milliseconds).label("rank"),
        sa.func.count().over(partition_by=by).label("n"),
    )
    rows = ranked.where(*chosen).subquery()

    def percentile(percent: int) -> sa.ColumnElement[Any]:
        # The smallest rank that covers the share, in whole numbers.
        rank = (rows.c.n * percent + 99) // 100
        return sa.func.max(sa.case((rows.c.rank == rank, rows.c.milliseconds)))

    def counted(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

    names = [rows.c[column.name] for column in by]
    query = sa.select(
        *names,
        sa.func.count().label("requests"),
        counted(rows.c.status.between(400, 499)).label("refused"),
        counted(rows.c.status >= 500).label("errors"),
        percentile(50).label("median_ms"),
        percentile(95).label("p95_ms"),
    )
    query = query.group_by(*names).order_by(*names) if names else query
    return [dict(row) for row in connection.execute(query).mappings()]


def _districts(
    connection: sa.Connection, since: date, agency: str, model: str
) -> list[dict[str, Any]]:
    asked = sa.func.sum(DISTRICTS.c.asked).label("asked")
    query = (
        sa.select(DISTRICTS.c.ubigeo, asked)
        .where(*_chosen(DISTRICTS, since, agency, model))
        .group_by(DISTRICTS.c.ubigeo)
        .order_by(asked.desc(), DISTRICTS.c.ubigeo)
        .limit(TOP)
    )
    return [{"ubigeo": u, "asked": int(n)} for u, n in connection.execute(query)]
