"""A candidate's backtest: how its procedure would have done in seasons before its test weeks.

The test weeks say how the fitted weights do in one season, which may be luck. By default nothing
is fitted again: the candidate's members already told the past years, each from what was known
before it, and the use case joins them as the model does. With a span of origins everything is
fitted anew before its first origin and before each further year, which takes a fit a year.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.errors import UsageError
from yupana.features import splits
from yupana.tasks.forecast import frequency
from yupana.tasks.forecast.backtest import origins
from yupana.tasks.forecast.backtest.panel import history, lengths
from yupana.tasks.forecast.dataset.cutoff import known_at
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.quantiles import QUANTILES
from yupana.tasks.forecast.scoring.scores import score
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import pandas as pd

def of_members(
    definition: ForecastUseCase, rows: pd.DataFrame, folders: Mapping[str, Path], *, seed: int
) -> dict[str, Any]:
    """Score what the candidate's own members told of past years.

    Args:
        definition: the use case.
        rows: the training set of the candidate, with its parts.
        folders: by member.

    Returns:
        `origins` (ISO dates of the days that end them), `scores` by model as `scores.score` tells
        them (the final model and the baselines, each on the same counts), `key` (two backtests
        with the same key scored the same counts) and `seconds`. With too short a history
        there are no `origins` and no `scores`, and `left_out` says why.
    """
    start = time.monotonic()
    past = definition.past_forecasts(rows, folders, seed=seed)
    if past is None:
        return {"origins": [], "scores": {}, "left_out": "fewer than two past years to forecast"}
    days = sorted(past.rows["event_timestamp"].dt.date.unique())
    return _report(days, past.observed, past.quantiles, start)


def fitted_again(
    definition: ForecastUseCase,
    rows: pd.DataFrame,
    *,
    span: str,
    options: Mapping[str, Any],
    seed: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Fit with the candidate's options on what was known at the origins, forecast, and score.

    Args:
        rows: the training set of the candidate, with its parts.
        span: origins as START:END:STEP; a fit for each year of it.
        options: of the model definition.

    Returns:
        As `of_members`.

    Raises:
        UsageError: a span that the training set does not hold, or before which it is too short.
        TerminalError: the model cannot be fitted.
    """
    import numpy as np

    start = time.monotonic()
    days = rows["event_timestamp"].dt.date
    period = definition.frequency
    starts = _days(span, sorted(days.unique()), period, definition.options.horizons)
    observed: list[Any] = []
    by_model: dict[str, list[Any]] = {}
    targets = [f"target_{h}" for h in definition.horizons]
    for _, group in groupby(starts, key=lambda d: period.between(starts[0], d) // period.year):
        of_year = list(group)
        say(f"fit on what was known on {of_year[0]}, then {len(of_year)} origins …")
        features = rows[days.isin(of_year)].reset_index(drop=True)
        observed.append(features[targets].to_numpy(dtype=float))
        for name, model in _fitted(
            definition, known_on(rows, of_year[0], definition.horizons), options, seed
        ).items():
            by_model.setdefault(name, []).append(model.quantiles(features, QUANTILES))
    forecasts = {name: np.concatenate(quantiles) for name, quantiles in by_model.items()}
    return _report(starts, np.concatenate(observed), forecasts, start)


def _report(
    days: Sequence[date], observed: Any, forecasts: Mapping[str, Any], start: float
) -> dict[str, Any]:
    return {
        "origins": [day.isoformat() for day in days],
        "scores": {name: score(observed, quantiles) for name, quantiles in forecasts.items()},
        "key": sha256(observed.tobytes()).hexdigest()[:16],
        "seconds": round(time.monotonic() - start, 1),
    }


def _days(span: str, ends: Sequence[date], period: Frequency, reach: int) -> list[date]:
    days = [origin.end for origin in origins.parse(span, period)]
    if absent := sorted(set(days) - set(ends)):
        raise UsageError(
            f"The training set has no origin {absent[0]}.",
            where=f"--origins; it holds {ends[0]} to {ends[-1]}",
            fix=f"Ask for {period.name}s that it holds, or split what was published later.",
        )
    least = history(period, reach)
    if (behind := ends.index(days[0])) < least:
        raise UsageError(
            f"The first origin, {days[0]}, has {behind} {period.name}s of origins behind it.",
            where=f"--origins; the first is {ends[0]}",
            fix=f"Start {least} {period.name}s or more after it.",
        )
    return days


def known_on(rows: pd.DataFrame, day: date, horizons: Sequence[int]) -> pd.DataFrame:
    """What may be learned at an origin: no later row, and no target of a period after it.

    Returns:
        The rows with new parts: the last year of origins with all targets known are `validation`.
    """
    import pandas as pd

    end = pd.Timestamp(day, tz="UTC") + pd.Timedelta(days=1)
    rows_then = known_at(rows.drop(columns="part"), end, horizons)
    parts = lengths(frequency.of(rows.columns), max(horizons))
    return splits.by_time(rows_then, "event_timestamp", parts)


def _fitted(
    definition: ForecastUseCase, frame: pd.DataFrame, options: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """The model and the baselines; these choose nothing, so that they learn from every row."""
    with tempfile.TemporaryDirectory(prefix="yupana-backtest-") as folder:
        out = Path(folder)
        definition.fit(frame, out, seed=seed, say=lambda _: None, options=options)
        simple = definition.baselines(frame.assign(part="train"))
        return {definition.final: definition.load(out), **simple}
