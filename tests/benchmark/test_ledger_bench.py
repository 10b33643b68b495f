"""The ledger benchmark's own parts, on a size for every test run."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmark import ledger
from yupana.config.settings import Settings
from yupana.core.progress import Lines
from yupana.ledger.verifier import lines_of, verify


def test_an_export_made_without_a_database_is_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "A_DAY", 40)
    file = tmp_path / "export.jsonl"
    ledger.write_export(tmp_path, file, 100)
    lines = [*lines_of(file)]
    report = verify(iter(lines), (tmp_path / "ledger.pub").read_text())
    assert report.ok and report.checked == 100, report
    assert sum(b'"kind":"root"' in line for line in lines) == 2
    lines[50] = lines[50].replace(b"ingest", b"INGEST")
    assert verify(iter(lines), (tmp_path / "ledger.pub").read_text()).first_bad == 51


def test_all_is_measured_and_shown(tmp_path: Path) -> None:
    (tmp_path / "sqlite").mkdir()
    own = Settings(home=tmp_path / "sqlite", platform_url="")
    appends = {"sqlite": ledger.appended(own, 200, 3)}
    found = ledger.verified(tmp_path, 1_000, Lines())
    assert min(appends["sqlite"].values()) > 0
    assert found["verifier"]["events_a_second"] > 0 and found["verifier"]["peak_bytes"] > 1 << 20
    (tmp_path / "answers").mkdir()
    live = ledger.answered(Settings(home=tmp_path / "answers", platform_url=""), 300)
    assert (live["answers"], live["events"]) == (300, 4) and live["rows_a_second_of_cpu"] > 0
    assert live["incremental_seconds"] > 0
    facts = {
        "appends": appends, "verify": [found], "live": live, "growth": 1.0,
        "extrapolated_seconds": 1.0,
    }  # fmt: skip
    with Console().capture():
        ledger.show(facts)
