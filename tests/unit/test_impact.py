"""Impact by group: the numbers by hand, how sure they are, and what is said in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.outbreak import USE_CASE as OUTBREAK
from yupana.gate.register import Costs
from yupana.tasks.forecast.impact import bootstrap, measure
from yupana.tasks.forecast.impact import text as words
from yupana.tasks.forecast.impact.places import Group

WEEKS = 12
COSTS = Costs(missed_alert=500.0, false_alarm=40.0, currency="PEN", set_by="DIRESA, acta 3")
KINDS = {"missed": 1, "hits": 5, "false_alarms": 2, "quiet": 4}
"""Alert weeks of a district, by kind: 12."""


def district(
    entity: str,
    wis: Any = 1.0,
    inside_90: int = 11,
    inside_50: int = 6,
    alerts: dict[str, int] = KINDS,
) -> pd.DataFrame:
    """One row a week, of which `inside_90` are inside; the baseline's WIS is 2 always.

    Which weeks these are differs from district to district.
    """
    week = np.arange(WEEKS)
    order = (5 * week + int(entity)) % WEEKS
    kinds = [kind for kind, n in alerts.items() for _ in range(n)]
    return pd.DataFrame({
        "entity": entity,
        "origin": pd.Timestamp("2021-01-02") + pd.to_timedelta(7 * week, unit="D"),
        "wis": np.broadcast_to(np.asarray(wis, dtype=float), WEEKS),
        "baseline_wis": 2.0,
        "inside_90": order < inside_90,
        "inside_50": order < inside_50,
        "alert": [kinds[n] for n in order],
    })  # fmt: skip


def group(of: str, districts: list[str], by: str = "rural", people: int | None = 1000) -> Group:
    return Group(by, of, f"Distritos {of}", f"{of} districts", tuple(districts), people)


def codes(first: int, many: int) -> list[str]:
    return [f"16{first:02}{n + 1:02}" for n in range(many)]


def impact_of(rows: pd.DataFrame, *groups: Group, costs: Costs | None = COSTS) -> dict[str, Any]:
    every = group("all", sorted(rows["entity"].unique()), "all", 5000)
    impacts = measure.groups(rows, [every, *groups], costs, reach=8, seed=1)
    return {g.of: g.document("weeks") for g in impacts}


@pytest.fixture(scope="module")
def two() -> dict[str, Any]:
    """Six districts with twice the error of the six others, fewer counts inside, more missed."""
    a, b = codes(1, 6), codes(2, 6)
    noise = np.random.default_rng(0).uniform(0.8, 1.2, (12, WEEKS))
    worse = {"missed": 4, "hits": 2, "false_alarms": 3, "quiet": 3}
    rows = [district(u, 2 * noise[n] / noise[n].mean(), 8, 3, worse) for n, u in enumerate(a)]
    rows += [district(u, noise[6 + n] / noise[6 + n].mean()) for n, u in enumerate(b)]
    return impact_of(pd.concat(rows), group("rural", a), group("urban", b, people=None))


def test_the_numbers_are_those_that_a_hand_computes(two: dict[str, Any]) -> None:
    rural, urban, every = two["rural"], two["urban"], two["all"]
    assert (rural["n"], rural["districts"], rural["weeks"]) == (72, 6, WEEKS)
    assert (rural["population"], urban["population"]) == (1000, None)
    assert (rural["wis"], urban["wis"], every["wis"]) == (2.0, 1.0, 1.5)
    assert (rural["ratio"], urban["ratio"], every["ratio"]) == (1.0, 0.5, 0.75)
    # 8, and 11, of 12 weeks inside; over all 19 of 24.
    shares = [g["coverage_90"] for g in (rural, urban, every)]
    assert shares == [0.6667, 0.9167, 0.7917]
    assert (rural["coverage_50"], urban["coverage_50"]) == (0.25, 0.5)
    # Six districts with 4 missed and 2 told, 3 false; six with 1 missed and 5 told, 2 false.
    missed, false = rural["missed"], rural["false_alarms"]
    assert (missed["n"], missed["of"], missed["rate"]) == (24, 36, 0.6667)
    assert (false["n"], false["of"], false["rate"]) == (18, 30, 0.6)
    assert (missed["cost"], false["cost"]) == (12_000.0, 720.0)
    assert (every["missed"]["n"], every["missed"]["of"]) == (30, 72)
    assert every["missed"]["cost"] == 15_000.0


def test_a_group_twice_as_bad_is_told_worse_and_the_other_better(two: dict[str, Any]) -> None:
    against = two["rural"]["against_others"]
    assert against["says"] == "worse" and against["times"] == 2.0
    assert 1 < against["interval"][0] < 2 < against["interval"][1]
    assert two["urban"]["against_others"]["says"] == "better"
    assert two["all"]["against_others"] is None, "there are no others"


def test_without_costs_of_the_agency_no_cost_is_told() -> None:
    rows = pd.concat([district(u) for u in codes(1, 6)])
    every = impact_of(rows, costs=None)["all"]
    assert every["missed"]["n"] == 6 and every["missed"]["cost"] is None


def test_few_districts_have_a_number_and_no_interval() -> None:
    four = codes(1, 4)
    rows = pd.concat([district(u, inside_90=10) for u in [*four, *codes(2, 8)]])
    result = impact_of(rows, group("rural", four))["rural"]
    assert result["ratio"] == 0.5 and result["coverage_90"] == 0.8333
    for name in ("ratio_interval", "wis_interval", "coverage_interval", "against_others"):
        assert result[name] is None, name
    assert result["missed"]["interval"] is None


def test_a_share_of_none_or_all_still_has_an_interval() -> None:
    """Clopper and Pearson with each of ten districts as one trial: 1 - 0.025^(1/10)."""
    calm = {"missed": 0, "hits": 6, "false_alarms": 0, "quiet": 6}
    result = impact_of(
        pd.concat([district(u, inside_90=WEEKS, alerts=calm) for u in codes(1, 10)])
    )["all"]
    assert result["coverage_interval"] == [0.6915, 1.0]
    assert result["missed"]["rate"] == 0 and result["missed"]["interval"] == [0.0, 0.3085]


def test_a_group_without_forecasts_is_not_measured() -> None:
    rows = pd.concat([district(u) for u in codes(1, 6)])
    result = impact_of(rows, group("urban", ["990101"]))["urban"]
    assert not result["measured"] and result["n"] == 0
    assert result["wis"] is None and result["ratio"] is None and result["missed"]["rate"] is None


def correlated(rng: np.random.Generator, districts: int, weeks: int) -> np.ndarray:
    """Log errors with an effect of the district, one of the week that lasts, and noise."""
    shocks = rng.normal(0, 0.3, weeks + 3)
    week = np.convolve(shocks, np.ones(4) / 2, "valid")
    return rng.normal(0, 0.3, (districts, 1)) + week + rng.normal(0, 0.4, (districts, weeks))


def test_intervals_hold_what_they_promise_and_chance_is_not_called_worse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """200 made-up years of two like groups of twelve districts."""
    monkeypatch.setattr(bootstrap, "DRAWS", 500)
    rng = np.random.default_rng(5)
    runs, weeks, many = 200, 52, 12
    truth = np.exp(0.045 + 0.045 + 0.08)  # mean of the three log-normal effects
    inside = worse = 0
    for run in range(runs):
        draws = bootstrap.Periods.draw(weeks, 8, run)
        error = np.exp(correlated(rng, 2 * many, weeks))
        base = np.ones_like(error)
        mine, rest = (
            bootstrap.ratios(error[part], base[part], draws, name)
            for part, name in ((slice(many), "a"), (slice(many, None), "b"))
        )
        low, high = bootstrap.interval(mine)
        inside += low <= truth <= high
        times = error[:many].sum() / error[many:].sum()
        worse += bootstrap.worse(times, mine, rest, 1).says == "worse"

    assert 0.92 <= inside / runs <= 0.99, inside / runs
    assert worse / runs <= 0.05, worse / runs


def report(groups: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What `words.summary` reads."""
    unmeasured = [{"by": "language", "es": "Lengua materna", "en": "Mother tongue"}]
    return {
        "groups": list(groups.values()),
        "period": {"from": "2021-01-09", "to": "2021-03-27"},
        "baseline": "seasonal",
        "alert": {"weeks_ahead": 4},
        "costs": {**COSTS.model_dump(), "set": True},
        "unmeasured": unmeasured,
        **more,
    }


def test_the_summary_says_it_in_both_languages(two: dict[str, Any]) -> None:
    lines = words.summary(report(two), OUTBREAK)
    es, en = (" ".join(line[lang] for line in lines) for lang in ("es", "en"))
    assert "El modelo es peor para: distritos rural, 2.00 veces el error" in es
    assert "The model is worse for: rural districts, 2.00 times the" in en
    assert "no avisó de 30 de las 72 semanas" in es and "nothing of 30 of the 72" in en
    assert "15\u202f000 por lo no avisado" in es and "que fijó DIRESA, acta 3" in es
    assert "Promete más certeza de la que tiene para" in es and "más certeza" not in en
    assert "No se mide: lengua materna." in es and "Not measured: mother tongue." in en


def test_costs_that_nobody_set_are_called_an_example(two: dict[str, Any]) -> None:
    lines = words.summary(report(two, costs={**COSTS.model_dump(), "set": False}), OUTBREAK)
    assert any("de ejemplo, que la entidad aún no ha fijado" in line["es"] for line in lines)
    none = words.summary(report(two, costs=None), OUTBREAK)
    assert any("no ha fijado lo que cuesta" in line["es"] for line in none)


def test_no_difference_is_not_called_equal() -> None:
    rng = np.random.default_rng(3)
    a, b = codes(1, 6), codes(2, 6)
    rows = pd.concat([district(u, rng.uniform(0.5, 1.5, WEEKS)) for u in [*a, *b]])
    result = impact_of(rows, group("rural", a), group("urban", b))
    assert result["rural"]["against_others"]["says"] == "unsure"
    text = " ".join(line["es"] for line in words.summary(report(result), OUTBREAK))
    assert "de ninguno se puede decir que le vaya peor" in text
    assert "No es prueba de que sea igual para todos" in text


def test_who_is_left_without_alerts_more_than_others_is_told() -> None:
    """Two of three alerts missed in the country, one of three in towns: twice as many."""
    a, b = codes(1, 8), codes(2, 8)
    rural = {"missed": 4, "hits": 2, "false_alarms": 1, "quiet": 5}
    urban = {"missed": 2, "hits": 4, "false_alarms": 2, "quiet": 4}
    year = [*(district(u, alerts=rural) for u in a), *(district(u, alerts=urban) for u in b)]
    later = [pd.Timedelta(weeks=WEEKS * n) for n in range(4)]
    rows = pd.concat([one.assign(origin=one["origin"] + add) for one in year for add in later])
    result = impact_of(rows, group("rural", a), group("urban", b))
    missed = result["rural"]["missed"]["against_others"]
    assert (missed["says"], missed["times"]) == ("worse", 2.0)
    assert result["urban"]["missed"]["against_others"]["says"] == "better"
    assert result["rural"]["false_alarms"]["against_others"]["says"] == "unsure"
    text = " ".join(line["es"] for line in words.summary(report(result), OUTBREAK))
    assert "Se quedan sin aviso más que los demás: distritos rural, 67 %" in text
