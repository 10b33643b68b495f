"""How the prediction log is written: a whole group of answers by one statement a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from yupana.governance.database import engine
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


def forecast_row(told: Told) -> list[Any]:
    """The columns of `FORECASTS`; a number that is none is null."""
    return [*told[:7], *(_json(part) for part in told[7:])]


def answer_row(given: Given) -> list[Any]:
    """The columns of `ANSWERS`, without the number that the database gives."""
    # PostgreSQL has no place for NUL, and this text may be the caller's.
    return [*given[:2], given.told.key, *given[3:8], given.request_id.replace("\0", "")]


class Inserter:
    """Writes rows by one statement a table, without SQLAlchemy's compiler and with few calls.

    Each call of SQLite gives Python's lock away and waits for it again, behind a busy event
    loop: so the rows of a group go in as one JSON text, whatever their number.

    Args:
        connection: a raw connection of SQLite or psycopg.
    """

    def __init__(self, connection: Any, dialect: str) -> None:
        self._connection = connection
        self._sql = {name: _insert(name, dialect) for name in _COLUMNS}

    def write(self, forecasts: Sequence[list[Any]], answers: Sequence[list[Any]]) -> None:
        """Write in one transaction; rows that are there already are left as they are."""
        cursor = self._connection.cursor()
        # In one order, so that two workers never wait for each other's rows.
        for name, rows in ((FORECASTS.name, sorted(forecasts)), (ANSWERS.name, answers)):
            if rows:
                cursor.execute(self._sql[name], (json.dumps(rows, default=str),))
        self._connection.commit()
        cursor.close()

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
    )


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
    made = engine(url, METADATA)
    raw = made.raw_connection()
    try:
        writer = Inserter(raw, made.dialect.name)
        writer.write([forecast_row(t) for t in forecasts.values()], [answer_row(g) for g in rows])
    finally:
        raw.close()
