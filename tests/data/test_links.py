"""A contract reads nothing outside of the project, whatever links lie in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from many_lake import HEADER, NAME, project, put

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data.contracts import contract as contracts
from yupana.data.draft import date_sample
from yupana.data.lake import delta
from yupana.orchestration.ingest import ingest
from yupana.orchestration.many import SomeRefusedError

_SECRET = "root:x:0:0"


def lake_of(tmp_path: Path, path: str, publication: str = "snapshot") -> Settings:
    lake = project(tmp_path, publication, path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a_2024-03-01.csv").write_text(f"{_SECRET}\n")
    (lake.root / "inbox").mkdir()
    return lake


@pytest.mark.parametrize(
    "path",
    ["inbox/beds/", "inbox/beds/*.csv", "inbox/beds/a_2024-03-01.csv", "inbox/beds/a_{date}.csv"],
)
@pytest.mark.parametrize("folder", [True, False])
def test_a_link_that_leads_out_is_not_read(tmp_path: Path, path: str, folder: bool) -> None:
    lake = lake_of(tmp_path, path)
    beds, file = lake.root / "inbox" / "beds", tmp_path / "outside" / "a_2024-03-01.csv"
    if folder:
        beds.symlink_to(file.parent)
    else:
        beds.mkdir()
        (beds / file.name).symlink_to(file)
    with pytest.raises(TerminalError, match="A link leads out of the project") as error:
        ingest(lake, NAME, None, Silent())
    assert _SECRET not in str(error.value) and "--source" in error.value.fix
    assert not any((lake.home / "landing").rglob("*.csv")), "nothing of it was copied"
    # A person may name it, and then it is the file that is at fault.
    with pytest.raises(TerminalError, match="is not in the file"):
        ingest(lake, NAME, str(file), Silent())


def test_of_several_files_the_link_alone_is_refused(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, "inbox/", "append")
    put(lake, "inbox/good.csv", "a,1,Ana")
    put(lake, "kept/also.csv", "b,2,Ana")
    (lake.root / "inbox" / "also.csv").symlink_to(lake.root / "kept" / "also.csv")
    (lake.root / "inbox" / "b.csv").symlink_to(tmp_path / "outside" / "a_2024-03-01.csv")
    (lake.root / "inbox" / "c.csv").symlink_to("c.csv")
    with pytest.raises(SomeRefusedError, match="1 of 3 files"):
        ingest(lake, NAME, None, Silent())
    assert sorted(delta.read(lake.table("published", NAME))["hospital"]) == ["a", "b"]


def test_a_look_at_dates_reads_no_link_either(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, "inbox/a.csv")
    file = lake.root / "expectations" / NAME / "contract.yaml"
    content = yaml.safe_load(file.read_text())
    content["schema"][0]["properties"][1] = {
        "name": "beds", "logicalType": "date",
        "customProperties": [{"property": "dateFormats", "value": "d/M/yy"}],
    }  # fmt: skip
    file.write_text(yaml.safe_dump(content))
    (tmp_path / "outside" / "x.csv").write_text(f"{HEADER}a,1/2/24,Ana\n")
    (lake.root / "inbox" / "a.csv").symlink_to(tmp_path / "outside" / "x.csv")
    contract = contracts.load(lake.root, NAME)
    with pytest.raises(TerminalError, match="A link leads out"):
        date_sample.of_contract(lake, contract)
