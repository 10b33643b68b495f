"""Which fault explains a period that contradicts itself?

A hypothesis is tried by undoing it: a swap by swapping back, a frozen or rescaled column by what
the others say it must be, first in all places, then in one group alone. The first one that
mends every identity is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from yupana.tasks.forecast.checks import identities, restated
from yupana.tasks.forecast.checks.invariants import Invariants, Lag, Mean, Share, lags, prefixes
from yupana.tasks.forecast.checks.restated import Finding
from yupana.tasks.forecast.checks.window import Array, Places, Window

Mended = Callable[[Window, Sequence[str]], bool]
"""Whether all identities hold in a window; those of some columns are tried first."""

APART = 0.5
"""Log of a factor from which on a column is in another unit, and not just off."""


@dataclass(frozen=True)
class _Case:
    """A contradiction, and where the fault is looked for."""

    window: Window
    invariants: Invariants
    failing: Sequence[str]
    mended: Mended
    group: str
    rows: Places


def diagnose(
    window: Window, invariants: Invariants, failing: Sequence[str], mended: Mended
) -> Finding:
    """The simplest fault that explains the identities that fail.

    Args:
        failing: columns whose identity does not hold.
        mended: whether all identities hold in a window.
    """
    finding = restated.find(window, invariants, failing)
    if finding:
        return finding
    touched = dict.fromkeys(
        c for name in failing for c in identities.inputs(window, invariants, name)
    )
    # What an equation is about is suspected before what it rests on.
    suspects = [*failing, *(c for c in touched if c not in failing)]
    cases = [
        _Case(window, invariants, failing, mended, group, window.present[-1] & mine)
        for group, mine in _scopes(window, invariants)
    ]
    for search in (_frozen, _swap, _halves, _unit, _single):
        for case in cases:
            finding = search(case, suspects)
            if finding:
                return finding
    if restated.in_source(invariants, failing):
        return Finding("revised")
    return Finding("broken", tuple(failing))


def _scopes(window: Window, invariants: Invariants) -> Iterator[tuple[str, Places]]:
    """All places, then those of each of the smallest groups."""
    yield "", np.ones(len(window.entities), bool)
    for digits in prefixes(invariants)[-1:]:
        names = window.group(digits)
        for name in np.unique(names):
            yield str(name), names == name


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
    window, invariants = case.window, case.invariants
    free = [c for c in window.columns if identities.expected(window, invariants, c) is None]
    for name in suspects:
        for expected in _candidates(case, name):
            for other in free:
                numbers = window.column(other)
                there = expected[case.rows]
                alike = np.allclose(numbers[case.rows], there) and there.any()
                if other != name and alike and case.mended(_put(case, name, expected), suspects):
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


def _put(case: _Case, name: str, numbers: Array) -> Window:
    values = case.window.values[-1].copy()
    at = case.window.places[name]
    values[case.rows, at] = numbers[case.rows]
    return case.window.now(values)


def _undone(case: _Case, name: str) -> bool:
    """Whether all is well with the column as the others say it must be."""
    if isinstance(case.invariants[name], Share) and list(case.failing) == [name]:
        return True
    return any(
        case.mended(_put(case, name, numbers), case.failing) for numbers in _candidates(case, name)
    )


def _candidates(case: _Case, name: str) -> Iterator[Array]:
    """What a column may have been, by place: as expected, as a mean tells, or by a factor."""
    window, invariants = case.window, case.invariants
    expected = identities.expected(window, invariants, name)
    if expected is not None:
        yield _spread(window, expected)
    if not isinstance(invariants[name], Lag) or name not in lags(invariants):
        return
    factor = _factor(case, name)
    if factor:
        yield window.column(name) / factor
    # Late reports move a lag a little within a period; a mean tells it exactly.
    for mean, invariant in invariants.items():
        if isinstance(invariant, Mean) and name in identities.inputs(window, invariants, mean)[1:]:
            must = identities.expected(window, invariants, mean)
            if must is not None:
                off = window.column(mean) - _spread(window, must)
                # A case that is there by rounding alone would end a silence.
                yield np.maximum(np.round(window.column(name) + invariant.periods * off, 9), 0)


def _spread(window: Window, numbers: Array) -> Array:
    """Values of the places that have a row, at all places."""
    every = np.zeros(len(window.entities))
    every[window.present[-1]] = numbers
    return every


def _factor(case: _Case, name: str) -> float | None:
    """The one factor, other than 1, by which a column differs from what it must be."""
    window, invariants, rows = case.window, case.invariants, case.rows
    expected, numbers = identities.expected(window, invariants, name), window.column(name)
    if name == lags(invariants)[0]:
        # The newest count follows from no other column; its sums tell what it was.
        wide = [c for c in invariants if identities.inputs(window, invariants, c)[1:] == (name,)]
        sums = [c for c in wide if not isinstance(invariants[c], Share)]
        if not sums:
            return None
        ours = identities.expected(window, invariants, sums[0])
        assert ours is not None
        expected, numbers = window.column(sums[0])[window.present[-1]], _spread(window, ours)
    if expected is None:
        return None
    must = _spread(window, expected)
    some = rows & (np.abs(must) > 1e-9) & (np.abs(numbers) > 1e-12)
    if not some.any():
        return None
    ratio = numbers[some].sum() / must[some].sum()
    alike = np.abs(numbers[some] - ratio * must[some]).sum() <= 0.3 * np.abs(numbers[some]).sum()
    return float(ratio) if alike and abs(np.log(abs(ratio) + 1e-12)) > APART else None
