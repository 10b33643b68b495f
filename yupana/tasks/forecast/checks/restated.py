"""Was the table of counts itself restated: sent twice, in another unit, moved, or not renewed?

All features of a period then agree with each other, and not with the periods before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from yupana.tasks.forecast.checks.invariants import (
    Invariants,
    Mean,
    Share,
    Since,
    lags,
    of_kind,
    prefixes,
)
from yupana.tasks.forecast.checks.window import Array, Places, Window

NEAR = 0.02
"""Relative difference within which a common factor is one factor."""

TWICE = (1.6, 2.5)
"""Where the factor of a period that was sent twice lies, with its late reports."""


@dataclass(frozen=True)
class Finding:
    """What seems wrong: kind, columns (all: empty), entities or their prefix (all: empty)."""

    kind: str
    columns: tuple[str, ...] = ()
    group: str = ""


def in_source(invariants: Invariants, failing: Sequence[str]) -> bool:
    """Whether only what rests on the periods before fails: this one agrees with itself."""
    return all(
        _long(invariants, name)
        or isinstance(invariants[name], Since)
        or name in lags(invariants)
        for name in failing
    )


def find(window: Window, invariants: Invariants, failing: Sequence[str]) -> Finding | None:
    """What was done to the table of counts, by the identities that fail; None: not that."""
    own, final = lags(invariants), window.final
    if len(window) < 2:
        return None
    now = np.stack([window.column(c) for c in own])
    before = np.stack([window.column(c, 1) for c in own])
    if now.any() and np.array_equal(now, before):
        return Finding("frozen")
    fraction = _fraction(window, invariants, failing)
    if fraction:
        return fraction
    if not in_source(invariants, failing):
        return None
    if any(c in own[:final] for c in failing):
        finding = sent_again(window, invariants, failing)
        if finding and not any(c in own[final:] for c in failing):
            return finding
    past = _past(window, invariants)
    # One column alone may be off by a factor; what moves between places is moved in the source.
    return past if past and (len(failing) > 1 or past.kind == "split") else None


def _long(invariants: Invariants, name: str) -> bool:
    invariant = invariants[name]
    return isinstance(invariant, Mean) and invariant.periods > len(lags(invariants))


def _fraction(window: Window, invariants: Invariants, failing: Sequence[str]) -> Finding | None:
    """Counts that are no whole numbers, and would be times ten or more: another unit."""
    share = of_kind(invariants, Share)
    if not share or list(failing) != share:
        return None
    own = lags(invariants)[0]
    reported = window.column(own) * window.column(share[0])
    off = np.abs(reported - np.round(reported)) > 1e-6
    if not off.any():
        return None
    for times in (10, 100, 1000):
        if np.abs(reported * times - np.round(reported * times)).max() < 1e-6:
            return Finding("unit", (own,), prefix(window, invariants, off))
    return None


def sent_again(window: Window, invariants: Invariants, off: Sequence[str]) -> Finding | None:
    """Recent periods whose counts are twice those told a period ago; None: not that.

    Args:
        off: columns that alarm.
    """
    own = lags(invariants)
    ages = [k for k in range(1, window.final) if own[k] in off]
    now = sum(float(window.column(own[k]).sum()) for k in ages)
    before = sum(float(window.column(own[k - 1], 1).sum()) for k in ages)
    return Finding("doubled") if ages and TWICE[0] < now / max(before, 1) < TWICE[1] else None


def _past(window: Window, invariants: Invariants) -> Finding | None:
    """Periods long closed that changed: moved between places, or all by one factor."""
    a, b = _closed(window, invariants)
    changed = np.abs(a - b) > 1e-3
    if not changed.any():
        return None
    if abs((a - b).sum()) < 1e-3 + 1e-6 * b.sum():
        return Finding("split", (), _moved(window, a - b))
    both = changed & (b > 0.5)
    if not both.any() or (changed & ~both).any():
        return None
    ratios = a[both] / b[both]
    if np.ptp(ratios) > NEAR * abs(np.median(ratios)):
        return None
    factor = float(np.median(ratios))
    doubled = 1.5 < factor < 9.5 and abs(factor - round(factor)) < NEAR
    if not doubled and changed.sum() < 2:
        return None
    return Finding("doubled" if doubled else "unit", (), prefix(window, invariants, changed))


def _closed(window: Window, invariants: Invariants) -> tuple[Array, Array]:
    """Cases of periods that were final a period ago, as told now and then, by place.

    Of the longest mean that the window reaches, without the newest lags; else of the oldest lags.
    """
    own, final = lags(invariants), window.final
    recent = np.sum([window.column(c) for c in own[:final]], axis=0)
    now = np.sum([window.column(c) for c in own[final:]], axis=0)
    then = np.sum([window.column(c, 1) for c in own[final - 1 : -1]], axis=0)
    means = sorted((t.periods, c) for c, t in invariants.items() if isinstance(t, Mean))
    for periods, name in reversed(means):
        older = periods - len(own)
        if 0 < older < len(window):
            return window.column(name) * periods - recent, then + window.total(own[-1], older)
    return now, then


def _moved(window: Window, gained: Array) -> str:
    """The places that gained, then those that lost, at most four."""
    order = np.argsort(-gained, kind="stable")
    names = [window.entities[i] for i in order if abs(gained[i]) > 1e-3]
    return " ".join(names if len(names) <= 4 else [*names[:2], *names[-2:]])


def prefix(window: Window, invariants: Invariants, changed: Places) -> str:
    """The smallest group that holds all changed places, or the one place."""
    names = [u for u, c in zip(window.entities, changed, strict=True) if c]
    if len(names) == 1:
        return names[0]
    for digits in reversed(prefixes(invariants)):
        groups = set(window.group(digits)[changed])
        if len(groups) == 1:
            return str(groups.pop())
    return " ".join(names[:4])
