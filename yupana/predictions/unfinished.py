"""What an export that was killed had committed, and of which no event tells: taken up, or back.

Its commits stay where each holds just the records of the log that it says; the next run's event
then tells of them, too. Anything else in between, which nobody else writes, is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.lineage import contents, sole_writer
from yupana.predictions import lake_table, log_pages
from yupana.predictions.entry import basis


@dataclass
class Moved:
    """How many records came into the lake, and the references that they rest on."""

    rows: int = 0
    refs: set[str] = field(default_factory=set)

    def add(self, rows: int, predictions: dict[str, log_pages.Row]) -> None:
        self.rows += rows
        self.refs |= {ref for row in predictions.values() for ref in basis(row).refs}


def take_up(
    settings: Settings, database: sa.Engine, use_case: str, log: str, archived: int
) -> Moved:
    """What is in the table since the newest version that an export left.

    Args:
        log: Delta's name of the log (`txn`).
        archived: the number up to which records have left the database: the table is never taken
            back below it.

    Raises:
        ContentError: that version is not as the export left it.
        TransientError: another machine exports at the same time.
    """
    table, moved = settings.table(lake_table.ZONE, use_case), Moved()
    if not delta.exists(table):
        return moved
    newest, name = delta.version_of(table), f"{lake_table.ZONE}/{use_case}"
    last = contents.last_version(settings, f"delta:{name}@{newest}")
    for version in range((last or 0) + 1, newest + 1):
        if not _is_taken(database, use_case, table, version, log, moved):
            # Of a table that no export vouches for, from an earlier release, nothing is known.
            sole_writer.put_back(settings, name, sole_writer.Count(log, archived))
            return Moved()
    return moved


def _is_taken(
    database: sa.Engine, use_case: str, table: Path, version: int, log: str, moved: Moved
) -> bool:
    """Whether a version added just the records that its commit names; then they are counted."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from deltalake import DeltaTable

    facts = delta.commit_facts(table, version)
    before, after = (DeltaTable(str(table), version=v) for v in (version - 1, version))
    files = {*after.file_uris()} - {*before.file_uris()}
    if (
        facts.get("log") != log
        or facts["after"] != (before.transaction_version(log) or 0)
        or facts["through"] != after.transaction_version(log)
        or not {*before.file_uris()} <= {*after.file_uris()}
    ):
        return False
    page = log_pages.records(database, use_case, facts["after"], facts["through"])
    predictions, schema = log_pages.predictions(database, page), lake_table.schema()
    there = pa.concat_tables(pq.read_table(file, schema=schema) for file in sorted(files))
    ours = pa.Table.from_batches([log_pages.batch(page, predictions, schema)])
    if not there.sort_by("prediction_id").equals(ours.sort_by("prediction_id")):
        return False
    moved.add(len(page), predictions)
    return True
