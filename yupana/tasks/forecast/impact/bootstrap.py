"""How sure a ratio of sums is, by a bootstrap over districts and periods at once.

Districts are drawn whole, for what is wrong in one week of a district is wrong in its next; and
periods are drawn whole, in runs as long as a forecast reaches, for the districts of a period share
its epidemic. Drawing
both, independently, is the pigeonhole bootstrap (Owen 2007, Ann Appl Stat 1:386); the runs are
those of the circular block bootstrap (Politis and Romano 1992). Quantiles of few districts' draws
lie too close together, so they are taken further out, as Student's t would have them (Hesterberg
2015, The American Statistician 69:371, expanded percentiles).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

DRAWS = 2000

FEWEST_DISTRICTS = 5
"""Below it a bootstrap over districts says nothing; then no interval is given."""


@dataclass(frozen=True)
class Periods:
    """How often each period was drawn, shape (draws, periods): the same for all groups."""

    times: Array
    seed: int

    @classmethod
    def draw(cls, periods: int, run: int, seed: int) -> Periods:
        """Draw runs of periods.

        Args:
            run: periods in one: a forecast reaches as far, so that neighbours within it share
                their periods.
        """
        runs = -(-periods // run)
        starts = np.random.default_rng(seed).integers(0, periods, (DRAWS, runs))
        each = (starts[..., None] + np.arange(run)).reshape(DRAWS, -1)[:, :periods] % periods
        times = np.zeros((DRAWS, periods))
        np.add.at(times, (np.arange(DRAWS)[:, None], each), 1)
        return cls(times, seed)


@dataclass(frozen=True)
class Draws:
    """What a ratio might have been, shape (draws,), by so many districts."""

    values: Array
    districts: int


@dataclass(frozen=True)
class Comparison:
    """A group's ratio over the others'.

    Attributes:
        times: as it is.
        interval: of 95 %.
        says: worse, better or unsure.
    """

    times: float
    interval: list[float]
    says: str

    def rounded(self, digits: int) -> Comparison:
        """The same to so many digits."""
        ends = [round(end, digits) for end in self.interval]
        return Comparison(round(self.times, digits), ends, self.says)


def ratios(above: Array, below: Array, periods: Periods, name: str) -> Draws | None:
    """Draws of sum(above) ÷ sum(below); None where that cannot be said.

    Args:
        above: sums by district and period, shape (districts, periods).
        below: the same of the denominator.
        name: of the group, so that it is drawn alike at every call.
    """
    if len(above) < FEWEST_DISTRICTS:
        return None
    key = int.from_bytes(sha256(name.encode()).digest()[:8], "big")
    generator = np.random.default_rng([periods.seed, key])
    districts = generator.multinomial(len(above), np.full(len(above), 1 / len(above)), DRAWS)
    sums = [np.einsum("bd,dw,bw->b", districts, part, periods.times) for part in (above, below)]
    fine = sums[1] > 0
    if fine.mean() < 0.95:
        return None
    # A draw without a denominator says nothing; it takes the value of the whole.
    whole = above.sum() / below.sum()
    return Draws(np.where(fine, sums[0] / np.where(fine, sums[1], 1), whole), len(above))


def interval(draws: Draws | None) -> list[float] | None:
    """The 95 % interval of the ratio."""
    return None if draws is None else _ends(draws.values, draws.districts)


def _ends(values: Array, districts: int) -> list[float]:
    from scipy.stats import norm

    beyond = float(norm.cdf(-_far(0.025, districts)))
    low, high = np.quantile(values, [beyond, 1 - beyond])
    return [float(low), float(high)]


def _far(tail: float, districts: int) -> float:
    """How many standard deviations of the draws leave `tail` outside on each side."""
    from scipy.stats import t

    return float(t.ppf(1 - tail, districts - 1)) * float(np.sqrt(districts / (districts - 1)))


def of_share(above: Array, below: Array, periods: Periods, name: str) -> list[float] | None:
    """The interval of a share; where it is 0 or 1, of as many whole districts as told it.

    No draw can differ from a share of 0 or 1; its interval is Clopper and Pearson's with each
    district as one trial, which is wide.
    """
    draws = ratios(above, below, periods, name)
    if draws is None:
        return None
    share = above.sum() / below.sum()
    if share in (0, 1):
        trials = int((below.sum(axis=1) > 0).sum())
        far = 1 - 0.025 ** (1 / trials)
        return [0.0, float(far)] if share == 0 else [float(1 - far), 1.0]
    return interval(draws)


def worse(
    times: float, group: Draws | None, rest: Draws | None, compared: int
) -> Comparison | None:
    """Whether a group's ratio is above the others', and whether that can be said.

    Args:
        times: the group's ratio over the others', as it is.
        group: draws of the group's ratio.
        rest: of everyone else's, from the same periods.
        compared: how many groups are compared; the more, the more would seem worse by chance, so
            that each is held to 5 % divided by their number (Bonferroni).

    Returns:
        None where there are no draws of both.
    """
    if group is None or rest is None:
        return None
    if not ((group.values > 0).all() and (rest.values > 0).all()):
        return None
    logs = np.log(group.values / rest.values)
    districts = min(group.districts, rest.districts)
    far = _far(0.025 / max(1, compared), districts) * float(logs.std())
    says = "worse" if np.log(times) > far else "better" if np.log(times) < -far else "unsure"
    return Comparison(times, [float(np.exp(v)) for v in _ends(logs, districts)], says)
