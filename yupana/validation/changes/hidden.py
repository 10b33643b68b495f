"""Which numbers of a comparison are hidden, so that no count from 1 to 4 follows from the others.

A part (a period, a code) is hidden before and after together: where it has 1 to 4 on either side,
or where its two sides lie 1 to 4 apart. The totals are known, so others are hidden with it until
what is hidden together tells no more (primary and secondary suppression: Hundepool et al.,
Statistical Disclosure Control, 2012, chapter 4). The attack of `tests/property/test_changes.py`
solves for what is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from yupana.core.disclosure import FEWEST


@dataclass(frozen=True)
class Part:
    """Counts of a period or a code; `there`: whether it has rows before, and after."""

    before: int
    after: int
    there: tuple[bool, bool]

    @property
    def step(self) -> int:
        """What the part gains."""
        return self.after - self.before

    @property
    def tells(self) -> bool:
        """Whether one of its numbers, or their difference, is small."""
        return any(small(n) for n in (self.before, self.after, self.step))


def small(count: int) -> bool:
    """Whether a count, or a difference, is from 1 to 4."""
    return 0 < abs(count) < FEWEST


def telltales(parts: Sequence[Part]) -> set[int]:
    """Places of the parts that must not be shown whatever the others are."""
    return {n for n, part in enumerate(parts) if part.tells}


def sum_of(parts: Iterable[Part]) -> Part:
    """All parts together."""
    every = list(parts)
    before, after = sum(p.before for p in every), sum(p.after for p in every)
    return Part(before, after, (True, True))


def hidden(
    parts: Sequence[Part], first: Iterable[int], *, least: int = 0, total: bool = True
) -> set[int]:
    """Places of the parts to hide, so that none of them follows.

    Args:
        first: places that are hidden already.
        least: what a part that is there has at least: 1 for rows, 0 for sums.
        total: whether the totals of both sides are shown; where they are not, one hidden part
            keeps them from following.
    """
    indices = set(first) | telltales(parts)
    rest = [n for n, p in enumerate(parts) if n not in indices and (p.before or p.after)]
    rest.sort(key=lambda n: (max(abs(parts[n].before), abs(parts[n].after)), n))
    whole = sum_of(parts)
    if not total:
        return indices or set(rest[:1])
    group = _Group(whole, least)
    for n in indices:
        group.add(parts[n])
    while rest and group.number and not group.safe():
        one = next((n for n in rest if group.safe(parts[n])), None)
        if one is None:
            one = next((n for n in rest if parts[n].step), rest[0])
        rest.remove(one)
        indices.add(one)
        group.add(parts[one])
    return indices


def safe(parts: Sequence[Part], places: Iterable[int], *, least: int = 0) -> bool:
    """Whether hidden parts do not follow from their totals and the parts that are shown."""
    group = _Group(sum_of(parts), least)
    for n in places:
        group.add(parts[n])
    return not group.number or group.safe()


class Cover(NamedTuple):
    """Places of the periods to hide, and whether new, gone and changed rows may be shown."""

    places: set[int]
    rows_visible: bool


def of_periods(parts: Sequence[Part], past: Sequence[bool]) -> Cover:
    """What to hide of a table's periods.

    From them follow the totals of the past and of what came after it, each on its own: they are
    shown where no small count follows from those totals either.
    """
    strata = [[n for n, p in enumerate(past) if p is side] for side in (True, False)]
    indices: set[int] = set()
    for places in strata:
        stratum = [parts[n] for n in places]
        indices |= {places[n] for n in hidden(stratum, (), least=1)}
    indices = hidden(parts, indices, least=1)
    for places in strata:
        stratum = [parts[n] for n in places]
        mine = [at for at, n in enumerate(places) if n in indices]
        if sum_of(stratum).tells or not safe(stratum, mine, least=1):
            return Cover(hidden(parts, (), least=1), False)
    return Cover(indices, True)


class _Group:
    """Hidden parts, and what a recipient knows of them: their sum, the total less what is shown."""

    def __init__(self, whole: Part, least: int) -> None:
        self.whole, self.least = whole, least
        self.sums, self.there, self.number = (0, 0), (0, 0), 0

    def add(self, part: Part) -> None:
        self.sums, self.there = self._with(part)
        self.number += 1

    def safe(self, more: Part | None = None) -> bool:
        """Whether no member follows, with another one where given.

        A side where one member alone has rows tells its count. One where as many rows as members
        are hidden tells that each has one.
        """
        (before, after), there = self._with(more) if more else (self.sums, self.there)
        if self.number + (more is not None) < 2:
            return False
        step = after - before
        if small(before) or small(after) or (small(step) and step != self.whole.step):
            return False
        sides = zip((before, after), there, strict=True)
        return all(n < 2 or count == 0 or count > self.least * n for count, n in sides)

    def _with(self, part: Part) -> tuple[tuple[int, int], tuple[int, int]]:
        (one, other), (here, then) = self.sums, self.there
        return (one + part.before, other + part.after), (here + part.there[0], then + part.there[1])
