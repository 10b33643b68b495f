"""An attacker with one comparison, the periods and codes of both sides, and whole numbers.

He solves for the smallest and the largest that every number can be. A count, or a step between two
sides, from 1 to 4 must not follow, unless it does from the totals of rows and the names alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from change_rows import WEEKS, Row, compared, movement
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from yupana.validation.changes import Change
from yupana.validation.changes.count import Cell, Pair

Sum = dict[str, int]
"""A weighted sum of unknowns, by name."""
KINDS = "ABC"
LAST = WEEKS[2]
SIDES = ("before", "after")
PLENTY = 10_000


@dataclass
class Attack:
    """What is known of whole numbers from 0."""

    facts: list[tuple[Sum, int, float]] = field(default_factory=list)

    def say(self, what: Sum, low: int, high: float | None = None) -> None:
        self.facts.append((what, low, low if high is None else high))

    def follows(self, what: Sum) -> bool:
        """Whether one value alone agrees with all that is known."""
        names = sorted({name for weights, _, _ in self.facts for name in weights} | what.keys())
        at = {name: n for n, name in enumerate(names)}
        rows = np.zeros((len(self.facts), len(names)))
        for row, (weights, _, _) in zip(rows, self.facts, strict=True):
            for name, weight in weights.items():
                row[at[name]] += weight
        bounds = ([low for _, low, _ in self.facts], [high for _, _, high in self.facts])
        goal = np.zeros(len(names))
        for name, weight in what.items():
            goal[at[name]] += weight
        extremes = [
            milp(sign * goal, constraints=[LinearConstraint(rows, *bounds)],
                 integrality=np.ones(len(names)), bounds=Bounds(0, PLENTY))
            for sign in (1, -1)
        ]  # fmt: skip
        assert extremes[0].success and extremes[1].success, "what is shown contradicts itself"
        return round(extremes[0].fun) == round(-extremes[1].fun)


BY = (1, 2)
"""Places of the week and of the class in a row."""


@dataclass(frozen=True)
class Case:
    """Rows before and after."""

    old: list[Row]
    new: list[Row]
    key: tuple[str, ...] = ()

    def names(self, at: int, side: int) -> set[str]:
        return {name(row[at]) for row in (self.old, self.new)[side]}

    def count(self, at: int, value: str, side: int, of: Callable[[Row], int]) -> int:
        return sum(of(row) for row in (self.old, self.new)[side] if name(row[at]) == value)


def name(value: Any) -> str:
    return "(none)" if value is None else str(value)


def both(case: Case, at: int) -> list[str]:
    return sorted(case.names(at, 0) | case.names(at, 1))


def visible_cells(change: Change, at: int) -> tuple[Cell, ...]:
    return change.periods if at == 1 else change.groups["class"]


def alone(case: Case, least: int, totals: Pair) -> Attack:
    """What is known without a cell: names of each side, and the totals."""
    attack = Attack()
    for side, (word, total) in enumerate(zip(SIDES, (totals.before, totals.after), strict=True)):
        for at in BY:
            there = case.names(at, side)
            for value in both(case, at):
                high = np.inf if value in there else 0
                attack.say({f"{word} {value}": 1}, least if value in there else 0, high)
            attack.say({f"{word} {n}": 1 for n in both(case, at)} | {word: -1}, 0)
        if total is not None:
            attack.say({word: 1}, int(total))
    return attack


def cells(attack: Attack, change: Change, pick: Callable[[Cell], Pair]) -> None:
    for at in BY:
        for cell in visible_cells(change, at):
            pair = pick(cell)
            for word, number in zip(SIDES, (pair.before, pair.after), strict=True):
                if number is not None:
                    attack.say({f"{word} {cell.value}": 1}, int(number))


def say_movement(attack: Attack, case: Case, change: Change | None) -> None:
    """Rows that a period gains, loses, and that move between periods as their keys stay."""
    weeks = both(case, 1)
    last = max(case.names(1, 0) - {"(none)"}, default="")
    late = {week for week in weeks if week > last or week == "(none)"}
    for week in weeks:
        flows = {f"added {week}": -1, f"removed {week}": 1, f"in {week}": -1, f"out {week}": 1}
        attack.say({f"after {week}": 1, f"before {week}": -1} | flows, 0)
        attack.say({f"before {week}": 1, f"removed {week}": -1, f"out {week}": -1}, 0, np.inf)
        if not case.key:
            attack.say({f"in {week}": 1, f"out {week}": 1}, 0)
    moves = {f"in {w}": 1 for w in weeks}
    attack.say(moves | {f"out {w}": -1 for w in weeks}, 0)
    attack.say({"changed": 1} | {f"out {w}": -1 for w in weeks}, 0, np.inf if case.key else 0)
    attack.say({"changed": 1, "changed past": -1}, 0, np.inf)
    attack.say({"changed past": 1} | {f"out {w}": -1 for w in weeks if w not in late}, 0, np.inf)
    past = {f"{k} {w}": -1 for k in ("added", "removed") for w in weeks if w not in late}
    for kind in ("added", "removed"):
        attack.say({kind: 1} | {f"{kind} {w}": -1 for w in weeks}, 0)
    attack.say({"revised": 1, "changed past": -1} | past, 0)
    if change:
        for kind in ("added", "removed", "changed", "revised"):
            number = getattr(change, kind)
            if number is not None:
                attack.say({kind: 1}, number)


def secrets(case: Case, of: Callable[[Row], int]) -> Iterator[Sum]:
    """Sums of unknowns whose true values are from 1 to 4."""
    for at in BY:
        for value in both(case, at):
            before, after = (case.count(at, value, side, of) for side in (0, 1))
            one, other = f"before {value}", f"after {value}"
            step: Sum = {other: 1, one: -1}
            numbers = (({one: 1}, before), ({other: 1}, after), (step, after - before))
            yield from (what for what, number in numbers if 0 < abs(number) < 5)


def holds(case: Case) -> Change:
    change = compared(case.old, case.new, case.key).change
    rows = [alone(case, 1, change.rows) for _ in range(2)]
    cells(rows[1], change, lambda cell: cell.rows)
    for attack, what in zip(rows, (None, change), strict=True):
        say_movement(attack, case, what)
    exact = movement(case.old, case.new, case.key)
    kinds = {k: exact.of(k) for k in ("added", "removed", "changed")} | {"revised": exact.past}
    questions = [*secrets(case, lambda _: 1), *({k: 1} for k, n in kinds.items() if 0 < n < 5)]
    for what in questions:
        assert not rows[1].follows(what) or rows[0].follows(what), (what, case)
    total = change.measures[0].total
    sums = [alone(case, 0, total) for _ in range(2)]
    cells(sums[1], change, lambda cell: cell.totals[0])
    whole = [sum(r[3] or 0 for r in side) for side in (case.old, case.new)]
    steps = [({"before": 1}, whole[0]), ({"after": 1}, whole[1]),
             ({"after": 1, "before": -1}, whole[1] - whole[0])]  # fmt: skip
    questions = [*secrets(case, lambda r: r[3] or 0), *(s for s, n in steps if 0 < abs(n) < 5)]
    for what in questions:
        assert not sums[1].follows(what) or sums[0].follows(what), (what, case, "sums")
    means(case, change)
    return change


def means(case: Case, change: Change) -> None:
    """A mean of 5 values up; so are those that are hidden together, and the step between sides."""
    total = change.measures[1].total
    for at in BY:
        numbers = {v: [case.count(at, v, side, lambda r: r[4] is not None) for side in (0, 1)]
                   for v in both(case, at)}  # fmt: skip
        visible = {c.value for c in visible_cells(change, at) if c.totals[1] != Pair(None, None)}
        groups = [numbers[value] for value in visible]
        if total != Pair(None, None) and at == 1:
            groups.append([sum(n[side] for w, n in numbers.items() if w not in visible)
                           for side in (0, 1)])  # fmt: skip
        for before, after in groups:
            assert not any(0 < n < 5 for n in (before, after)), (case, "means")
        for before, after in (numbers[value] for value in visible):
            assert not 0 < abs(after - before) < 5, (case, "means")


COUNT = st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15])
STEP = st.sampled_from([0, 0, 0, 0, 1, 2, -1, -2, 5, 6, -5, 9])
CELL = st.tuples(COUNT, STEP, st.sampled_from([0, 0, 0, 1, 5]), st.integers(0, 3))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Two states: each week and class keeps some rows, gains, loses or has some replaced."""
    old: list[Row] = []
    new: list[Row] = []
    keyed, first = draw(st.booleans()), 0
    for week in [*WEEKS[:4], None][: draw(st.integers(1, 5))]:
        for kind in KINDS[: draw(st.integers(1, 3))]:
            count, step, others, cases = draw(CELL)
            before, after = (0 if week and week > LAST else count), max(count + step, 0)
            rain = draw(st.sampled_from([None, 1.5]))
            old += [(first + n, week, kind, cases, rain) for n in range(before)]
            later = [(first + n, week, kind, cases, rain) for n in range(after)]
            new += [(r[0] + 500, *r[1:]) if n < others else r for n, r in enumerate(later)]
            first += 1000
    if keyed and draw(st.booleans()):
        many, where = draw(st.integers(1, 7)), draw(st.sampled_from(WEEKS))
        new = [(r[0], where, *r[2:]) if n < many else r for n, r in enumerate(new)]
    return Case(old, new, ("id",) if keyed else ())


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_small_count_follows(case: Case) -> None:
    holds(case)


def weekly(old: list[int], new: list[int], values: list[int], kinds: str = "AAAAAA") -> Case:
    sides = [
        [(100 * w + n, WEEKS[w], kinds[w], values[w], 1.5) for w, count in enumerate(side)
         for n in range(count)]
        for side in (old, new)
    ]  # fmt: skip
    return Case(*sides)


@pytest.mark.parametrize(
    "case",
    [
        weekly([3, 6, 20], [3, 6, 20, 5], [9, 9, 9, 9]),
        weekly([10, 12], [10, 12, 3], [9, 9, 1]),
        weekly([1, 1, 1, 20], [1, 1, 1, 20], [1, 1, 1, 1]),
        weekly([10, 10, 20], [12, 10, 20], [1, 1, 1]),
        weekly([10, 10, 20], [12, 8, 20], [1, 1, 1]),
        weekly([20, 20, 40], [30, 22, 40, 3, 5, 9], [1] * 6),
        weekly([20, 20, 20], [22, 20, 20, 3], [1, 1, 1, 1], "AABC"),
    ],
)
def test_what_once_told(case: Case) -> None:
    change = holds(case)
    assert any(cell.rows == Pair(None, None) for cell in change.periods)


def test_what_is_plenty_is_shown() -> None:
    change = holds(weekly([20, 30, 40], [20, 35, 40, 50], [1, 1, 1, 1]))
    assert [c.rows for c in change.periods] == [
        Pair(20, 20), Pair(30, 35), Pair(40, 40), Pair(0, 50),
    ]  # fmt: skip
    assert (change.added, change.removed, change.revised) == (55, 0, 5)


def test_a_small_step_hides_its_period_and_one_more() -> None:
    change = holds(weekly([20, 30, 40], [22, 30, 40], [1, 1, 1]))
    assert [c.rows.before for c in change.periods] == [None, None, 40]


def test_a_total_one_to_four_apart_does_not_follow_from_its_periods() -> None:
    change = holds(weekly([20, 20, 40], [27, 15, 40], [1, 1, 1]))
    assert change.measures[0].total == Pair(None, None)
    assert sum(cell.totals[0] == Pair(None, None) for cell in change.periods) == 1
