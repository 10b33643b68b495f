"""Every prediction that a recall touches, once: answers of the lake, of the database and of the
spool, and the forecasts that `yupana predict` wrote.

The lake holds all answers up to a number, the database those after it (and older ones that were
not removed yet): so each is read in one place, however many there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.data import delta, prediction_export, prediction_table, reading
from yupana.data.recall import Recall
from yupana.governance.database import engine
from yupana.governance.predictions import ANSWERS, FORECASTS, METADATA

_AT_ONCE = 5_000
_FACTS = ("use_case", "model_version", "features_ref", "data_as_of", "ubigeo")


class Answered(NamedTuple):
    """One prediction that is touched.

    Attributes:
        time: ISO, UTC; of a forecast, when its run ended.
        kind: answer, simulation, shadow (recorded, and told to no one), or forecast (of a weekly
            run: `ubigeo` holds its district or area, and no agency asked).
        through: what it rests on that is touched: model, features, forecast (a recorded one).
        kept: where it was found: lake, database, spool (the database was away), or the version
            of a forecast table.
    """

    prediction_id: str
    time: str
    agency: str
    kind: str
    use_case: str
    model_version: str
    ubigeo: str
    as_of: str
    data_as_of: str
    through: str
    kept: str


def answers(settings: Settings, found: Recall, progress: Progress) -> Iterator[Answered]:
    """The answers that rest on what was recalled, each once, read as they are asked for.

    Waits for a running export of the log, and holds the next one back until it is through.
    """
    made = engine(settings.platform_db, METADATA)
    with made.connect() as connection:
        known = set(connection.execute(sa.select(FORECASTS.c.use_case).distinct()).scalars())
    known |= {table.name for table in (settings.lake / prediction_table.ZONE).glob("*")}
    with ExitStack() as held:
        for use_case in sorted(known):
            lock = settings.home / "locks" / f"{use_case}.lock"
            held.enter_context(one_at_a_time(lock, "maintenance", progress))
        through = {uc: prediction_export.exported(settings, uc) for uc in known}
        for use_case in sorted(known):
            yield from _of_lake(settings, use_case, found)
        forecasts = _forecasts(made, found)
        yield from _of_database(made, forecasts, through)
        yield from _of_spool(settings.home / "spool", made, forecasts, found)


def forecasts(settings: Settings, found: Recall) -> Iterator[Answered]:
    """The predictions of weekly runs that rest on what was recalled, a place a row.

    Also those that a later run replaced, from the version that had them; where its files were
    cleaned away, those that stand in their place now.
    """
    seen: set[tuple[str, str]] = set()
    for ref in found.of("forecasts"):
        event = found.index.made_by(ref)
        model = next((i for i in event["inputs"] if i.startswith("model:")), "") if event else ""
        if not event or not model:
            continue
        origin = str(event["facts"].get("data_as_of", ""))
        use_case, _, version = model.removeprefix("model:").partition("@")
        for kept, row in _told(settings, ref, model, origin):
            if (ref.rpartition("@")[0], row["prediction_id"]) not in seen:
                seen.add((ref.rpartition("@")[0], row["prediction_id"]))
                place = str(row.get("ubigeo") or row.get("area") or "")
                yield Answered(
                    row["prediction_id"], event["time"], "", "forecast", use_case, version, place,
                    origin, origin, "model" if model in found.refs else "features", kept,
                )  # fmt: skip


def _told(
    settings: Settings, ref: str, model: str, origin: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of one run in a forecast table, and the version where they were found."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    zone, name, number = delta.parts(ref)
    newest = delta.version_of(settings.table(zone, name))
    day = pa.scalar(date.fromisoformat(origin))
    ours = (pc.field("model") == model) & (pc.field("origin") == day)
    for version in (number, newest):
        try:
            rows = reading.dataset(DeltaTable(settings.table(zone, name), version=version))
            if "prediction_id" not in rows.schema.names:
                return
            places = [c for c in ("prediction_id", "ubigeo", "area") if c in rows.schema.names]
            found = rows.to_table(columns=places, filter=ours).group_by(places).aggregate([])
        except (FileNotFoundError, DeltaError):
            continue
        yield from ((f"delta:{zone}/{name}@{version}", row) for row in found.to_pylist())
        return


def _of_lake(settings: Settings, use_case: str, found: Recall) -> Iterator[Answered]:
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    table = settings.table(prediction_table.ZONE, use_case)
    if not (table / "_delta_log").exists():
        return
    rows = reading.dataset(DeltaTable(str(table)))
    kinds = rows.to_table(columns=[*_FACTS[:4]]).group_by(list(_FACTS[:4])).aggregate([])
    touched = [row for row in kinds.to_pylist() if found.touch.through(row)]
    if not touched:
        return
    # Not exact yet: what is read is asked again, row by row.
    wanted = pc.field("model_version").isin(sorted({row["model_version"] for row in touched}))
    wanted &= pc.field("features_ref").isin(sorted({row["features_ref"] for row in touched}))
    columns = ["prediction_id", "time", "agency", "kind", "as_of", *_FACTS]
    for batch in rows.to_batches(columns=columns, filter=wanted):
        for row in batch.to_pylist():
            if how := found.touch.through(row):
                time = row["time"].isoformat(timespec="milliseconds")
                yield _answered(row, row, time, how, "lake")


def _forecasts(made: sa.Engine, found: Recall) -> dict[str, tuple[dict[str, Any], str]]:
    """The distinct forecasts of the database that are touched, and through what, by key."""
    columns = [FORECASTS.c.key, *(FORECASTS.c[name] for name in _FACTS)]
    touched = {}
    with made.connect().execution_options(yield_per=_AT_ONCE) as connection:
        for row in connection.execute(sa.select(*columns)).mappings():
            if how := found.touch.through(row):
                touched[row["key"]] = (dict(row), how)
    return touched


def _of_database(
    made: sa.Engine, forecasts: dict[str, tuple[dict[str, Any], str]], through: dict[str, int]
) -> Iterator[Answered]:
    query = sa.select(ANSWERS).where(ANSWERS.c.seq > min(through.values(), default=0))
    with made.connect().execution_options(yield_per=_AT_ONCE) as connection:
        for row in connection.execute(query.order_by(ANSWERS.c.seq)).mappings():
            facts, how = forecasts.get(row["told"], ({}, ""))
            if how and row["seq"] > through.get(facts["use_case"], 0):
                yield _answered(row, facts, _moment(row["time"]), how, "database")


def _of_spool(
    folder: Path, made: sa.Engine, forecasts: dict[str, tuple[dict[str, Any], str]], found: Recall
) -> Iterator[Answered]:
    """Answers that wait on this machine's disk for a database that was away."""
    names = [c.name for c in ANSWERS.columns if c.name != "seq"]
    for path in sorted(folder.glob("*.jsonl")):
        told = dict(forecasts)
        for line in path.read_text("utf-8").splitlines(keepends=True):
            # A line that a kill cut short was never synced.
            kind, values = json.loads(line) if line.endswith("\n") else ("", [])
            if kind == "forecast":
                facts = dict(zip([c.name for c in FORECASTS.columns], values, strict=True))
                if how := found.touch.through(facts):
                    told[facts["key"]] = (facts, how)
            elif kind == "answer" and values[names.index("told")] in told:
                row = dict(zip(names, values, strict=True))
                if not _brought_home(made, row["prediction_id"]):
                    facts, how = told[row["told"]]
                    yield _answered(row, facts, _moment(row["time"]), how, "spool")


def _brought_home(made: sa.Engine, prediction_id: str) -> bool:
    query = sa.select(ANSWERS.c.seq).where(ANSWERS.c.prediction_id == prediction_id)
    with made.connect() as connection:
        return connection.execute(query).first() is not None


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _answered(row: Any, facts: Any, time: str, how: str, kept: str) -> Answered:
    return Answered(
        row["prediction_id"], time, row["agency"], row["kind"], facts["use_case"],
        facts["model_version"], facts["ubigeo"], str(row["as_of"]), str(facts["data_as_of"]),
        how, kept,
    )  # fmt: skip
