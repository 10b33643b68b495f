"""What the outbreak pool would have told of past years, from files that its members left.

Every member was fitted before each of the last years and forecast it. Here those forecasts are
joined as the pool joins them, with weights and recalibration learned from the years before alone,
beside baselines fitted on what was known. Nothing is fitted again but these. One thing was chosen
with a look at the newest year: the network's number of epochs (and options, where tuned).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from models import conformal, members, outbreak, past, pool, store
from yupana.core.forecast import QUANTILES
from yupana.features import splits

Array = np.ndarray[Any, np.dtype[np.float64]]


class Told(NamedTuple):
    """Forecasts beside what came.

    Attributes:
        rows: `ubigeo` and `event_timestamp` of each forecast.
        observed: cases, shape (rows, horizons); NaN where not known.
        quantiles: by model, the final one and the baselines, shape (rows, horizons, 23).
    """

    rows: pd.DataFrame
    observed: Array
    quantiles: dict[str, Array]


def told(frame: pd.DataFrame, made: Mapping[str, Path], *, seed: int) -> Told | None:
    """Forecasts of the past years that have a year before them to learn weights from.

    Args:
        frame: the training set that the members were fitted on.
        made: by member, the folder that `outbreak.fit_member` wrote.
        seed: as `outbreak.pool` takes it.

    Returns:
        None when the training set is too short for two past years.
    """
    given = outbreak.learnable(frame)
    _, by_member = store.load_network(made[store.NETWORK])
    by_member = by_member | store.load_regressions(made[store.REGRESSIONS])[-1]
    years = list(past.years(given.everything, given.last, outbreak.HORIZONS, members.MIN_ROWS))
    ends = np.cumsum([len(origins) for _, origins in years])
    found = []
    for (known, origins), end in zip(years[:-1], ends[:-1], strict=True):
        before = {name: quantiles[end:] for name, quantiles in by_member.items()}
        mine = {name: q[end - len(origins) : end] for name, q in by_member.items()}
        found.append(_year(known, origins, [o for _, o in years], before, mine, seed))
    if not found:
        return None
    return Told(
        pd.concat([f.rows for f in found], ignore_index=True),
        np.concatenate([f.observed for f in found]),
        {n: np.concatenate([f.quantiles[n] for f in found]) for n in found[0].quantiles},
    )


def _year(
    known: pd.DataFrame, origins: pd.DataFrame, blocks: list[pd.DataFrame],
    before: Mapping[str, Array], mine: Mapping[str, Array], seed: int,
) -> Told:  # fmt: skip
    targets = [f"target_{h}" for h in outbreak.HORIZONS]
    start = origins["event_timestamp"].min()
    earlier = pd.concat([b for b in blocks if b["event_timestamp"].max() < start])
    # The last origins before the year reach into it: what came then was not known.
    earlier = splits.known_at(earlier, start, outbreak.HORIZONS)
    learned = pool.learn(
        before, earlier, earlier[targets].to_numpy(dtype=float), prior=outbreak.PRIOR, seed=seed
    )
    levels = conformal.asked(QUANTILES, learned.levels)
    pooled = pool.average({n: pool.at(q, levels) for n, q in mine.items()}, learned.weights)
    simple = outbreak.baselines(known.assign(part="train"))
    return Told(
        origins[["ubigeo", "event_timestamp"]],
        origins[targets].to_numpy(dtype=float),
        {outbreak.FINAL: pooled, **{n: b.quantiles(origins, QUANTILES) for n, b in simple.items()}},
    )
