"""All that an agency was ever answered, from the lake, as a file to hand over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import whole_file
from yupana.core.errors import TerminalError
from yupana.data.lake import delta, reading
from yupana.lineage import contents
from yupana.predictions import lake_table
from yupana.predictions.prediction_log import SENT

COLUMNS = (
    "prediction_id", "time", "kind", "entity", "parameters", "model_version", "data_as_of",
    "payload", "caveats", "prediction_key",
)  # fmt: skip
Days = tuple[date | None, date | None]


def write(settings: Settings, use_case: str, agency: str, days: Days, out: Path) -> int:
    """Write answers and simulations as CSV, a row each, in the order of the lake; returns the rows.

    Args:
        days: the first and the last day (UTC), both counted; None: without an end.

    Raises:
        TerminalError: nothing was exported yet.
        UsageError: the file cannot be written; the old one stays.
        ContentError: the table is not as its step left it.
    """
    import pyarrow.compute as pc
    from deltalake import DeltaTable
    from pyarrow import csv

    table = lake_table.path(settings, use_case)
    if table is None:
        raise TerminalError(
            f"Nobody was answered by '{use_case}' yet.",
            where=f"{lake_table.ZONE}/{use_case}",
            fix="`yupana usage` tells who asked for what.",
        )
    ref = f"delta:{lake_table.ZONE}/{use_case}@{delta.version_of(table)}"
    contents.demand(settings, ref, newest=True)
    wanted = (pc.field("agency") == agency) & pc.field("kind").isin(SENT)
    first, last = days
    if first:
        wanted &= pc.field("time") >= _midnight(first)
    if last:
        wanted &= pc.field("time") < _midnight(last + timedelta(days=1))
    rows = reading.dataset(DeltaTable(str(table)))
    count = 0
    schema = rows.scanner(columns=[*COLUMNS]).projected_schema
    with whole_file.replacing(out, "The file") as stream, csv.CSVWriter(stream, schema) as writer:
        for batch in rows.to_batches(columns=[*COLUMNS], filter=wanted):
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)
