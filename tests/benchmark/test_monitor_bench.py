"""The monitoring benchmark's own parts, on a size for every test run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.benchmark import monitor
from tests.benchmark.monitor_sides import TEXTS
from yupana.config.settings import Settings
from yupana.monitoring import answers


def side(seconds: float, drifted: list[str], **scores: float) -> dict[str, Any]:
    return {
        "seconds": seconds, "peak_bytes": 1 << 20, "drifted": drifted, "scores": scores,
        "error": 0.01, "evidently_off": {"x": 0.001},
    }  # fmt: skip


def test_there_are_twenty_features_of_which_some_are_shifted() -> None:
    usual, far = monitor.table(4_000, 1, {}), monitor.table(4_000, 1, {"temperature": 0.5})
    assert usual.width == 20 and set(TEXTS) < set(usual.columns)
    moved = far["temperature"].mean() - usual["temperature"].mean()  # type: ignore[operator]
    assert moved == pytest.approx(0.5 * usual["temperature"].std(), rel=1e-6)
    assert far["rain"].equals(usual["rain"])


def test_the_log_holds_each_forecast_many_times(tmp_path: Path) -> None:
    from datetime import date

    made = monitor.logged(monitor.table(50, 1, {}), 500)
    table = tmp_path / "lake" / "predictions" / "outbreak"
    table.parent.mkdir(parents=True)
    made.write_delta(str(table))
    told = answers.told(Settings(home=tmp_path), "outbreak", ["rain"], TEXTS, date(2022, 1, 1))
    assert len(told) == 50 and told[answers.TIMES].sum() == 500
    assert sorted(told["rain"]) == pytest.approx(sorted(monitor.table(50, 1, {})["rain"]))


def test_a_verdict_compares_medians_and_decisions() -> None:
    found = {
        "counts": [side(2.0, ["x"], x=0.2, y=0.05)] * 2 + [side(50.0, ["x"], x=0.2, y=0.05)],
        "evidently": [side(12.0, ["x"], x=0.205, y=0.05)],
    }
    told = monitor.verdict(found)
    assert told["times_faster"] == 6.0 and told["same_decisions"] and told["within_error"]
    found["evidently"] = [side(12.0, ["x", "y"], x=0.205, y=0.1)]
    told = monitor.verdict(found)
    assert not told["same_decisions"] and not told["within_error"]
