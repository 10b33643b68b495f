"""A contract that gives a column another type, as who mends a draft does; its quarantine stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ENGINES, SPARK_LATER, on
from many_lake import NAME, beds, project, put, run

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.orchestration import correct


def give(lake: Settings, kind: str, **options: Any) -> None:
    """Another type for the column `beds`."""
    path = lake.root / "expectations" / NAME / "contract.yaml"
    contract = yaml.safe_load(path.read_text())
    contract["schema"][0]["properties"][1] |= {"logicalType": kind, **options}
    path.write_text(yaml.safe_dump(contract))


# All are cast by way of text.
@pytest.mark.parametrize(
    ("engine", "way"),
    [
        *on(SPARK_LATER, ("string", "integer")),
        *on(ENGINES, ("integer", "date")),
        *on(SPARK_LATER, ("date", "number")),
    ],
    indirect=["engine"],
)
def test_a_release_is_published_in_the_new_type(
    tmp_path: Path, engine: str, way: tuple[str, str]
) -> None:
    values = {"string": "x", "integer": "5", "date": "2024-03-05", "number": "2.5"}
    lake = project(tmp_path, "snapshot", "a.csv", engine=engine)
    for number, kind in enumerate(way):
        give(lake, kind)
        # The second row has no value, and is set aside.
        put(lake, "a.csv", f"a,{values[kind]},Ana b,,Luz{number}")
        run(lake)
    assert [*beds(lake)] == ["a"]
    aside = delta.read(lake.table("quarantine", NAME))
    assert aside["hospital"].to_list() == ["b", "b"]
    assert correct.export(lake, NAME, lake.root / "rows.csv") == 1
