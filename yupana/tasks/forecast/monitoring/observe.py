"""What the monitor gets to know of the newest period: its checks, and how good forecasts were."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.monitoring.answers import ENTITY, MODEL, PERIOD, TIMES, Measures
from yupana.monitoring.kind import Groups, Observation, Run
from yupana.tasks.forecast.checks.watch import watch
from yupana.tasks.forecast.frequency import WEEK, Frequency
from yupana.tasks.forecast.monitoring import groups, inputs, performance
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import polars as pl

SCORES = (("coverage", "90", ""), ("wis", "", ""))
"""Checks of how good past forecasts were."""

MEDIAN = "forecast_median_1"
"""What of an answer is compared with the test window: the median of the first period, in cases."""


def observe(settings: Settings, definition: ForecastUseCase, run: Run) -> Observation:
    """Check the newest period by `run.day`, and score the forecasts whose periods are reported.

    Raises:
        TerminalError: there are no features by that day.
    """
    snapshot = inputs.read(settings, definition, run.day, run.model, run.features)
    checks = watch(
        snapshot.features, snapshot.forecasts, snapshot.truth, snapshot.end,
        definition=definition,
    )  # fmt: skip
    sizes = groups.sizes_of(snapshot.truth, "entity", "cases")
    scored = performance.score(snapshot.forecasts, snapshot.truth, sizes, definition)
    usual = performance.expected(run.folder, definition, snapshot.truth)
    return Observation(
        period=snapshot.end,
        columns=definition.layout().monitored,
        measures=Measures((MEDIAN,), partial(medians, listing=definition.frequency.listing)),
        groups=lambda reference: groups_of(definition, reference),
        checks=(*checks, *performance.checks(scored, usual, snapshot.end, definition.frequency)),
        performance={**scored.document(definition.frequency), "usual_wis_relative": usual},
        unfinished=snapshot.unfinished,
        vintage_periods=snapshot.as_known,
        scores=SCORES,
        batch=in_batch(snapshot),
        comparable=partial(same_season, frequency=definition.frequency),
    )


def in_batch(snapshot: inputs.Snapshot) -> pl.DataFrame | None:
    """The forecasts of `yupana predict` with the features that they were made from, in the shape
    of `answers.distinct`; None without any."""
    import polars as pl

    if snapshot.forecasts is None:
        return None
    first = snapshot.forecasts.filter(pl.col("horizon") == 1)
    rows = first.select(
        ENTITY, pl.col("origin").cast(pl.Date).alias(PERIOD),
        pl.col("model").str.split("@").list.last().alias(MODEL),
        pl.lit(1, pl.UInt32).alias(TIMES), pl.col("q0.5").cast(pl.Float64).alias(MEDIAN),
    )  # fmt: skip
    features = snapshot.features.rename({"end": PERIOD})
    return rows.join(features, on=[ENTITY, PERIOD])


def same_season(
    reference: pl.DataFrame, answers: pl.DataFrame, frequency: Frequency
) -> pl.DataFrame:
    """The test rows whose periods have the place in the year of an answer's.

    Counts with a season differ from those of a whole year whenever the answers come from a few
    weeks of it.

    Args:
        reference: with `event_timestamp`, the last moment of a period.
        answers: with `PERIOD`.
    """
    import numpy as np

    def slots(ends: pl.Series) -> np.ndarray[Any, Any]:
        return np.asarray(frequency.slot(ends.to_pandas().astype("datetime64[us]")))

    ends = reference["event_timestamp"].dt.date()
    return reference.filter(np.isin(slots(ends), slots(answers[PERIOD])))


def medians(payloads: pl.Series, listing: str = WEEK.listing) -> pl.DataFrame:
    """The median of the first period of each answer, in cases; null where it has none.

    Args:
        listing: field of the payloads that lists periods.
    """
    import polars as pl

    periods = pl.List(pl.Struct({"horizon": pl.Int64, "median": pl.Float64}))
    first = pl.element().filter(pl.element().struct["horizon"] == 1).first().struct["median"]
    forecasts = payloads.str.json_decode(pl.Struct({listing: periods})).struct.field(listing)
    return pl.DataFrame({MEDIAN: forecasts.list.eval(first).list.first().cast(pl.Float64)})


def groups_of(definition: ForecastUseCase, reference: pl.DataFrame) -> Groups:
    """Groups of the districts of a test window (`ENTITY`), their sizes by its own counts."""
    mean = definition.frequency.year_mean
    column = mean if mean in reference.columns else MEDIAN
    sizes = groups.sizes_of(reference, ENTITY, column)
    return groups.of_codes(definition.spec, reference[ENTITY], sizes)
