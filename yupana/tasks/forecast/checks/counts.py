"""Are cases counted twice, has everything jumped at once, and what came late?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from yupana.tasks.forecast.checks.invariants import Invariants, Share, lags, of_kind, prefixes
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.window import Array, Window

MULTIPLE, LEVEL, REVISION, ORDER = "multiple", "level", "revision", "order"
RESENT = "resent"
TIMES = (2, 3, 10)
GROWTH = np.linspace(-3, 6, 37)
"""Log factors by which counts may move in a period, as an epidemic does."""

ALL, ONE = 0.4, 0.6
"""Scales of the growth that a group shares and of each place's own, both Student's t with two
degrees: a jump alone, however high, must say little."""

SIZE = 3.0
"""Of the negative binomial about the mean of the periods before: by moments 2 to 4 in 2011-2016."""

SLIP = 0.02
"""Chance that a doubled count is odd all the same, say by one late report."""

FEWEST = 3


def measure(window: Window, invariants: Invariants) -> list[Statistic]:
    """All statistics of this module; none without a period before."""
    if len(window) < 3:
        return []
    return [
        *multiples(window, invariants),
        *levels(window, invariants),
        *revisions(window, invariants),
        *_order(window, invariants),
    ]


def reported(window: Window, invariants: Invariants, back: int = 0) -> Array:
    """Whole cases of the newest period as they were reported, by place."""
    share = of_kind(invariants, Share)
    counts = window.column(lags(invariants)[0], back)
    cases = counts * window.column(share[0], back) if share else counts
    return np.maximum(np.round(cases), 0)


def usual(window: Window, invariants: Invariants, back: int = 0) -> Array:
    """What the periods before let expect of the newest one, by place, as it would be reported."""
    own = lags(invariants)
    weights = (0.5, 0.25, 0.15, 0.1)
    mean = sum(w * window.column(own[k + 1], back) for k, w in enumerate(weights))
    long = np.mean([window.column(c, back) for c in own[1:]], axis=0)
    share = of_kind(invariants, Share)
    part = window.column(share[0], back) if share else np.ones(len(window.entities))
    return np.asarray(np.maximum((0.9 * mean + 0.1 * long + 0.02) * part, 0.001), dtype=np.float64)


def groups(window: Window, invariants: Invariants) -> dict[str, np.ndarray]:
    """Places by group, the widest groups first; all of them as one where there are no groups."""
    members: dict[str, np.ndarray] = {}
    for digits in prefixes(invariants) or (0,):
        names = window.group(digits)
        members.update({str(n): names == n for n in np.unique(names)})
    return members


def multiples(window: Window, invariants: Invariants) -> list[Statistic]:
    """Evidence that the counts of a group are a multiple of the true ones, two periods together.

    The log likelihood ratio of "each count is m times another" against "counts as they come",
    both with a common factor of growth: what speaks is that all counts can be divided by m, and
    not that they are high, which an epidemic makes them as well.
    """
    statistics = []
    two = [(reported(window, invariants, b), usual(window, invariants, b)) for b in (0, 1)]
    for name, mine in groups(window, invariants).items():
        newest, before = (_evidence(n[mine], mu[mine]) for n, mu in two)
        for times, now, then in zip(TIMES, newest, before, strict=True):
            value = max(now, now + then, 0.0)
            statistics.append(Statistic(MULTIPLE, f"x{times}", name, value))
    return statistics


def _evidence(counts: Array, mean: Array) -> list[float]:
    """By `TIMES`; 0 with fewer than two places with a case."""
    some = counts > 0
    if some.sum() < 2:
        return [0.0] * len(TIMES)
    n, mu = counts[some], mean[some]
    plain = _positive_chance(n, mu)
    return [_multiple(n, mu, plain, times) for times in TIMES]


def _multiple(n: Array, mu: Array, plain: Array, times: int) -> float:
    whole = n % times == 0
    if whole.mean() < 0.5:
        return 0.0
    divided = np.log1p(-SLIP) + _positive_chance(np.where(whole, n / times, 1), mu)
    multiple = np.where(whole[:, None], divided, np.log(SLIP) + plain)
    return float((multiple.sum(0) + prior()).max() - (plain.sum(0) + prior()).max())


def prior() -> Array:
    """Log weights of the growth that places share."""
    return np.asarray(-1.5 * np.log1p((GROWTH / ALL) ** 2 / 2))


def chance(n: float, mean: float) -> Array:
    """Log probability of a place's count by the growth that it shares with others."""
    from scipy.special import gammaln

    m = mean * np.exp(GROWTH)
    size = gammaln(n + SIZE) - gammaln(SIZE) - gammaln(n + 1)
    return np.asarray(size + SIZE * np.log(SIZE / (SIZE + m)) + n * np.log(m / (SIZE + m)))


def _positive_chance(n: Array, mu: Array) -> Array:
    """Log probability of counts above zero by the growth that the group shares.

    Each place's own growth is summed over; shape (places, shared growth).
    """
    from scipy.special import gammaln, logsumexp

    own = -1.5 * np.log1p((GROWTH / ONE) ** 2 / 2)
    own -= logsumexp(own)
    total = np.add.outer(GROWTH, GROWTH)
    levels, at = np.unique(total.round(6), return_inverse=True)
    m, k = mu[:, None] * np.exp(levels)[None], n[:, None]
    none = SIZE * np.log(SIZE / (SIZE + m))
    count = gammaln(k + SIZE) - gammaln(SIZE) - gammaln(k + 1) + none + k * np.log(m / (SIZE + m))
    positive = count - np.log(-np.expm1(none))
    by = positive[:, at.reshape(total.shape)] + own[None, None]
    return np.asarray(logsumexp(by, axis=2), dtype=np.float64)


def levels(window: Window, invariants: Invariants) -> list[Statistic]:
    """How far the newest period of a group is from those before, up or down, in logs."""
    counts, mean = reported(window, invariants), usual(window, invariants)
    statistics = []
    for name, mine in groups(window, invariants).items():
        observed, expected = counts[mine].sum(), mean[mine].sum()
        if max(observed, expected) >= FEWEST:
            noise = np.sqrt(0.1 + 1 / (min(observed, expected) + 1))
            jump = np.log((observed + 1) / (expected + 1)) / noise
            way = "up" if jump > 0 else "down"
            statistics.append(Statistic(LEVEL, way, name, float(abs(jump))))
    return statistics


def revisions(window: Window, invariants: Invariants) -> list[Statistic]:
    """What was added to the last periods since one ago: to each, and to the fresh ones together."""
    own, scale = lags(invariants), window.scale
    late = range(1, min(scale.late + 1, len(own)))
    statistics = [Statistic(REVISION, own[k], "", _move(window, [k], own)) for k in late]
    return [*statistics, Statistic(RESENT, "", "", _move(window, scale.fresh, own))]


def _move(window: Window, ages: Sequence[int], own: list[str]) -> float:
    now = sum(float(window.column(own[k]).sum()) for k in ages)
    before = sum(float(window.column(own[k - 1], 1).sum()) for k in ages)
    total = max((now + before) / 2, 0.0)
    return float(np.log(abs(now - before) / (np.sqrt(total) + 0.3 * total + 1) + 0.01))


def _order(window: Window, invariants: Invariants) -> list[Statistic]:
    """Are large districts still the large ones? Rank correlation with the periods before."""
    from scipy.stats import rankdata

    counts, mean = reported(window, invariants), usual(window, invariants)
    some = (mean > 0.2) | (counts > 0)
    if some.sum() < 6 or np.ptp(counts[some]) == 0:
        return []
    r = np.corrcoef(rankdata(counts[some]), rankdata(mean[some]))[0, 1]
    value = -np.arctanh(min(r, 0.99)) * np.sqrt(some.sum() - 3)
    return [Statistic(ORDER, lags(invariants)[0], "", float(value))]
