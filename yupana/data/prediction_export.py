"""The prediction log in the lake: `predictions/<use case>`, an answer a row, exactly once.

Each Delta commit bears the number of the last answer that it holds, as Delta's own transaction
number (`txn`): it is in the table with the rows or not at all, so a run that was killed, or ran
twice, adds nothing twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import TransientError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.core.types import StepResult
from yupana.data import delta
from yupana.data.prediction_table import ZONE
from yupana.governance import prediction_found, steps
from yupana.governance.database import engine
from yupana.governance.predictions import ANSWERS, FORECASTS, METADATA, SIGNS

if TYPE_CHECKING:
    import pyarrow as pa

PAGE = 20_000
"""Answers in one commit."""
_BATCH = 2_000
_KEYS = 500
_FORGET = 10_000
_NAME = sa.text(
    "INSERT INTO log_signs (name, value) VALUES ('id', :fresh) ON CONFLICT (name) DO NOTHING"
)


def export(settings: Settings, use_case: str, progress: Progress) -> StepResult:
    """Append the answers since the last export; every kind, shadows too.

    Returns:
        `outputs` is the table's newest version (`delta:predictions/outbreak@3`), none while
        there is no answer; `inputs` are the models, deployments and features that the new rows
        rest on; metrics tell `rows` (new ones).

    Raises:
        TransientError: the platform database is away, or another export ran meanwhile.
    """
    try:
        made = engine(settings.platform_db, METADATA)
        log, newest = _log(made), _newest(made)
    except sa.exc.OperationalError as error:
        raise TransientError(
            "The platform database is away.",
            where="YUPANA_PLATFORM_URL",
            fix="Start it, and run this again: what was answered meanwhile is not lost.",
        ) from error
    table = settings.table(ZONE, use_case)

    def work() -> steps.Outcome:
        with one_at_a_time(settings.home / "locks" / f"{use_case}.lock", "maintenance", progress):
            rows, used = 0, set[str]()
            for after, through, page in _pages(made, settings, use_case, log, newest):
                forecasts = _forecasts(made, {row["told"] for row in page})
                _append(settings, use_case, page, forecasts, (log, after, through))
                rows += len(page)
                used |= {ref for f in forecasts.values() for ref in prediction_found.refs(f)}
                progress.say(f"{rows:,} answers are in {table}")
        outputs = (delta.ref(settings.lake, ZONE, use_case).ref,) if delta.exists(table) else ()
        return steps.Outcome(outputs, tuple(sorted(used)), {"rows": rows})

    return steps.run(
        settings, "export-predictions", use_case, work,
        depends_on=[log, newest],
        still_there=lambda outputs: not outputs or delta.exists(table),
    )  # fmt: skip


def forget(settings: Settings, use_case: str, before: datetime) -> int:
    """Remove answers from the database that are in the lake; forecasts stay.

    Args:
        before: answers from this moment on stay (with its time zone).

    Returns:
        How many were removed.
    """
    made = engine(settings.platform_db, METADATA)
    through = _exported(settings, use_case, _log(made))
    ours = sa.select(FORECASTS.c.key).where(FORECASTS.c.use_case == use_case)
    old = (
        sa.select(ANSWERS.c.seq)
        .where(ANSWERS.c.seq <= through, ANSWERS.c.time < before.timestamp())
        .where(ANSWERS.c.told.in_(ours))
        .limit(_FORGET)
    )
    removed = 0
    while True:
        # Some at a time: the service writes in between.
        with made.begin() as connection:
            gone = connection.execute(sa.delete(ANSWERS).where(ANSWERS.c.seq.in_(old))).rowcount
        removed += gone
        if gone < _FORGET:
            return removed


def _log(made: sa.Engine) -> str:
    """The name that this log was given once: numbers of another one mean nothing here."""
    with made.begin() as connection:
        connection.execute(_NAME, {"fresh": uuid.uuid4().hex})
        name = sa.select(SIGNS.c.value).where(SIGNS.c.name == "id")
        return f"yupana-log-{connection.execute(name).scalar_one()}"


def _newest(made: sa.Engine) -> int:
    """The last number below which no answer is still being written."""
    with made.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Numbers are drawn before the commit: this waits for those who have drawn one.
            connection.execute(sa.text("LOCK TABLE answers_given IN SHARE MODE"))
        return int(connection.execute(sa.select(sa.func.max(ANSWERS.c.seq))).scalar() or 0)


def exported(settings: Settings, use_case: str) -> int:
    """The number through which this log's answers are in the lake; 0 before the first export."""
    return _exported(settings, use_case, _log(engine(settings.platform_db, METADATA)))


def _exported(settings: Settings, use_case: str, log: str) -> int:
    from deltalake import DeltaTable

    table = settings.table(ZONE, use_case)
    return (DeltaTable(str(table)).transaction_version(log) or 0) if delta.exists(table) else 0


def _pages(
    made: sa.Engine, settings: Settings, use_case: str, log: str, newest: int
) -> Iterator[tuple[int, int, list[Any]]]:
    """Answers that are not in the lake yet, with the numbers before and at the end."""
    after = _exported(settings, use_case, log)
    while after < newest:
        query = (
            sa.select(*ANSWERS.columns)
            .join_from(ANSWERS, FORECASTS, ANSWERS.c.told == FORECASTS.c.key)
            .where(FORECASTS.c.use_case == use_case)
            .where(ANSWERS.c.seq > after, ANSWERS.c.seq <= newest)
            .order_by(ANSWERS.c.seq)
            .limit(PAGE)
        )
        with made.connect() as connection:
            page = list(connection.execute(query).mappings())
        if not page:
            return
        through = newest if len(page) < PAGE else int(page[-1]["seq"])
        yield after, through, page
        after = through


def _forecasts(made: sa.Engine, keys: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    asked = sorted(keys)
    with made.connect() as connection:
        for start in range(0, len(asked), _KEYS):
            some = FORECASTS.c.key.in_(asked[start : start + _KEYS])
            rows = connection.execute(sa.select(FORECASTS).where(some)).mappings()
            found |= {row["key"]: row for row in rows}
    return found


def _append(
    settings: Settings, use_case: str, page: list[Any], forecasts: dict[str, Any],
    numbers: tuple[str, int, int],
) -> None:  # fmt: skip
    """One commit, on the version that ends with the answer `after`."""
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
    # Equal forecasts side by side: their texts then take hardly any room.
    page.sort(key=lambda row: row["told"])
    schema = _schema()
    batches = (
        _batch(page[start : start + _BATCH], forecasts, schema)
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


def _schema() -> pa.Schema:
    import pyarrow as pa

    special = {
        "time": pa.timestamp("us", "UTC"), "horizon": pa.int32(), "as_of": pa.date32(),
        "data_as_of": pa.date32(),
    }  # fmt: skip
    answers = [c.name for c in ANSWERS.columns if c.name != "seq"]
    forecasts = [c.name for c in FORECASTS.columns if c.name != "key"]
    return pa.schema([(name, special.get(name, pa.string())) for name in answers + forecasts])


def _batch(rows: list[Any], forecasts: dict[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for row in rows:
        whole = {**forecasts[row["told"]], **row, "time": round(row["time"] * 1e6)}
        for name, values in columns.items():
            values.append(whole[name])
    arrays = [
        # Days are ISO texts in the database.
        pa.array(values, pa.string()).cast(field.type)
        if pa.types.is_date32(field.type)
        else pa.array(values, field.type)
        for field, values in zip(schema, columns.values(), strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
