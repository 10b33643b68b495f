"""What the statistics of use say: by day and in all, with latency, and the entities asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from yupana.database.engine import engine
from yupana.predictions.usage import ENTITIES, REQUESTS, latency

TOP = 10


@dataclass(frozen=True)
class Figures:
    """The requests of a day, of an agency, or of all.

    Attributes:
        name: the day (ISO), the agency (empty without a key), or empty for all.
        refused: status 4xx.
        errors: status 5xx.
        median_ms, p95_ms: of the latency in milliseconds, within 5 %; None without a request.
    """

    name: str
    requests: int
    refused: int
    errors: int
    median_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True)
class EntityUsage:
    """How often an entity was asked about."""

    entity: str
    requests: int


@dataclass(frozen=True)
class UsageReport:
    """Requests since a day (ISO); `entities` are the `TOP` that were asked for most."""

    since: str
    agency: str
    model: str
    total: Figures
    days: list[Figures]
    agencies: list[Figures]
    entities: list[EntityUsage]


def report(url: str, since: date, agency: str = "", model: str = "") -> UsageReport:
    """Requests since a day (UTC), of one agency and of one model, or of all.

    Args:
        model: a use case (all its versions) or one version, such as NAME or NAME@3.
    """
    with engine(url, durable=False).connect() as connection:
        conditions = _conditions(REQUESTS, since, agency, model)
        (total,) = _figures(connection, conditions, [])
        return UsageReport(
            since.isoformat(), agency, model, total,
            _figures(connection, conditions, [REQUESTS.c.day]),
            _figures(connection, conditions, [REQUESTS.c.agency]),
            _entities(connection, since, agency, model),
        )  # fmt: skip


def _conditions(
    table: sa.Table, since: date, agency: str, model: str
) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [table.c.day >= since.isoformat()]
    if agency:
        conditions.append(table.c.agency == agency)
    if model:
        versions = table.c.model.startswith(f"{model}@", autoescape=True)
        conditions.append(sa.or_(table.c.model == model, versions))
    return conditions


def _figures(
    connection: sa.Connection,
    conditions: Sequence[sa.ColumnElement[bool]],
    by: Sequence[sa.Column[Any]],
) -> list[Figures]:
    """Of each group, in its order; zeros when nothing is grouped and none is there."""
    c = REQUESTS.c
    n = sa.func.sum(c.n)
    ranked = sa.select(
        *by,
        c.latency,
        n.label("n"),
        sa.func.sum(n).over(partition_by=by, order_by=c.latency).label("upto"),
        sa.func.sum(n).over(partition_by=by).label("all"),
    )
    rows = ranked.where(*conditions).group_by(*by, c.latency).subquery()
    names = [rows.c[column.name] for column in by]

    def percentile(percent: int) -> sa.ColumnElement[Any]:
        covers = rows.c.upto * 100 >= rows.c.all * percent
        return sa.func.min(sa.case((covers, rows.c.latency)))

    ranks = sa.select(*names, percentile(50), percentile(95)).group_by(*names)
    percentiles = {tuple(row[:-2]): row[-2:] for row in connection.execute(ranks)}

    def counted(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, c.n), else_=0)), 0)

    query = sa.select(
        *by,
        counted(sa.true()).label("requests"),
        counted(c.status.between(400, 499)).label("refused"),
        counted(c.status >= 500).label("errors"),
    ).where(*conditions)
    query = query.group_by(*by).order_by(*by) if by else query
    figures = []
    for *group, requests, refused, errors in connection.execute(query):
        middle, high = percentiles.get(tuple(group), (None, None))
        counts = (int(requests), int(refused), int(errors))
        figures.append(Figures("".join(group), *counts, _ms(middle), _ms(high)))
    return figures


def _ms(number: int | None) -> float | None:
    return None if number is None else latency(int(number))


def _entities(
    connection: sa.Connection, since: date, agency: str, model: str
) -> list[EntityUsage]:
    requests = sa.func.sum(ENTITIES.c.n).label("requests")
    query = (
        sa.select(ENTITIES.c.entity, requests)
        .where(*_conditions(ENTITIES, since, agency, model))
        .group_by(ENTITIES.c.entity)
        .order_by(requests.desc(), ENTITIES.c.entity)
        .limit(TOP)
    )
    return [EntityUsage(entity, int(n)) for entity, n in connection.execute(query)]
