"""Files that bring nothing are named, and rows that would count twice are refused."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from command import Notices
from many_lake import NAME, project, put

from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.orchestration.ingest import ingest


def test_what_is_no_regular_file_is_called_so(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/")
    pipe = lake.root / "pipe.csv"
    os.mkfifo(pipe)
    for path in (str(pipe), "/dev/zero"):
        with pytest.raises(UsageError, match="is not a regular file"):
            ingest(lake, NAME, path, Silent())


def omissions(progress: Notices) -> list[str]:
    return [line for line in progress.lines if line.startswith("left out")]


def test_files_whose_names_hold_no_day_are_named(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/c_{date:yyyyMMdd}.csv")
    for name in ("20240229", "20240230", "20240301", "2024032", "20991231"):
        put(lake, f"in/c_{name}.csv", "a,1,Ana")
    progress = Notices()
    ingest(lake, NAME, None, progress, today=date(2024, 3, 31))
    assert omissions(progress) == [
        "left out: in/c_20240230.csv: the calendar has no such day",
        "left out: in/c_2024032.csv: its name holds no day in that form",
        "left out: in/c_20991231.csv: its day lies after 2024-03-31",
    ]
    for n in range(20):
        put(lake, f"in/c_{n}.csv", "a,1,Ana")
    progress = Notices()
    ingest(lake, NAME, None, progress, today=date(2024, 3, 31))
    lines = omissions(progress)
    assert len(lines) == 11 and lines[-1] == "left out: 13 more files"


def test_files_that_are_none_of_a_day_are_named_where_no_other_is_there(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/c_{date}.csv")
    put(lake, "in/c_20240301.csv", "a,1,Ana")
    progress = Notices()
    with pytest.raises(UsageError, match="No file is there"):
        ingest(lake, NAME, None, progress)
    assert omissions(progress) == [
        "left out: in/c_20240301.csv: its name holds no day in that form"
    ]


def test_a_file_alone_that_comes_again_counts_once_where_there_is_no_key(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "in/enero.csv", key=False)
    file = put(lake, "in/enero.csv", "a,1,Ana b,2,Ana")
    first = file.read_bytes()
    ingest(lake, NAME, None, Silent())
    file.write_bytes(first.replace(b"\n", b"\r\n"))
    with pytest.raises(TerminalError, match="published before with other bytes") as error:
        ingest(lake, NAME, None, Silent())
    assert "primaryKey" in error.value.fix
    assert len(delta.read(lake.table("published", NAME))) == 2
    file.write_bytes(first)
    assert ingest(lake, NAME, None, Silent()).status == "unchanged"
    # A file of another name brings other rows.
    put(lake, "in/febrero.csv", "a,1,Ana")
    ingest(lake, NAME, str(lake.root / "in/febrero.csv"), Silent())
    assert len(delta.read(lake.table("published", NAME))) == 3


def test_a_key_keeps_rows_of_a_file_that_comes_again_apart(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "in/enero.csv")
    put(lake, "in/enero.csv", "a,1,Ana")
    ingest(lake, NAME, None, Silent())
    put(lake, "in/enero.csv", "a,1,Ana b,2,Ana")
    ingest(lake, NAME, None, Silent())
    assert sorted(delta.read(lake.table("published", NAME))["hospital"]) == ["a", "b"]
