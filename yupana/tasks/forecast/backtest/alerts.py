"""How good the alerts of a backtest were: the probability of an epidemic against what came.

An epidemic is a count above the upper quartile of the endemic channel (Bortman 1999). The channel
is a forecast itself, the one that knows the season alone: it says how often its own past counts
lie above that quartile. Its Brier score is the reference of the skill, as climatology is that of
weather forecasts (Murphy 1973; Wilks 2011, Statistical Methods in the Atmospheric Sciences,
chapter 8).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yupana.tasks.forecast import endemic_channel
from yupana.tasks.forecast.backtest.channels import HIGH, RATE
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES
from yupana.tasks.forecast.scoring import exceedance
from yupana.tasks.forecast.scoring.exceedance import Bin, Decisions

if TYPE_CHECKING:
    import pandas as pd

MISS_COSTS = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Of a missed alert, in false alarms."""

PROBABILITY, EXCEEDED = "exceedance", "exceeded"


@dataclass(frozen=True)
class AlertScore:
    """Brier scores of a model's probabilities.

    Attributes:
        horizon: periods ahead; 0 for all together.
        n: forecasts with a channel.
        exceeded: share whose count was above it.
        brier, channel_brier: of the model and of the channel, 0-1, lower is better.
        skill: 1 - `brier` / `channel_brier`.
    """

    model: str
    series: str
    horizon: int
    n: int
    exceeded: float
    brier: float
    channel_brier: float
    skill: float | None


@dataclass(frozen=True)
class Reliability:
    """How often what was forecast with a probability came.

    Attributes:
        horizons: the first and the last, periods ahead.
        expected_error: mean gap of the bins, each weighted by its forecasts.
        largest_gap: of the bins with `exceedance.ENOUGH` forecasts.
    """

    model: str
    series: str
    horizons: tuple[int, int]
    bins: list[Bin]
    expected_error: float
    largest_gap: float | None


@dataclass(frozen=True)
class Value:
    """What alerts raised by costs are worth, of the period that alert lists are of."""

    model: str
    series: str
    horizon: int
    by_cost: list[Decisions]


@dataclass(frozen=True)
class AlertReport:
    """Alerts, judged.

    Attributes:
        without_channel: forecasts of each model whose history is too short for a channel.
        reliability: of all horizons, the nearer half and the farther half.
    """

    without_channel: int
    scores: list[AlertScore]
    reliability: list[Reliability]
    value: list[Value]

    def skills(self, model: str, series: str) -> dict[int, float | None]:
        """Skill by horizon, 0 being all."""
        mine = (s for s in self.scores if (s.model, s.series) == (model, series))
        return {s.horizon: s.skill for s in mine}

    def reliable(self, model: str, series: str) -> list[Reliability]:
        """Of all horizons, the nearer half and the farther half."""
        return [r for r in self.reliability if (r.model, r.series) == (model, series)]

    def decisions(self, model: str, series: str) -> list[Decisions]:
        """By cost of a missed alert."""
        same = (v.by_cost for v in self.value if (v.model, v.series) == (model, series))
        return next(same)

    def facts(self, model: str) -> dict[str, dict[str, Any]]:
        """By series a model's `skill`, one a horizon, and the `expected_error` of all."""
        return {
            series: {
                "skill": [s for h, s in self.skills(model, series).items() if h],
                "expected_error": self.reliable(model, series)[0].expected_error,
            }
            for series in dict.fromkeys(r.series for r in self.reliability if r.model == model)
        }


def report(rows: pd.DataFrame, lead: int) -> AlertReport | None:
    """The alerts of the rows of `channels.beside`; None where no row has a channel.

    Args:
        lead: periods ahead that alert lists are of.
    """
    if HIGH not in rows or rows[HIGH].isna().all():
        return None
    judged = with_probability(rows)
    groups = [
        (str(model), str(series), part)
        for (model, series), part in judged.groupby(["model", "series"], sort=True)
    ]
    models = rows["model"].nunique()
    return AlertReport(
        without_channel=round((len(rows) - len(judged)) / models),
        scores=[score for group in groups for score in _scores(*group)],
        reliability=[of_part for group in groups for of_part in _reliability(*group)],
        value=[_value(*group, lead) for group in groups],
    )


def with_probability(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a channel, with `PROBABILITY` (0-1) and `EXCEEDED`."""
    judged = rows[rows[HIGH].notna()].copy()
    limit, quantiles = judged[HIGH].to_numpy(dtype=float), judged[list(LEVELS)].to_numpy(float)
    judged[PROBABILITY] = endemic_channel.exceeding(quantiles, QUANTILES, limit)
    judged[EXCEEDED] = judged["observed"] > limit
    return judged


def _scores(model: str, series: str, rows: pd.DataFrame) -> Iterator[AlertScore]:
    yield _score(model, series, 0, rows)
    for horizon in sorted(int(h) for h in rows["horizon"].unique()):
        yield _score(model, series, horizon, rows[rows["horizon"] == horizon])


def _score(model: str, series: str, horizon: int, rows: pd.DataFrame) -> AlertScore:
    exceeded = rows[EXCEEDED].to_numpy(dtype=bool)
    mine, channel = (
        exceedance.brier(rows[name].to_numpy(dtype=float), exceeded) for name in (PROBABILITY, RATE)
    )
    return AlertScore(
        model, series, horizon, len(rows), float(exceeded.mean()), mine, channel,
        exceedance.skill(mine, channel),
    )  # fmt: skip


def _reliability(model: str, series: str, rows: pd.DataFrame) -> Iterator[Reliability]:
    horizons = sorted(int(h) for h in rows["horizon"].unique())
    for some in _halves(horizons):
        part = rows[rows["horizon"].isin(some)]
        tenths = exceedance.bins(
            part[PROBABILITY].to_numpy(dtype=float), part[EXCEEDED].to_numpy(dtype=bool)
        )
        yield Reliability(
            model, series, (some[0], some[-1]), tenths,
            exceedance.expected_error(tenths), exceedance.largest_gap(tenths),
        )  # fmt: skip


def _halves(horizons: Sequence[int]) -> list[Sequence[int]]:
    """All, the nearer half and the farther half."""
    middle = (len(horizons) + 1) // 2
    return [part for part in (horizons, horizons[:middle], horizons[middle:]) if part]


def _value(model: str, series: str, rows: pd.DataFrame, lead: int) -> Value:
    part = rows[rows["horizon"] == lead]
    chance, exceeded = part[PROBABILITY].to_numpy(float), part[EXCEEDED].to_numpy(dtype=bool)
    by_cost = [exceedance.decisions(chance, exceeded, cost) for cost in MISS_COSTS if len(part)]
    return Value(model, series, lead, by_cost)
