"""Quantiles of the negative binomial distribution.

The same as `scipy.stats.nbinom.ppf`, by the functions of `scipy.special`: importing `scipy.stats`
takes four times as long as all of those, in every worker and command that forecasts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = np.ndarray[Any, np.dtype[np.float64]]


def quantiles(levels: npt.ArrayLike, size: Array, probability: Array) -> Array:
    """The least counts that are reached with these probabilities, in the arguments' common shape.

    Args:
        levels: above 0 and below 1.
        size: of the distribution, above 0; its mean is `size * (1 - probability) / probability`.
        probability: of success, above 0 and up to 1.
    """
    from scipy.special import betainc, nbdtrik

    # Rounded up, an inverse that lies a rounding error above a count would be one too high.
    upper = np.maximum(np.ceil(nbdtrik(levels, size, probability)), 0.0)
    lower = np.maximum(upper - 1, 0.0)
    return np.asarray(np.where(betainc(size, lower + 1, probability) >= levels, lower, upper))
