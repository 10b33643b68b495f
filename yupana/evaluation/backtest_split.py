"""A candidate's backtest: how its procedure would have done in seasons before its test weeks.

The test weeks say how the fitted weights do in one season, which may be luck. By default nothing
is fitted again: the candidate's members already told the past years, each from what was known
before it, and the room joins them as the model does. With a span of origins everything is fitted
anew before its first origin and before each further year, which takes a fit a year.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.errors import UsageError
from yupana.core.forecast import QUANTILES, ModelRoom
from yupana.evaluation import origins as spans
from yupana.evaluation.panel import HISTORY, REACH, VALIDATION
from yupana.evaluation.scores import score
from yupana.features import splits

if TYPE_CHECKING:
    import pandas as pd

YEAR = 52


def of_members(
    room: Any, rows: pd.DataFrame, made: Mapping[str, Path], *, seed: int
) -> dict[str, Any]:
    """Score what the candidate's own members told of past years.

    Args:
        room: the module `models/<use case>_past.py`.
        rows: the training set of the candidate, with its parts.
        made: folder by member.

    Returns:
        `origins` (ISO dates of the Saturdays), `scores` by model as `scores.score` tells them
        (the final model and the baselines, each on the same counts), `key` (two backtests
        with the same key scored the same counts) and `seconds`. With too short a history
        there are no `origins` and no `scores`, and `left_out` says why.
    """
    start = time.monotonic()
    told = room.told(rows, made, seed=seed)
    if told is None:
        return {"origins": [], "scores": {}, "left_out": "fewer than two past years to forecast"}
    days = sorted(told.rows["event_timestamp"].dt.date.unique())
    return _report(days, told.observed, told.quantiles, start)


def fitted_again(
    room: ModelRoom,
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
        span: origins as START:END:STEP; a fit for each 52 weeks of it.
        options: of the model room.

    Returns:
        As `of_members`.

    Raises:
        UsageError: a span that the training set does not hold, or before which it is too short.
        TerminalError: the model cannot be fitted.
    """
    import numpy as np

    start = time.monotonic()
    days = rows["event_timestamp"].dt.date
    chosen = _asked(span, sorted(days.unique()))
    seen: list[Any] = []
    told: dict[str, list[Any]] = {}
    targets = [f"target_{h}" for h in room.HORIZONS]
    for _, group in groupby(chosen, key=lambda day: (day - chosen[0]).days // (7 * YEAR)):
        of_year = list(group)
        say(f"fit on what was known on {of_year[0]}, then {len(of_year)} origins …")
        asked = rows[days.isin(of_year)].reset_index(drop=True)
        seen.append(asked[targets].to_numpy(dtype=float))
        for name, model in _fitted(room, known_on(rows, of_year[0]), options, seed).items():
            told.setdefault(name, []).append(model.quantiles(asked, QUANTILES))
    forecasts = {name: np.concatenate(quantiles) for name, quantiles in told.items()}
    return _report(chosen, np.concatenate(seen), forecasts, start)


def _report(
    days: Sequence[date], observed: Any, forecasts: Mapping[str, Any], start: float
) -> dict[str, Any]:
    return {
        "origins": [day.isoformat() for day in days],
        "scores": {name: score(observed, quantiles) for name, quantiles in forecasts.items()},
        "key": sha256(observed.tobytes()).hexdigest()[:16],
        "seconds": round(time.monotonic() - start, 1),
    }


def _asked(span: str, weeks: Sequence[date]) -> list[date]:
    found = [origin.saturday for origin in spans.parse(span)]
    if absent := sorted(set(found) - set(weeks)):
        raise UsageError(
            f"The training set has no origin {absent[0]}.",
            where=f"--origins; it holds {weeks[0]} to {weeks[-1]}",
            fix="Ask for weeks that it holds, or split what was published later.",
        )
    if (behind := weeks.index(found[0])) < HISTORY:
        raise UsageError(
            f"The first origin, {found[0]}, has {behind} weeks of origins behind it.",
            where=f"--origins; the first is {weeks[0]}",
            fix=f"Start {HISTORY} weeks or more after it.",
        )
    return found


def known_on(rows: pd.DataFrame, day: date) -> pd.DataFrame:
    """What may be learned at an origin: no later row, and no target of a week after it.

    Returns:
        The rows with new parts: the last 52 origins with all targets known are `validation`.
    """
    import pandas as pd

    end = pd.Timestamp(day, tz="UTC") + timedelta(days=1)
    seen = splits.known_at(rows.drop(columns="part"), end, range(1, REACH + 1))
    weeks = splits.Weeks(test=0, validation=VALIDATION, gap=REACH)
    return splits.by_time(seen, "event_timestamp", weeks)


def _fitted(
    room: ModelRoom, known: pd.DataFrame, options: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """The model and the baselines; these choose nothing, so that they learn from every row."""
    with tempfile.TemporaryDirectory(prefix="yupana-backtest-") as folder:
        out = Path(folder)
        room.fit(known, out, seed=seed, say=lambda _: None, options=options)
        return {room.FINAL: room.load(out), **room.baselines(known.assign(part="train"))}
