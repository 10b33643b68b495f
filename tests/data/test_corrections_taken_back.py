"""Corrections that a person took back, under each way to publish: what they gave is gone, and
comes again by a decision alone."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
import yaml
from command import yupana
from many_lake import NAME, project, put

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.data.lake import delta
from yupana.data.publication import releases
from yupana.data.publication.withdrawn import WithdrawnError
from yupana.orchestration import correct
from yupana.orchestration.ingest import ingest

TODAY = date(2026, 11, 29)
DAY = {"name": "day", "logicalType": "date", "required": True}
LATER = [pytest.param(way, marks=pytest.mark.long) for way in ("append", "merge")]
EVERY_WAY = pytest.mark.parametrize("way", ["snapshot", "replace-period", *LATER])


def begin(tmp_path: Path, way: str) -> Settings:
    """A file of one day, with two rows in quarantine."""
    options = {"period": "day"} if way == "replace-period" else {}
    lake = project(tmp_path, way, "f.csv", **options)
    path = lake.root / "expectations" / NAME / "contract.yaml"
    content = yaml.safe_load(path.read_text())
    content["schema"][0]["properties"].insert(1, DAY)
    path.write_text(yaml.safe_dump(content))
    rows = "a,2026-01-01,1,Ana b,2026-01-01,x,Luz c,2026-01-01,y,Luz"
    ingest(lake, NAME, str(put(lake, "f.csv", rows, "hospital,day,beds,reporter\n")), Silent())
    correct.export(lake, NAME, lake.root / "rows.csv")
    return lake


def mend(lake: Settings, name: str, beds: dict[str, int], accept: str | None = None) -> StepResult:
    """Give the number of beds of these hospitals."""
    head, *rows = csv.reader((lake.root / "rows.csv").open(newline="", encoding="utf-8"))
    rows = [[*r[:4], str(beds[r[2]]), r[5]] for r in rows if r[2] in beds]
    with (lake.root / name).open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([head, *rows])
    return correct.correct(lake, NAME, lake.root / name, Silent(), today=TODAY, accept=accept)


def retract(lake: Settings, version: int) -> None:
    releases.retract(lake, NAME, version, "wrong", Silent())


def beds(lake: Settings) -> dict[str, int]:
    rows = delta.read(lake.table("published", NAME))
    return dict(zip(rows["hospital"].to_list(), rows["beds"].to_list(), strict=True))


def aside(lake: Settings) -> list[int]:
    return sorted(delta.read(lake.table("quarantine", NAME))["source_line"].to_list())


@EVERY_WAY
def test_a_correction_is_retracted_after_those_that_hold_its_rows(tmp_path: Path, way: str) -> None:
    lake = begin(tmp_path, way)
    mend(lake, "m1.csv", {"b": 2})
    mend(lake, "m2.csv", {"c": 3})
    with pytest.raises(UsageError, match="Later versions hold rows of version 1: 2"):
        retract(lake, 1)
    assert beds(lake) == {"a": 1, "b": 2, "c": 3}
    retract(lake, 2)
    retract(lake, 1)
    assert beds(lake) == {"a": 1} and aside(lake) == [3, 4]


@EVERY_WAY
def test_a_retracted_correction_comes_again_by_a_decision_alone(tmp_path: Path, way: str) -> None:
    lake = begin(tmp_path, way)
    mend(lake, "m1.csv", {"b": 2})
    retract(lake, 1)
    with pytest.raises(WithdrawnError, match="version 1 and retracted: wrong"):
        mend(lake, "m1.csv", {"b": 2})
    mend(lake, "m1b.csv", {"b": 22})
    with pytest.raises(WithdrawnError):
        mend(lake, "m1.csv", {"b": 2})
    with pytest.raises(TerminalError, match="not in quarantine, nor published by it"):
        mend(lake, "m1.csv", {"b": 2}, accept="right after all")
    again = mend(lake, "m1b.csv", {"b": 22})
    assert (again.status, again.metrics["version"]) == ("unchanged", 3)
    assert beds(lake) == {"a": 1, "b": 22} and aside(lake) == [4]


def test_a_decision_takes_a_retracted_correction_again(tmp_path: Path) -> None:
    lake = begin(tmp_path, "snapshot")
    mend(lake, "m1.csv", {"b": 2})
    retract(lake, 1)
    words = ("quarantine", NAME, "--fix", str(lake.root / "m1.csv"))
    assert yupana(lake, *words).code == 1
    assert yupana(lake, *words, "--accept-change", "right after all").code == 0
    assert beds(lake) == {"a": 1, "b": 2} and aside(lake) == [4]
    assert delta.commit_facts(lake.table("published", NAME))["accepted"] == "right after all"
    assert mend(lake, "m1.csv", {"b": 2}).status == "unchanged", "it stands now"


def test_a_correction_without_a_row_is_refused(tmp_path: Path) -> None:
    lake = begin(tmp_path, "snapshot")
    with pytest.raises(TerminalError, match="has no row"):
        mend(lake, "none.csv", {})


@EVERY_WAY
def test_a_row_comes_back_after_its_file_was_restored(tmp_path: Path, way: str) -> None:
    lake = begin(tmp_path, way)
    mend(lake, "m1.csv", {"b": 2})
    releases.restore(lake, NAME, 0, "why", Silent(), TODAY)
    assert beds(lake) == {"a": 1} and aside(lake) == [3, 4]
    mend(lake, "m1.csv", {"b": 2})
    mend(lake, "m2.csv", {"c": 3})
    assert beds(lake) == {"a": 1, "b": 2, "c": 3} and aside(lake) == []
