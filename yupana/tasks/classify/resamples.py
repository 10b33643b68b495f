"""How sure a number is, by a bootstrap over whole groups: a loud thread is not many people.

Quantiles of few groups' draws lie too close together, so they are taken further out, as Student's t
would have them (Hesterberg 2015, The American Statistician 69:371, expanded percentiles).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

DRAWS = 1000
FEWEST_GROUPS = 5
"""Below it a bootstrap over groups says nothing; then there is no interval."""

_AT_ONCE = 50
"""Draws that are held in memory together."""


@dataclass(frozen=True)
class Resamples:
    """Draws of groups, the same at every call, so that what is computed from two calls pairs."""

    groups: int
    seed: int

    def sums(self, values: Any) -> Array:
        """Of each draw, the sums over its groups, shape (draws, columns).

        Args:
            values: by group, shape (groups, columns); dense or a SciPy sparse matrix.
        """
        random, even = np.random.default_rng(self.seed), np.full(self.groups, 1 / self.groups)
        parts = []
        for _ in range(DRAWS // _AT_ONCE):
            times = random.multinomial(self.groups, even, _AT_ONCE).astype(float)
            # A sparse matrix multiplies from the right alone.
            parts.append(np.asarray((values.T @ times.T).T))
        return np.concatenate(parts)


def interval(draws: Array, groups: int, compared: int = 1) -> tuple[float, float] | None:
    """The 95 % interval of a number; None where too few groups are behind it.

    Args:
        draws: its values (draws,); those that are not finite count as unknown.
        groups: how many groups hold what it counts.
        compared: among so many numbers 5 % are shared (Bonferroni).
    """
    fine = draws[np.isfinite(draws)]
    if groups < FEWEST_GROUPS or len(fine) < 0.95 * len(draws):
        return None
    from scipy.stats import norm, t

    far = t.ppf(1 - 0.025 / compared, groups - 1) * np.sqrt(groups / (groups - 1))
    beyond = float(norm.cdf(-far))
    low, high = np.quantile(fine, [beyond, 1 - beyond])
    return float(low), float(high)
