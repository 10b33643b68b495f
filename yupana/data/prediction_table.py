"""The prediction log where monitoring reads it: the lake's tables `predictions/<use case>`."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from yupana.config.settings import Settings
from yupana.data import delta, reading
from yupana.governance import predictions

ZONE = "predictions"


def newest(settings: Settings, use_case: str, most: int) -> list[dict[str, Any]]:
    """The newest answers that someone received, from the lake, oldest first.

    Args:
        most: how many at the most.

    Returns:
        prediction_id, model_version, ubigeo, features (by name), answer (the weeks asked for).
    """
    from deltalake import DeltaTable

    table = settings.table(ZONE, use_case)
    if not delta.exists(table):
        return []
    import pyarrow.compute as pc

    rows = reading.dataset(DeltaTable(str(table)))
    told = pc.field("kind") == "answer"
    # The slim columns first: the forecasts are read of the newest rows alone.
    numbers = rows.to_table(columns=["time"], filter=told)["time"].sort()
    if most < len(numbers):
        told &= pc.field("time") >= numbers[len(numbers) - most]
    columns = ["time", "prediction_id", "model_version", "ubigeo", "horizon", "features", "answer"]
    found: list[dict[str, Any]] = []
    for batch in rows.to_batches(columns=columns, filter=told):
        for row in batch.to_pylist():
            weeks = _opened(row["answer"])[: row["horizon"]]
            found.append({**row, "features": _opened(row["features"]), "answer": weeks})
    return sorted(found, key=lambda row: (row["time"], row["prediction_id"]))[-most:]


def found(settings: Settings, prediction_id: str) -> dict[str, Any] | None:
    """One answer by its id, from the database or else from the lake; None if neither has it."""
    if row := predictions.found(settings.platform_db, prediction_id):
        return row
    from deltalake import DeltaTable
    from pyarrow.compute import field

    for table in sorted((settings.lake / ZONE).glob("*")):
        rows = reading.dataset(DeltaTable(str(table)))
        for row in rows.to_table(filter=field("prediction_id") == prediction_id).to_pylist():
            opened = {name: json.loads(row[name]) for name in ("features", "answer", "caveats")}
            return {**row, **opened, "answer": opened["answer"][: row["horizon"]]}
    return None


@lru_cache(maxsize=4_000)
def _opened(text: str) -> Any:
    return json.loads(text)
