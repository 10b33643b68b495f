"""A table that one engine wrote is read, appended to, merged and maintained by the other."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from conftest import engine_or_skip
from deltalake import DeltaTable

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data.lake import delta, history, maintenance
from yupana.orchestration.ingest import ingest

pytestmark = pytest.mark.spark
NAME = "beds"
BASE = [
    {"name": "hospital", "logicalType": "string", "primaryKey": True, "primaryKeyPosition": 1},
    {"name": "beds", "logicalType": "integer", "required": True},
]


def write_contract(root: Path, publication: str, *more: dict[str, object]) -> None:
    about = yaml.safe_load((ROOT / "expectations/iquitos_weekly/contract.yaml").read_text())
    about["customProperties"] = [
        {"property": "licence", "value": "CC BY 4.0"},
        {"property": "publication", "value": publication},
        {"property": "quarantineLimit", "value": 0.9},
    ]
    about["schema"][0]["properties"] = [*BASE, *more]
    folder = root / "expectations" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contract.yaml").write_text(yaml.safe_dump(about))


def publish(root: Path, engine: str, text: str) -> Settings:
    lake = Settings(root=root, home=root.parent / "home", engine=engine_or_skip(engine))
    path = root / f"{abs(hash(text))}.csv"
    path.write_text(text.replace(" ", "\n") + "\n")
    ingest(lake, NAME, str(path), Silent())
    return lake


def rows(lake: Settings, zone: str = "published") -> list[tuple[object, ...]]:
    table = delta.read(lake.table(zone, NAME))
    names = [c for c in table.columns if not c.startswith("source_")]
    return sorted(table.select(names).rows(), key=str)


@pytest.mark.parametrize(("first", "second"), [("sail", "spark"), ("spark", "sail")])
def test_merge_of_the_others_table_with_a_new_column(
    tmp_path: Path, first: str, second: str
) -> None:
    root = tmp_path / "project"
    write_contract(root, "merge")
    publish(root, first, "hospital,beds a,1 b,2 z,many")
    write_contract(root, "merge", {"name": "ward", "logicalType": "string"})
    lake = publish(root, second, "hospital,beds,ward b,3,x c,4,y z,more,w")
    assert rows(lake) == [("a", 1, None), ("b", 3, "x"), ("c", 4, "y")]
    aside = delta.read(lake.table("quarantine", NAME)).sort("ward", nulls_last=True)
    assert aside["ward"].to_list() == ["w", None] and aside.height == 2
    assert len(history.published_versions(lake.table("published", NAME))) == 2
    table = lake.table("published", NAME)
    maintenance.compact(table, dry_run=False)
    maintenance.vacuum(table, set(), days=0, dry_run=False)
    write_contract(root, "merge", {"name": "ward", "logicalType": "string"})
    lake = publish(root, first, "hospital,beds,ward a,5,q")
    assert rows(lake) == [("a", 5, "q"), ("b", 3, "x"), ("c", 4, "y")]


@pytest.mark.parametrize(("first", "second"), [("sail", "spark"), ("spark", "sail")])
def test_append_to_the_others_table(tmp_path: Path, first: str, second: str) -> None:
    root = tmp_path / "project"
    write_contract(root, "append")
    publish(root, first, "hospital,beds a,1 b,2")
    write_contract(root, "append", {"name": "ward", "logicalType": "string"})
    lake = publish(root, second, "hospital,beds,ward c,3,x")
    assert rows(lake) == [("a", 1, None), ("b", 2, None), ("c", 3, "x")]
    # The column that the contract gave up stays, empty in what comes after.
    write_contract(root, "append")
    lake = publish(root, first, "hospital,beds d,4")
    assert rows(lake)[-1] == ("d", 4, None) and len(rows(lake)) == 4


@pytest.mark.parametrize(
    ("engine", "publication"), [("sail", "append"), ("sail", "merge"), ("spark", "append")]
)
def test_another_type_is_refused_before_anything_is_written(
    tmp_path: Path, engine: str, publication: str
) -> None:
    root = tmp_path / "project"
    write_contract(root, publication)
    lake = publish(root, engine, "hospital,beds a,1")
    table = lake.table("published", NAME)
    before = DeltaTable(table).version()
    BASE[1]["logicalType"] = "number"
    try:
        write_contract(root, publication)
        with pytest.raises(TerminalError, match="'beds' is double in the contract and integer"):
            publish(root, engine, "hospital,beds b,1.5")
    finally:
        BASE[1]["logicalType"] = "integer"
    assert DeltaTable(table).version() == before
