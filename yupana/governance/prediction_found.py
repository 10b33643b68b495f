"""One answer of the prediction log by its id, and what it rests on.

A person waits for a trace: SQLite is asked by the standard library here, since importing
SQLAlchemy takes longer than all the rest of the look-up.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SQLITE = "sqlite:///"
_QUERY = (
    "SELECT * FROM answers_given JOIN forecasts_told ON answers_given.told = forecasts_told.key "
    "WHERE prediction_id = ?"
)

_TABLES = "SELECT count(*) FROM sqlite_master WHERE name IN ('answers_given', 'forecasts_told')"


def found(url: str, prediction_id: str) -> dict[str, Any] | None:
    """One answer as `predictions.logged` tells it, of any kind; None when the log has no such id.

    Args:
        url: of the platform database.
    """
    path = Path(url.removeprefix(_SQLITE))
    if not url.startswith(_SQLITE) or "?" in url:
        from yupana.governance import predictions

        return predictions.found(url, prediction_id)
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        if connection.execute(_TABLES).fetchone()[0] < 2:
            return None
        row = connection.execute(_QUERY, [prediction_id]).fetchone()
    return opened({k: row[k] for k in row.keys() if k != "key"}) if row else None  # noqa: SIM118


def opened(row: Any) -> dict[str, Any]:
    """A row of answer and forecast with its JSON read, its time a moment, its weeks those asked."""
    values = {k: v for k, v in row.items() if k != "seq"}
    values |= {name: json.loads(row[name]) for name in ("features", "answer", "caveats")}
    values["answer"] = values["answer"][: row["horizon"]]
    values["time"] = datetime.fromtimestamp(row["time"], UTC)
    return values


def refs(row: Any) -> list[str]:
    """References of what a logged forecast rests on: model, deployment, features.

    A recorded forecast of a past day has no deployment.
    """
    model = f"{row['use_case']}@{row['model_version']}"
    placed = [f"deployment:{row['deployment']}"] if row["deployment"] else []
    return [f"model:{model}", *placed, row["features_ref"]]
