"""How late cases are reported, and what the newest periods will hold once all is reported.

Chain-ladder development factors pooled over districts (Mack 1993, ASTIN Bull 23:213), as
surveillance uses them (Höhle & an der Heiden 2014, Biometrics 70:993); the uncertainty is that
of binomial thinning and of what varied between past periods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.tasks.forecast import negative_binomial

if TYPE_CHECKING:
    import polars as pl

LAST = 8
"""Delay in periods from which on a period is taken as fully reported."""

FEWEST = 8
"""Periods that must have been followed from their first report to `LAST`, and at each step."""

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Delays:
    """What past weeks tell of the delay; each tuple is by weeks since the week's end, 0 to `LAST`.

    Attributes:
        completeness: share of the eventually known count that is known (0-1).
        after_none: mean of what was added to a district's week of which nothing was known.
        variation: squared coefficient of variation of what is added, beyond chance.
        weeks: past weeks that were followed to the end; 0 is no evidence, taken as complete.
    """

    completeness: tuple[float, ...]
    after_none: tuple[float, ...]
    variation: tuple[float, ...]
    weeks: int

    @property
    def evidence(self) -> bool:
        """Whether the delay was seen at all."""
        return self.weeks > 0

    def share(self, delay: int) -> float:
        """Completeness at a delay of 0 weeks or more."""
        return self.completeness[delay] if delay < LAST else 1.0


NO_EVIDENCE = Delays((1.0,) * (LAST + 1), (0.0,) * (LAST + 1), (0.0,) * (LAST + 1), 0)


def triangle(reports: pl.DataFrame) -> pl.DataFrame:
    """Cases of all districts by week and delay: a row a week, a column a delay, null not seen.

    Args:
        reports: `entity`, `period`, `delay` (weeks since the week's end), `cases` known then;
            a row for each district of each week and delay that was seen.
    """
    import polars as pl

    sums = reports.group_by("period", "delay").agg(pl.sum("cases"))
    wide = sums.pivot(on="delay", index="period", values="cases").sort("period")
    absent = [str(d) for d in range(LAST + 1) if str(d) not in wide.columns]
    filled = wide.with_columns(pl.lit(None, dtype=pl.Float64).alias(d) for d in absent)
    delays = [pl.col(str(d)).cast(pl.Float64) for d in range(LAST + 1)]
    return filled.select("period", *delays)


def completeness(reports: pl.DataFrame) -> tuple[float, ...] | None:
    """Share known by delay from a `triangle`; None where too few weeks were followed."""
    counts = reports.drop("period").to_numpy()
    shares = [1.0]
    for delay in reversed(range(LAST)):
        now, later = counts[:, delay], counts[:, delay + 1]
        both = ~(np.isnan(now) | np.isnan(later))
        if both.sum() < FEWEST or not now[both].sum() or not later[both].sum():
            return None
        shares.append(shares[-1] * float(now[both].sum() / later[both].sum()))
    # Counts that shrink (cases that were discarded) are not foreseen.
    return tuple(min(share, 1.0) for share in reversed(shares))


def learn(reports: pl.DataFrame) -> Delays:
    """The delays of past weeks; `NO_EVIDENCE` where too few were followed to the end.

    Args:
        reports: as for `triangle`.
    """
    import polars as pl

    shares = None if reports.is_empty() else completeness(triangle(reports))
    if shares is None:
        return NO_EVIDENCE
    final = reports.filter(pl.col("delay") == LAST).select(
        "entity", "period", pl.col("cases").alias("final")
    )
    followed = reports.join(final, on=["entity", "period"])
    weeks = followed.filter(pl.col("delay") == 0)["period"].n_unique()
    if weeks < FEWEST:
        return NO_EVIDENCE
    none, varied = [], []
    for delay in range(LAST + 1):
        mine = followed.filter(pl.col("delay") == delay)
        now, end = (mine[c].to_numpy().astype(float) for c in ("cases", "final"))
        empty = now == 0
        none.append(float(max((end - now)[empty].mean(), 0.0)) if empty.any() else 0.0)
        varied.append(_variation(now, end, shares[delay], none[delay]))
    return Delays(shares, tuple(none), tuple(varied), weeks)


def _expected(now: Array, share: float, after_none: float) -> Array:
    return np.where(now > 0, now * (1 - share) / share, after_none)


def _variation(now: Array, end: Array, share: float, after_none: float) -> float:
    """By moments: what the squared errors hold more than the chance of binomial thinning."""
    expected = _expected(now, share, after_none)
    if share >= 1 or not expected.any():
        return 0.0
    extra = ((end - now - expected) ** 2 - expected / share).sum() / (expected**2).sum()
    return float(max(extra, 0.0))


def quantiles(
    reported: Sequence[int], delay: int, delays: Delays, levels: Sequence[float]
) -> Array:
    """What weeks of one delay will hold once all is reported.

    Args:
        reported: cases known now, by district.
        delay: weeks since the week's end.
        levels: between 0 and 1.

    Returns:
        Counts of shape (districts, levels), never below what is reported; those reported where
        the week is complete.
    """
    now = np.asarray(reported, dtype=float)
    share = delays.share(delay)
    added = np.zeros((len(now), len(levels)))
    if share < 1:
        mean = _expected(now, share, delays.after_none[delay])
        some = mean > 0
        variance = mean / share + delays.variation[delay] * mean**2
        size = mean[some] ** 2 / (variance - mean)[some]
        chance = size / (size + mean[some])
        added[some] = negative_binomial.quantiles(levels, size[:, None], chance[:, None])
    return now[:, None] + added
