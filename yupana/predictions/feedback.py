"""What those who asked say about a prediction: what happened, or what is wrong with it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from yupana.core import field_words
from yupana.core.errors import UsageError
from yupana.database.engine import TABLES, Moment, engine
from yupana.ledger import entries, vouched
from yupana.predictions import prediction_log
from yupana.predictions.entry import LogEntry
from yupana.privacy.mask import mask

if TYPE_CHECKING:
    from pydantic import BaseModel

OBSERVED, COMPLAINT = KINDS = ("observed", "complaint")
SIMULATION = "simulation"
LONGEST_COMMENT = 1000

FEEDBACK = sa.Table(
    "feedback",
    TABLES,
    sa.Column("feedback_id", sa.String, primary_key=True),
    sa.Column("time", Moment, nullable=False, index=True),
    sa.Column("prediction_id", sa.String, nullable=False, index=True),
    sa.Column("use_case", sa.String, nullable=False),
    sa.Column("entity", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("payload", sa.Text, nullable=False, doc="JSON"),
    sa.Column("payload_version", sa.Integer, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("key_id", sa.String, nullable=False),
    sa.Column("agency", sa.String, nullable=False),
)


@dataclass(frozen=True)
class OutcomeSchema:
    """What a use case's kind takes as an outcome that was observed.

    Attributes:
        model: validates the payload; the context of its validators is the prediction's `LogEntry`.
        version: of the payload's shape, from 1.
        advice: what could be sent about a prediction, Spanish and English, for whoever erred.
    """

    model: type[BaseModel]
    version: int
    advice: Callable[[LogEntry], str]


class Author(NamedTuple):
    """Who gives feedback."""

    key_id: str
    agency: str


@dataclass(frozen=True)
class Feedback:
    """One piece of feedback; `payload` may be empty in a complaint."""

    feedback_id: str
    time: datetime
    prediction_id: str
    use_case: str
    entity: str
    kind: str
    payload: dict[str, Any]
    payload_version: int
    comment: str
    key_id: str
    agency: str


def add(
    url: str, entry: LogEntry, kind: str, payload: dict[str, Any], comment: str,
    *, schema: OutcomeSchema, author: Author, now: datetime,
) -> str:  # fmt: skip
    """Store one piece of feedback, its comment without personal data, and return its id.

    On an answer of a key for trying out it is looked at and not stored.

    What its author sends once more in the same words has the id of the first time. Another outcome
    of the same prediction is a correction: of an author, the newest counts (`newest`).

    Args:
        entry: the prediction, of the log or of a table; that the author may read it is checked.
        kind: `observed` (needs a payload that `schema` takes) or `complaint` (needs `comment`).

    Raises:
        UsageError: it is none that comes true (a simulation), or what the kind needs is missing;
            `where` is the field.
    """
    if kind == OBSERVED and entry.kind == SIMULATION:
        raise UsageError(
            "Una simulación no se cumple: responde a datos que no se dieron. / "
            "A simulation does not come true: it answers data that did not happen.",
            where="prediction_id",
            fix="Informe lo que pasó con el prediction_id de un pronóstico. / "
            "Report what happened with the prediction_id of a forecast.",
        )
    outcome = _outcome(entry, kind, payload, comment, schema)
    if entry.kind == prediction_log.SANDBOX:
        return uuid.uuid4().hex
    row = {
        "feedback_id": uuid.uuid4().hex,
        "time": now,
        "prediction_id": entry.prediction_id,
        "use_case": entry.use_case,
        "entity": entry.entity,
        "kind": kind,
        "payload": json.dumps(outcome, ensure_ascii=False),
        "payload_version": schema.version,
        "comment": masked(comment),
        "key_id": author.key_id,
        "agency": author.agency,
    }
    same = ("prediction_id", "kind", "payload", "comment", "key_id", "agency")
    with engine(url).begin() as connection:
        before = connection.scalar(
            sa.select(FEEDBACK.c.feedback_id).where(*(FEEDBACK.c[n] == row[n] for n in same))
        )
        if before is None:
            connection.execute(sa.insert(FEEDBACK), [row])
            rows = vouched.changes(connection, {FEEDBACK: [(row["feedback_id"],)]})
            entries.write(connection, rows, now)
    return str(before or row["feedback_id"])


def listing(
    url: str, use_case: str, since: datetime, prediction_id: str = ""
) -> list[Feedback]:
    """Feedback on a use case since a moment, oldest first; on one prediction, or on all."""
    query = sa.select(FEEDBACK).where(FEEDBACK.c.use_case == use_case, FEEDBACK.c.time >= since)
    if prediction_id:
        query = query.where(FEEDBACK.c.prediction_id == prediction_id)
    with engine(url).connect() as connection:
        rows = connection.execute(query.order_by(FEEDBACK.c.time)).mappings()
        return [Feedback(**{**row, "payload": json.loads(row["payload"])}) for row in rows]


def newest(feedback: list[Feedback]) -> list[Feedback]:
    """Of outcomes of one prediction by one agency the newest, which corrects the others; and all
    complaints. In the order of `listing`."""
    last = {(f.prediction_id, f.agency): f for f in feedback if f.kind == OBSERVED}
    return [f for f in feedback if f.kind != OBSERVED or last[f.prediction_id, f.agency] is f]


def masked(text: str) -> str:
    """The text with personal data replaced by what it is, as a database can hold it."""
    # NUL and halves of a character go first: they could stand inside of a number.
    return mask(text.replace("\0", "").encode(errors="replace").decode()).text


def _outcome(
    entry: LogEntry, kind: str, payload: dict[str, Any], comment: str, schema: OutcomeSchema
) -> dict[str, Any]:
    """The payload to store: what was observed; a complaint may have none."""
    from pydantic import ValidationError

    taken = f"kind: {', '.join(KINDS)}; {schema.advice(entry)}; comment: ≤ {LONGEST_COMMENT}."
    advice = f"Se admite / What is taken: {taken}"
    problem = field = ""
    if kind not in KINDS:
        problem, field = f"No existe el tipo '{kind}'. / There is no kind '{kind}'.", "kind"
    elif len(comment) > LONGEST_COMMENT:
        problem, field = "El comentario es muy largo. / The comment is too long.", "comment"
    elif kind == COMPLAINT and not comment.strip():
        problem, field = "La queja no dice nada. / The complaint says nothing.", "comment"
    if problem:
        raise UsageError(problem, where=field, fix=advice)
    if kind == COMPLAINT and not payload:
        return {}
    try:
        return schema.model.model_validate(payload, context=entry).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        what = field_words.words(first)
        raise UsageError(
            f"El resultado no es válido: {what.es}. / The outcome is not valid: {what.en}.",
            where=".".join(map(str, first["loc"])) or "payload",
            fix=advice,
        ) from error
