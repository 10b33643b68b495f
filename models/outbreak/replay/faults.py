"""Faults as they come to who watches: drawn by rules that were set before any result was seen.

Each fault begins in one week and goes on. Some are in the source, so that all features agree
with the faulty counts; others in the feature table alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from models.outbreak.replay.fault import LOOKS, Fault, mine
from models.outbreak.replay.history import FIRST, History
from models.outbreak.replay.plant import altered
from yupana.tasks.forecast.checks.invariants import (
    Constant,
    Invariants,
    Lag,
    Mean,
    Measure,
    Season,
    Share,
    Since,
    of_kind,
)
from yupana.tasks.forecast.checks.window import Array

CASES = 10.0
"""Sum of differences in a lag, in cases, from which on a fault can be told from late reports."""

MOVED = 5
"""Cases under a new code, from which on it can be told from a slip of the pen."""

COUNTED = 14
"""Places and weeks with a case: that so many counts are all even by luck has a chance of 2⁻¹⁴,
and at 8 provinces and a department a week an alarm in 20 years allows one in 9000."""

CLOSED = 20
"""Cases of weeks long closed, that a fault which rewrites the past changes."""

FACTORS = (0.001, 0.01, 0.1, 10.0, 100.0, 1000.0)


Draw = Callable[[History, Invariants, int, np.random.Generator], Fault | None]
"""Draws a fault that begins in a week; None where there is nothing to change."""


def _pair(
    history: History, invariants: Invariants, week: int, rng: np.random.Generator
) -> Fault | None:
    a, b = sorted(rng.choice(len(history.columns), 2, replace=False))
    return _of_columns("swapped", "swapped columns", history, invariants, week, (a, b), "")


def _pair_of_one(
    history: History, invariants: Invariants, week: int, rng: np.random.Generator
) -> Fault | None:
    a, b = sorted(rng.choice(len(history.columns), 2, replace=False))
    group = _province(history, week, rng)
    return _of_columns(
        "swapped", "swapped columns, one province", history, invariants, week, (a, b), group
    )


def _of_columns(
    kind: str, variant: str, history: History, invariants: Invariants, week: int,
    at: tuple[int, int], group: str,
) -> Fault | None:  # fmt: skip
    here = values_of(history, week, group)
    apart = np.abs(here[:, at[0]] - here[:, at[1]])
    names = tuple(history.columns[i] for i in at)
    return _table_fault(kind, variant, week, invariants, names, group, apart)


def _table_fault(
    kind: str, variant: str, week: int, invariants: Invariants, names: tuple[str, ...], group: str,
    apart: Array, number: float = 0.0,
) -> Fault | None:  # fmt: skip
    """A fault of the feature table; columns that late reports move must move more."""
    if not apart.size or apart.max() < 1e-6:
        return None
    counted = all(isinstance(invariants[n], Lag) for n in names)
    visible = bool(not counted or apart.sum() >= CASES)
    return Fault(kind, variant, week, names, group, number, visible=visible)


def _climate_swap(
    history: History, invariants: Invariants, week: int, rng: np.random.Generator
) -> Fault | None:
    return Fault("swapped", "climate columns swapped in the source", week)


def _freeze(
    history: History, invariants: Invariants, week: int, rng: np.random.Generator
) -> Fault | None:
    return _still("frozen column", history, invariants, week, rng, "")


def _freeze_of_one(
    history: History, invariants: Invariants, week: int, rng: np.random.Generator
) -> Fault | None:
    group = _province(history, week, rng)
    return _still("frozen column, one province", history, invariants, week, rng, group)


def _still(
    variant: str, history: History, invariants: Invariants, week: int, rng: np.random.Generator,
    group: str
) -> Fault | None:
    i = int(rng.integers(len(history.columns)))
    there = mine(history, group)
    apart = np.nan_to_num(np.abs(history.values[week] - history.values[week - 1])[there, i])
    return _table_fault("frozen", variant, week, invariants, (history.columns[i],), group, apart)


def _table(
    history: History, invariants: Invariants, week: int, rng: np.random.Generator
) -> Fault | None:
    return Fault("frozen", "whole table not renewed", week)


def _repeated(
    history: History, invariants: Invariants, week: int, rng: np.random.Generator
) -> Fault | None:
    some = int((history.reported(week - 1)[:, -1] > 0).sum())
    return Fault("frozen", "source repeats a week's counts", week, visible=some >= 5)


def _split(variant: str, shares: tuple[float, ...], past: bool) -> Draw:
    def draw(
        history: History, invariants: Invariants, week: int, rng: np.random.Generator
    ) -> Fault | None:
        cases = history.counts.cases
        there = np.flatnonzero(cases[:, week - 4 : week + LOOKS].sum(axis=1))
        if not len(there):
            return None
        group = history.counts.entities[int(rng.choice(there))]
        share, seed = float(rng.choice(shares)), int(rng.integers(1 << 30))
        fault = Fault("split", variant, week, (), group, share, seed)
        moved = _moved(history, fault, week + LOOKS - 1, past)
        least = CLOSED if past else MOVED
        return _with_sight(fault, moved >= least) if moved else None

    return draw


def _moved(history: History, fault: Fault, week: int, past: bool) -> float:
    counts = altered(history, fault, week)[1]
    return float(counts[:, 0 if past else fault.week :].sum())


def _scaled(variant: str, of_one: bool) -> Draw:
    def draw(
        history: History, invariants: Invariants, week: int, rng: np.random.Generator
    ) -> Fault | None:
        able = [c for c in history.columns if not isinstance(invariants[c], Season | Since)]
        name = str(rng.choice(able))
        group = _province(history, week, rng) if of_one else ""
        number = _factor(invariants, name, rng)
        here = values_of(history, week, group)[:, history.columns.index(name)]
        # Both sides of the change must be told from nothing.
        apart = np.minimum(np.abs(here), np.abs(here * number - here))
        return _table_fault("unit", variant, week, invariants, (name,), group, apart, number)

    return draw


def _factor(invariants: Invariants, name: str, rng: np.random.Generator) -> float:
    """°F (told by 0) or inches for weather, percent for a share, powers of ten for the rest."""
    invariant = invariants[name]
    if isinstance(invariant, Measure):
        return 0.0 if name == of_kind(invariants, Measure)[0] else float(rng.choice([0.1,
        1 / 25.4]))
    if isinstance(invariant, Share):
        return 100.0
    if isinstance(invariant, Lag | Mean | Constant):
        return float(rng.choice(FACTORS))
    raise AssertionError(name)


def _counts_unit(of_one: bool) -> Draw:
    variant = "counts in another unit in the source" + (", one province" if of_one else "")

    def draw(
        history: History, invariants: Invariants, week: int, rng: np.random.Generator
    ) -> Fault | None:
        group, number = _scope(history, week, rng, of_one), float(rng.choice([0.1, 10, 100]))
        total = float(_reported(history, week, group)[:, week].sum())
        fault = Fault("unit", variant, week, (), group, number)
        return _with_sight(fault, total >= CASES) if total else None

    return draw


def _climate_unit(
    history: History, invariants: Invariants, week: int, rng: np.random.Generator
) -> Fault | None:
    number = float(rng.choice([0.0, 0.1, 1 / 25.4]))
    return Fault("unit", "climate in another unit in the source", week, (), "", number)


def _doubled(variant: str, of_one: bool) -> Draw:
    def draw(
        history: History, invariants: Invariants, week: int, rng: np.random.Generator
    ) -> Fault | None:
        group = _scope(history, week, rng, of_one)
        fault = Fault("doubled", variant, week, (), group, 2.0)
        newest = [_reported(history, w, group)[:, w] for w in range(week, week + LOOKS)]
        if not np.any(newest):
            return None
        if variant.startswith("new weeks"):
            return _with_sight(fault, int((np.array(newest) > 0).sum()) >= COUNTED)
        past = _reported(history, week, group)
        late = slice(week - 3, week) if variant.startswith("last") else slice(week - 60, week - 9)
        return _with_sight(fault, past[:, late].sum() >= CLOSED)

    return draw


def _with_sight(fault: Fault, visible: bool) -> Fault:
    return replace(fault, visible=bool(visible))


def _reported(history: History, week: int, group: str) -> Array:
    return np.asarray(history.reported(week)[mine(history, group)])


def values_of(history: History, week: int, group: str) -> Array:
    """Rows of a group that a week has."""
    rows = history.values[week][mine(history, group)]
    return np.asarray(rows[~np.isnan(rows).all(axis=1)])


def _province(history: History, week: int, rng: np.random.Generator) -> str:
    there = ~np.isnan(history.values[week]).all(axis=1)
    names = sorted({u[:4] for u, t in zip(history.counts.entities, there, strict=True) if t})
    return str(rng.choice(names))


def _scope(history: History, week: int, rng: np.random.Generator, of_one: bool) -> str:
    return _province(history, week, rng) if of_one else history.counts.entities[0][:2]


VARIANTS: dict[str, tuple[Draw, ...]] = {
    "swapped": (_pair, _pair_of_one, _climate_swap),
    "frozen": (_freeze, _freeze_of_one, _table, _repeated),
    "split": (
        _split("new code for a part", (0.3, 0.5, 0.7), past=False),
        _split("new code for a part, past as well", (0.3, 0.5, 0.7), past=True),
        _split("renamed", (1.0,), past=False),
    ),
    "unit": (
        _scaled("scaled column", of_one=False),
        _scaled("scaled column, one province", of_one=True),
        _counts_unit(of_one=False),
        _counts_unit(of_one=True),
        _climate_unit,
    ),
    "doubled": (
        _doubled("new weeks", of_one=False),
        _doubled("new weeks, one province", of_one=True),
        _doubled("whole file twice", of_one=False),
        _doubled("whole file twice, one province", of_one=True),
        _doubled("last four weeks sent twice", of_one=False),
        _doubled("feature rows joined twice", of_one=False),
    ),
}
"""How each kind of fault is drawn; each way gives as many."""


def sample(
    histories: list[History], invariants: Invariants, span: range, *, each: int, small: int,
    seed: int
) -> Iterator[tuple[int, Fault]]:
    """Faults of every kind and way: the number of the history, and the fault.

    Weeks, columns, places and factors are drawn evenly. Faults that cannot be told are kept
    apart, up to `small` of each way.

    Args:
        span: weeks in which a fault may begin.
        each: faults of each way that can be told.
    """
    rng = np.random.default_rng(seed)
    weeks = np.arange(max(span.start, FIRST + 1), span.stop - LOOKS)
    for ways in VARIANTS.values():
        for draw in ways:
            remaining = {True: each, False: small}
            for _ in range(200 * each):
                of, week = int(rng.integers(len(histories))), int(rng.choice(weeks))
                fault = draw(histories[of], invariants, week, rng)
                if fault and remaining[fault.visible]:
                    remaining[fault.visible] -= 1
                    yield of, fault
                if not remaining[True]:
                    break
