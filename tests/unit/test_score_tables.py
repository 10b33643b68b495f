"""The tables of docs/forecast.md: alerts where a report judged them, a dash where it did not."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from docs import scores
from yupana.tasks.forecast.backtest.by_department import DepartmentScores


def report(alerts: dict[str, Any] | None) -> dict[str, Any]:
    rows = [
        {"model": model, "series": series, "wis": wis, "wis_log": wis / 10}
        for model, wis in (("pool", 1.0), ("ar", 2.0))
        for series in ("district", "department")
    ]
    pit = [{**row, "deciles": [0.1] * 10, "coverage": {"90": 0.9}} for row in rows]
    others = dict.fromkeys(scores.FIELDS, "")
    return {**others, "final": "pool", "baselines": ["ar"], "scores": rows, "pit": pit,
            "alerts": alerts}  # fmt: skip


def judged() -> dict[str, Any]:
    """As `backtest.alerts.AlertReport` is written: all horizons (0) first."""
    of = {"model": "pool", "series": "district"}
    return {
        "scores": [{**of, "horizon": h, "skill": s} for h, s in ((0, 0.9), (1, 0.4), (2, 0.1))],
        "reliability": [{**of, "expected_error": e} for e in (0.02, 0.5, 0.6)],
    }


def kept(whole: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(scores, "KEPT", folder)
    (folder / "report.json").write_text(json.dumps(whole))
    scores.keep("mine", folder / "report.json")
    facts: dict[str, Any] = json.loads((folder / "mine.json").read_text())
    return facts


def test_skill_is_told_from_near_to_far_and_the_error_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = scores.table(kept(report(judged()), tmp_path, monkeypatch)).splitlines()[2:]
    assert rows[0].endswith("| 0.40 to 0.10 | 2.0 |") and "**pool**" in rows[0]
    assert all(row.endswith("| – | – |") for row in rows[1:])


def test_a_report_from_before_alerts_were_judged_has_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = kept(report(None), tmp_path, monkeypatch)
    del facts["alerts"]
    assert scores.table(facts).count("| – | – |") == 4


def test_a_country_has_a_row_a_department_with_those_of_too_few_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wis = {"pool": 1.0, "last_value": 2.0, "seasonal": 4.0, "ar": 1.25}
    others = {b: wis["pool"] / wis[b] for b in ("last_value", "seasonal", "ar")}
    loreto = DepartmentScores(
        "16", "Loreto", 50, 15200, 1731, True, wis, wis, others, {**others, "ar": 0.9}, 0.882,
        wis, "ar", 0.8,
    )  # fmt: skip
    tacna = replace(loreto, department="23", name="Tacna", districts=1, above_zero=None,
                    enough=False, ratios=dict.fromkeys(others), best_baseline="",
                    sums_ratio=None)  # fmt: skip
    baselines = ["last_value", "seasonal", "ar"]
    rows = [asdict(row) for row in (loreto, tacna)]
    facts = kept(
        {**report(None), "baselines": baselines, "by_department": rows, "seconds": 9.0,
         "origins": ["2019-W01"]},
        tmp_path, monkeypatch,
    )  # fmt: skip
    head, _, first, second = scores.text(facts).splitlines()[2:]
    assert head.count("|") == first.count("|") == second.count("|")
    assert "WIS of pool | WIS of ar | WIS of last_value | ÷ ar" in head and "seasonal" not in head
    assert first == (
        "| Loreto | 50 | 15,200 | 1,731 | 1.000 | 1.250 | 2.000 | 0.800 | 0.500 | 0.900 | 0.500 "
        "| 88.2 % | 0.800 ar |"
    )
    assert second.startswith("| Tacna, too few | 1 | 15,200 | under 5 |")
    assert second.endswith("| – | – | 0.900 | 0.500 | 88.2 % | – |")


def test_the_place_of_a_report_that_is_not_kept_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = (f"<!-- scores {name} -->\n<!-- end of scores -->\n" for name in ("mine", "none"))
    monkeypatch.setattr(scores, "PAGE", tmp_path / "page.md")
    scores.PAGE.write_text("".join(places))
    kept({**report(None), "seconds": 9.0, "origins": ["2019-W01"]}, tmp_path, monkeypatch)
    scores.write()
    text = scores.PAGE.read_text()
    assert "**pool**" in text.split("<!-- end")[0]
    assert text.endswith("<!-- scores none -->\n<!-- end of scores -->\n")
