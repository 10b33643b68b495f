"""What an alarm means that no identity explains: of measured columns, and of the counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from yupana.tasks.forecast.checks import counts, measures, places, restated
from yupana.tasks.forecast.checks.invariants import (
    Invariant,
    Invariants,
    Lag,
    Mean,
    Measure,
    Share,
    Since,
    lags,
    of_kind,
)
from yupana.tasks.forecast.checks.restated import Finding
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.window import Window

LARGE = np.log(8)
"""A unit is a factor of ten or more; what an epidemic does in a period is less."""

ALIKE = 3.0
"""Range of logs within which places moved together."""


def is_count(invariant: Invariant) -> bool:
    """Whether a column follows from the counts."""
    return isinstance(invariant, Lag | Mean | Since | Share)


def measured(
    window: Window, invariants: Invariants, far: Sequence[Statistic]
) -> list[tuple[Finding, list[Statistic]]]:
    """Of columns that stand still or jump: each a finding, two that changed places one.

    Args:
        far: alarms of `measures`.
    """
    by: dict[str, list[Statistic]] = {}
    for statistic in far:
        by.setdefault(statistic.column, []).append(statistic)
    jumped = [c for c, mine in by.items() if any(s.check == measures.SHIFT for s in mine)]
    for a in jumped:
        for b in (c for c in of_kind(invariants, Measure) if c != a):
            if _changed_places(window, a, b):
                both = [s for c in (a, b) for s in by.pop(c, [])]
                rest = [(_of_one(c, statistics), statistics) for c, statistics in by.items()]
                return [(Finding("swapped", tuple(sorted((a, b)))), both), *rest]
    return [(_of_one(c, statistics), statistics) for c, statistics in by.items()]


def _of_one(column: str, statistics: Sequence[Statistic]) -> Finding:
    still = any(s.check == measures.STILL for s in statistics)
    return Finding("frozen" if still else "unit", (column,))


def _changed_places(window: Window, a: str, b: str) -> bool:
    """Whether in some place the first column left its range, and each is in the other one's."""
    here = window.present[-1] & (window.present[:-1].sum(axis=0) > measures.PERIODS)
    past = [window.values[:-1, here, window.places[c]] for c in (a, b)]
    low, high = np.nanmin(past, axis=1), np.nanmax(past, axis=1)
    now = [window.column(c)[here] for c in (a, b)]
    crossed = [(low[1 - i] <= n) & (n <= high[1 - i]) for i, n in enumerate(now)]
    own = (low[0] <= now[0]) & (now[0] <= high[0])
    return bool((crossed[0] & crossed[1] & ~own).any())


def counted(window: Window, invariants: Invariants, far: Sequence[Statistic]) -> Finding:
    """Of the counts, by the alarm that says most.

    Args:
        far: alarms of `counts` and `places`, that one first.
    """
    worst, column = far[0], (lags(invariants)[0],)
    # What can be divided by ten can be divided by two, and makes one case of a silent place ten.
    tens = f"x{counts.TIMES[-1]}"
    ten = next((s for s in far if s.check == counts.MULTIPLE and s.column == tens), None)
    if ten:
        return Finding("unit", column, ten.group)
    if worst.check in (places.NEW, places.SILENT_ONE):
        return Finding("split", (), worst.group)
    if worst.check == counts.MULTIPLE:
        return Finding("doubled", (), worst.group)
    if worst.check in (counts.REVISION, counts.RESENT):
        own = lags(invariants)
        fresh = [own[k] for k in window.scale.fresh] if worst.check == counts.RESENT else []
        off = [*fresh, *(s.column for s in far if s.check == counts.REVISION)]
        return restated.sent_again(window, invariants, off) or Finding("revised")
    jumped = [s.group for s in far if s.check == counts.LEVEL]
    scaled = next((group for group in jumped if one_factor(window, invariants, group)), None)
    if scaled:
        return Finding("unit", column, scaled)
    return Finding("level" if worst.check == counts.LEVEL else "broken", column, worst.group)


def one_factor(window: Window, invariants: Invariants, group: str) -> bool:
    """Whether a jump is one large factor in all places of a group, or all its counts are tens."""
    mine = counts.groups(window, invariants)[group]
    observed = counts.reported(window, invariants)[mine]
    expected = counts.usual(window, invariants)[mine]
    some = expected > 1
    if not some.any():
        return False
    ratios = np.log((observed[some] + 0.5) / (expected[some] + 0.5))
    whole = bool((observed[observed > 0] % counts.TIMES[-1] == 0).all()) and bool(observed.any())
    return bool(whole or (abs(np.median(ratios)) > LARGE and np.ptp(ratios) < ALIKE))
