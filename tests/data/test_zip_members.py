"""Files of a zip as files of a data set; their names lead nowhere, and none is lost."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from many_lake import HEADER, NAME, beds, project, publications, put, run

from yupana.core.errors import TerminalError
from yupana.data.lake import delta
from yupana.trace import recall


@pytest.mark.parametrize("publication", ["snapshot", "append", "merge"])
def test_the_files_of_a_zip(tmp_path: Path, publication: str) -> None:
    lake = project(tmp_path, publication, "in.zip", member="*.csv")
    texts = {"x/b.csv": "b,2,Ana", "a.csv": "a,1,Ana", "readme.txt": "no", "x/c.csv": "c,3,Ana"}
    lake.root.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(lake.root / "in.zip", "w") as packed:
        for name, row in texts.items():
            packed.writestr(name, f"{HEADER}{row}\n")
    run(lake)
    assert beds(lake) == {"a": 1, "b": 2, "c": 3}
    assert run(lake).status == "unchanged"
    assert len(publications(lake)) == (1 if publication == "snapshot" else 3)
    assert len(delta.read(lake.table("published", NAME))["source_sha256"].unique()) == 3
    touched = recall.recall(lake, str(lake.root / "in.zip")).of("published")
    assert touched == [f"delta:published/{NAME}@{p.version}" for p in publications(lake)]


def test_a_name_in_a_zip_is_no_name_here(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "in.zip", member="*")
    lake.root.mkdir(parents=True, exist_ok=True)
    names = ("x/..", f"{'b' * 300}.csv", "/etc/c.csv", "c.csv")
    with zipfile.ZipFile(lake.root / "in.zip", "w") as packed:
        for number, name in enumerate(names):
            packed.writestr(name, f"{HEADER}{number},1,Ana\n")
    run(lake)
    assert set(beds(lake)) == {"0", "1", "2", "3"}
    assert [p.source for p in publications(lake)] == [f"in.zip#{n}" for n in sorted(names)]


def test_a_member_of_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in.csv", member="other.csv")
    put(lake, "in.csv", "a,1,Ana")
    with pytest.raises(TerminalError, match="and the file is no zip"):
        run(lake)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_in_a_zip_are_refused(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "in.zip", member="*.csv")
    lake.root.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(lake.root / "in.zip", "w") as packed:
        for name, row in (("a.csv", "a,1,Ana"), ("b.csv", "b,1,Ana"), ("a.csv", "c,1,Ana")):
            packed.writestr(name, f"{HEADER}{row}\n")
    with pytest.raises(TerminalError, match="two files of one name") as refused:
        run(lake)
    assert "in.zip, member a.csv" in refused.value.where
    assert not delta.exists(lake.table("published", NAME))
