"""What the pool would have told of past years, from files that its members left.

Every member was fitted before each of the last years and forecast it. Here those forecasts are
joined as the pool joins them, with weights and recalibration learned from the years before alone,
beside baselines fitted on what was known. Nothing is fitted again but these. Options that were
tuned were chosen with a look at the newest year.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from yupana.tasks.forecast.dataset.cutoff import known_at
from yupana.tasks.forecast.model import member_past, members, model, pool, recalibration
from yupana.tasks.forecast.model.member_past import MemberPast
from yupana.tasks.forecast.model.training_rows import horizons_of, learnable
from yupana.tasks.forecast.model.training_rows import targets as columns_of
from yupana.tasks.forecast.quantiles import QUANTILES

Array = np.ndarray[Any, np.dtype[np.float64]]


class PastForecasts(NamedTuple):
    """Forecasts beside what came.

    Attributes:
        rows: `entity` and `event_timestamp` of each forecast.
        observed: cases, shape (rows, horizons); NaN where not known.
        quantiles: by model, the final one and the baselines, shape (rows, horizons, 23).
    """

    rows: pd.DataFrame
    observed: Array
    quantiles: dict[str, Array]


def of_members(
    frame: pd.DataFrame, folders: Mapping[str, Path], *, seed: int
) -> PastForecasts | None:
    """Forecasts of the past years that have a year before them to learn weights from.

    Args:
        frame: the training set that the members were fitted on.
        folders: by member, the folder that `model.fit_member` wrote.
        seed: as `model.pool` takes it.

    Returns:
        None when the training set is too short for two past years.
    """
    rows = learnable(frame)
    past = member_past.read(rows, folders)
    before_years = (b for b, _ in members.past_years(rows.before_test, rows.last, rows.horizons))
    parts = []
    for year, before_year in zip(range(len(past.origins) - 1), before_years, strict=False):
        earlier = MemberPast(past.origins[year + 1 :], past.forecasts[year + 1 :])
        parts.append(
            _year(before_year, past.origins[year], past.forecasts[year], earlier, seed)
        )
    if not parts:
        return None
    return PastForecasts(
        pd.concat([f.rows for f in parts], ignore_index=True),
        np.concatenate([f.observed for f in parts]),
        {n: np.concatenate([f.quantiles[n] for f in parts]) for n in parts[0].quantiles},
    )


def _year(
    before_year: pd.DataFrame, origins: pd.DataFrame, mine: Mapping[str, Array],
    earlier: MemberPast, seed: int,
) -> PastForecasts:  # fmt: skip
    horizons = horizons_of(before_year)
    targets = columns_of(horizons)
    # The last origins before the year reach into it: what came then was not known.
    rows = known_at(earlier.rows, origins["event_timestamp"].min(), horizons)
    learned = pool.learn(
        earlier.by_member, rows, rows[targets].to_numpy(dtype=float), prior=model.PRIOR,
        seed=seed,
    )  # fmt: skip
    levels = recalibration.inner_levels(QUANTILES, learned.levels)
    pooled = pool.average({n: pool.at(q, levels) for n, q in mine.items()}, learned.weights)
    simple = model.baselines(before_year.assign(part="train"))
    return PastForecasts(
        origins[["entity", "event_timestamp"]],
        origins[targets].to_numpy(dtype=float),
        {model.FINAL: pooled, **{n: b.quantiles(origins, QUANTILES) for n, b in simple.items()}},
    )
