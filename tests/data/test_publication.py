"""Snapshot, append and merge; what was known on a date; keys; files that come again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import many_lake
import pytest
from conftest import BOTH_ENGINES, BOTH_ENGINES_LATER, ENGINES, SPARK_LATER, on
from many_lake import NAME, beds

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.data.lake import delta, history
from yupana.orchestration.ingest import ingest

FIRST, LATER = date(2024, 1, 31), date(2024, 2, 29)


def project(tmp_path: Path, engine: str, publication: str) -> Settings:
    period = {"period": "hospital"} if publication == "replace-period" else {}
    return many_lake.project(tmp_path, publication, "in.csv", engine=engine, **period)


def publish(
    lake: Settings, rows: str, as_of: date | None = None, accept: str | None = None
) -> StepResult:
    path = lake.root / f"{abs(hash(rows))}.csv"
    path.write_text("hospital,beds,reporter\n" + rows.replace(" ", "\n") + "\n")
    return ingest(lake, NAME, str(path), Silent(), as_of=as_of, accept=accept)


# `tests/parity` publishes snapshots on both.
@pytest.mark.parametrize(
    ("engine", "publication", "after"),
    [
        *on(SPARK_LATER, "snapshot", {"b": 3, "c": 4}),
        *on(ENGINES, "merge", {"a": 1, "b": 3, "c": 4}),
    ],
    indirect=["engine"],
)
def test_a_revised_file(
    tmp_path: Path, engine: str, publication: str, after: dict[str, int]
) -> None:
    lake = project(tmp_path, engine, publication)
    publish(lake, "a,1,Ana b,2,Luz", FIRST)
    result = publish(lake, "b,3,Luz c,4,Ana", LATER)
    assert result.metrics["rows"] == {"read": 2, "published": 2, "quarantined": 0}
    assert beds(lake) == after
    table = lake.table("published", NAME)
    for day, expected in [(FIRST, {"a": 1, "b": 2}), (date(2024, 2, 15), {"a": 1, "b": 2}),
                       (LATER, after), (date(2030, 1, 1), after)]:  # fmt: skip
        assert beds(lake, history.version_as_of(table, day)) == expected
    with pytest.raises(UsageError, match="Nothing was known on 2023-12-31"):
        history.version_as_of(table, date(2023, 12, 31))
    assert len(history.published_versions(table)) == 2


# Both are decided before the engine, and looked up after it.
@BOTH_ENGINES_LATER
@pytest.mark.parametrize(
    ("publication", "as_of"),
    [("snapshot", None), ("merge", None), ("snapshot", LATER), ("merge", LATER)],
)
def test_the_good_file_again_takes_an_error_back(
    tmp_path: Path, engine: str, publication: str, as_of: date | None
) -> None:
    lake = project(tmp_path, engine, publication)
    good, error = "a,1,Ana b,2,Luz", "a,999,Ana b,999,Luz"
    publish(lake, good, as_of)
    publish(lake, error, as_of)
    back = publish(lake, good, as_of)
    assert back.status == "done" and beds(lake) == {"a": 1, "b": 2}
    assert publish(lake, good, as_of).status == "unchanged"
    table = lake.table("published", NAME)
    assert len(history.published_versions(table)) == 3
    assert beds(lake, history.version_as_of(table, date.today())) == {"a": 1, "b": 2}


@BOTH_ENGINES_LATER
def test_an_appended_file_adds_its_rows_once(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, "append")
    publish(lake, "a,1,Ana b,2,Luz")
    publish(lake, "c,4,Ana")
    assert publish(lake, "a,1,Ana b,2,Luz").status == "unchanged"
    assert publish(lake, "c,4,Ana").status == "unchanged"
    assert beds(lake) == {"a": 1, "b": 2, "c": 4}
    assert delta.version_of(lake.table("published", NAME)) == 1


@BOTH_ENGINES
def test_the_key_of_appended_files_holds_over_the_table(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, "append")
    publish(lake, "a,1,Ana b,2,Luz")
    result = publish(lake, "a,6,Ana c,7,Luz")
    assert result.metrics["rows"] == {"read": 2, "published": 1, "quarantined": 1}
    assert beds(lake) == {"a": 1, "b": 2, "c": 7}
    aside = delta.read(lake.table("quarantine", NAME))
    assert aside["broken_rules"].to_list() == [["key.unique"]]
    assert aside["source_line"].to_list() == [2]
    assert publish(lake, "a,6,Ana c,7,Luz").status == "unchanged"


@BOTH_ENGINES
def test_a_doubled_key_is_set_aside_whole_and_names_stay_out(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, "merge")
    result = publish(lake, "a,1,Ana b,2,Luz b,3,Luz ,4,Eva")
    assert result.metrics["rows"] == {"read": 4, "published": 1, "quarantined": 3}
    aside = delta.read(lake.table("quarantine", NAME)).sort("source_line")
    assert aside["broken_rules"].to_list() == [
        ["key.unique"],
        ["key.unique"],
        ["hospital.required"],
    ]
    assert aside["source_line"].to_list() == [3, 4, 5]
    published = delta.read(lake.table("published", NAME))
    names = [*published["reporter"], *aside["reporter"]]
    assert all(len(name) == 32 for name in names) and names[1] == names[2]
    content = b"".join(p.read_bytes() for p in lake.home.rglob("*.parquet"))
    assert b"Luz" not in content and b"Eva" not in content
