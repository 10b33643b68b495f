"""How the prediction log is written: a whole group of records by one statement a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from yupana.core.errors import TransientError
from yupana.database.engine import engine
from yupana.ledger import entries, vouched
from yupana.predictions import digest
from yupana.predictions.prediction_log import (
    CLOCK_SECONDS,
    PREDICTIONS,
    RECORDS,
    Prediction,
    PredictionRecord,
)

Row = list[Any]
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)

_SIGN = (
    "INSERT INTO prediction_log_state (name, value) VALUES ('alive', CURRENT_TIMESTAMP) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_COLUMNS = {
    PREDICTIONS.name: [c.name for c in PREDICTIONS.columns],
    RECORDS.name: [c.name for c in RECORDS.columns if c.name != "seq"],
}
_KEYS = {PREDICTIONS.name: "key", RECORDS.name: "prediction_id"}
_NUMBERS = {"time": "double precision", "payload_version": "integer"}


def prediction_row(prediction: Prediction) -> Row:
    """The columns of `PREDICTIONS`; a number that is none is null."""
    key, basis, entity, features, payload, version, caveats = prediction
    return [key, *basis, entity, _json(features), _json(payload), version, _json(caveats)]


def record_row(record: PredictionRecord) -> Row:
    """The columns of `RECORDS`, without the number that the database gives."""
    prediction_id, time, prediction, parameters, key_id, agency, kind, request_id = record
    # PostgreSQL has no place for NUL, and this text may be the caller's.
    caller = [key_id, agency, kind, request_id.replace("\0", "")]
    return timed([prediction_id, time, prediction.key, _json(parameters), *caller])


def timed(row: Row) -> Row:
    """A row of `RECORDS` whose time has the microseconds that every database returns alike."""
    row[1] = round(row[1], 6)
    return row


class ClockError(TransientError):
    """The clock of this machine and the ledger's time are apart: no answer can be dated."""

    def __init__(self, time: str) -> None:
        super().__init__(
            f"This machine's clock is not that of the ledger, whose last event is of {time}.",
            where="prediction log",
            fix="Set the clock right (NTP); answers go on by themselves then.",
        )


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
        self, predictions: Sequence[Row], records: Sequence[Row], use_case: str, *,
        late: bool = False,
    ) -> None:  # fmt: skip
        """Write in one transaction, with the ledger's event of these records.

        Rows that are there already are left as they are, and belong to an earlier event.

        Args:
            late: the records are older than this moment, as their event then says.

        Raises:
            ClockError: they have another time than the ledger; nothing was written.
        """
        while not self._write_once(predictions, records, use_case, late):
            self._connection.rollback()
            records = self._new(records)

    def _write_once(
        self, predictions: Sequence[Row], records: Sequence[Row], use_case: str, late: bool
    ) -> bool:
        """Whether all records were new and are written."""
        cursor = self._connection.cursor()
        events: list[entries.Entry] = []
        if predictions:
            # In one order, so that two workers never wait for each other's rows.
            texts = [digest.row_text(row) for row in sorted(predictions)]
            cursor.execute(self._sql[PREDICTIONS.name], (digest.joined(texts),))
            keys = {key for (key,) in cursor.fetchall()}
            events = _vouched(row for row in predictions if row[0] in keys)
        if records:
            if self._dialect != "sqlite":
                # Numbers are then drawn in one piece; in SQLite, who has written is alone.
                entries.hold(self._connection.driver_connection, self._dialect)
            texts = [digest.row_text(row) for row in records]
            cursor.execute(self._sql[RECORDS.name], (digest.joined(texts),))
            if cursor.rowcount != len(records):
                return False
            last = _last(cursor, self._dialect)
            events.append(entries.Entry("predictions", use_case, _seal(records, texts, last, late)))
        if events:
            self._append(events, [row[1] for row in records], late)
        self._connection.commit()
        cursor.close()
        return True

    def _append(self, events: list[entries.Entry], times: list[float], late: bool) -> None:
        driver, now = self._connection.driver_connection, datetime.now(UTC)
        sealed = entries.chain(driver, self._dialect, events, now, locked=bool(times))[-1]
        # The ledger's time never goes back: an answer of before it has a clock that did.
        moment = datetime.fromisoformat(sealed.time).timestamp()
        early = bool(times) and not late and moment - min(times) > CLOCK_SECONDS
        if early or (times and max(times) - moment > CLOCK_SECONDS):
            self._connection.rollback()
            raise ClockError(sealed.time)

    def _new(self, records: Sequence[Row]) -> list[Row]:
        """Those that the database does not have, each once."""
        cursor = self._connection.cursor()
        fresh = {row[0]: row for row in records}
        cursor.execute(_existing(self._dialect), (json.dumps(list(fresh)),))
        for (prediction_id,) in cursor.fetchall():
            del fresh[prediction_id]
        cursor.close()
        return list(fresh.values())

    def probe(self) -> None:
        """Write a word, to see whether the database takes any.

        Raises:
            Exception: the driver's; it does not.
        """
        cursor = self._connection.cursor()
        cursor.execute(_SIGN)
        self._connection.commit()
        cursor.close()


def _seal(records: Sequence[Row], texts: Sequence[str], last: int, late: bool) -> dict[str, Any]:
    """What the ledger's event says of a group."""
    return {
        "n": len(records),
        "rows": [last - len(records) + 1, last],
        "first": records[0][0],
        "last": records[-1][0],
        "sha256": digest.root(texts),
        "digest": digest.NEWEST,
        **({"late": True} if late else {}),
    }


def _vouched(predictions: Iterable[Row]) -> list[entries.Entry]:
    """The ledger's entries on new predictions."""
    columns = _COLUMNS[PREDICTIONS.name]
    texts = ((row[0], vouched.text(dict(zip(columns, row, strict=True)))) for row in predictions)
    return vouched.entries_of(
        [(PREDICTIONS.name, key, vouched.digest("", [text])) for key, text in texts]
    )


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
        f"WHERE true ON CONFLICT ({_KEYS[table]}) DO NOTHING"
        + _returning(table, dialect)
    )


def _returning(table: str, dialect: str) -> str:
    if table == PREDICTIONS.name:
        return " RETURNING key"
    # SQLite tells the last number by itself.
    return " RETURNING seq" if dialect == "postgresql" else ""


def _existing(dialect: str) -> str:
    many = "json_each(?)" if dialect == "sqlite" else "jsonb_array_elements_text(%s::jsonb)"
    return (
        f"SELECT prediction_id FROM {RECORDS.name} WHERE prediction_id IN "
        f"(SELECT value FROM {many})"
    )


def _last(cursor: Any, dialect: str) -> int:
    """The highest number that the last statement gave."""
    if dialect == "sqlite":
        return int(cursor.lastrowid)
    return max(int(seq) for (seq,) in cursor.fetchall())


def _json(value: Any) -> str:
    try:
        return _ENCODER.encode(value)
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


def record(url: str, records: Iterable[PredictionRecord]) -> None:
    """Write records of any time, and wait for the disk; a running service has a `Recorder`."""
    group = list(records)
    predictions = {one.prediction.key: one.prediction for one in group}
    database = engine(url)
    raw = database.raw_connection()
    try:
        Inserter(raw, database.dialect.name).write(
            [prediction_row(one) for one in predictions.values()],
            [record_row(one) for one in group],
            group[0].prediction.basis.use_case if group else "",
            late=True,
        )
    finally:
        raw.close()
