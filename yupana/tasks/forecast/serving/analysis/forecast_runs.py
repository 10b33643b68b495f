"""What a recorded forecast rests on: the published tables that its run read, as its event says.

A run keeps forecasts and no features: these are computed again, by the features' own code, from
the versions that it named, each compared with the hash that its step left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import isclose
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import ContentError, TerminalError
from yupana.data.lake import delta
from yupana.lineage import contents
from yupana.predictions.entry import Basis, LogEntry
from yupana.tasks.forecast.entities import ENTITY
from yupana.tasks.forecast.serving import notes
from yupana.tasks.forecast.serving.analysis import sources, what_if
from yupana.tasks.forecast.serving.analysis.explain import Explainer
from yupana.tasks.forecast.serving.analysis.sources import Tables
from yupana.tasks.forecast.usecases import ForecastUseCase
from yupana.trace import backward
from yupana.trace.index import Index

if TYPE_CHECKING:
    import pandas as pd

PUBLISHED = "delta:published/"


@dataclass(frozen=True)
class ForecastRun:
    """A run of `yupana predict`.

    Attributes:
        refs: of the published tables that it read.
        hindsight: see `vintage.Vintage`.
    """

    refs: tuple[str, ...]
    hindsight: bool


def explanation(
    settings: Settings, definition: ForecastUseCase, entry: LogEntry,
    forecaster: Callable[[], Any],
) -> dict[str, Any] | None:  # fmt: skip
    """As `Explainer.run`, of a forecast of the table.

    Args:
        forecaster: loads the model that gave it.

    Returns:
        None where what it rests on is not there any more, or gives another forecast today.

    Raises:
        ContentError: a version is not as its step left it.
        UsageError: the past is too short.
    """
    run, origin = run_of(settings, entry.basis), date.fromisoformat(entry.basis.data_as_of)
    if run is None or _is_cleaned(settings, run):
        return None
    try:
        tables = sources.published_tables(
            settings, definition, run.refs, origin if run.hindsight else None
        )
        rows = features(definition, tables, entry.entity)
        explainer = Explainer(definition, forecaster())
    except ContentError:
        raise
    except TerminalError:
        return None
    row = rows[rows["event_timestamp"].dt.date == origin].reset_index(drop=True)
    if row.empty:
        return None
    area = sources.cases(definition, tables, definition.places.area_of(entry.entity))
    answer = explainer.run(row, rows, area, horizon=entry.parameters["horizon"])
    median = entry.payload[definition.frequency.listing][answer["horizon"] - 1]["median"]
    if not isclose(answer["median"], median, rel_tol=0.01, abs_tol=0.5):
        return None
    return {**answer, "caveats": [notes.RECORDED, *answer["caveats"]]}


def run_of(settings: Settings, basis: Basis) -> ForecastRun | None:
    """The newest run that put the forecasts of a model and origin into the table; None where the
    event log has none.

    Args:
        basis: `features_ref` is the version of the table that was looked at, `data_as_of` the
            origin.
    """
    index = Index(settings.events)
    version = backward.forecast_version(basis, index)
    event = index.made_by(version) if version else None
    if event is None:
        return None
    by_name: dict[str, str] = {}
    for ref in event["inputs"]:
        if ref.startswith(PUBLISHED):
            # The version that was read comes before those that delays were learned from.
            by_name.setdefault(delta.parts(ref).name, ref)
    return ForecastRun(tuple(by_name.values()), bool(event["facts"].get("hindsight")))


def _is_cleaned(settings: Settings, run: ForecastRun) -> bool:
    """Whether the clean-up of old versions took one that the run read: no fault of anyone.

    Raises:
        ContentError: one is there, and not as its step left it.
    """
    for ref in run.refs:
        fault = contents.check(settings, ref)
        if fault and fault.what == "missing":
            return True
        contents.demand(settings, ref)
    return False


def features(definition: ForecastUseCase, tables: Tables, entity: str) -> pd.DataFrame:
    """All periods of an entity, oldest first: `ENTITY`, `event_timestamp` and the features.

    Raises:
        UsageError: the entity is not in the tables.
    """
    import polars as pl

    rows = definition.features(what_if.area(definition, tables, entity))
    return rows.filter(pl.col(ENTITY) == entity).sort("event_timestamp").to_pandas()
