"""The Dengue Forecasting Project's protocol: thirteen forecasts a season, scored by log score.

Seasons are taken in their order. A season is forecast from the seasons before it and its own
first weeks; the pool's weights come from the scores of the seasons before it. So the seasons of
a test file and the training seasons, left out with all that follow them, go the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from models.outbreak.challenge.season_targets import (
    ORIGINS,
    SPANS,
    TARGETS,
    Array,
    City,
    Counts,
    log_score,
    outcome,
)
from yupana.core.errors import TerminalError
from yupana.core.progress import Progress

POOL = "pool"


def rolling(
    city: City, seasons: Mapping[str, Counts], seed: int, say: Progress
) -> dict[str, dict[str, Array]]:
    """Log scores of every season that has enough seasons before it.

    Args:
        city: the official bins.
        seasons: all seasons in order, 52 weekly counts each.

    Returns:
        By season, by forecaster (`pool`, its members, `plain_analog`, `uniform`): log scores of
        shape (13 origins, 3 targets).

    Raises:
        TerminalError: there are too few seasons.
    """
    from models.outbreak.challenge import seasons as room

    counts = np.stack(list(seasons.values()))
    first = room.SEASONS_NEEDED
    if len(counts) <= first:
        raise TerminalError(
            f"There are {len(counts)} seasons; a forecast needs {first} before it.",
            where="the training file",
            fix=f"Give a training file with at least {first} seasons (without --test: one more).",
        )
    earlier: list[Array] = []  # log scores of the members, (13, 3, members) a season
    by_season = {}
    for k, label in list(enumerate(seasons))[first:]:
        weight = {
            target: room.weights(
                np.exp(np.array(earlier)[:, :, j]).reshape(-1, len(room.MEMBERS))
                if earlier
                else np.empty((0, len(room.MEMBERS)))
            )
            for j, target in enumerate(TARGETS)
        }
        say.say(f"{label}: {_words(room.MEMBERS, weight)}")
        model, hit = room.Seasons(city, counts[:k], seed), outcome(city, counts[k])
        by_origin = [model.forecasts(counts[k, :week]) for week in ORIGINS]
        for forecasts in by_origin:
            forecasts[POOL] = room.pool(forecasts, weight)
        scores = {
            name: np.array([[log_score(t[name][g], hit[g]) for g in TARGETS] for t in by_origin])
            for name in (POOL, *(n for n in by_origin[0] if n != POOL))
        }
        earlier.append(np.stack([scores[name] for name in room.MEMBERS], axis=-1))
        by_season[label] = scores
    return by_season


def _words(members: Iterable[str], weight: Mapping[str, Array]) -> str:
    """The pool's weights, for the log."""
    mean = np.mean(list(weight.values()), axis=0)
    return "weights " + ", ".join(f"{n} {w:.2f}" for n, w in zip(members, mean, strict=True))


def report(
    scores: Mapping[str, Mapping[str, Array]], labels: Iterable[str], name: str = POOL
) -> dict[str, Any]:
    """The report file: mean log scores over some of the seasons.

    Args:
        scores: what `rolling` returned.
        labels: the seasons to take.
        name: whose scores.

    Returns:
        `mean_log_score` by target and span of origins, their `sum` by span, and `n`, the number
        of forecasts in each mean.
    """
    every = np.stack([scores[label][name] for label in labels])
    means = {
        span: every[:, np.array(ORIGINS) <= last].mean(axis=(0, 1)) for span, last in SPANS.items()
    }
    return {
        "mean_log_score": {
            target: {span: float(mean[j]) for span, mean in means.items()}
            for j, target in enumerate(TARGETS)
        },
        "sum": {span: float(mean.sum()) for span, mean in means.items()},
        "n": {
            span: len(every) * sum(week <= last for week in ORIGINS) for span, last in SPANS.items()
        },
    }
