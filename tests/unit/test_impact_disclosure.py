"""An attacker with everything that is shown, the districts of each group and whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import LinearConstraint, milp

from yupana.core.disclosure import FEWEST
from yupana.gate.register import Costs
from yupana.tasks.forecast.impact import ages, measure, suppress
from yupana.tasks.forecast.impact.places import Group

COSTS = Costs(missed_alert=7.0, false_alarm=3.0, currency="PEN", set_by="DIRESA")
ALERTS = ("missed", "hits", "false_alarms", "quiet")
INSIDE = ("inside 50", "between", "outside 90")
PLENTY = np.full((3, 4), 20)
Sum = tuple[np.ndarray, tuple[str, ...], int]
"""Districts, kinds, and what their counts sum to."""


def table(alerts: np.ndarray, inside: np.ndarray) -> pd.DataFrame:
    """Rows by district: `alerts[k, n]` weeks of the alert kind k, `inside[k, n]` of the other."""
    parts = []
    for n in range(alerts.shape[1]):
        kinds = np.repeat(ALERTS, alerts[:, n])
        place = np.resize(np.repeat(INSIDE, inside[:, n]), len(kinds))
        parts.append(pd.DataFrame({
            "entity": f"1601{n + 1:02}", "alert": kinds, "wis": 1.0, "baseline_wis": 1.0,
            "origin": pd.Timestamp("2021-01-02") + pd.to_timedelta(7 * np.arange(len(kinds)), "D"),
            "inside_50": place == INSIDE[0], "inside_90": place != INSIDE[2],
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def grouped(rng: np.random.Generator, districts: int) -> list[Group]:
    """Everyone, and groups of three kinds that cut across each other."""
    names = [f"1601{n + 1:02}" for n in range(districts)]
    groups = [Group("all", "all", "Todos", "All", tuple(names), None)]
    for by in ("province", "size", "area"):
        of = rng.integers(0, 3 if by != "area" else 2, districts)
        for value in np.unique(of):
            mine = tuple(u for u, o in zip(names, of, strict=True) if o == value)
            groups.append(Group(by, str(value), by, by, mine, None))
    return groups


def public_sums(facts: dict[str, Any], mine: np.ndarray) -> list[Sum]:
    """Every sum that follows from the numbers a group shows: counts, rates, costs, shares."""
    sums: list[Sum] = []
    prices = {"missed": COSTS.missed_alert, "false_alarms": COSTS.false_alarm}
    for name, price in prices.items():
        part = facts[name]
        if part["of"] is not None:
            sums.append((mine, (name, "hits"), part["of"]))
        if part["n"] is not None:
            sums.append((mine, (name,), part["n"]))
        if part["cost"] is not None:
            sums.append((mine, (name,), round(part["cost"] / price)))
        if part["rate"] is not None and part["of"] is not None:
            sums.append((mine, (name,), round(part["rate"] * part["of"])))
    if facts["coverage_50"] is not None:
        sums.append((mine, (INSIDE[0],), round(facts["coverage_50"] * facts["n"])))
    if facts["coverage_90"] is not None:
        sums.append((mine, INSIDE[:2], round(facts["coverage_90"] * facts["n"])))
    return sums


def most(sums: list[Sum], kinds: Sequence[str], totals: np.ndarray, cell: Sum) -> int:
    """The most that a cell may hold for who knows these sums and each district's weeks."""
    shape = (len(kinds), len(totals))
    weeks = [(np.arange(len(totals)) == n, tuple(kinds), int(t)) for n, t in enumerate(totals)]
    rows, values = [], []
    for districts, of, value in [*sums, *weeks]:
        if set(of) <= set(kinds):
            rows.append(_at(shape, kinds, districts, of))
            values.append(value)
    goal = -_at(shape, kinds, cell[0], cell[1])
    equal = LinearConstraint(np.array(rows), values, values)
    return round(-milp(goal, constraints=[equal], integrality=np.ones(goal.size)).fun)


def _at(
    shape: tuple[int, int], kinds: Sequence[str], districts: np.ndarray, of: tuple[str, ...]
) -> np.ndarray:
    row = np.zeros(shape)
    for one in of:
        row[kinds.index(one), districts] = 1
    return row.ravel()


def attack(seed: int) -> tuple[int, int, list[Any]]:
    """Attack a made-up report: small cells, tables that are shown, and cells found out."""
    rng = np.random.default_rng(seed)
    districts = int(rng.integers(5, 9))
    alerts = rng.poisson(rng.choice([0.5, 2, 8, 20], size=(4, districts)))
    inside = rng.poisson(rng.choice([0.5, 8, 20], size=(3, districts)))
    # No district has less than five weeks, so that there is something to hide.
    alerts[3] += 5
    inside[0] += 5
    groups = grouped(rng, districts)
    rows = table(alerts, inside)
    results = [g.document("weeks") for g in measure.groups(rows, groups, COSTS, reach=8, seed=1)]
    members = [np.isin(groups[0].districts, g.districts) for g in groups]
    pairs = zip(members, results, strict=True)
    sums = [s for mine, facts in pairs for s in public_sums(facts, mine)]
    place = np.select([rows["inside_50"], rows["inside_90"]], INSIDE[:2], INSIDE[2])
    attacked, leaks = 0, []
    for kinds, of in ((ALERTS, rows["alert"].to_numpy()), (INSIDE, place)):
        mine = [(rows["entity"] == u).to_numpy() for u in groups[0].districts]
        counts = np.array([[(of[m] == kind).sum() for m in mine] for kind in kinds])
        for cell in cells(members):
            for kind, count in zip(kinds, counts[:, cell].sum(axis=1), strict=True):
                if 0 < count < FEWEST and kind != "quiet":
                    attacked += 1
                    high = most(sums, kinds, counts.sum(axis=0), (cell, (kind,), 0))
                    if high < FEWEST:
                        leaks.append((seed, kind, cell, count))
    return attacked, sum(2 - len({n[:5] for n in g["hidden"]}) for g in results), leaks


def test_no_cell_of_one_to_four_follows_from_what_is_shown() -> None:
    attacks = [attack(seed) for seed in range(16)]
    assert [cell for *_, leaks in attacks for cell in leaks] == []
    assert sum(attacked for attacked, *_ in attacks) > 150
    assert sum(tables for _, tables, _ in attacks) > 30, "hiding everything would be no art"


def cells(members: list[np.ndarray]) -> list[np.ndarray]:
    """Groups, overlaps of two, and one without another."""
    parts = [*members]
    for one in members:
        for other in members:
            parts += [one & other, one & ~other]
    return list({bytes(p): p for p in parts if p.any()}.values())


def test_a_small_count_takes_the_group_that_would_tell_it() -> None:
    """All less urban is rural: hiding rural alone would hide nothing."""
    counts = np.array([[20, 20, 1, 1], [20, 20, 20, 20], [20, 20, 20, 20], [20, 20, 20, 20]])
    urban, rural = ("160101", "160102"), ("160103", "160104")
    groups = [
        Group("all", "all", "Todos", "All", (*urban, *rural), None),
        Group("area", "urban", "Urbano", "Urban", urban, None),
        Group("area", "rural", "Rural", "Rural", rural, None),
    ]
    impacts = measure.groups(table(counts, PLENTY), groups, COSTS, reach=8, seed=1)
    results = {g.of: g.document("weeks") for g in impacts}
    assert "alerts" in results["rural"]["hidden"] and results["rural"]["suppressed"]
    assert set(results["rural"]["missed"].values()) == {None}
    assert ("alerts" in results["urban"]["hidden"]) != ("alerts" in results["all"]["hidden"])
    assert "coverage_50" not in results["rural"]["hidden"], "only what is small is hidden"


def test_where_all_is_large_nothing_is_hidden() -> None:
    counts = np.full((2, 4), 9)
    members = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool)
    assert suppress.hidden(counts, members, public_sums=True) == [False, False, False]


def test_four_weeks_in_all_do_not_hide_everyone() -> None:
    """That a district has no five weeks is known to all; it must not cost the others' numbers."""
    counts = np.array([[30, 30, 30, 2], [30, 30, 30, 2]])
    members = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 0, 0, 1]])
    hide = suppress.hidden(counts, members.astype(bool), public_sums=True)
    assert hide[4] and not all(hide[:4])


def test_ages_hide_small_bands_and_what_would_tell_them() -> None:
    def cases(band: str, missed: int, not_missed: int) -> list[dict[str, Any]]:
        return [{"band": band, "missed": n < missed} for n in range(missed + not_missed)]

    bands = {
        b["of"]: b
        for b in ages.bands(pd.DataFrame([
            *cases("0-11", 10, 30), *cases("12-17", 3, 40), *cases("18-29", 20, 20),
            *cases("unknown", 8, 12),
        ]))
    }  # fmt: skip
    assert (bands["0-11"]["cases"], bands["0-11"]["cases_missed"]) == (40, 10)
    assert bands["0-11"]["share"] == 0.25 and not bands["0-11"]["suppressed"]
    assert bands["12-17"]["cases_missed"] is None and bands["12-17"]["share"] is None
    assert bands["unknown"]["es"] == "Edad desconocida"
    assert list(bands) == ["0-11", "12-17", "18-29", "unknown"]
