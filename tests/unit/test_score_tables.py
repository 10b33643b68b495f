"""The tables of docs/forecast.md: alerts where a report judged them, a dash where it did not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from docs import scores


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
