"""The prediction log where monitoring reads it: the lake's tables `predictions/<use case>`."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.data import delta, reading
from yupana.governance import prediction_found

ZONE = "predictions"
FORECASTS = "forecasts"


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
    """One answer by its id, from the database or else from the lake, or a row of a forecast.

    Returns:
        The fields of `predictions.logged`; for a place of a forecast table (`kind` forecast)
        `use_case`, `model_version`, `features_ref` (the version that was looked at), `ubigeo` or
        `area`, `origin`, `data_as_of` and no `time`. None if nothing has the id.
    """
    if row := prediction_found.found(settings.platform_db, prediction_id):
        return row
    return _exported(settings, prediction_id) or _forecast(settings, prediction_id)


def _exported(settings: Settings, prediction_id: str) -> dict[str, Any] | None:
    for table in sorted((settings.lake / ZONE).glob("*")):
        for row in _where(table, prediction_id):
            opened = {name: json.loads(row[name]) for name in ("features", "answer", "caveats")}
            return {**row, **opened, "answer": opened["answer"][: row["horizon"]]}
    return None


def _forecast(settings: Settings, prediction_id: str) -> dict[str, Any] | None:
    """The first week of a place in the tables that `yupana predict` writes."""
    for table in sorted((settings.lake / FORECASTS).glob("*")):
        for row in _where(table, prediction_id):
            use_case, _, version = row["model"].removeprefix("model:").partition("@")
            return {
                **{name: row[name] for name in ("ubigeo", "area", "origin") if name in row},
                "prediction_id": prediction_id, "kind": "forecast", "use_case": use_case,
                "model_version": version, "deployment": "", "data_as_of": row["origin"],
                "features_ref": f"delta:{FORECASTS}/{table.name}@{delta.version_of(table)}",
                "time": None,
            }  # fmt: skip
    return None


def _where(table: Path, prediction_id: str) -> list[dict[str, Any]]:
    """Rows of one answer, read by Polars: a person waits, and importing Arrow takes a second."""
    import polars as pl
    from deltalake import DeltaTable

    for file in DeltaTable(str(table)).file_uris():
        rows = pl.scan_parquet(file)
        # Not every table of this zone is one of predictions (the nowcast).
        if "prediction_id" not in rows.collect_schema().names():
            return []
        if found := rows.filter(pl.col("prediction_id") == prediction_id).collect().to_dicts():
            return found
    return []


@lru_cache(maxsize=4_000)
def _opened(text: str) -> Any:
    return json.loads(text)
