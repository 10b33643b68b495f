"""Refused rows as a file for a person to mend: noted in the ledger, without what is personal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import yupana
from many_lake import NAME, project, put

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.orchestration import correct
from yupana.orchestration.ingest import ingest

FIRST = "a,1,Ana b,x,Luz c,,Eva d,4,Ana"


def run(lake: Settings, name: str, rows: str, **options: Any) -> StepResult:
    return ingest(lake, NAME, str(put(lake, name, rows)), Silent(), **options)


def test_export_is_noted_and_keeps_what_the_contract_drops_to_itself(tmp_path: Path) -> None:

    lake = project(tmp_path, "snapshot", "a.csv")
    path = lake.root / "expectations" / NAME / "contract.yaml"
    about = yaml.safe_load(path.read_text())
    about["schema"][0]["properties"][2].pop("customProperties")
    path.write_text(yaml.safe_dump(about))
    run(lake, "a.csv", FIRST)
    export = yupana(lake, "quarantine", NAME, "--export", str(lake.root / "rows.csv"))
    assert export.code == 0 and "2 rows" in export.stdout and "columns as text" in export.stdout
    text = (lake.root / "rows.csv").read_text()
    assert text.startswith("source_sha256,line,hospital,beds\n") and "Luz" not in text
    ledger = yupana(lake, "audit", "export", str(lake.root / "ledger.jsonl"))
    assert ledger.code == 0, ledger.stderr
    noted = [json.loads(line) for line in (lake.root / "ledger.jsonl").read_text().splitlines()]
    assert any('"export": true' in json.dumps(one) and NAME in json.dumps(one) for one in noted)
    result = correct.correct(lake, NAME, _mend(lake.root / "rows.csv"), Silent())
    assert result.metrics["rows"]["published"] == 2


def _mend(path: Path) -> Path:
    path.write_text(path.read_text().replace(",x\n", ",2\n").replace("c,\n", "c,3\n"))
    return path


def test_a_file_that_somebody_mended_is_not_written_over(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "a.csv")
    run(lake, "a.csv", FIRST)
    there = lake.root / "rows.csv"
    there.write_text("mended")
    for path in (there, lake.root / "link.csv"):
        if path != there:
            path.symlink_to(lake.root / "nowhere.csv")
        with pytest.raises(UsageError, match="may hold rows that somebody mended"):
            correct.export(lake, NAME, path)
    assert there.read_text() == "mended"


def test_a_correction_that_is_no_file_is_named_by_its_own_option(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "a.csv")
    run(lake, "a.csv", FIRST)
    for path, says in (("/nonexistent", "is not there"), ("/dev/zero", "is not a regular file")):
        with pytest.raises(UsageError, match=says) as error:
            correct.correct(lake, NAME, Path(path), Silent())
        assert "--fix" in error.value.fix and "--source" not in error.value.fix


@pytest.mark.parametrize("why", ["", " \n"])
def test_a_blank_reason_is_none(tmp_path: Path, why: str) -> None:
    lake = project(tmp_path, "snapshot", "a.csv")
    run(lake, "a.csv", FIRST)
    for words in (
        ("retract", f"{NAME}@0", "--reason"),
        ("ingest", NAME, "--accept-change"),
        ("quarantine", NAME, "--fix", "x.csv", "--accept-change"),
        *([("restore", f"{NAME}@0", "--reason")] if why else []),
    ):
        end = yupana(lake, *words, why)
        assert end.code == 2 and "The reason is blank" in end.stderr


def test_nothing_to_export(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "a.csv")
    run(lake, "a.csv", "a,1,Ana")
    with pytest.raises(TerminalError, match="No row of a file that is published now"):
        correct.export(lake, NAME, lake.root / "rows.csv")
    both = yupana(lake, "quarantine", NAME, "--export", "x", "--fix", "y")
    assert both.code == 2
