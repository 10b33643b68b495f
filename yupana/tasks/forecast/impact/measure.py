"""The numbers of each group: score, calibration, missed and false alerts, each with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.tasks.forecast.impact import alerts, bootstrap, suppress
from yupana.tasks.forecast.impact.bootstrap import Comparison
from yupana.tasks.forecast.impact.places import Group

if TYPE_CHECKING:
    import pandas as pd

    from yupana.gate.register import Costs

SHARES = {"coverage_50": "inside_50", "coverage_90": "inside_90"}
PARTS = {"missed": "missed_alert", "false_alarms": "false_alarm"}
"""What is told of alerts, by the name of its cost."""

DIGITS = 4
Interval = list[float] | None
"""Of 95 %, low and high."""


@dataclass(frozen=True)
class AlertErrors:
    """Alerts that were missed, of the alert periods that came; or false, of those that were told.

    Attributes:
        n, of: numbers, and `rate` their ratio.
        cost: of all `n`; None where the agency has set none.
        against_others: of the rates.

    What must not be told, or cannot be said, is None.
    """

    n: int | None = None
    of: int | None = None
    rate: float | None = None
    interval: Interval = None
    cost: float | None = None
    against_others: Comparison | None = None


@dataclass(frozen=True)
class GroupImpact:
    """What is told of a group; what must not be told, or cannot be said, is None.

    Attributes:
        population: persons.
        districts, periods: how many were scored; `n` counts in all.
        hidden: names of what is not shown.
        wis: cases; `ratio`: over the baseline's.
        against_others: None of everyone.
        coverage_50, coverage_90: shares of the counts inside these intervals.
        coverage_interval: of `coverage_90`.
    """

    by: str
    of: str
    es: str
    en: str
    population: int | None
    districts: int
    periods: int
    n: int
    measured: bool
    hidden: list[str]
    suppressed: bool
    wis: float | None
    wis_interval: Interval
    ratio: float | None
    ratio_interval: Interval
    against_others: Comparison | None
    coverage_50: float | None
    coverage_50_interval: Interval
    coverage_90: float | None
    coverage_interval: Interval
    missed: AlertErrors
    false_alarms: AlertErrors

    def document(self, listing: str) -> dict[str, Any]:
        """As reports hold it.

        Args:
            listing: what periods are called there: `weeks`.
        """
        return {listing if name == "periods" else name: v for name, v in asdict(self).items()}


class Grid:
    """Sums of the rows by district and origin, shape (districts, origins)."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.districts = sorted(rows["entity"].unique())
        origins = sorted(rows["origin"].unique())
        self._shape = (len(self.districts), len(origins))
        self._at = (
            rows["entity"].map({u: n for n, u in enumerate(self.districts)}).to_numpy(),
            rows["origin"].map({o: n for n, o in enumerate(origins)}).to_numpy(),
        )
        self._rows = rows
        ones = np.ones(len(rows))
        self.counts = self.sums(ones)
        self.origins = len(origins)
        self.of = {
            name: self.sums(rows[name].to_numpy(dtype=float))
            for name in ("wis", "baseline_wis", *SHARES.values())
        }
        self.kinds = {
            kind: self.sums((rows["alert"] == kind).to_numpy(dtype=float)) for kind in alerts.KINDS
        }

    def sums(self, values: Any) -> Any:
        total = np.zeros(self._shape)
        np.add.at(total, self._at, values)
        return total

    def members(self, groups: Sequence[Group]) -> Any:
        """Which districts each group holds, shape (groups, districts)."""
        return np.array([np.isin(self.districts, g.districts) for g in groups])


def groups(
    rows: pd.DataFrame, groupings: Sequence[Group], costs: Costs | None, *, reach: int, seed: int
) -> list[GroupImpact]:
    """What is told of each group, in their order.

    Args:
        rows: as `outcomes.Outcomes.rows`.
        costs: of a missed alert and a false alarm; None where the agency has not set them.
        reach: periods that a forecast reaches ahead.
        seed: of the bootstrap.
    """
    grid = Grid(rows)
    members = grid.members(groupings)
    hidden = _hidden(grid, members)
    # Everyone, and a department that is everyone, has no others to be compared with.
    compared = sum(bool(len(set(grid.districts) - set(g.districts))) for g in groupings)
    periods = bootstrap.Periods.draw(grid.origins, reach, seed)
    return [
        _Measure(grid, members[n], periods, group, compared).impact(
            [name for name, hide in hidden.items() if hide[n]], costs,
            others=not hidden["alerts"][0],
        )
        for n, group in enumerate(groupings)
    ]  # fmt: skip


def _hidden(grid: Grid, members: Any) -> dict[str, list[bool]]:
    """By table, which groups must not show theirs."""
    half, most = (grid.of[column] for column in SHARES.values())
    # One table: whoever is told both shares knows how many counts lay between the intervals.
    coverage = suppress.hidden(
        _by_district([half, most - half, grid.counts - most]), members, public_sums=True
    )
    kinds = _by_district(list(grid.kinds.values()))
    return {
        **dict.fromkeys(SHARES, coverage),
        "alerts": suppress.hidden(kinds, members, public_sums=True),
    }


def _by_district(parts: list[Any]) -> Any:
    return np.array([part.sum(axis=1) for part in parts]).round().astype(np.int64)


@dataclass(frozen=True)
class _Measure:
    """One group's part of the grid, and how its sums are drawn."""

    grid: Grid
    mine: Any
    periods: bootstrap.Periods
    group: Group
    compared: int

    def impact(self, hidden: list[str], costs: Costs | None, *, others: bool) -> GroupImpact:
        """All that is told of the group.

        Args:
            others: the others' rates of alerts, which follow from everyone's, may be told.
        """
        group, counts = self.group, self.grid.counts[self.mine]
        wis, simple = (self.grid.of[name][self.mine] for name in ("wis", "baseline_wis"))
        shares = {name: self._share(name, column, hidden) for name, column in SHARES.items()}
        compared = others and bool(self.compared) and "alerts" not in hidden
        missed, false_alarms = (self._alerts(name, hidden, costs, compared) for name in PARTS)
        return GroupImpact(
            by=group.by, of=group.of, es=group.es, en=group.en, population=group.population,
            districts=int(self.mine.sum()),
            periods=int((counts.sum(axis=0) > 0).sum()),
            n=int(counts.sum()),
            measured=bool(counts.sum() > 0),
            hidden=hidden,
            suppressed=bool(hidden),
            wis=_round(_over(wis, counts)),
            wis_interval=_rounded(bootstrap.interval(self._draws(wis, counts))),
            ratio=_round(_over(wis, simple)),
            ratio_interval=_rounded(bootstrap.interval(self._draws(wis, simple))),
            against_others=self._against(self.grid.of["wis"], self.grid.of["baseline_wis"]),
            coverage_50=shares["coverage_50"][0],
            coverage_50_interval=shares["coverage_50"][1],
            coverage_90=shares["coverage_90"][0],
            coverage_interval=shares["coverage_90"][1],
            missed=missed,
            false_alarms=false_alarms,
        )  # fmt: skip

    def _draws(self, above: Any, below: Any) -> bootstrap.Draws | None:
        return bootstrap.ratios(above, below, self.periods, self.group.drawn_by)

    def _against(self, above: Any, below: Any) -> Comparison | None:
        """The group's ratio of two sums over the others'."""
        mine, rest = (_over(above[m], below[m]) for m in (self.mine, ~self.mine))
        if not mine or not rest:
            return None
        others = bootstrap.ratios(
            above[~self.mine], below[~self.mine], self.periods, f"not {self.group.drawn_by}"
        )
        draws = self._draws(above[self.mine], below[self.mine])
        comparison = bootstrap.worse(mine / rest, draws, others, self.compared)
        return comparison and comparison.rounded(DIGITS)

    def _share(self, name: str, column: str, hidden: list[str]) -> tuple[float | None, Interval]:
        if name in hidden:
            return None, None
        inside, counts = self.grid.of[column][self.mine], self.grid.counts[self.mine]
        ends = bootstrap.of_share(inside, counts, self.periods, self.group.drawn_by)
        return _round(_over(inside, counts)), _rounded(ends)

    def _alerts(
        self, name: str, hidden: list[str], costs: Costs | None, compared: bool
    ) -> AlertErrors:
        if "alerts" in hidden:
            return AlertErrors()
        price = getattr(costs, PARTS[name], None)
        every, whole = self.grid.kinds[name], self.grid.kinds[name] + self.grid.kinds["hits"]
        part, of = every[self.mine], whole[self.mine]
        ends = None
        if of.sum():
            ends = bootstrap.of_share(part, of, self.periods, self.group.drawn_by)
        return AlertErrors(
            n=round(part.sum()),
            of=round(of.sum()),
            rate=_round(_over(part, of)),
            interval=_rounded(ends),
            cost=None if price is None else round(round(part.sum()) * price, 2),
            against_others=self._against(every, whole) if compared else None,
        )


def _over(above: Any, below: Any) -> float | None:
    return float(above.sum() / below.sum()) if below.sum() > 0 else None


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _rounded(ends: Interval) -> Interval:
    return ends and [round(end, DIGITS) for end in ends]
