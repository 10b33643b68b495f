"""What the statistics of use say: by day and in all, with latency, and the districts asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from yupana.governance.database import engine
from yupana.governance.usage import DISTRICTS, METADATA, REQUESTS, latency

TOP = 10


def report(url: str, since: date, agency: str = "", model: str = "") -> dict[str, Any]:
    """Requests since a day (UTC), of one agency and of one model, or of all.

    Args:
        model: a use case (all its versions) or one version, such as outbreak or outbreak@3.

    Returns:
        `total` and `days`: requests, refused (status 4xx), errors (5xx), and median and 95th
        percentile of the latency in milliseconds (within 5 %); `agencies`: the same by agency;
        `districts`: the `TOP` that were asked for most.
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
    n = sa.func.sum(c.n)
    ranked = sa.select(
        *by,
        c.latency,
        n.label("n"),
        sa.func.sum(n).over(partition_by=by, order_by=c.latency).label("upto"),
        sa.func.sum(n).over(partition_by=by).label("all"),
    )
    rows = ranked.where(*chosen).group_by(*by, c.latency).subquery()
    names = [rows.c[column.name] for column in by]

    def percentile(percent: int) -> sa.ColumnElement[Any]:
        covers = rows.c.upto * 100 >= rows.c.all * percent
        return sa.func.min(sa.case((covers, rows.c.latency)))

    ranks = sa.select(*names, percentile(50), percentile(95)).group_by(*names)
    told = {tuple(row[:-2]): row[-2:] for row in connection.execute(ranks)}

    def counted(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, c.n), else_=0)), 0)

    query = sa.select(
        *by,
        counted(sa.true()).label("requests"),
        counted(c.status.between(400, 499)).label("refused"),
        counted(c.status >= 500).label("errors"),
    ).where(*chosen)
    query = query.group_by(*by).order_by(*by) if by else query
    found = []
    for row in connection.execute(query).mappings():
        middle, high = told.get(tuple(row[c.name] for c in by), (None, None))
        counts = {k: v if isinstance(v, str) else int(v) for k, v in row.items()}
        found.append({**counts, "median_ms": _ms(middle), "p95_ms": _ms(high)})
    return found


def _ms(number: int | None) -> float | None:
    return None if number is None else latency(int(number))


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
