"""`publication: replace-period`: a file replaces the periods that it brings; appended columns."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from conftest import BOTH_ENGINES, BOTH_ENGINES_LATER

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.data.contracts import contract as contracts
from yupana.data.lake import delta, history
from yupana.orchestration.ingest import ingest

NAME = "cases_weekly"


def project(tmp_path: Path, engine: str, publication: str, **options: object) -> Settings:
    """Cases by patient number and week: the number is the key, so that a case may move."""
    contract = yaml.safe_load((ROOT / "expectations/iquitos_weekly/contract.yaml").read_text())
    options |= {"licence": "CC BY 4.0", "publication": publication, "quarantineLimit": 0.9}
    contract["customProperties"] = [{"property": k, "value": v} for k, v in options.items()]
    contract["schema"][0]["properties"] = [
        {"name": "number", "logicalType": "integer", "primaryKey": True, "primaryKeyPosition": 1},
        {"name": "week_start", "logicalType": "date", "required": True},
        {"name": "cases", "logicalType": "integer", "required": True,
         "customProperties": [{"property": "unit", "value": "cases"}]},
    ]  # fmt: skip
    lake = Settings(root=tmp_path / "project", home=tmp_path / "home", engine=engine)
    write(lake, contract)
    return lake


def write(lake: Settings, contract: object) -> None:
    path = lake.root / "expectations" / NAME / "contract.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(contract))


def publish(
    lake: Settings, rows: str, header: str = "number,week_start,cases", as_of: date | None = None
) -> StepResult:
    path = lake.root / f"{abs(hash((rows, header)))}.csv"
    path.write_text("\n".join([header, *rows.split()]) + "\n")
    return ingest(lake, NAME, str(path), Silent(), as_of=as_of)


def rows(lake: Settings, version: int | None = None) -> set[tuple[int, str, int]]:
    frame = delta.read(lake.table("published", NAME), version)
    return {(n, str(d), c) for n, d, c in frame.select("number", "week_start", "cases").iter_rows()}


@BOTH_ENGINES_LATER
def test_a_file_replaces_the_periods_that_it_brings(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, "replace-period", period="week_start")
    first, second = "1,2024-01-07,3 2,2024-01-07,4", "3,2024-01-14,5 4,2024-01-14,6"
    publish(lake, first)
    publish(lake, second)
    # 1 is gone from its week, 2 is revised, 3 is a key of a week that stays.
    third = "2,2024-01-07,9 5,2024-01-07,1 3,2024-01-07,5"
    result = publish(lake, third)
    assert result.metrics["rows"] == {"read": 3, "published": 2, "quarantined": 1}
    assert result.metrics["set_aside"] == {"rows": 1, "rules": {"key.unique": 1}}
    others = {(3, "2024-01-14", 5), (4, "2024-01-14", 6)}
    assert rows(lake) == {(2, "2024-01-07", 9), (5, "2024-01-07", 1), *others}
    versions = len(history.published_versions(lake.table("published", NAME)))
    for again in (second, third):
        publish(lake, again)
    assert len(history.published_versions(lake.table("published", NAME))) == versions
    publish(lake, first)
    assert rows(lake) == {(1, "2024-01-07", 3), (2, "2024-01-07", 4), *others}, "published again"


@BOTH_ENGINES
def test_a_period_whose_rows_are_all_bad_stays_and_a_key_may_move_out_of_it(
    tmp_path: Path, engine: str
) -> None:
    lake = project(tmp_path, engine, "replace-period", period="week_start")
    publish(lake, "1,2024-01-07,3 3,2024-01-14,5 4,2024-01-14,6")
    result = publish(lake, "3,2024-01-07,5 6,2024-01-14,")
    assert result.metrics["rows"] == {"read": 2, "published": 1, "quarantined": 1}
    assert rows(lake) == {(3, "2024-01-07", 5), (4, "2024-01-14", 6)}


@BOTH_ENGINES
def test_a_new_column_of_an_appended_file_is_added(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, "append", period="week_start")
    publish(lake, "1,2024-01-07,3")
    contract = yaml.safe_load((lake.root / "expectations" / NAME / "contract.yaml").read_text())
    ward = {"name": "ward", "logicalType": "string"}
    contract["schema"][0]["properties"].append(ward)
    write(lake, contract)
    result = publish(lake, "2,2024-01-14,4,Ana", "number,week_start,cases,ward")
    assert result.metrics["change"]["columns_new"] == ["ward"]
    frame = delta.read(lake.table("published", NAME)).sort("number")
    assert frame.select("number", "cases", "ward").rows() == [(1, 3, None), (2, 4, "Ana")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "publication: replace-period and no period"),
        ({"period": "month"}, "the period 'month', which is no column"),
        ({"period": "week_start", "change": {"row": 0.5}}, "the change '{'row': 0.5}'"),
        ({"period": "week_start", "change": {"rows": 50}}, "the change of rows '50'"),
        ({"period": "week_start", "change": {"periods": "all"}}, "the change of periods 'all'"),
    ],
)
def test_slips_are_told_with_their_line(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    lake = project(tmp_path, "sail", "replace-period", **options)
    with pytest.raises(TerminalError) as error:
        contracts.load(lake.root, NAME)
    assert message in error.value.what and ", line " in error.value.where
