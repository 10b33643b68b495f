"""One prediction of the log by its id.

A person waits for a trace: SQLite is asked by the standard library here, since importing
SQLAlchemy takes longer than all the rest of the look-up.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from yupana.predictions.entry import LogEntry, log_entry

_SQLITE = "sqlite:///"
_QUERY = (
    "SELECT * FROM prediction_records JOIN predictions "
    "ON prediction_records.prediction_key = predictions.key WHERE prediction_id = :id "
    "AND (:use_case IS NULL OR use_case = :use_case)"
)
_TABLES = "SELECT count(*) FROM sqlite_master WHERE name IN ('prediction_records', 'predictions')"


def by_id(url: str, prediction_id: str, use_case: str | None) -> LogEntry | None:
    """As `prediction_log.by_id`; None also where there is no database yet.

    Args:
        url: of the platform database.
    """
    path = Path(url.removeprefix(_SQLITE))
    if not url.startswith(_SQLITE) or "?" in url:
        from yupana.predictions import prediction_log

        return prediction_log.by_id(url, prediction_id, use_case)
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        if connection.execute(_TABLES).fetchone()[0] < 2:
            _refuse_earlier(url, connection)
            return None
        parameters = {"id": prediction_id, "use_case": use_case}
        row = connection.execute(_QUERY, parameters).fetchone()
    return log_entry(dict(row)) if row else None


def _refuse_earlier(url: str, connection: sqlite3.Connection) -> None:
    """Of a database with tables of an earlier release, say so as every other reader does."""
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        from yupana.database.engine import engine

        engine(url)
