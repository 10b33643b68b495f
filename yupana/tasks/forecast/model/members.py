"""The members of the pool: how each is fitted, and what it would have told of past years.

A member knows nothing of the others, so that a cluster fits them side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from yupana.core.errors import TerminalError
from yupana.tasks.forecast.dataset import cutoff
from yupana.tasks.forecast.model import parallel, recalibration, ridge
from yupana.tasks.forecast.model.network_forecaster import (
    RECENT,
    Description,
    NetworkForecaster,
    Options,
    Weights,
)
from yupana.tasks.forecast.options import MIN_ROWS
from yupana.tasks.forecast.quantiles import Forecaster

if TYPE_CHECKING:
    from yupana.tasks.forecast.model.network import CountNetwork

SEEDS = 3
"""Networks that are averaged."""

POWERS = {"fourth_root": 0.25, "square_root": 0.5}
"""The regressions: by name, the power that counts are raised to."""

Say = Callable[[str], None]
Forecasts = dict[str, np.ndarray[Any, np.dtype[np.float64]]]


def describe(
    rows: pd.DataFrame, features: Sequence[str], horizons: Sequence[int], service: str
) -> Description:
    """Scaling, ranges and districts as the training rows give them.

    A feature that never changes is left out: nothing was learned of its other values.
    """
    features = [f for f in features if f in RECENT or rows[f].max() - rows[f].min() > 1e-9]
    values = rows[features].to_numpy(dtype=float)
    # Counts and rates are skewed and never negative; the season's sine and cosine are not so.
    log_scaled = (values >= 0).all(axis=0)
    lowest, highest = values.min(axis=0), values.max(axis=0)
    values = np.where(log_scaled, np.log1p(np.maximum(values, 0)), values)
    spread = values.std(axis=0)
    return Description(
        features=tuple(features),
        log_scaled=tuple(bool(v) for v in np.atleast_1d(log_scaled)),
        means=tuple(float(v) for v in values.mean(axis=0)),
        scales=tuple(float(v) for v in np.where(spread > 1e-9, spread, 1.0)),
        districts=tuple(sorted(str(u) for u in rows["entity"].unique())),
        horizons=tuple(horizons),
        feature_service=service,
        trained_through=pd.Timestamp(rows["event_timestamp"].max()).date().isoformat(),
        lowest=tuple(float(v) for v in lowest),
        highest=tuple(float(v) for v in highest),
    )


def network(
    rows: pd.DataFrame,
    held_out: pd.DataFrame | None,
    description: Description,
    *,
    seed: int,
    options: Options,
    say: Say,
    watch: Callable[[int, float], None] | None = None,
) -> tuple[CountNetwork, list[dict[str, float]]]:
    """One network and its losses by epoch, as `network_training.train` gives them.

    Args:
        rows: features and targets that the weights are fitted on.
        held_out: rows whose loss is told as well.
        description: scaling and districts.
        watch: told of each epoch's validation loss.
    """
    import torch

    from yupana.tasks.forecast.model import network_training
    from yupana.tasks.forecast.model.network import CountNetwork

    targets = [f"target_{h}" for h in description.horizons]

    def part(of: pd.DataFrame) -> network_training.Part:
        features, recent, district = (torch.from_numpy(a) for a in description.encode(of))
        counts = torch.tensor(of[targets].to_numpy(dtype="float32"))
        return features.float(), recent.float(), district, counts

    sizes = len(description.features), len(description.districts), len(description.horizons)
    return network_training.train(
        lambda: CountNetwork(*sizes, options), part(rows),
        None if held_out is None else part(held_out),
        seed=seed, say=say, options=options, watch=watch,
    )  # fmt: skip


def networks(
    sets: Sequence[pd.DataFrame], describe: Callable[[pd.DataFrame], Description], *,
    seed: int, options: Options, say: Say,
) -> list[tuple[NetworkForecaster, list[dict[str, float]]]]:  # fmt: skip
    """For each set of rows, the averaged networks of all seeds, with the losses of the first;
    fitted side by side."""
    descriptions = [describe(rows) for rows in sets]
    jobs = [
        (rows, description, seed + i, options)
        for rows, description in zip(sets, descriptions, strict=True)
        for i in range(SEEDS)
    ]
    each = parallel.each(_weights, jobs, lambda n: say(f"network {n}/{len(jobs)} is fitted"))
    by_set = [each[SEEDS * i : SEEDS * (i + 1)] for i in range(len(sets))]
    return [
        (NetworkForecaster([weights for weights, _ in of_set], description), of_set[0][1])
        for of_set, description in zip(by_set, descriptions, strict=True)
    ]


def _weights(
    rows: pd.DataFrame, description: Description, seed: int, options: Options
) -> tuple[Weights, list[dict[str, float]]]:
    from yupana.tasks.forecast.model.network import weights

    module, curve = network(
        rows, None, description, seed=seed, options=options, say=lambda _: None
    )
    return weights(module), curve


def regressions(rows: pd.DataFrame, horizons: Sequence[int]) -> dict[str, ridge.Ridge]:
    """The regressions by name."""
    return {name: ridge.fit(rows, horizons, power) for name, power in POWERS.items()}


def past_years(
    rows: pd.DataFrame, last: pd.Timestamp, horizons: Sequence[int]
) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Of each past year, what was known at its start and its origins; see `cutoff.past_years`.

    Raises:
        TerminalError: there is none.
    """
    years = list(cutoff.past_years(rows, last, horizons, MIN_ROWS))
    if not years:
        raise TerminalError(
            "No past year can be forecast from the years before it.",
            where="training set",
            fix="Publish more data: two years of origins or more.",
        )
    return years


def forecast_past(
    forecasters: Mapping[str, Sequence[Forecaster]], origins: Sequence[pd.DataFrame]
) -> Forecasts:
    """What members fitted before each past year would have forecast of it.

    Args:
        forecasters: by member, one for each year.
        origins: of each year.

    Returns:
        By name, quantiles at `recalibration.GRID`, shape (rows of all years, horizons, levels).
    """
    levels = recalibration.GRID.tolist()
    return {
        name: np.concatenate(
            [f.quantiles(rows, levels) for f, rows in zip(years, origins, strict=True)]
        )
        for name, years in forecasters.items()
    }
