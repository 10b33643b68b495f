"""The forecast of all districts, kept as Delta tables that agencies and monitors read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.data.lake import delta
from yupana.data.national import areas as national
from yupana.lineage import events
from yupana.tasks.forecast import forecast_rows, usecases
from yupana.tasks.forecast.dataset import newest, vintage
from yupana.tasks.forecast.entities import outward
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.quantiles import Totals
from yupana.tasks.forecast.usecases import ForecastUseCase
from yupana.tracking import facts, past_models, registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import polars as pl


@dataclass(frozen=True)
class Forecast:
    """What was forecast from what was known on a day.

    Attributes:
        districts: the rows of `outlook_rows.districts`.
        areas: the rows of `outlook_rows.areas`; none where the model tells no sums.
        counts: cases as known, by period (index, the day that ends it) and district (columns).
        refs: of the versions of the tables that hold these rows; none before `record`.
        model: `model:<use case>@<version>`.
        folder: the model's files, its card among them.
        sources: references of the published tables.
        day: the day whose knowledge was used.
        data_as_of: last day of the newest period that was known.
        hindsight: no version was published by that day; see `vintage.Vintage`.
        published_later: optional tables that the model has learned from, and that were published
            after the day: their oldest version was used.
        completeness: share of the newest period's cases that is taken as reported by then, 0-1.
        silent: of entities that stopped reporting all at once, how many of the newest periods are
            not known; see `dataset.silence`. Their forecast starts before these, and reaches so
            much less far.
    """

    use_case: str
    districts: pd.DataFrame
    areas: pd.DataFrame
    counts: pd.DataFrame
    refs: tuple[str, ...]
    model: str
    folder: Path
    sources: tuple[str, ...]
    day: date
    data_as_of: date
    hindsight: bool
    frequency: Frequency
    completeness: float = 1.0
    published_later: tuple[str, ...] = ()
    silent: Mapping[str, int] = field(default_factory=dict)

    @property
    def stale(self) -> int:
        """Periods that ended between the newest known one and the day."""
        return max(0, self.frequency.between(self.data_as_of, self.frequency.ended(self.day)))


@dataclass(frozen=True)
class Basis:
    """What the forecast of a day rests on: the model, and references of published tables.

    It is decided once, by the first forecast of the day: later releases, trainings and promotions
    change no past forecast.
    """

    model: str
    sources: tuple[str, ...]
    hindsight: bool
    published_later: tuple[str, ...] = ()


def basis(
    settings: Settings, use_case: str, day: date, versions: Sequence[str]
) -> Basis | None:
    """What the forecast of a day rests on; None where there was none yet.

    What was forecast on the day itself goes first, then what was computed for it later, then the
    forecast that stood on that day, made before it from the same versions.

    Args:
        versions: references of the published tables that were known on the day.
    """
    standing, later = None, None
    for event in events.done(settings.events, "forecast", use_case):
        facts = event["facts"]
        if "day" not in facts or facts["day"] > day.isoformat():
            continue
        mine = Basis(
            facts["model"], tuple(facts["sources"]), bool(facts["hindsight"]),
            tuple(facts["published_later"]),
        )  # fmt: skip
        if facts["day"] == day.isoformat() and not facts["past"]:
            return mine
        if facts["day"] == day.isoformat():
            later = mine
        elif not facts["past"] and standing is None:
            standing = mine
    if later is None and standing and standing.sources == tuple(versions):
        return standing
    return later


def predict(
    settings: Settings, use_case: str, day: date, *, past: bool, on: Basis | None = None
) -> Forecast:
    """Forecast every district from what was known on a day.

    Args:
        day: periods that ended later are not seen.
        past: use the model that answers for `day` (`past_models.by`), not the champion: what
            would have been predicted then.
        on: what was decided before.

    Raises:
        TerminalError: nothing is published, its history is too short, or there is no champion.
        UsageError: too little had happened by the day, or no model is old enough.
    """
    definition = usecases.load(use_case)
    if on:
        versions = vintage.Versions(on.sources, on.hindsight)
        snapshot = vintage.of_versions(settings, definition, versions, day)
    else:
        snapshot = vintage.on_day(settings, definition, day)
    features = _features(settings, definition, snapshot, day)
    if on:
        version, folder = past_models.at(settings, on.model)
    elif past:
        version, folder = past_models.by(settings, use_case, day)
    else:
        version, folder = registry.champion(settings, use_case)
    later = on.published_later if on else published_later(definition, folder, snapshot)
    if later and not on:
        snapshot = vintage.on_day(settings, definition, day, later)
        features = _features(settings, definition, snapshot, day)
    period = definition.frequency
    model, origin = f"model:{use_case}@{version}", features["event_timestamp"].max().date()
    every = newest.of(features, origin, period)
    counts = _counts(snapshot.tables[definition.counted], period)
    forecaster = definition.load(folder)
    within = every.within(definition.options.horizons)
    districts = forecast_rows.districts(forecaster, within, counts, model, origin)
    areas = districts.head(0)
    levels = [group for group in definition.spec.entity.groups if group in national.DIGITS]
    if isinstance(forecaster, Totals) and levels:
        areas = forecast_rows.areas(forecaster, within, definition.horizons, model, origin, levels)
    behind = zip(every.rows["entity"].astype(str), every.behind.tolist(), strict=True)
    return Forecast(
        use_case, districts, areas, counts, (), model, folder, snapshot.refs, day, origin,
        snapshot.hindsight, period, float(within.rows["completeness"].min()), later,
        {entity: periods for entity, periods in behind if periods},
    )  # fmt: skip


def record(settings: Settings, forecast: Forecast, *, past: bool = False) -> Forecast:
    """Write the rows of a forecast into its tables; returns it with their references.

    Args:
        past: rows of the same origin and model stay as they are, since a later day's forecast may
            stand there: what this day's were, the version tells that its own event names.
    """
    name, inputs = forecast.use_case, (forecast.model, *forecast.sources)
    key = usecases.load(name).spec.entity.key
    refs = [_write(settings, name, outward(forecast.districts, key), inputs, past)]
    if len(forecast.areas):
        refs.append(_write(settings, f"{name}_areas", forecast.areas, inputs, past))
    return replace(forecast, refs=tuple(refs))


def published_later(
    definition: ForecastUseCase, folder: Path, snapshot: vintage.Vintage
) -> tuple[str, ...]:
    """Optional tables that a model has learned from and that were not known: a column of zeros in
    their place would be nothing that it has ever seen."""
    sources = facts.read(folder).get("data", {}).get("sources", [])
    learned = {name for _, name, _ in map(delta.parts, sources)}
    optional = definition.spec.data.optional
    return tuple(n for n in optional if n in learned and n not in snapshot.tables)


def _features(
    settings: Settings, definition: ForecastUseCase, snapshot: vintage.Vintage, day: date
) -> pd.DataFrame:
    """The features of all that was known; a day before there was enough is the caller's error."""
    sources = tuple(definition.spec.data.required)
    try:
        if any(snapshot.tables[name].is_empty() for name in sources):
            raise TerminalError("No period had ended.", where="published", fix="Publish one.")
        features: pd.DataFrame = definition.features(snapshot.tables).to_pandas()
        return features
    except TerminalError as error:
        everything = vintage.tables(settings, definition, sources, date.max).tables
        column = definition.frequency.column
        starts = everything[definition.counted][column].to_list()
        if not starts or max(starts) <= day:
            raise
        raise UsageError(
            f"{day} is too early for a forecast: {error.what}",
            where=f"the first published {definition.frequency.name} begins on {min(starts)}",
            fix="Ask for a day a year and a half or more after it.",
        ) from error


def _counts(reports: pl.DataFrame, frequency: Frequency) -> pd.DataFrame:
    """Cases as reported, by the day that ends the period and district; no report is no case."""
    import pandas as pd

    column = frequency.column
    rows = reports.select("entity", column, "cases").to_pandas()
    rows[column] = pd.to_datetime(rows[column])
    table = rows.pivot_table("cases", column, "entity", aggfunc="sum")
    starts = frequency.calendar(table.index.min().date(), table.index.max().date())
    table = table.reindex(pd.DatetimeIndex(starts)).fillna(0.0)
    return table.set_axis(pd.DatetimeIndex([frequency.end(start) for start in starts]))


def _write(
    settings: Settings, name: str, table: pd.DataFrame, inputs: tuple[str, ...], past: bool
) -> str:
    """Put an origin's rows of a model in place of earlier ones: a re-run changes nothing."""
    import polars as pl
    import pyarrow as pa

    first, place = table.iloc[0], settings.table("forecasts", name)
    if past and delta.exists(place):
        same = (pl.col("origin") == first["origin"]) & (pl.col("model") == first["model"])
        if not delta.read(place).filter(same).is_empty():
            return delta.ref(settings.lake, "forecasts", name).ref
    where = f"origin = DATE '{first['origin']}' AND model = '{first['model']}'"
    rows = pa.Table.from_pandas(table, preserve_index=False)
    return delta.replace(settings.lake, "forecasts", name, rows, where, inputs).ref
