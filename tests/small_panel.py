"""A small training frame of made-up seasonal counts, for tests that fit a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from models.outbreak import USE_CASE as outbreak
from yupana.tasks.forecast.model import members

HORIZONS = tuple(range(1, 9))
DISTRICTS = ("160101", "160102", "160201", "160301")
SHORT = 210
"""Weeks that leave a fit one past year, and no rows to spare."""
OPTIONS = {"width": 8}
"""Of the network, where its answers matter and not how good they are."""


@contextmanager
def one_network() -> Iterator[None]:
    """Fits of this process average one network, not three; `test_pool.py` has all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "SEEDS", 1)
        yield


def panel(weeks: int = 270, seed: int = 7) -> pd.DataFrame:
    """Seasonal negative-binomial counts, one row a district and origin week, with parts."""
    rng = np.random.default_rng(seed)
    season = np.sin(2 * np.pi * np.arange(weeks) / 52)
    means = np.array([60.0, 12.0, 3.0, 0.3])[:, None] * np.exp(season)
    counts = rng.negative_binomial(4, 4 / (4 + means)).astype(float)
    whole = counts.sum(axis=0)
    rows = []
    for i, entity in enumerate(DISTRICTS):
        for t in range(52, weeks):
            row: dict[str, object] = {
                "entity": entity,
                "event_timestamp": pd.Timestamp("2012-01-07", tz="UTC") + pd.Timedelta(weeks=t),
                "mean_52": counts[i, t - 51 : t + 1].mean(),
                "week_sin": season[t],
                "week_cos": np.cos(2 * np.pi * t / 52),
            }
            row |= {f"cases_lag_{lag}": counts[i, t - lag] for lag in range(12)}
            row |= {f"department_lag_{lag}": whole[t - lag] for lag in range(4)}
            for h in outbreak.horizons:
                row[f"target_{h}"] = counts[i, t + h] if t + h < weeks else np.nan
            rest = weeks - 1 - t
            row["part"] = "test" if rest < 52 else "validation" if rest < 104 else "train"
            rows.append(row)
    return pd.DataFrame(rows)
