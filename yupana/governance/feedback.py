"""What those who asked say about an answer: what happened, or what is wrong with it."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from yupana.core.errors import UsageError
from yupana.governance import predictions
from yupana.governance.database import Moment, engine

KINDS = ("observed", "complaint")
LONGEST_COMMENT = 1000
MOST_CASES = 1_000_000
_METADATA = sa.MetaData()

FEEDBACK = sa.Table(
    "feedback",
    _METADATA,
    sa.Column("feedback_id", sa.String, primary_key=True),
    sa.Column("time", Moment, nullable=False, index=True),
    sa.Column("prediction_id", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("week_ending", sa.String),
    sa.Column("cases", sa.Integer),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("key_id", sa.String, nullable=False),
    sa.Column("agency", sa.String, nullable=False),
)
# As people write them: 987654321, +51 987 654 321; 12345678, 12.345.678. A date is not one.
_PERSONAL = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"(?<!\d)(?:\+?51[ .-]?)?9\d{2}[ .-]?\d{3}[ .-]?\d{3}(?!\d)"), "[teléfono]"),
    (re.compile(r"(?<!\d)(?:\d{8}|\d{2}[ .]\d{3}[ .]\d{3})(?!\d)"), "[DNI]"),
)


def add(
    url: str,
    prediction_id: str,
    kind: str,
    week_ending: date | None,
    cases: int | None,
    comment: str,
    key_id: str,
    agency: str,
    now: datetime,
) -> str:
    """Keep one piece of feedback, its comment without personal data, and return its id.

    Args:
        kind: `observed` (needs `week_ending`, a week of the forecast, and `cases`) or
            `complaint` (needs `comment`).
        week_ending: the Saturday on which the week ends.
        cases: cases of that week, as they are known now.

    Raises:
        UsageError: no such answer, or what the kind needs is missing; `where` is the field.
    """
    given = predictions.found(url, prediction_id)
    if given is None:
        raise UsageError(
            f"El registro no tiene la respuesta '{prediction_id}'. / "
            f"The log has no answer '{prediction_id}'.",
            where="prediction_id",
            fix="Es el `prediction_id` de la respuesta del servicio. / "
            "It is the `prediction_id` in the service's answer.",
        )
    _check(
        kind, str(week_ending or ""), cases, comment, [w["week_ending"] for w in given["answer"]]
    )
    row = {
        "feedback_id": uuid.uuid4().hex,
        "time": now,
        "prediction_id": prediction_id,
        "kind": kind,
        "week_ending": str(week_ending) if week_ending else None,
        "cases": cases,
        "comment": masked(comment),
        "key_id": key_id,
        "agency": agency,
    }
    with engine(url, _METADATA).begin() as connection:
        connection.execute(sa.insert(FEEDBACK), [row])
    return str(row["feedback_id"])


def listing(url: str, since: datetime, prediction_id: str = "") -> list[dict[str, Any]]:
    """Feedback since a moment, oldest first; on one answer, or on all."""
    query = sa.select(FEEDBACK).where(FEEDBACK.c.time >= since).order_by(FEEDBACK.c.time)
    if prediction_id:
        query = query.where(FEEDBACK.c.prediction_id == prediction_id)
    with engine(url, _METADATA).connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def masked(text: str) -> str:
    """The text with e-mail addresses, mobile numbers and DNIs replaced by what they are."""
    for pattern, name in _PERSONAL:
        text = pattern.sub(name, text)
    # What no database can hold: NUL, and halves of a character.
    return text.replace("\0", "").encode(errors="replace").decode()


def _check(kind: str, week: str, cases: int | None, comment: str, weeks: list[str]) -> None:
    wrong = where = ""
    if kind not in KINDS:
        wrong, where = f"No existe el tipo '{kind}'. / There is no kind '{kind}'.", "kind"
    elif len(comment) > LONGEST_COMMENT:
        wrong, where = "El comentario es muy largo. / The comment is too long.", "comment"
    elif kind == "complaint" and not comment.strip():
        wrong, where = "La queja no dice nada. / The complaint says nothing.", "comment"
    elif kind == "observed" and week not in weeks:
        wrong = (
            f"El pronóstico no tiene la semana que termina el '{week}'. / "
            f"The forecast has no week that ends on '{week}'."
        )
        where = "week_ending"
    elif kind == "observed" and (cases is None or not 0 <= cases <= MOST_CASES):
        wrong = "Falta el número de casos, o no puede ser. / The cases are missing or cannot be."
        where = "cases"
    if wrong:
        raise UsageError(
            wrong,
            where=where,
            fix=f"kind: {', '.join(KINDS)}; week_ending: {', '.join(weeks)}; "
            f"cases: 0-{MOST_CASES}; comment: ≤ {LONGEST_COMMENT}.",
        )
