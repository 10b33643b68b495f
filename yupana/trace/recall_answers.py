"""Every prediction that a recall touches, once: records of the lake, of the database and of the
spool, and the forecasts that runs wrote.

The lake holds all records up to a number, the database those after it (and older ones that were
not removed yet): so each is read in one place, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.data.lake import delta, reading
from yupana.database.engine import engine
from yupana.predictions import export, lake_table, spool
from yupana.predictions.entry import Basis, basis
from yupana.predictions.prediction_log import PREDICTIONS, RECORDS
from yupana.trace.recall import Recall

_AT_ONCE = 5_000


class TouchedPrediction(NamedTuple):
    """One prediction that is touched.

    Attributes:
        time: ISO, UTC; of a forecast, when its run ended.
        kind: answer, simulation, shadow (recorded, and sent to no one), or forecast (of a run, for
            no agency).
        entity: what it is about.
        parameters: what was asked for beside the entity, as JSON text.
        through: what it rests on that is touched: model, features, forecast (a historical one).
        place: where it is: lake, database, spool (the database was away), or the version of a
            forecast table.
    """

    prediction_id: str
    time: str
    agency: str
    kind: str
    use_case: str
    model_version: str
    entity: str
    parameters: str
    data_as_of: str
    through: str
    place: str


class _Answer(NamedTuple):
    """A distinct prediction that is touched, and through what."""

    basis: Basis
    entity: str
    through: str


def answers(settings: Settings, recall: Recall, progress: Progress) -> Iterator[TouchedPrediction]:
    """The answers that rest on what was recalled, each once, read as they are asked for.

    Waits for a running export of the log, and holds the next one back until it is through.
    """
    database = engine(settings.platform_db)
    with database.connect() as connection:
        names = sa.select(PREDICTIONS.c.use_case).distinct()
        use_cases = set(connection.execute(names).scalars())
    use_cases |= {table.name for table in (settings.lake / lake_table.ZONE).glob("*")}
    with ExitStack() as locks:
        for use_case in sorted(use_cases):
            lock = settings.lock(use_case)
            locks.enter_context(one_at_a_time(lock, "maintenance", progress))
        exported = {use_case: export.exported(settings, use_case) for use_case in use_cases}
        for use_case in sorted(use_cases):
            yield from _of_lake(settings, use_case, recall)
        touched = _touched(database, recall)
        yield from _of_database(database, touched, exported)
        yield from _of_spool(settings.home / "spool", database, touched, recall)


def forecasts(settings: Settings, recall: Recall) -> Iterator[TouchedPrediction]:
    """The predictions of runs that rest on what was recalled, an entity a row.

    Also those that a later run replaced, from the version that had them; where its files were
    cleaned away, those that stand in their place now.
    """
    listed: set[tuple[str, str]] = set()
    for ref in recall.of("forecasts"):
        event = recall.index.made_by(ref)
        model = next((i for i in event["inputs"] if i.startswith("model:")), "") if event else ""
        if not event or not model:
            continue
        origin = str(event["facts"].get("data_as_of", ""))
        use_case, _, version = model.removeprefix("model:").partition("@")
        through = "model" if model in recall.refs else "features"
        for place, prediction_id, entity in _of_run(settings, ref, model, origin):
            if (ref.rpartition("@")[0], prediction_id) not in listed:
                listed.add((ref.rpartition("@")[0], prediction_id))
                yield TouchedPrediction(
                    prediction_id, event["time"], "", "forecast", use_case, version, entity, "{}",
                    origin, through, place,
                )  # fmt: skip


def _of_run(
    settings: Settings, ref: str, model: str, origin: str
) -> Iterator[tuple[str, str, str]]:
    """Version where they are, id and entity of the predictions of one run in a forecast table."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    zone, name, number = delta.parts(ref)
    newest = delta.version_of(settings.table(zone, name))
    day = pa.scalar(date.fromisoformat(origin))
    ours = (pc.field("model") == model) & (pc.field("origin") == day)
    use_case = model.removeprefix("model:").partition("@")[0]
    for version in (number, newest):
        try:
            rows = reading.dataset(DeltaTable(settings.table(zone, name), version=version))
            if "prediction_id" not in rows.schema.names:
                return
            entity = lake_table.entity_column(rows.schema.names, use_case)
            columns = ["prediction_id", *filter(None, [entity])]
            entities = rows.to_table(columns=columns, filter=ours)
            entities = entities.group_by(columns).aggregate([])
        except (FileNotFoundError, DeltaError):
            continue
        for row in entities.to_pylist():
            place = f"delta:{zone}/{name}@{version}"
            yield place, row["prediction_id"], str(row.get(entity) or "")
        return


def _of_lake(settings: Settings, use_case: str, recall: Recall) -> Iterator[TouchedPrediction]:
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    table = lake_table.path(settings, use_case)
    if not table:
        return
    rows = reading.dataset(DeltaTable(str(table)))
    facts = [*Basis._fields]
    kinds = rows.to_table(columns=facts).group_by(facts).aggregate([]).to_pylist()
    touched = [one for one in map(basis, kinds) if recall.touch.through(one)]
    if not touched:
        return
    # Not exact yet: what is read is looked at again, row by row.
    condition = pc.field("model_version").isin(sorted({one.model_version for one in touched}))
    condition &= pc.field("features_ref").isin(sorted({one.features_ref for one in touched}))
    columns = ["prediction_id", "time", "agency", "kind", "parameters", "entity", *facts]
    for batch in rows.to_batches(columns=columns, filter=condition):
        for row in batch.to_pylist():
            rests_on = basis(row)
            if through := recall.touch.through(rests_on):
                time = row["time"].isoformat(timespec="milliseconds")
                yield _row(row, _Answer(rests_on, row["entity"], through), time, "lake")


def _touched(database: sa.Engine, recall: Recall) -> dict[str, _Answer]:
    """The distinct predictions of the database that are touched, by key."""
    columns = [PREDICTIONS.c[name] for name in ("key", "entity", *Basis._fields)]
    touched = {}
    with database.connect().execution_options(yield_per=_AT_ONCE) as connection:
        for row in connection.execute(sa.select(*columns)).mappings():
            if through := recall.touch.through(basis(row)):
                touched[row["key"]] = _Answer(basis(row), row["entity"], through)
    return touched


def _of_database(
    database: sa.Engine, touched: dict[str, _Answer], exported: dict[str, int]
) -> Iterator[TouchedPrediction]:
    query = sa.select(RECORDS).where(RECORDS.c.seq > min(exported.values(), default=0))
    with database.connect().execution_options(yield_per=_AT_ONCE) as connection:
        for row in connection.execute(query.order_by(RECORDS.c.seq)).mappings():
            one = touched.get(row["prediction_key"])
            if one and row["seq"] > exported.get(one.basis.use_case, 0):
                yield _row(row, one, _moment(row["time"]), "database")


def _of_spool(
    folder: Path, database: sa.Engine, touched: dict[str, _Answer], recall: Recall
) -> Iterator[TouchedPrediction]:
    """Records that wait on this machine's disk for a database that was away."""
    columns = [c.name for c in RECORDS.columns if c.name != "seq"]
    for path in sorted(folder.glob("*.jsonl")):
        by_key = dict(touched)
        predictions, records = spool.rows_of(path.read_bytes().splitlines(keepends=True))
        for values in predictions:
            row = dict(zip(PREDICTIONS.columns.keys(), values, strict=True))
            if through := recall.touch.through(basis(row)):
                by_key[row["key"]] = _Answer(basis(row), row["entity"], through)
        for values in records:
            row = dict(zip(columns, values, strict=True))
            one = by_key.get(row["prediction_key"])
            if one and not _is_stored(database, row["prediction_id"]):
                yield _row(row, one, _moment(row["time"]), "spool")


def _is_stored(database: sa.Engine, prediction_id: str) -> bool:
    query = sa.select(RECORDS.c.seq).where(RECORDS.c.prediction_id == prediction_id)
    with database.connect() as connection:
        return connection.execute(query).first() is not None


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _row(record: Any, touched: _Answer, time: str, place: str) -> TouchedPrediction:
    return TouchedPrediction(
        record["prediction_id"], time, record["agency"], record["kind"], touched.basis.use_case,
        touched.basis.model_version, touched.entity, record["parameters"],
        touched.basis.data_as_of, touched.through, place,
    )  # fmt: skip
