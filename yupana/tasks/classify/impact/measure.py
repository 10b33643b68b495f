"""How often each group is sent to a person or routed wrongly, and how long it waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from yupana.tasks.classify import resamples
from yupana.tasks.classify.impact import suppress
from yupana.tasks.classify.impact.rows import Row, Source
from yupana.tasks.classify.resamples import Resamples

Array = np.ndarray[Any, np.dtype[Any]]
Ends = tuple[float, float]
EVERYONE = "all"


@dataclass(frozen=True)
class Rate:
    """A share of texts, 0-1.

    Attributes:
        interval: of 95 %, over groups of texts; None where these are too few.
        says: against everybody else: worse, better or unsure; empty: not compared.
    """

    n: int
    of: int
    rate: float
    interval: Ends | None
    says: Literal["worse", "better", "unsure", ""] = ""


@dataclass(frozen=True)
class Wait:
    """Days until half of a group's cases are answered; `days` None: half of them are not yet."""

    days: float | None
    interval: Ends | None


@dataclass(frozen=True)
class GroupImpact:
    """The figures of one group.

    Attributes:
        n: texts; None where that would be a small count, or tell one.
        suppressed: whether something is hidden.
    """

    source: Source
    by: str
    of: str
    n: int | None
    suppressed: bool
    sent_to_person: Rate | None = None
    routed_wrongly: Rate | None = None
    waiting_days: Wait | None = None


def groups(source: Source, rows: Sequence[Row], seed: int) -> list[GroupImpact]:
    """Everyone, then each group by each attribute."""
    if not rows:
        return []
    family = _Family.of(source, rows, seed)
    results = [family.everyone()]
    for by in rows[0].of:
        of = np.array([row.of[by] for row in rows])
        results += family.by(by, of, sorted(str(name) for name in set(of)))
    return results


@dataclass(frozen=True)
class _Family:
    """The rows of a source.

    Attributes:
        person, wrong, known: whether a person decides a text, whether it goes where it should not,
            and whether that is known (rows,).
        units: number of each row's group.
    """

    source: Source
    rows: Sequence[Row]
    person: Array
    wrong: Array
    known: Array
    units: Array
    draws: Resamples

    @classmethod
    def of(cls, source: Source, rows: Sequence[Row], seed: int) -> _Family:
        names, units = np.unique([row.group for row in rows], return_inverse=True)
        return cls(
            source, rows, np.array([row.person for row in rows]),
            np.array([bool(row.wrong) for row in rows]),
            np.array([row.wrong is not None for row in rows]), units,
            Resamples(len(names), seed),
        )  # fmt: skip

    def everyone(self) -> GroupImpact:
        return self.by(EVERYONE, np.full(len(self.rows), EVERYONE), [EVERYONE])[0]

    def by(self, by: str, of: Array, names: Sequence[str]) -> list[GroupImpact]:
        masks = [of == name for name in names]
        sizes = np.array([[mine.sum()] for mine in masks])
        unsized, no_person, no_wrong = (
            suppress.hidden(cells) for cells in (
                sizes,
                np.array([_cells(self.person, mine, mine) for mine in masks]),
                np.array([_cells(self.wrong, self.known & mine, mine) for mine in masks]),
            )
        )  # fmt: skip
        compared = int((~no_person).sum() + (~no_wrong).sum()) if len(names) > 1 else 0
        everything = np.ones(len(of), bool)
        return [
            GroupImpact(
                self.source, by, name, None if unsized[at] else int(mine.sum()),
                bool(unsized[at] or no_person[at] or no_wrong[at]),
                None if unsized[at] or no_person[at]
                else self._rate(self.person, everything, mine, compared),
                None if unsized[at] or no_wrong[at]
                else self._rate(self.wrong, self.known, mine, compared),
                None if unsized[at] else self._wait(mine),
            )
            for at, (name, mine) in enumerate(zip(names, masks, strict=True))
        ]  # fmt: skip

    def _rate(self, yes: Array, among: Array, mine: Array, compared: int) -> Rate | None:
        n, of = int((yes & among & mine).sum()), int((among & mine).sum())
        if not of:
            return None
        parts = [part & where for where in (mine, ~mine) for part in (yes & among, among)]
        drawn = self.draws.sums(np.stack([self._by_unit(part) for part in parts], axis=1)).T
        active, rest = (len(np.unique(self.units[among & where])) for where in (mine, ~mine))
        with np.errstate(divide="ignore", invalid="ignore"):
            share, others = drawn[0] / drawn[1], drawn[2] / drawn[3]
        ends = _of_none(n, of, active) or resamples.interval(share, active)
        fewest = min(active, rest)
        against = resamples.interval(share - others, fewest, compared) if compared else None
        says: Literal["worse", "better", "unsure", ""] = ""
        if against and n in (0, of):
            # No draw differs from none and from all: how sure that is, the draws cannot say.
            says = "unsure"
        elif against:
            says = "worse" if against[0] > 0 else "better" if against[1] < 0 else "unsure"
        return Rate(n, of, round(n / of, 4), ends and (round(ends[0], 4), round(ends[1], 4)), says)

    def _by_unit(self, values: Array) -> Array:
        return np.bincount(self.units, values, self.draws.groups)

    def _wait(self, mine: Array) -> Wait | None:
        rows = [row for row, is_mine in zip(self.rows, mine, strict=True) if is_mine]
        if rows[0].waited is None:
            return None
        days = np.array([row.waited for row in rows], dtype=float)
        answered = np.array([row.answered for row in rows])
        # Here a case and its duplicates are drawn apart: they have one answer, at one time.
        random = np.random.default_rng(self.draws.seed)
        drawn = random.integers(0, len(rows), (200, len(rows)))
        medians = np.array([median_wait(days[d], answered[d]) for d in drawn])
        median = median_wait(days, answered)
        ends = resamples.interval(medians, len(rows))
        return Wait(
            round(median, 1) if np.isfinite(median) else None,
            ends and (round(ends[0], 1), round(ends[1], 1)),
        )


def median_wait(days: Array, answered: Array) -> float:
    """When half are answered, by Kaplan and Meier (1958): who still waits counts as long as they
    have waited; infinite where fewer than half are by the last day."""
    order = np.argsort(days, kind="stable")
    at_risk = len(days) - np.arange(len(days))
    left = np.cumprod(1 - answered[order] / at_risk)
    below = np.flatnonzero(left <= 0.5 + 1e-9)
    return float(days[order][below[0]]) if len(below) else float("inf")


def _cells(yes: Array, among: Array, mine: Array) -> list[int]:
    """Texts of a group that are so, that are not, and of which it is not known."""
    so, of = int((yes & among).sum()), int(among.sum())
    return [so, of - so, int(mine.sum()) - of]


def _of_none(n: int, of: int, units: int) -> Ends | None:
    """The interval of a share of 0 or 1, which no draw differs from: Clopper and Pearson's with
    each group as one trial."""
    if 0 < n < of or units < resamples.FEWEST_GROUPS:
        return None
    far = 1 - 0.025 ** (1 / units)
    return (0.0, far) if n == 0 else (1 - far, 1.0)
