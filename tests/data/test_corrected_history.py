"""Corrections, late releases, retractions and restorations in any order: each row is in the table
or in quarantine, once, and the current release is the newest of the publisher's."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml
from many_lake import NAME, project, put

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.data.contracts import contract
from yupana.data.lake import delta, history
from yupana.data.publication import quarantine, releases
from yupana.data.publication.withdrawn import WithdrawnError
from yupana.orchestration import correct
from yupana.orchestration.ingest import ingest

TODAY = date(2026, 11, 29)


def run(lake: Settings, location: str, **options: object) -> StepResult:
    return ingest(lake, NAME, location, Silent(), **options)


def edit(lake: Settings, change: Callable[[dict], object]) -> None:
    path = lake.root / "expectations" / NAME / "contract.yaml"
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))


def fix(lake: Settings, beds: str = "2", name: str = "fixed.csv") -> StepResult:
    """Mend every refused row by a number of beds; known since TODAY."""
    rows = lake.root / "rows.csv"
    rows.unlink(missing_ok=True)
    correct.export(lake, NAME, rows)
    head, *lines = list(csv.reader(rows.open(newline="", encoding="utf-8")))
    at = head.index("beds")
    path = lake.root / name
    with path.open("w", newline="", encoding="utf-8") as stream:
        mended = ([*line[:at], beds, *line[at + 1 :]] for line in lines)
        csv.writer(stream).writerows([head, *mended])
    return correct.correct(lake, NAME, path, Silent(), today=TODAY)


def beds(lake: Settings) -> list[tuple[str, int]]:
    return sorted(delta.read(lake.table("published", NAME)).select("hospital", "beds").rows())


def aside(lake: Settings) -> list[int]:
    return delta.read(lake.table("quarantine", NAME))["source_line"].to_list()


def restore(lake: Settings, version: int) -> None:
    releases.restore(lake, NAME, version, "why", Silent(), TODAY)


def retract(lake: Settings, version: int) -> None:
    releases.retract(lake, NAME, version, "why", Silent())


@pytest.fixture(params=["snapshot", "append"])
def lake(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """A release of 8 November with one refused row, mended on the 29th."""
    settings = project(tmp_path, request.param, "inbox/c_{date}.csv")
    put(settings, "inbox/c_2026-11-08.csv", "a,1,Ana b,x,Luz")
    run(settings, "inbox/c_{date}.csv")
    fix(settings)
    assert beds(settings) == [("a", 1), ("b", 2)] and aside(settings) == []
    return settings


def test_a_release_after_that_which_was_mended_becomes_current(lake: Settings) -> None:
    put(lake, "inbox/c_2026-11-15.csv", "c,10,Ana d,20,Luz")
    assert run(lake, "inbox/c_{date}.csv").status == "done"
    earlier = [("a", 1), ("b", 2)] * contract.load(lake.root, NAME).keeps
    assert beds(lake) == [*earlier, ("c", 10), ("d", 20)]
    table = lake.table("published", NAME)
    assert history.published_versions(table)[-1].version == delta.version_of(table)
    version = history.known_as_of(table, date(2026, 11, 10))
    assert len(delta.read(table, version.tidy_version)) == 1


def test_a_row_whose_correction_is_retracted_is_in_quarantine_again(lake: Settings) -> None:
    retract(lake, 1)
    assert beds(lake) == [("a", 1)] and aside(lake) == [3]
    assert fix(lake, "7", "other.csv").metrics["rows"]["published"] == 1
    assert beds(lake) == [("a", 1), ("b", 7)] and aside(lake) == []


def test_what_is_restored_agrees_with_the_quarantine(lake: Settings) -> None:
    restore(lake, 0)
    assert beds(lake) == [("a", 1)] and aside(lake) == [3]
    restore(lake, 1)
    assert beds(lake) == [("a", 1), ("b", 2)] and aside(lake) == []
    again = run(lake, "inbox/c_{date}.csv")
    assert again.status == "unchanged" and beds(lake) == [("a", 1), ("b", 2)]


def test_a_file_that_a_restoration_passed_over_stays_out(lake: Settings) -> None:
    put(lake, "inbox/late.csv", "c,3,Eva")
    run(lake, "inbox/late.csv")
    restore(lake, 1)
    with pytest.raises(WithdrawnError, match="version 1 was restored in its place"):
        run(lake, "inbox/late.csv")
    assert beds(lake) == [("a", 1), ("b", 2)]
    run(lake, "inbox/late.csv", accept="it was right")
    assert ("c", 3) in beds(lake)


def test_a_contract_that_changes_after_a_correction_is_no_dead_end(lake: Settings) -> None:
    edit(lake, lambda content: content.update(version="9.9.9"))
    run(lake, "inbox/c_2026-11-08.csv")
    assert beds(lake) == [("a", 1)] and aside(lake) == [3]
    correct.correct(lake, NAME, lake.root / "fixed.csv", Silent(), today=TODAY)
    assert beds(lake) == [("a", 1), ("b", 2)] and aside(lake) == []


def test_a_restored_version_is_not_retracted_under_its_copy(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "inbox/")
    for name, row in (("f1", "a,1,Ana"), ("f2", "b,2,Luz")):
        run(lake, str(put(lake, f"inbox/{name}.csv", row)))
    restore(lake, 0)
    with pytest.raises(UsageError, match="Later versions hold rows of version 0: 2"):
        retract(lake, 0)


def test_a_row_that_a_later_file_replaced_does_not_come_back(tmp_path: Path) -> None:
    lake = project(tmp_path, "merge", "inbox/")
    for name, rows in (("f1", "a,1,Ana b,x,Luz"), ("f2", "b,60,Luz")):
        run(lake, str(put(lake, f"inbox/{name}.csv", rows)))
    with pytest.raises(TerminalError, match="replaced by a later file"):
        fix(lake)
    assert beds(lake) == [("a", 1), ("b", 60)]


def test_rows_of_files_that_were_restored_away_are_not_mended(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "inbox/")
    for name, rows in (("f1", "a,1,Ana"), ("f2", "b,2,Luz c,x,Eva")):
        run(lake, str(put(lake, f"inbox/{name}.csv", rows)))
    restore(lake, 0)
    states = {r.state for r in quarantine.refusals(lake, contract.load(lake.root, NAME))}
    assert states == {"superseded"}


def test_a_file_that_is_judged_anew_takes_its_corrections_place(tmp_path: Path) -> None:
    """Without a key the original and the mended row would both stand."""
    lake = project(tmp_path, "append", "inbox/", key=False)

    def strict(content: dict) -> None:
        columns = content["schema"][0]["properties"]
        columns[0].pop("primaryKeyPosition")
        columns[1]["logicalTypeOptions"] = {"minimum": 0}

    edit(lake, strict)
    run(lake, str(put(lake, "inbox/f1.csv", "a,1,Ana b,-5,Luz")))
    fix(lake, "5")
    edit(lake, lambda c: c["schema"][0]["properties"][1].pop("logicalTypeOptions"))
    run(lake, "inbox/f1.csv")
    assert beds(lake) == [("a", 1), ("b", -5)]


def test_a_published_row_is_not_mended_beside_itself(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "inbox/", key=False, quarantineLimit=0.1)
    edit(lake, lambda c: c["schema"][0]["properties"][0].pop("primaryKeyPosition"))
    run(lake, str(put(lake, "inbox/f1.csv", "a,1,Ana b,2,Luz")))
    options = {"minimum": 2}
    edit(lake, lambda c: c["schema"][0]["properties"][1].update(logicalTypeOptions=options))
    with pytest.raises(TerminalError, match="audit failed"):
        run(lake, "inbox/f1.csv")
    edit(lake, lambda c: c["schema"][0]["properties"][1].pop("logicalTypeOptions"))
    with pytest.raises(TerminalError, match="is published as it is"):
        fix(lake)
    assert beds(lake) == [("a", 1), ("b", 2)]


def test_a_release_without_a_good_row_can_be_retracted(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "inbox/", quarantineLimit=1)
    run(lake, str(put(lake, "inbox/f1.csv", "a,x,Ana")))
    retract(lake, 0)
    assert history.published_versions(lake.table("published", NAME)) == []


def test_accepting_a_change_brings_no_withdrawn_file_of_the_folder(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "inbox/", change={"rows": 0.6})
    put(lake, "inbox/f1.csv", "a,1,Ana b,2,Luz")
    put(lake, "inbox/f2.csv", "c,3,Eva")
    run(lake, "inbox/")
    retract(lake, 1)
    put(lake, "inbox/f3.csv", "e,1,A f,2,B g,1,A h,1,A")
    run(lake, "inbox/", accept="f3 is big")
    assert [name for name, _ in beds(lake)] == ["a", "b", "e", "f", "g", "h"]


def test_a_withdrawn_file_stays_out_of_a_folder_that_is_one_release(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "inbox/")
    put(lake, "inbox/f1.csv", "a,1,Ana")
    run(lake, "inbox/")
    put(lake, "inbox/f2.csv", "b,2,Luz")
    run(lake, "inbox/")
    retract(lake, 1)
    put(lake, "inbox/f3.csv", "c,3,Eva")
    with pytest.raises(WithdrawnError):
        run(lake, "inbox/")
    assert beds(lake) == [("a", 1)]


def test_a_correction_is_judged_by_the_day_of_its_release(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "inbox/")
    day = {"name": "day", "logicalType": "date",
           "customProperties": [{"property": "notAfter", "value": "release"}]}  # fmt: skip
    edit(lake, lambda content: content["schema"][0]["properties"].insert(1, day))
    header = "hospital,day,beds,reporter\n"
    put(lake, "inbox/f1.csv", "a,2026-01-01,1,Ana b,2026-06-01,x,Luz c,2026-01-02,x,Luz", header)
    run(lake, "inbox/f1.csv", as_of=date(2026, 1, 5))
    result = fix(lake)
    assert result.metrics["rows"] == {"read": 2, "published": 1, "quarantined": 1}
    assert fix(lake, name="again.csv").metrics["rows"]["published"] == 0
