"""How the prediction log is written: a whole group of answers by one statement a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from yupana.governance.database import engine
from yupana.governance.ledger import book
from yupana.governance.predictions import ANSWERS, FORECASTS, METADATA, Given, Told

_SIGN = (
    "INSERT INTO log_signs (name, value) VALUES ('alive', CURRENT_TIMESTAMP) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_COLUMNS = {
    FORECASTS.name: [c.name for c in FORECASTS.columns],
    ANSWERS.name: [c.name for c in ANSWERS.columns if c.name != "seq"],
}
_NAMES = {FORECASTS.name: "key", ANSWERS.name: "prediction_id"}
_NUMBERS = {"time": "double precision", "horizon": "integer"}


def prepare(url: str) -> sa.Engine:
    """The engine of an address, with the tables of the log and of the ledger made."""
    book.prepare(url)
    return engine(url, METADATA)


def forecast_row(told: Told) -> list[Any]:
    """The columns of `FORECASTS`; a number that is none is null."""
    return [*told[:7], *(_json(part) for part in told[7:])]


def answer_row(given: Given) -> list[Any]:
    """The columns of `ANSWERS`, without the number that the database gives."""
    # PostgreSQL has no place for NUL, and this text may be the caller's.
    row = [*given[:2], given.told.key, *given[3:8], given.request_id.replace("\0", "")]
    return timed(row)


def timed(row: list[Any]) -> list[Any]:
    """A row of `ANSWERS` whose time has the microseconds that every database gives back alike."""
    row[1] = round(row[1], 6)
    return row


def digest(rows: Sequence[Sequence[Any]]) -> str:
    """SHA-256 over rows of `ANSWERS`, without their numbers, as the ledger has it of a batch."""
    return hashlib.sha256(_text(rows).encode()).hexdigest()


def _text(rows: Sequence[Sequence[Any]]) -> str:
    return json.dumps(rows, default=str)


class Inserter:
    """Writes rows by one statement a table, without SQLAlchemy's compiler and with few calls.

    Each call of SQLite gives Python's lock away and waits for it again, behind a busy event
    loop: so the rows of a group go in as one JSON text, whatever their number.

    Args:
        connection: `Engine.raw_connection()`, of SQLite or psycopg.
    """

    def __init__(self, connection: Any, dialect: str) -> None:
        self._connection, self._dialect = connection, dialect
        self._sql = {name: _insert(name, dialect) for name in _COLUMNS}

    def write(
        self, forecasts: Sequence[list[Any]], answers: Sequence[list[Any]], subject: str
    ) -> None:
        """Write in one transaction, with the ledger's event of these answers.

        Rows that are there already are left as they are, and belong to an earlier event.

        Args:
            subject: the use case.
        """
        while not self._tried(forecasts, answers, subject):
            self._connection.rollback()
            answers = self._new(answers)

    def _tried(
        self, forecasts: Sequence[list[Any]], answers: Sequence[list[Any]], subject: str
    ) -> bool:
        """Whether all answers were new and are written."""
        cursor = self._connection.cursor()
        if forecasts:
            # In one order, so that two workers never wait for each other's rows.
            cursor.execute(self._sql[FORECASTS.name], (_text(sorted(forecasts)),))
        if answers:
            text = _text(answers)
            if self._dialect != "sqlite":
                # Numbers are then drawn in one piece; in SQLite, who has written is alone.
                book.hold(self._connection.driver_connection, self._dialect)
            cursor.execute(self._sql[ANSWERS.name], (text,))
            if cursor.rowcount != len(answers):
                return False
            self._seal(answers, text, _last(cursor, self._dialect), subject)
        self._connection.commit()
        cursor.close()
        return True

    def _seal(self, answers: Sequence[list[Any]], text: str, last: int, subject: str) -> None:
        facts = {
            "n": len(answers),
            "rows": [last - len(answers) + 1, last],
            "first": answers[0][0],
            "last": answers[-1][0],
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        event = book.Entry("predictions", subject, facts)
        driver = self._connection.driver_connection
        book.chain(driver, self._dialect, [event], datetime.now(UTC), held=True)

    def _new(self, answers: Sequence[list[Any]]) -> list[list[Any]]:
        """Those that the database does not have, each once."""
        cursor = self._connection.cursor()
        ids = {row[0]: row for row in answers}
        cursor.execute(_known(self._dialect), (json.dumps(list(ids)),))
        for (known,) in cursor.fetchall():
            del ids[known]
        cursor.close()
        return list(ids.values())

    def probe(self) -> None:
        """Write a word, to see whether the database takes any.

        Raises:
            Exception: the driver's; it does not.
        """
        cursor = self._connection.cursor()
        cursor.execute(_SIGN)
        self._connection.commit()
        cursor.close()


def _insert(table: str, dialect: str) -> str:
    columns = _COLUMNS[table]
    if dialect == "sqlite":
        values = [f"value ->> {i}" for i in range(len(columns))]
        rows = "json_each(?)"
    else:
        values = [f"(value ->> {i})::{_NUMBERS.get(c, 'text')}" for i, c in enumerate(columns)]
        rows = "jsonb_array_elements(%s::jsonb)"
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {rows} "
        f"WHERE true ON CONFLICT ({_NAMES[table]}) DO NOTHING"
        # SQLite tells the last number by itself.
        + (" RETURNING seq" if (table, dialect) == (ANSWERS.name, "postgresql") else "")
    )


def _known(dialect: str) -> str:
    many = "json_each(?)" if dialect == "sqlite" else "jsonb_array_elements_text(%s::jsonb)"
    return (
        f"SELECT prediction_id FROM {ANSWERS.name} WHERE prediction_id IN "
        f"(SELECT value FROM {many})"
    )


def _last(cursor: Any, dialect: str) -> int:
    """The highest number that the last statement gave."""
    if dialect == "sqlite":
        return int(cursor.lastrowid)
    return max(int(seq) for (seq,) in cursor.fetchall())


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        # Some are not plain: looked through only then, since it takes long.
        return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A value for JSON, which knows neither NaN nor NumPy's numbers."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def record(url: str, given: Iterable[Given]) -> None:
    """Write answers now and wait for the disk; a running service has a `Recorder` for it."""
    rows = list(given)
    forecasts = {g.told.key: g.told for g in rows}
    made = prepare(url)
    raw = made.raw_connection()
    try:
        writer = Inserter(raw, made.dialect.name)
        told = [forecast_row(t) for t in forecasts.values()]
        writer.write(told, [answer_row(g) for g in rows], rows[0].told.use_case if rows else "")
    finally:
        raw.close()
