"""What is usual, learned from past periods, and from where on a check alarms.

Each statistic is standardised by its own history (median, upper spread). Of each check the
largest of a period counts, over all columns and groups, so that looking at many costs nothing
extra (max-statistic, Westfall & Young 1993). The threshold is the return level of those
maxima by a generalised Pareto tail over declustered peaks (Coles 2001, ch. 4 and 5): each check
may cross it once in `RETURN_YEARS`, those of `SOONER` more often, so that all together cross
theirs about 0.2 times a year. Six years tell a tail badly, so the upper bound of the return
level is taken, from years drawn again with replacement.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from yupana.core import usecase
from yupana.core.errors import TerminalError
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.window import SCALES
from yupana.tasks.forecast.frequency import Frequency

RETURN_YEARS = 100
SOONER = {"multiple": 20, "resent": 20, "still": 20}
"""Checks whose faults are near what is usual: with 100 or 200 years fewer of them were found
in 2013-2016, while the others' were all found (docs/replay.md)."""

PEAKS = 0.9
"""Maxima above this quantile are peaks."""

SHAPES = (0.0, 0.4)
"""Of the tail: never lighter than exponential."""

BOUND, DRAWS = 0.9, 200
"""Upper bound of the return level, over so many draws of whole years."""

FEWEST, LEAST_SPREAD = 60, 0.25
LEAST_LIMIT = 3.0
"""Spreads within which nothing alarms: what never moved has no tail that tells how far it may."""


@dataclass(frozen=True)
class Norms:
    """What is usual.

    Attributes:
        usual: median and spread by `Statistic.key`, and by check alone for keys without history.
        limits: by check, the standardised value above which it alarms.
        periods: how many were learned from.
        span: days that end the first and the last of them (ISO).
        probe: sum of all statistics of a period (ISO), to see whether these norms are still those
            that code and data give.
    """

    usual: Mapping[str, tuple[float, float]]
    limits: Mapping[str, float]
    periods: int
    span: tuple[str, str]
    probe: Mapping[str, float] = field(default_factory=dict)

    def standard(self, statistic: Statistic) -> float:
        """How far above its median, in spreads."""
        middle, spread = self.usual.get(statistic.key) or self.usual[statistic.check]
        return (statistic.value - middle) / spread

    def knows(self, check: str) -> bool:
        """Whether the check was learned."""
        return check in self.limits


Look = Sequence[Statistic]
"""What was looked at in one period."""


def learn(
    histories: Sequence[Sequence[Look]], span: tuple[str, str], rules: Mapping[str, float],
    frequency: Frequency,
) -> Norms:  # fmt: skip
    """Norms from periods in which nothing was wrong.

    Args:
        histories: runs of consecutive periods, each period's statistics.
        span: ends of the first and the last period, for the record.
        rules: limits of checks that are too seldom to be learned, in the statistic's own scale.
    """
    values: dict[str, list[float]] = defaultdict(list)
    for statistic in (s for looks in histories for look in looks for s in look):
        if statistic.check not in rules:
            values[statistic.key].append(statistic.value)
            values[statistic.check].append(statistic.value)
    usual = {k: _spread(v) for k, v in values.items() if len(v) >= FEWEST or "|" not in k}
    unlimited = Norms(usual, {}, sum(map(len, histories)), span)
    checks = sorted({key.split("|")[0] for key in values})
    limits = {}
    for check in checks:
        maxima = [_maxima(unlimited, looks, check) for looks in histories]
        limit = bound(maxima, SOONER.get(check, RETURN_YEARS), frequency)
        limits[check] = max(limit, LEAST_LIMIT)
    ruled = dict.fromkeys(rules, (0.0, 1.0))
    return Norms({**usual, **ruled}, {**limits, **rules}, unlimited.periods, span)


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """Median, and the upper side's distance to the 90 % quantile in normal units."""
    middle, high = np.quantile(values, [0.5, 0.9])
    return float(middle), float(max((high - middle) / 1.2816, LEAST_SPREAD))


def _maxima(norms: Norms, looks: Iterable[Look], check: str) -> list[float]:
    """Of each period the largest standardised value; -inf where there is none."""
    return [
        max((norms.standard(s) for s in look if s.check == check), default=-np.inf)
        for look in looks
    ]


def bound(runs: Sequence[Sequence[float]], every: float, frequency: Frequency) -> float:
    """Upper bound of `return_level`, by bootstrap of years."""
    size = frequency.year
    years = [run[at : at + size] for run in runs for at in range(0, len(run), size)]
    rng = np.random.default_rng(0)
    samples = [rng.integers(0, len(years), len(years)) for _ in range(DRAWS)]
    levels = [return_level([years[i] for i in of], every, frequency) for of in samples]
    return float(max(return_level(runs, every, frequency), np.quantile(levels, BOUND)))


def return_level(
    runs: Sequence[Sequence[float]], years: float, frequency: Frequency
) -> float:
    """The level that peaks of the maxima cross once in so many years.

    Args:
        runs: maxima of consecutive periods; -inf where there was nothing to look at.
    """
    finite = [v for run in runs for v in run if np.isfinite(v)]
    if not finite:
        return float("inf")
    period, over = SCALES[frequency.name], float(np.quantile(finite, PEAKS))
    peaks = np.array([p for run in runs for p in _declustered(run, over, period.apart)]) - over
    peaks = peaks[peaks > 0]
    if len(peaks) < 5:
        return float(max(finite)) + 3.0
    # Probability-weighted moments (Hosking & Wallis 1987) are steadier than likelihood here.
    ranked = np.sort(peaks)
    first = ranked.mean()
    second = (ranked * (1 - (np.arange(1, len(ranked) + 1) - 0.35) / len(ranked))).mean()
    shape = float(np.clip(2 - first / (first - 2 * second), *SHAPES))
    scale = first * (1 - shape)
    # All periods count, also those in which the check had nothing to look at.
    times = len(peaks) / (sum(map(len, runs)) / period.year) * years
    above = np.log(times) if shape < 1e-9 else (times**shape - 1) / shape
    return float(over + scale * above)


def _declustered(run: Sequence[float], over: float, apart: int) -> list[float]:
    """The highest of each cluster; a cluster ends after so many periods below."""
    highest: list[float] = []
    last = -apart - 1
    for period, value in enumerate(run):
        if value > over:
            if period - last > apart:
                highest.append(value)
            else:
                highest[-1] = max(highest[-1], value)
            last = period
    return highest


def save(norms: Norms, path: Path) -> None:
    """Write as JSON, numbers to four digits."""
    stored = asdict(norms)
    stored["usual"] = {k: [round(x, 4) for x in v] for k, v in sorted(norms.usual.items())}
    stored["probe"] = {k: round(v, 3) for k, v in norms.probe.items()}
    stored["limits"] = {k: round(v, 4) for k, v in norms.limits.items()}
    path.write_text(json.dumps(stored, indent=0) + "\n")


def path_of(use_case: str) -> Path:
    """Where a use case's norms lie, beside its model's code, which is not loaded for it."""
    return usecase.home() / use_case / "norms.json"


def load(path: Path) -> Norms:
    """Read what `save` wrote.

    Raises:
        TerminalError: there is no such file.
    """
    if not path.exists():
        raise TerminalError(
            "There are no norms to check against.",
            where=str(path),
            fix=f"Run `yupana norms {path.parent.name} --before YEAR`, and copy its file there.",
        )
    stored = json.loads(path.read_text())
    usual = {k: (v[0], v[1]) for k, v in stored["usual"].items()}
    return Norms(usual, stored["limits"], stored["periods"], tuple(stored["span"]), stored["probe"])
