"""What is said of refused rows: each fault once, and none hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from command import yupana
from many_lake import NAME, project, put

from yupana.cli.datasets import releases
from yupana.core.types import StepResult


def test_a_fault_is_told_once_and_a_full_key_is_not_empty(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "f.csv")
    path = lake.root / "expectations" / NAME / "contract.yaml"
    content = yaml.safe_load(path.read_text())
    beds = content["schema"][0]["properties"][1]
    beds |= {"unique": True, "logicalTypeOptions": {"minimum": 0}}
    path.write_text(yaml.safe_dump(content))
    rows = "a,1,Ana b,7,Luz b,8,Luz c,x,Luz d,,Luz e,-5,Ana f,-5,Ana g,9,Ana h"
    source = put(lake, "f.csv", rows)
    end = yupana(lake, "ingest", NAME, "--source", str(source))
    assert end.code == 0, end.stderr
    assert "set aside: 7 rows (" in end.stdout
    for rule in ("beds.required 3", "beds.unique 2", "beds.range 2", "key.unique 2", "parsed 2"):
        assert rule in end.stdout
    text = yupana(lake, "quarantine", NAME).stdout
    lines = [line.strip() for line in text.splitlines() if line.startswith("  line ")]
    assert "line 3, column hospital, rule key.unique, value class (there, and not once alone)" in (
        lines
    )
    assert [line for line in lines if line.startswith("line 5")] == [
        "line 5, column beds, rule row.parsed, value class a"
    ]
    assert [line for line in lines if line.startswith("line 6")] == [
        "line 6, column beds, rule beds.required, no value"
    ]
    (torn,) = [line for line in lines if line.startswith("line 10")]
    assert "rule row.parsed" in torn


def test_rules_that_are_left_out_of_the_summary_are_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rules = {f"r{n}": 20 - n for n in range(10)}
    facts = {"set_aside": {"rows": 20, "rules": rules}}
    releases.closing(StepResult(step="ingest", subject=NAME, status="done", metrics=facts))
    assert "r7 13 and 2 more rules); see" in capsys.readouterr().out
