"""Was the table of counts itself restated: sent twice, in another unit, moved, or not renewed?

All features of a week then agree with each other, and not with the weeks before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from yupana.monitoring.checks.traits import Mean, Share, Since, Traits, lags, of_kind
from yupana.monitoring.checks.window import Array, Places, Window

NEAR = 0.02
"""Relative difference within which a common factor is one factor."""

TWICE = (1.6, 2.5)
"""Where the factor of a week that was sent twice lies, with its late reports."""

FINAL = 9
"""Lags from here on were fully reported a week ago already."""


@dataclass(frozen=True)
class Finding:
    """What seems wrong: kind, columns (all: empty), ubigeos or their prefix (all: empty)."""

    kind: str
    columns: tuple[str, ...] = ()
    group: str = ""


def in_source(traits: Traits, failing: Sequence[str]) -> bool:
    """Whether only what rests on the weeks before fails: the week agrees with itself."""
    return all(
        _long(traits, name)
        or isinstance(traits[name], Since)
        or name in lags(traits)
        for name in failing
    )


def find(window: Window, traits: Traits, failing: Sequence[str]) -> Finding | None:
    """What was done to the table of counts, by the identities that fail; None: not that."""
    own = lags(traits)
    if len(window) < 2:
        return None
    now = np.stack([window.column(c) for c in own])
    before = np.stack([window.column(c, 1) for c in own])
    if now.any() and np.array_equal(now, before):
        return Finding("frozen")
    fraction = _fraction(window, traits, failing)
    if fraction:
        return fraction
    if not in_source(traits, failing):
        return None
    if any(c in own[:FINAL] for c in failing):
        sent = sent_again(window, traits, failing)
        if sent and not any(c in own[FINAL:] for c in failing):
            return sent
    past = _past(window, traits)
    # One column alone may be off by a factor; what moves between places is moved in the source.
    return past if past and (len(failing) > 1 or past.kind == "split") else None


def _long(traits: Traits, name: str) -> bool:
    trait = traits[name]
    return isinstance(trait, Mean) and trait.weeks > len(lags(traits))


def _fraction(window: Window, traits: Traits, failing: Sequence[str]) -> Finding | None:
    """Counts that are no whole numbers, and would be times ten or more: another unit."""
    share = of_kind(traits, Share)
    if not share or list(failing) != share:
        return None
    own = lags(traits)[0]
    told = window.column(own) * window.column(share[0])
    off = np.abs(told - np.round(told)) > 1e-6
    if not off.any():
        return None
    for times in (10, 100, 1000):
        if np.abs(told * times - np.round(told * times)).max() < 1e-6:
            return Finding("unit", (own,), prefix(window, off))
    return None


def sent_again(window: Window, traits: Traits, off: Sequence[str]) -> Finding | None:
    """Recent weeks whose counts are twice those of a week ago; None: not that.

    Args:
        off: columns that alarm.
    """
    own = lags(traits)
    weeks = [k for k in range(1, FINAL) if own[k] in off]
    now = sum(float(window.column(own[k]).sum()) for k in weeks)
    before = sum(float(window.column(own[k - 1], 1).sum()) for k in weeks)
    return Finding("doubled") if weeks and TWICE[0] < now / max(before, 1) < TWICE[1] else None


def _past(window: Window, traits: Traits) -> Finding | None:
    """Weeks long closed that changed: moved between places, or all by one factor."""
    a, b = _closed(window, traits)
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
    return Finding("doubled" if doubled else "unit", (), prefix(window, changed))


def _closed(window: Window, traits: Traits) -> tuple[Array, Array]:
    """Cases of weeks that were final a week ago, as told now and then, by place.

    Of the longest mean that the window reaches, without the newest lags; else of the oldest lags.
    """
    own = lags(traits)
    recent = np.sum([window.column(c) for c in own[:FINAL]], axis=0)
    now = np.sum([window.column(c) for c in own[FINAL:]], axis=0)
    then = np.sum([window.column(c, 1) for c in own[FINAL - 1 : -1]], axis=0)
    means = sorted((t.weeks, c) for c, t in traits.items() if isinstance(t, Mean))
    for weeks, name in reversed(means):
        older = weeks - len(own)
        if 0 < older < len(window):
            return window.column(name) * weeks - recent, then + window.total(own[-1], older)
    return now, then


def _moved(window: Window, gained: Array) -> str:
    """The places that gained, then those that lost, at most four."""
    order = np.argsort(-gained, kind="stable")
    names = [window.ubigeos[i] for i in order if abs(gained[i]) > 1e-3]
    return " ".join(names if len(names) <= 4 else [*names[:2], *names[-2:]])


def prefix(window: Window, changed: Places) -> str:
    """The smallest group that holds all changed places: district, province, department."""
    names = [u for u, c in zip(window.ubigeos, changed, strict=True) if c]
    for digits in (6, 4, 2):
        if len({u[:digits] for u in names}) == 1:
            return names[0][:digits]
    return " ".join(names[:4])
