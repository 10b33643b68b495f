"""What an agency was answered, newest first and a page at a time: from the platform database alone.

Pages go on after an answer and not after a number of rows (keyset), so that none is told twice or
left out while new ones come, and the last page costs what the first does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.ledger import entries
from yupana.predictions.prediction_log import PREDICTIONS, RECORDS, SENT

MOST = 200
"""Answers on a page."""

_WINDOW = 5_000
"""Records of the agency that a page looks through: of a rare entity a page may have few answers, or
none, and go on all the same."""

_FACTS = PREDICTIONS.c.entity, PREDICTIONS.c.model_version, PREDICTIONS.c.data_as_of


@dataclass(frozen=True)
class Selection:
    """Which answers are wanted.

    Attributes:
        since, until: from the first moment on, and before the second (with their time zone).
        entity: empty for all.
        kinds: of records.
    """

    since: datetime | None = None
    until: datetime | None = None
    entity: str = ""
    kinds: tuple[str, ...] = SENT


@dataclass(frozen=True)
class AgencyAnswer:
    """One answer, without its numbers.

    Attributes:
        kind: answer, simulation or sandbox.
        parameters: what was asked for beside the entity.
        data_as_of: the last day with data, ISO.
        prediction_key: the hash of the prediction's content: equal predictions have the same.
    """

    prediction_id: str
    time: datetime
    kind: str
    entity: str
    parameters: dict[str, Any]
    model_version: str
    data_as_of: str
    prediction_key: str


@dataclass(frozen=True)
class Page:
    """Some answers, newest first, and the id after which the next page begins; empty at the end."""

    answers: tuple[AgencyAnswer, ...]
    after: str


def page(
    url: str, use_case: str, agency: str, selection: Selection, *, after: str, limit: int
) -> Page:
    """What an agency received of a use case, by whichever of its keys.

    Args:
        after: the `after` of the page before; empty for the first.
        limit: answers on the page, up to `MOST`.

    Raises:
        UsageError: `after` is no answer of this agency in the database.
    """
    r = RECORDS.c
    newest_first = r.time.desc(), r.seq.desc()
    with engine(url).connect() as connection:
        mine = _conditions(connection, agency, selection, after)
        window = sa.select(RECORDS).where(*mine).order_by(*newest_first).limit(_WINDOW).subquery()
        wanted = [PREDICTIONS.c.use_case == use_case]
        if selection.entity:
            wanted.append(PREDICTIONS.c.entity == selection.entity)
        query = (
            sa.select(window, *_FACTS)
            .join_from(window, PREDICTIONS, window.c.prediction_key == PREDICTIONS.c.key)
            .where(*wanted)
            .order_by(window.c.time.desc(), window.c.seq.desc())
            .limit(limit + 1)
        )
        rows = list(connection.execute(query).mappings())
        if len(rows) > limit:
            return Page(tuple(map(_answer, rows[:limit])), rows[limit - 1]["prediction_id"])
        end = sa.select(r.prediction_id).where(*mine).order_by(*newest_first)
        last = connection.scalar(end.offset(_WINDOW - 1).limit(1))
    return Page(tuple(map(_answer, rows)), last or "")


def archived_through(url: str, use_case: str) -> str:
    """The day (ISO, UTC) up to which answers have left the database for the lake; empty: none."""
    event = entries.newest(url, "archive", use_case)
    if event is None:
        return ""
    group = event.facts.get("events", [0, 0])[1]
    # What left before there were such events is told by the day on which it did.
    sealed = entries.read(url, kind="predictions", subject=use_case, since=group) if group else ()
    return next((one.time for one in sealed), event.time)[:10]


def _conditions(
    connection: sa.Connection, agency: str, selection: Selection, after: str
) -> list[sa.ColumnElement[bool]]:
    r = RECORDS.c
    conditions = [r.agency == agency, r.kind.in_(selection.kinds)]
    if selection.since:
        conditions.append(r.time >= selection.since.timestamp())
    if selection.until:
        conditions.append(r.time < selection.until.timestamp())
    if after:
        query = sa.select(r.time, r.seq).where(r.prediction_id == after, r.agency == agency)
        place = connection.execute(query).one_or_none()
        if place is None:
            raise UsageError(
                "No hay una página después de esa respuesta. / There is no page after that answer.",
                where="after",
                fix="Envíe el `next` de la página anterior, o nada para empezar. / Send the `next` "
                "of the page before, or nothing to begin.",
            )
        here = sa.tuple_(sa.literal(place.time), sa.literal(place.seq))
        conditions.append(sa.tuple_(r.time, r.seq) < here)
    return conditions


def _answer(row: Any) -> AgencyAnswer:
    return AgencyAnswer(
        row["prediction_id"], datetime.fromtimestamp(row["time"], UTC), row["kind"], row["entity"],
        json.loads(row["parameters"]), row["model_version"], row["data_as_of"],
        row["prediction_key"],
    )  # fmt: skip
