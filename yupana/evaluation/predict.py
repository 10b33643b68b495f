"""The weekly forecast of all districts, kept as Delta tables that agencies and monitors read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.errors import TerminalError, UsageError
from yupana.core.forecast import Totals
from yupana.data import delta
from yupana.evaluation import outlook_rows
from yupana.features import as_known, given
from yupana.tracking import facts, registry, trained

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


@dataclass(frozen=True)
class Forecast:
    """What was forecast from what was known on a day.

    Attributes:
        districts: the rows of `outlook_rows.districts`.
        areas: the rows of `outlook_rows.areas`; none where the model tells no sums.
        counts: cases as known, by week (index, the day that ends it) and district (columns).
        refs: of the versions of the tables that hold these rows.
        model: `model:<use case>@<version>`.
        folder: the model's files, its card among them.
        sources: references of the published tables.
        day: the day whose knowledge was used.
        data_as_of: last day of the newest week that was known.
        hindsight: no version was published by that day; see `as_known.Known`.
        published_later: optional tables that the model has learned from, and that were published
            after the day: their oldest version was used.
        completeness: share of the newest week's cases that is taken as reported by then, 0-1.
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
    completeness: float = 1.0
    published_later: tuple[str, ...] = ()

    @property
    def stale_weeks(self) -> int:
        """Whole weeks between the newest known week and the day."""
        return max(0, (self.day - self.data_as_of).days // 7)


def predict(settings: Settings, use_case: str, day: date, *, past: bool) -> Forecast:
    """Forecast every district from what was known on a day, 1 to 8 weeks past its last week.

    Args:
        day: weeks that ended later are not seen.
        past: use the newest model that had seen nothing later than `day`, not the champion:
            what would have been predicted then.

    Raises:
        TerminalError: nothing is published, its history is too short, or there is no champion.
        UsageError: too little had happened by the day, or no model is old enough.
    """
    weekly = usecase.load("feature_repo", f"{use_case}_weekly")
    room = usecase.load("models", use_case)
    known = as_known.known(settings, weekly, day)
    features = _features(settings, weekly, known, day)
    if past:
        version, folder = trained.by(settings, use_case, day)
    else:
        version, folder = registry.champion(settings, use_case)
    if later := published_later(weekly, folder, known):
        known = as_known.known(settings, weekly, day, later)
        features = _features(settings, weekly, known, day)
    newest = features["event_timestamp"].max()
    rows = features[features["event_timestamp"] == newest].sort_values("ubigeo", ignore_index=True)
    model, origin = f"model:{use_case}@{version}", newest.date()
    counts = _counts(known.tables[weekly.SOURCES[0]])
    forecaster = room.load(folder)
    districts = outlook_rows.districts(forecaster, rows, counts, model, origin)
    inputs = (model, *known.refs)
    refs = [_write(settings, use_case, districts, inputs)]
    areas = districts.head(0)
    if isinstance(forecaster, Totals):
        horizons = [int(h) for h in districts["horizon"].unique()]
        areas = outlook_rows.areas(forecaster, rows, horizons, model, origin)
        refs.append(_write(settings, f"{use_case}_areas", areas, inputs))
    return Forecast(
        use_case, districts, areas, counts, tuple(refs), model, folder, known.refs, day, origin,
        known.hindsight, float(rows["completeness"].min()), later,
    )  # fmt: skip


def published_later(weekly: Any, folder: Path, known: as_known.Known) -> tuple[str, ...]:
    """Optional tables that a model has learned from and that were not known: a column of zeros in
    their place would be nothing that it has ever seen."""
    sources = facts.read(folder).get("data", {}).get("sources", [])
    learned = {name for _, name, _ in map(delta.parts, sources)}
    return tuple(n for n in weekly.OPTIONAL if n in learned and n not in known.tables)


def _features(settings: Settings, weekly: Any, known: as_known.Known, day: date) -> pd.DataFrame:
    """The features of all that was known; a day before there was enough is the caller's error."""
    sources = tuple(weekly.SOURCES)
    try:
        if any(known.tables[name].is_empty() for name in sources):
            raise TerminalError("No week had ended.", where="published", fix="Publish one.")
        features: pd.DataFrame = weekly.weekly_features(known.tables).to_pandas()
        return features
    except TerminalError as error:
        everything = as_known.tables(settings, sources, date.max).tables
        weeks = [week for t in everything.values() for week in t[given.WEEK].to_list()]
        if not weeks or max(weeks) <= day:
            raise
        raise UsageError(
            f"{day} is too early for a forecast: {error.what}",
            where=f"the first published week begins on {min(weeks)}",
            fix="Ask for a day a year and a half or more after it.",
        ) from error


def _counts(reports: pl.DataFrame) -> pd.DataFrame:
    """Cases as reported, by the day that ends the week and district; no report is no case."""
    import pandas as pd

    rows = reports.select("ubigeo", given.WEEK, "cases").to_pandas()
    found = rows.pivot_table("cases", given.WEEK, "ubigeo", aggfunc="sum")
    found.index = pd.to_datetime(found.index) + pd.Timedelta(days=6)
    weeks = pd.date_range(found.index.min(), found.index.max(), freq="7D")
    return found.reindex(weeks).fillna(0.0)


def _write(settings: Settings, name: str, table: pd.DataFrame, inputs: tuple[str, ...]) -> str:
    """Put an origin's rows of a model in place of earlier ones: a re-run changes nothing."""
    import pyarrow as pa

    first = table.iloc[0]
    same = f"origin = DATE '{first['origin']}' AND model = '{first['model']}'"
    rows = pa.Table.from_pandas(table, preserve_index=False)
    return delta.replace(settings.lake, "forecasts", name, rows, same, inputs).ref
