"""Which fault explains a week that contradicts itself?

A hypothesis is tried by undoing it: a swap by swapping back, a frozen or rescaled column by what
the others say it must be. The first one that mends every identity is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from yupana.monitoring.checks import counts, identities
from yupana.monitoring.checks.traits import Share, Traits, lags
from yupana.monitoring.checks.window import Array, Window

NEAR = 0.02
"""Relative difference within which a common factor is one factor."""

FINAL = 9
"""Lags from here on were fully reported a week ago already."""

Mended = Callable[[Window], bool]


@dataclass(frozen=True)
class Finding:
    """What seems wrong: kind, columns (all: empty), ubigeos or their prefix (all: empty)."""

    kind: str
    columns: tuple[str, ...] = ()
    group: str = ""


def diagnose(window: Window, traits: Traits, failing: Sequence[str], mended: Mended) -> Finding:
    """The simplest fault that explains the identities that fail.

    Args:
        failing: columns whose identity does not hold.
        mended: whether all identities hold in a window.
    """
    whole = _whole_table(window, traits, failing)
    if whole:
        return whole
    touched = dict.fromkeys(c for name in failing for c in identities.inputs(window, traits, name))
    # What an equation is about is suspected before what it rests on.
    suspects = [*failing, *(c for c in touched if c not in failing)]
    for name in suspects:
        if _still(window, name) and _undone(window, traits, name, failing, mended):
            return Finding("frozen", (name,))
    for a, b in combinations(suspects, 2):
        if mended(_swapped(window, a, b)):
            return Finding("swapped", tuple(sorted((a, b))))
    for name in suspects:
        if _factor(window, traits, name) and _undone(window, traits, name, failing, mended):
            return Finding("unit", (name,))
    for name in suspects:
        if _undone(window, traits, name, failing, mended):
            return Finding("broken", (name,))
    return _halves(window, traits, suspects, mended) or Finding("broken", tuple(failing))


def _halves(
    window: Window, traits: Traits, suspects: Sequence[str], mended: Mended
) -> Finding | None:
    """A column that no identity covers may hold what belongs to one that has: a swap as well."""
    for name in suspects:
        wanted = identities.expected(window, traits, name)
        if wanted is None or not mended(_put(window, name, wanted)):
            continue
        for other in window.columns:
            told = window.column(other)[window.present[-1]]
            if other != name and np.allclose(told, wanted) and wanted.any():
                return Finding("swapped", tuple(sorted((name, other))))
    return None


def _whole_table(window: Window, traits: Traits, failing: Sequence[str]) -> Finding | None:
    """The table of counts itself: not renewed, rescaled, or moved between districts."""
    own = lags(traits)
    if len(window) < 2:
        return None
    now = np.stack([window.column(c) for c in own])
    before = np.stack([window.column(c, 1) for c in own])
    if now.any() and np.array_equal(now, before):
        return Finding("frozen")
    old = now[FINAL:], before[FINAL - 1 : -1]
    told = [k for k, (a, b) in enumerate(zip(*old, strict=True), FINAL) if a.any() or b.any()]
    if not told or any(own[k] not in failing for k in told):
        return None
    a, b = (part.sum(axis=0) for part in old)
    changed = np.abs(a - b) > 1e-6
    names = [u for u, c in zip(window.ubigeos, changed, strict=True) if c]
    if abs(a.sum() - b.sum()) < 1e-6 * max(a.sum(), 1):
        return Finding("split", (), _words(names))
    both = changed & (b > 0)
    ratios = a[both] / b[both]
    if not len(ratios) or np.ptp(ratios) > NEAR * np.median(ratios):
        return Finding("revised", (), _words(names))
    factor = float(np.median(ratios))
    doubled = factor > 1.5 and factor < 9.5 and abs(factor - round(factor)) < NEAR
    return Finding("doubled" if doubled else "unit", (), _prefix(window, changed, b > 0))


def _prefix(window: Window, changed: Array, told: Array) -> str:
    """The smallest group that holds all changed places, if no other place of it stayed."""
    names = [u for u, c in zip(window.ubigeos, changed, strict=True) if c]
    for digits in (6, 4, 2):
        if len({u[:digits] for u in names}) == 1:
            return names[0][:digits]
    return _words(names)


def _words(names: Sequence[str]) -> str:
    return " ".join(names[:4])


def _still(window: Window, name: str) -> bool:
    both = window.present[-1] & window.present[-2] if len(window) > 1 else np.zeros(0, bool)
    now, before = window.column(name), window.column(name, 1) if len(window) > 1 else None
    return bool(both.any()) and before is not None and np.array_equal(now[both], before[both])


def _swapped(window: Window, a: str, b: str) -> Window:
    values = window.values[-1].copy()
    i, j = window.places[a], window.places[b]
    values[:, [i, j]] = values[:, [j, i]]
    return window.now(values)


def _put(window: Window, name: str, told: Array) -> Window:
    values = window.values[-1].copy()
    values[window.present[-1], window.places[name]] = told
    return window.now(values)


def _undone(
    window: Window, traits: Traits, name: str, failing: Sequence[str], mended: Mended
) -> bool:
    """Whether all is well with the column as the others say it must be."""
    if isinstance(traits[name], Share):
        return list(failing) == [name]
    return any(mended(_put(window, name, told)) for told in _candidates(window, traits, name))


def _candidates(window: Window, traits: Traits, name: str) -> Iterator[Array]:
    """What a column may have been: as expected, or by the factor that its sums tell."""
    wanted = identities.expected(window, traits, name)
    if wanted is not None:
        yield wanted
    own = lags(traits)
    if name == own[0]:
        # The newest count follows from no other column but through the shortest mean.
        factor = _factor(window, traits, name)
        if factor:
            yield window.column(name)[window.present[-1]] / factor
        means = [c for c in traits if identities.inputs(window, traits, c)[1:2] == (name,)]
        for mean in means:
            parts = identities.inputs(window, traits, mean)[1:]
            if 1 < len(parts) < len(own):
                rest = np.sum([window.column(c) for c in parts[1:]], axis=0)
                told = window.column(mean) * len(parts) - rest
                yield np.maximum(told, 0)[window.present[-1]]


def _factor(window: Window, traits: Traits, name: str) -> float | None:
    """The one factor, other than 1, by which a column differs from what it must be."""
    wanted, told = identities.expected(window, traits, name), window.column(name)
    told = told[window.present[-1]]
    if name == lags(traits)[0]:
        wide = [c for c in traits if identities.inputs(window, traits, c)[1:] == (name,)]
        sums = [c for c in wide if not isinstance(traits[c], Share)]
        if not sums:
            return None
        wanted = window.column(sums[0])[window.present[-1]]
        told = identities.expected(window, traits, sums[0])  # type: ignore[assignment]
    if wanted is None:
        return None
    some = (np.abs(wanted) > 1e-9) & (np.abs(told) > 1e-12)
    if not some.any():
        return None
    ratio = told[some].sum() / wanted[some].sum()
    alike = np.abs(told[some] - ratio * wanted[some]).sum() <= 0.3 * np.abs(told[some]).sum()
    return float(ratio) if alike and abs(np.log(abs(ratio) + 1e-12)) > 0.5 else None


def counts_unit(window: Window, traits: Traits, group: str) -> bool:
    """Whether a jump is one large factor in all places of a group at once."""
    mine = counts.groups(window)[group]
    seen, wanted = counts.known(window, traits)[mine], counts.usual(window, traits)[mine]
    some = wanted > 1
    if not some.any():
        return False
    ratios = np.log((seen[some] + 0.5) / (wanted[some] + 0.5))
    return bool(abs(np.median(ratios)) > np.log(8) and np.ptp(ratios) < 3)
