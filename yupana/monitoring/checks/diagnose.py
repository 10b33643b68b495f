"""Which fault explains a week that contradicts itself?

A hypothesis is tried by undoing it: a swap by swapping back, a frozen or rescaled column by what
the others say it must be, first in all places, then in one province alone. The first one that
mends every identity is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from yupana.monitoring.checks import identities, restated
from yupana.monitoring.checks.restated import Finding
from yupana.monitoring.checks.traits import Lag, Mean, Share, Traits, lags
from yupana.monitoring.checks.window import Array, Places, Window

Mended = Callable[[Window, Sequence[str]], bool]
"""Whether all identities hold in a window; those of some columns are tried first."""

APART = 0.5
"""Log of a factor from which on a column is in another unit, and not just off."""


@dataclass(frozen=True)
class _Case:
    """A contradiction, and where the fault is looked for."""

    window: Window
    traits: Traits
    failing: Sequence[str]
    mended: Mended
    group: str
    rows: Places


def diagnose(window: Window, traits: Traits, failing: Sequence[str], mended: Mended) -> Finding:
    """The simplest fault that explains the identities that fail.

    Args:
        failing: columns whose identity does not hold.
        mended: whether all identities hold in a window.
    """
    found = restated.find(window, traits, failing)
    if found:
        return found
    touched = dict.fromkeys(c for name in failing for c in identities.inputs(window, traits, name))
    # What an equation is about is suspected before what it rests on.
    suspects = [*failing, *(c for c in touched if c not in failing)]
    cases = [
        _Case(window, traits, failing, mended, group, window.present[-1] & mine)
        for group, mine in _scopes(window)
    ]
    for search in (_frozen, _swap, _halves, _unit, _single):
        for case in cases:
            found = search(case, suspects)
            if found:
                return found
    if restated.in_source(traits, failing):
        return Finding("revised")
    return Finding("broken", tuple(failing))


def _scopes(window: Window) -> Iterator[tuple[str, Places]]:
    """All places, then those of each province."""
    yield "", np.ones(len(window.ubigeos), bool)
    provinces = np.array([u[:4] for u in window.ubigeos])
    for name in np.unique(provinces):
        yield str(name), provinces == name


def _frozen(case: _Case, suspects: Sequence[str]) -> Finding | None:
    still = (c for c in suspects if _still(case, c) and _undone(case, c))
    name = next(still, None)
    return Finding("frozen", (name,), case.group) if name else None


def _swap(case: _Case, suspects: Sequence[str]) -> Finding | None:
    others = [c for c in case.window.columns if c not in suspects]
    for a, b in (*combinations(suspects, 2), *product(suspects, others)):
        if case.mended(_swapped(case, a, b), case.failing):
            return Finding("swapped", tuple(sorted((a, b))), case.group)
    return None


def _unit(case: _Case, suspects: Sequence[str]) -> Finding | None:
    scaled = (c for c in suspects if _factor(case, c) and _undone(case, c))
    name = next(scaled, None)
    return Finding("unit", (name,), case.group) if name else None


def _single(case: _Case, suspects: Sequence[str]) -> Finding | None:
    broken = next((name for name in suspects if _undone(case, name)), None)
    return Finding("broken", (broken,), case.group) if broken else None


def _halves(case: _Case, suspects: Sequence[str]) -> Finding | None:
    """A column that no identity covers may hold what belongs to one that has: a swap as well."""
    window, traits = case.window, case.traits
    free = [c for c in window.columns if identities.expected(window, traits, c) is None]
    for name in suspects:
        for wanted in _candidates(case, name):
            for other in free:
                told = window.column(other)
                held = np.allclose(told[case.rows], wanted[case.rows]) and wanted[case.rows].any()
                if other != name and held and case.mended(_put(case, name, wanted), suspects):
                    return Finding("swapped", tuple(sorted((name, other))), case.group)
    return None


def _still(case: _Case, name: str) -> bool:
    window = case.window
    if len(window) < 2:
        return False
    both = case.rows & window.present[-2]
    return bool(both.any()) and np.array_equal(
        window.column(name)[both], window.column(name, 1)[both]
    )


def _swapped(case: _Case, a: str, b: str) -> Window:
    values = case.window.values[-1].copy()
    at = np.array([case.window.places[a], case.window.places[b]])
    there = np.flatnonzero(case.rows)
    values[np.ix_(there, at)] = values[np.ix_(there, at[::-1])]
    return case.window.now(values)


def _put(case: _Case, name: str, told: Array) -> Window:
    values = case.window.values[-1].copy()
    at = case.window.places[name]
    values[case.rows, at] = told[case.rows]
    return case.window.now(values)


def _undone(case: _Case, name: str) -> bool:
    """Whether all is well with the column as the others say it must be."""
    if isinstance(case.traits[name], Share) and list(case.failing) == [name]:
        return True
    return any(
        case.mended(_put(case, name, told), case.failing) for told in _candidates(case, name)
    )


def _candidates(case: _Case, name: str) -> Iterator[Array]:
    """What a column may have been, by place: as expected, as a mean tells, or by a factor."""
    window, traits = case.window, case.traits
    wanted = identities.expected(window, traits, name)
    if wanted is not None:
        yield _spread(window, wanted)
    if not isinstance(traits[name], Lag) or name not in lags(traits):
        return
    factor = _factor(case, name)
    if factor:
        yield window.column(name) / factor
    # Late reports move a lag a little since last week; a mean tells it exactly.
    for mean, trait in traits.items():
        if isinstance(trait, Mean) and name in identities.inputs(window, traits, mean)[1:]:
            must = identities.expected(window, traits, mean)
            if must is not None:
                off = window.column(mean) - _spread(window, must)
                # A case that is there by rounding alone would end weeks without one.
                yield np.maximum(np.round(window.column(name) + trait.weeks * off, 9), 0)


def _spread(window: Window, told: Array) -> Array:
    """Values of the places that have a row, at all places."""
    found = np.zeros(len(window.ubigeos))
    found[window.present[-1]] = told
    return found


def _factor(case: _Case, name: str) -> float | None:
    """The one factor, other than 1, by which a column differs from what it must be."""
    window, traits, rows = case.window, case.traits, case.rows
    wanted, told = identities.expected(window, traits, name), window.column(name)
    if name == lags(traits)[0]:
        # The newest count follows from no other column; its sums tell what it was.
        wide = [c for c in traits if identities.inputs(window, traits, c)[1:] == (name,)]
        sums = [c for c in wide if not isinstance(traits[c], Share)]
        if not sums:
            return None
        ours = identities.expected(window, traits, sums[0])
        assert ours is not None
        wanted, told = window.column(sums[0])[window.present[-1]], _spread(window, ours)
    if wanted is None:
        return None
    must = _spread(window, wanted)
    some = rows & (np.abs(must) > 1e-9) & (np.abs(told) > 1e-12)
    if not some.any():
        return None
    ratio = told[some].sum() / must[some].sum()
    alike = np.abs(told[some] - ratio * must[some]).sum() <= 0.3 * np.abs(told[some]).sum()
    return float(ratio) if alike and abs(np.log(abs(ratio) + 1e-12)) > APART else None
