"""The monitoring benchmark's own parts, on a size for every test run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.benchmark import monitor
from tests.benchmark.monitor_sides import TEXTS
from yupana.config.settings import Settings
from yupana.monitoring import answers
from yupana.tasks.forecast.monitoring import observe


def side(seconds: float, drifted: list[str], **scores: float) -> dict[str, Any]:
    return {
        "seconds": seconds, "peak_bytes": 1 << 20, "drifted": drifted, "scores": scores,
        "error": 0.01,
    }  # fmt: skip


def test_there_are_twenty_features_of_which_some_are_shifted() -> None:
    usual, far = monitor.table(4_000, 1, {}), monitor.table(4_000, 1, {"temperature": 0.5})
    assert usual.width == 20 and set(TEXTS) < set(usual.columns)
    moved = far["temperature"].mean() - usual["temperature"].mean()  # type: ignore[operator]
    assert moved == pytest.approx(0.5 * usual["temperature"].std(), rel=1e-6)
    assert far["rain"].equals(usual["rain"])


def test_the_log_holds_each_forecast_many_times(tmp_path: Path) -> None:
    from datetime import date

    rows = monitor.logged(monitor.table(50, 1, {}), 500)
    table = tmp_path / "lake" / "predictions" / "outbreak"
    table.parent.mkdir(parents=True)
    rows.write_delta(str(table))
    measures = answers.Measures((observe.MEDIAN,), observe.medians)
    home = Settings(home=tmp_path)
    answer = answers.distinct(home, "outbreak", ["rain"], TEXTS, measures, date(2022, 1, 1))
    assert len(answer) == 50 and answer[answers.TIMES].sum() == 500
    assert sorted(answer["rain"]) == pytest.approx(sorted(monitor.table(50, 1, {})["rain"]))


def test_a_verdict_compares_medians_and_decisions() -> None:
    results = {
        "sample": [side(2.0, ["x"], x=0.2, y=0.05)] * 2 + [side(50.0, ["x"], x=0.2, y=0.05)],
        "evidently": [side(12.0, ["x"], x=0.205, y=0.05)],
    }
    verdicts = monitor.verdict(results)
    assert (
        verdicts["times_faster"] == 6.0 and verdicts["same_decisions"] and verdicts["within_error"]
    )
    results["evidently"] = [side(12.0, ["x", "y"], x=0.205, y=0.1)]
    verdicts = monitor.verdict(results)
    assert not verdicts["same_decisions"] and not verdicts["within_error"]
