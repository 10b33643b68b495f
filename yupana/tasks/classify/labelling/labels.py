"""The labels of texts, append-only: a later label of the same author takes the place of an earlier
one when they are read, and no row is ever changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, get_args

import sqlalchemy as sa

from yupana.core.errors import UsageError
from yupana.database.engine import TABLES, Moment, engine
from yupana.ledger import entries, vouched
from yupana.predictions.prediction_log import new_id

Source = Literal["publisher", "function", "model", "reviewer", "clerk"]
"""What a label comes from: the published data, a labelling function, the label model, a person who
reviewed, or a clerk who corrected a case."""

LABELS = sa.Table(
    "labels",
    TABLES,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("time", Moment, nullable=False),
    sa.Column("use_case", sa.String(100), nullable=False),
    sa.Column("entity", sa.String(200), nullable=False, doc="the text's id"),
    sa.Column("label", sa.String(200), nullable=False),
    sa.Column("source", sa.String(20), nullable=False),
    sa.Column("author", sa.String(200), nullable=False, doc="function@version, or a pseudonym"),
    sa.Column("confidence", sa.Double, nullable=False, doc="0-1"),
    sa.Column("prediction_id", sa.String(32), nullable=False, doc="what it corrects, or empty"),
    sa.Index("labels_by_entity", "use_case", "entity"),
)


class Label(NamedTuple):
    """One label of one text.

    Attributes:
        entity: the text's id.
        author: who or what gave it: `function@version`, or the pseudonym of a person.
        confidence: 0-1; of a person 1.
        prediction_id: the prediction that it corrects or confirms; empty: none.
    """

    entity: str
    label: str
    source: Source
    author: str
    confidence: float = 1.0
    prediction_id: str = ""


def add(url: str, use_case: str, labels: Sequence[Label], now: datetime) -> int:
    """Append labels in one transaction; returns how many.

    Raises:
        UsageError: a source is none, or a confidence is no share; nothing is written then.
    """
    with engine(url).begin() as connection:
        return add_within(connection, use_case, labels, now)


def add_within(
    connection: sa.Connection, use_case: str, labels: Sequence[Label], now: datetime
) -> int:
    """Append labels in the caller's transaction; raises as `add`."""
    for label in labels:
        if label.source not in get_args(Source) or not 0 <= label.confidence <= 1:
            raise UsageError(
                f"'{label.source}' with confidence {label.confidence} is no label.",
                where=f"the label of {label.entity}",
                fix=f"Use one of {', '.join(get_args(Source))}, and a confidence of 0 to 1.",
            )
    rows = [
        {"id": new_id(now.timestamp()), "time": now, "use_case": use_case, **label._asdict()}
        for label in labels
    ]
    if rows:
        connection.execute(sa.insert(LABELS), rows)
        changed = vouched.changes(connection, {LABELS: [(row["id"],) for row in rows]})
        entries.write(connection, changed, now)
    return len(rows)


def of(url: str, use_case: str) -> list[Label]:
    """The labels of a use case that hold: of one author and text the newest."""
    query = sa.select(LABELS).where(LABELS.c.use_case == use_case).order_by(LABELS.c.id)
    newest: dict[tuple[str, str], Label] = {}
    with engine(url).connect() as connection:
        for row in connection.execute(query).mappings():
            label = Label(**{name: row[name] for name in Label._fields})
            newest[label.entity, label.author] = label
    return list(newest.values())
