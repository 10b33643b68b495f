"""The prediction log where monitoring reads it: the lake's tables `predictions/<use case>`."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.data.lake import delta, reading
from yupana.lineage import contents
from yupana.predictions import lookup
from yupana.predictions.entry import Basis, LogEntry, log_entry

if TYPE_CHECKING:
    import pyarrow as pa

ZONE = "predictions"
FORECASTS = "forecasts"
"""Tables of predictions that runs write, where a use case has any."""
ENTITY, PAYLOAD = "entity", "payload"
"""Columns: what a prediction is about, and the prediction itself as JSON."""


class LakePrediction(NamedTuple):
    """What is read of many answers at once; JSON is read, and shared where it is equal."""

    prediction_id: str
    model_version: str
    entity: str
    parameters: dict[str, Any]
    features: dict[str, Any]
    payload: dict[str, Any]


def schema() -> pa.Schema:
    """The columns: of a record, then of its prediction."""
    import pyarrow as pa

    text = (
        "prediction_id", "prediction_key", "parameters", "key_id", "agency", "kind", "request_id",
        *Basis._fields[:-1], "entity", "features", "payload", "caveats",
    )  # fmt: skip
    return pa.schema(
        [
            ("time", pa.timestamp("us", "UTC")),
            *((name, pa.string()) for name in text),
            ("data_as_of", pa.date32()),
            ("payload_version", pa.int32()),
        ]
    )


def path(settings: Settings, use_case: str) -> Path | None:
    """The table of a use case; None before the first export.

    Raises:
        TerminalError: it has the columns of an earlier release; names the command.
    """
    from deltalake import DeltaTable

    table = settings.table(ZONE, use_case)
    if not delta.exists(table):
        return None
    require(table, DeltaTable(str(table)).schema().to_arrow().names)
    return table


def require(table: Path, columns: Collection[str]) -> None:
    """Refuse a table of an earlier release.

    Raises:
        TerminalError: it has its columns; names the command.
    """
    if "prediction_id" in columns and "payload" not in columns:
        raise TerminalError(
            "The predictions in the lake have the columns of an earlier release.",
            where=str(table),
            fix=f"Run `yupana export-predictions {table.name}`, which rewrites the table.",
        )


def newest(settings: Settings, use_case: str, most: int) -> list[LakePrediction]:
    """The newest answers that someone received, from the lake, oldest first.

    Args:
        most: how many at the most.

    Raises:
        TerminalError: see `path`.
    """
    from deltalake import DeltaTable

    table = path(settings, use_case)
    if not table:
        return []
    import pyarrow.compute as pc

    _demand(settings, table)
    rows = reading.dataset(DeltaTable(str(table)))
    condition = pc.field("kind") == "answer"
    # The slim columns first: the predictions are read of the newest rows alone.
    times = rows.to_table(columns=["time"], filter=condition)["time"].sort()
    if most < len(times):
        condition &= pc.field("time") >= times[len(times) - most]
    entries = [
        (row["time"], LakePrediction(*(_read(name, row) for name in LakePrediction._fields)))
        for batch in rows.to_batches(columns=["time", *LakePrediction._fields], filter=condition)
        for row in batch.to_pylist()
    ]
    entries.sort(key=lambda entry: (entry[0], entry[1].prediction_id))
    return [entry for _, entry in entries][-most:]


def by_id(settings: Settings, prediction_id: str, use_case: str | None) -> LogEntry | None:
    """One prediction by its id, from the database or else from the lake, or a row of a forecast.

    Args:
        use_case: whose prediction it must be; None asks all of them, for one who has the whole
            home anyway and never for a caller of a service.

    Returns:
        Of a row of a forecast table, `features_ref` is the version that was looked at. None if
        nothing has the id.

    Raises:
        TerminalError: see `path`.
        ContentError: the table of the lake that has it is not as its step left it.
    """
    if entry := lookup.by_id(settings.platform_db, prediction_id, use_case):
        return entry
    exported = _exported(settings, prediction_id, use_case)
    entry = exported or _forecast(settings, prediction_id)
    return entry if entry and use_case in (None, entry.use_case) else None


def entity_column(columns: Collection[str], use_case: str) -> str:
    """The column of a forecast table that names the entity: the spec's key, or a group's `area`."""
    from yupana.core import spec

    try:
        key = spec.load(use_case).entity.key
    except UsageError:
        # A use case that was removed: its predictions are there all the same.
        key = ""
    return next((name for name in (key, "entity", "area") if name in columns), "")


def _exported(settings: Settings, prediction_id: str, use_case: str | None) -> LogEntry | None:
    for table in sorted((settings.lake / ZONE).glob(use_case or "*")):
        for row in _where(table, prediction_id):
            _demand(settings, table)
            return log_entry(row)
    return None


def _forecast(settings: Settings, prediction_id: str) -> LogEntry | None:
    """The rows of an entity in the tables that runs write; `rows` is its payload."""
    for table in sorted((settings.lake / FORECASTS).glob("*")):
        if rows := _where(table, prediction_id):
            row = rows[0]
            _demand(settings, table)
            use_case, _, version = row["model"].removeprefix("model:").partition("@")
            ref = f"delta:{FORECASTS}/{table.name}@{delta.version_of(table)}"
            basis = Basis(use_case, version, "", ref, str(row["origin"]))
            entity = str(row.get(entity_column(row, use_case), ""))
            payload = {"rows": rows}
            return LogEntry(prediction_id, None, "forecast", basis, entity, payload=payload)
    return None


def _demand(settings: Settings, table: Path) -> None:
    ref = f"delta:{table.parent.name}/{table.name}@{delta.version_of(table)}"
    contents.demand(settings, ref, newest=True)


def _where(table: Path, prediction_id: str) -> list[dict[str, Any]]:
    """Rows of one prediction, read by Polars: a person waits, and Arrow takes a second to load."""
    import polars as pl
    from deltalake import DeltaTable

    for file in DeltaTable(str(table)).file_uris():
        scan = pl.scan_parquet(file)
        columns = scan.collect_schema().names()
        # Not every table of this zone is one of predictions (the nowcast).
        if "prediction_id" not in columns:
            return []
        if table.parent.name == ZONE:
            require(table, columns)
        rows = scan.filter(pl.col("prediction_id") == prediction_id).collect().to_dicts()
        if rows:
            return rows
    return []


def _read(name: str, row: dict[str, Any]) -> Any:
    return _value(row[name]) if name in ("parameters", "features", "payload") else row[name]


@lru_cache(maxsize=4_000)
def _value(text: str) -> Any:
    return json.loads(text)
