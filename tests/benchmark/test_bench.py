"""The benchmark's own parts, on a file small enough for every test run (no JVM)."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmark import measured, outcome, report
from tests.benchmark.generate import FAULTS, generate
from yupana.config.settings import ROOT, Settings
from yupana.core.progress import Silent

ROWS = 20_000


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(ROWS, tmp_path_factory.mktemp("bench") / "cases.csv")


def test_the_same_seed_gives_the_same_file(source: Path, tmp_path: Path) -> None:
    again = generate(ROWS, tmp_path / "again.csv")
    assert again.read_bytes() == source.read_bytes()


def test_every_fault_occurs_and_few_rows_have_one(source: Path) -> None:
    lines = source.read_bytes().splitlines()[1:]
    spoilt = {
        name: sum(line.split(b",")[place] == text for line in lines)
        for name, (place, text) in FAULTS.items()
    }
    assert len(lines) == ROWS
    assert all(spoilt.values()), spoilt
    assert sum(spoilt.values()) < ROWS * 0.005


def test_a_run_is_timed_and_its_tables_add_up(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmark.duck", str(source), str(tmp_path)]
    environment = Settings(home=tmp_path / "home").environment()
    run = measured.run("duckdb", command, environment, ROOT, tmp_path / "log", Silent())
    found = outcome.of_tables(tmp_path / "published", tmp_path / "quarantine")
    assert found.published + found.quarantined == run.told["read"] == ROWS
    assert found.rules == {k: v for k, v in sorted(run.told["rules"].items()) if v}
    assert run.peak_bytes > 50 * 2**20 and run.seconds > 0
    other = replace(found, published=found.published - 1)
    assert outcome.differences({"a": found, "b": found}) == []
    assert len(outcome.differences({"a": found, "b": other})) == 1


def test_a_failed_run_stops_the_benchmark_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no such table"):
        command = [sys.executable, "-c", "raise SystemExit('no such table')"]
        measured.run("it", command, {}, tmp_path, tmp_path / "log", Silent())


def test_ratios_are_against_the_targets() -> None:
    def side(seconds: float, audit: float) -> dict[str, object]:
        return {"seconds": seconds, "told": {"stages": {"audit x": audit, "read": 1.0}}}

    runs = {
        10: {"yupana": side(20, 1), "plain": side(60, 16)},
        100: {"yupana": side(100, 5), "plain": side(400, 30)},
    }
    results = {(r["ratio"], r["rows"]): r["value"] for r in report.ratios(runs)}
    assert results[("total / plain", 10)] == 0.333
    assert results[("validation / plain", 100)] == 0.167
    assert results[("cost per row, biggest / smallest", 100)] == 0.5
