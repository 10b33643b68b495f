"""The numbers of each group: score, calibration, missed and false alerts, each with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.evaluation.impact import alerts, suppress, sure
from yupana.evaluation.impact.places import Group

if TYPE_CHECKING:
    import pandas as pd

    from yupana.governance.register import Costs

SHARES = {"coverage_50": "inside_50", "coverage_90": "inside_90"}
PARTS = {"missed": "missed_alert", "false_alarms": "false_alarm"}
"""What is told of alerts, by the name of its cost."""

_OF_ALERTS = ("n", "of", "rate", "interval", "cost", "against_others")
DIGITS = 4


class Grid:
    """Sums of the rows by district and origin week, shape (districts, weeks)."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.districts = sorted(rows["ubigeo"].unique())
        origins = sorted(rows["origin"].unique())
        self._shape = (len(self.districts), len(origins))
        self._at = (
            rows["ubigeo"].map({u: n for n, u in enumerate(self.districts)}).to_numpy(),
            rows["origin"].map({o: n for n, o in enumerate(origins)}).to_numpy(),
        )
        self._rows = rows
        ones = np.ones(len(rows))
        self.counts = self.sums(ones)
        self.weeks = len(origins)
        self.of = {
            name: self.sums(rows[name].to_numpy(dtype=float))
            for name in ("wis", "baseline_wis", *SHARES.values())
        }
        self.kinds = {
            kind: self.sums((rows["alert"] == kind).to_numpy(dtype=float)) for kind in alerts.KINDS
        }

    def sums(self, values: Any) -> Any:
        made = np.zeros(self._shape)
        np.add.at(made, self._at, values)
        return made

    def members(self, groups: Sequence[Group]) -> Any:
        """Which districts each group holds, shape (groups, districts)."""
        return np.array([np.isin(self.districts, g.districts) for g in groups])


def groups(
    rows: pd.DataFrame, given: Sequence[Group], costs: Costs | None, *, seed: int
) -> list[dict[str, Any]]:
    """What is told of each group, in the order given; what must not be told is None.

    Args:
        rows: as `outcomes.Outcomes.rows`.
        costs: of a missed alert and a false alarm; None where the agency has not set them.
        seed: of the bootstrap.

    Returns:
        Dicts of `by`, `of`, `es`, `en`, `population` (persons), `districts` and `weeks`
        (numbers), `n` (counts scored), `measured`, `suppressed`, `hidden` (names of what is not
        shown), `wis` and `wis_interval` (cases), `ratio` and `ratio_interval` (over the
        baseline's), `against_others` (as `sure.worse`; None of everyone), `coverage_50`,
        `coverage_90` (shares) and their intervals, and `missed` (of the alert weeks that came)
        and `false_alarms` (of the alerts that were told): `n`, `of`, `rate`, `interval`, `cost`,
        and `against_others`, of the rates.
    """
    grid = Grid(rows)
    weeks = sure.Weeks.draw(grid.weeks, seed)
    members = grid.members(given)
    hidden = _hidden(grid, members)
    # Everyone, and a department that is everyone, has no others to be compared with.
    compared = sum(bool(len(set(grid.districts) - set(g.districts))) for g in given)
    made = []
    for n, group in enumerate(given):
        told: dict[str, Any] = {
            "by": group.by, "of": group.of, "es": group.es, "en": group.en,
            "population": group.population, "districts": int(members[n].sum()),
            "weeks": int((grid.counts[members[n]].sum(axis=0) > 0).sum()),
            "n": int(grid.counts[members[n]].sum()),
        }  # fmt: skip
        told["measured"] = told["n"] > 0
        told["hidden"] = [name for name, hide in hidden.items() if hide[n]]
        told["suppressed"] = bool(told["hidden"])
        told |= _scores(grid, members[n], weeks, group, compared)
        for name, column in SHARES.items():
            hide = name in told["hidden"]
            told |= _share(grid, members[n], weeks, group, name, column, hide)
        hide = "alerts" in told["hidden"]
        told |= _alerts(grid, members[n], weeks, group, costs, hide)
        # The others' rate follows from everyone's, and must be as safe as it.
        if compared and not hide and not hidden["alerts"][0]:
            for name in PARTS:
                others = _rates(grid, members[n], name, weeks, group, compared)
                told[name]["against_others"] = others
        made.append(told)
    return made


def _hidden(grid: Grid, members: Any) -> dict[str, list[bool]]:
    """By table, which groups must not show theirs."""
    half, most = (grid.of[column] for column in SHARES.values())
    # One table: whoever is told both shares knows how many counts lay between the intervals.
    coverage = suppress.hidden(
        _by_district([half, most - half, grid.counts - most]), members, sums_known=True
    )
    kinds = _by_district(list(grid.kinds.values()))
    return {
        **dict.fromkeys(SHARES, coverage),
        "alerts": suppress.hidden(kinds, members, sums_known=True),
    }


def _by_district(parts: list[Any]) -> Any:
    return np.array([part.sum(axis=1) for part in parts]).round().astype(np.int64)


def _scores(
    grid: Grid, mine: Any, weeks: sure.Weeks, group: Group, compared: int
) -> dict[str, Any]:
    wis, simple, counts = (a[mine] for a in (grid.of["wis"], grid.of["baseline_wis"], grid.counts))
    draws = sure.ratios(wis, simple, weeks, group.drawn_by)
    others = None
    ratio = _over(wis, simple)
    rest = _over(grid.of["wis"][~mine], grid.of["baseline_wis"][~mine])
    if ratio and rest:
        drawn = sure.ratios(
            grid.of["wis"][~mine], grid.of["baseline_wis"][~mine], weeks, f"not {group.drawn_by}"
        )
        others = sure.worse(ratio / rest, draws, drawn, compared)
    mean = sure.interval(sure.ratios(wis, counts, weeks, group.drawn_by))
    return {
        "wis": _round(_over(wis, counts)),
        "wis_interval": _round(mean),
        "ratio": _round(ratio),
        "ratio_interval": _round(sure.interval(draws)),
        "against_others": _told(others),
    }


def _share(
    grid: Grid, mine: Any, weeks: sure.Weeks, group: Group, name: str, column: str, hide: bool
) -> dict[str, Any]:
    inside, counts = grid.of[column][mine], grid.counts[mine]
    ends = None if hide else sure.of_share(inside, counts, weeks, group.drawn_by)
    # As watch pages expect it: coverage_interval is that of the 90 % interval.
    key = "coverage_interval" if name == "coverage_90" else f"{name}_interval"
    return {name: None if hide else _round(_over(inside, counts)), key: _round(ends)}


def _alerts(
    grid: Grid, mine: Any, weeks: sure.Weeks, group: Group, costs: Costs | None, hide: bool
) -> dict[str, Any]:
    kinds = {kind: sums[mine] for kind, sums in grid.kinds.items()}
    found = {}
    for name, of_costs in PARTS.items():
        price = getattr(costs, of_costs, None)
        part, of = kinds[name], kinds[name] + kinds["hits"]
        told: dict[str, Any] = dict.fromkeys(_OF_ALERTS)
        if not hide:
            told |= {"n": round(part.sum()), "of": round(of.sum()), "rate": _round(_over(part, of))}
            if of.sum():
                told["interval"] = _round(sure.of_share(part, of, weeks, group.drawn_by))
            told["cost"] = None if price is None else round(told["n"] * price, 2)
        found[name] = told
    return found


def _rates(
    grid: Grid, mine: Any, name: str, weeks: sure.Weeks, group: Group, compared: int
) -> dict[str, Any] | None:
    """A group's rate of missed or false alerts over the others', as `sure.worse`."""
    part, of = grid.kinds[name], grid.kinds[name] + grid.kinds["hits"]
    here, rest = (_over(part[m], of[m]) for m in (mine, ~mine))
    if not here or not rest:
        return None
    drawn = sure.ratios(part[mine], of[mine], weeks, group.drawn_by)
    others = sure.ratios(part[~mine], of[~mine], weeks, f"not {group.drawn_by}")
    return _told(sure.worse(here / rest, drawn, others, compared))


def _told(others: dict[str, Any] | None) -> dict[str, Any] | None:
    return others and {k: _round(v) for k, v in others.items()}


def _over(above: Any, below: Any) -> float | None:
    return float(above.sum() / below.sum()) if below.sum() > 0 else None


def _round(value: Any) -> Any:
    if isinstance(value, list):
        return [_round(v) for v in value]
    return round(value, DIGITS) if isinstance(value, float) else value
