"""The prediction log in the lake: `predictions/<use case>`, a record a row, exactly once.

Each Delta commit bears the number of the last record that it holds, as Delta's own transaction
number (`txn`): it is in the table with the rows or not at all, so a run that was killed, or ran
twice, adds nothing twice. What a killed run had committed is taken up by the next (`unfinished`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import TransientError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.core.types import StepResult
from yupana.data.lake import delta
from yupana.database.engine import engine
from yupana.ledger import entries, vouched
from yupana.lineage import steps
from yupana.predictions import lake_table, log_pages, unfinished, version1
from yupana.predictions.lake_table import ZONE
from yupana.predictions.prediction_log import RECORDS, STATE

PAGE = 20_000
"""Records in one commit."""
_BATCH = 2_000
_NAME = sa.text(
    "INSERT INTO prediction_log_state (name, value) VALUES ('id', :fresh) "
    "ON CONFLICT (name) DO NOTHING"
)


def export(settings: Settings, use_case: str, progress: Progress) -> StepResult:
    """Append the records since the last export; every kind, shadows too.

    A table of an earlier release gets today's columns first.

    Returns:
        `outputs` is the table's newest version (`delta:predictions/NAME@3`), none while
        there is no record; `inputs` are the models, deployments and features that the new rows
        rest on; `rows` in the metrics counts the new ones.

    Raises:
        TransientError: the platform database is away, or another export ran meanwhile.
    """
    try:
        database = engine(settings.platform_db)
        log, newest = _log(database), _newest(database)
    except sa.exc.OperationalError as error:
        raise TransientError(
            "The platform database is away.",
            where="YUPANA_PLATFORM_URL",
            fix="Start it, and run this again: what was answered meanwhile is not lost.",
        ) from error
    table = settings.table(ZONE, use_case)

    def work() -> steps.Outcome:
        with one_at_a_time(settings.lock(use_case), "maintenance", progress):
            archived = _archived(settings, use_case)
            moved = unfinished.take_up(settings, database, use_case, log, archived)
            _upgrade(table, progress)
            for after, through, page in _pages(database, settings, use_case, log, newest):
                predictions = log_pages.predictions(database, page)
                _append(settings, use_case, page, predictions, (log, after, through))
                moved.add(len(page), predictions)
                progress.say(f"{moved.rows:,} records are in {table}")
        outputs = (delta.ref(settings.lake, ZONE, use_case).ref,) if delta.exists(table) else ()
        return steps.Outcome(outputs, tuple(sorted(moved.refs)), {"rows": moved.rows})

    return steps.run(
        settings, "export-predictions", use_case, work,
        depends_on=[log, newest, lake_table.schema().names],
        still_there=lambda outputs: not outputs or delta.exists(table),
    )  # fmt: skip


def _archived(settings: Settings, use_case: str) -> int:
    """The number up to which records have left the database."""
    last = entries.newest(settings.platform_db, "archive", use_case)
    return int(last.facts["rows"][1]) if last else 0


def _log(database: sa.Engine) -> str:
    """The name that this log has for good: numbers of another one mean nothing here."""
    with database.begin() as connection:
        if connection.execute(_NAME, {"fresh": uuid.uuid4().hex}).rowcount:
            rows = vouched.changes(connection, {STATE: [("id",)]})
            entries.write(connection, rows, datetime.now(UTC))
        name = sa.select(STATE.c.value).where(STATE.c.name == "id")
        return f"yupana-log-{connection.execute(name).scalar_one()}"


def _newest(database: sa.Engine) -> int:
    """The last number below which no record is still being written."""
    with database.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Numbers are drawn before the commit: this waits for those who have drawn one.
            connection.execute(sa.text("LOCK TABLE prediction_records IN SHARE MODE"))
        return int(connection.execute(sa.select(sa.func.max(RECORDS.c.seq))).scalar() or 0)


def exported(settings: Settings, use_case: str) -> int:
    """The number through which this log's records are in the lake; 0 before the first export."""
    return _exported(settings, use_case, _log(engine(settings.platform_db)))


def _exported(settings: Settings, use_case: str, log: str) -> int:
    from deltalake import DeltaTable

    table = settings.table(ZONE, use_case)
    return (DeltaTable(str(table)).transaction_version(log) or 0) if delta.exists(table) else 0


def _pages(
    database: sa.Engine, settings: Settings, use_case: str, log: str, newest: int
) -> Iterator[tuple[int, int, list[Any]]]:
    """Records that are not in the lake yet, with the numbers before and at the end."""
    after = _exported(settings, use_case, log)
    while after < newest:
        page = log_pages.records(database, use_case, after, newest, PAGE)
        if not page:
            return
        through = newest if len(page) < PAGE else int(page[-1]["seq"])
        yield after, through, page
        after = through


def _upgrade(table: Path, progress: Progress) -> None:
    from deltalake.exceptions import CommitFailedError

    try:
        if delta.exists(table):
            version1.upgrade(table, progress)
    except CommitFailedError as error:
        raise _busy(table) from error


def _append(
    settings: Settings, use_case: str, page: list[Any], predictions: dict[str, Any],
    numbers: tuple[str, int, int],
) -> None:  # fmt: skip
    """One commit, on the version that ends with the record `after`."""
    import pyarrow as pa
    from deltalake import (
        CommitProperties,
        DeltaTable,
        Transaction,
        WriterProperties,
        write_deltalake,
    )  # fmt: skip
    from deltalake.exceptions import CommitFailedError

    log, after, through = numbers
    table = settings.table(ZONE, use_case)
    table.parent.mkdir(parents=True, exist_ok=True)
    # Equal predictions side by side: their texts then take hardly any room.
    page.sort(key=lambda row: row["prediction_key"])
    schema = lake_table.schema()
    batches = (
        log_pages.batch(page[start : start + _BATCH], predictions, schema)
        for start in range(0, len(page), _BATCH)
    )
    facts = delta.commit_metadata(log=log, after=after, through=through, rows=len(page))
    properties = CommitProperties(
        custom_metadata={"userMetadata": facts}, app_transactions=[Transaction(log, through)]
    )
    try:
        loaded = DeltaTable.create(str(table), schema, mode="ignore")
        # Delta refuses the commit if another with this transaction's name came after this look.
        if (loaded.transaction_version(log) or 0) != after:
            raise _busy(table)
        rows = pa.RecordBatchReader.from_batches(schema, batches)
        write_deltalake(
            loaded, rows, mode="append", commit_properties=properties,
            writer_properties=WriterProperties(compression="ZSTD"),
        )  # fmt: skip
    except CommitFailedError as error:
        raise _busy(table) from error


def _busy(table: Path) -> TransientError:
    return TransientError(
        "Another export wrote in the same moment.", where=str(table), fix="Run it again."
    )
