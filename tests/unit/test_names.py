"""A name that becomes part of a path is a name, for every command: no path reaches a table."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_lake
from command import yupana

from yupana.config.settings import Settings
from yupana.core import names
from yupana.core.errors import UsageError
from yupana.data.contracts import contract
from yupana.data.contracts.checks import faults

NOT_NAMES = [
    f"{small_lake.NAME}/", f"./{small_lake.NAME}", f"../expectations/{small_lake.NAME}",
    small_lake.NAME.upper(), "", ".", "..", ".a", "a.", "a..b", "-a", "a b", "a@1", "año",
    "x" * 64, "/etc", "a\n",
]  # fmt: skip


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    return small_lake.make(tmp_path)


@pytest.mark.parametrize("name", NOT_NAMES)
def test_what_is_no_name_has_no_contract(lake: Settings, name: str) -> None:
    assert not names.right(name)
    for read in (contract.load, faults.every):
        with pytest.raises(UsageError, match="is no name for a data set"):
            read(lake.root, name)


def test_points_and_hyphens_may_stand_within() -> None:
    assert all(map(names.right, ["cases_1.5", "2024-cases", "_".join("abc")]))
    assert names.is_snake_case("cases_15") and not names.is_snake_case("cases_1.5")


@pytest.mark.parametrize(
    "words",
    [["ingest"], ["stream"], ["history"], ["quarantine"], ["quality"], ["profile"], ["diff"],
     ["contract", "check"], ["contract", "draft", "x.csv", "--name"]],
)  # fmt: skip
def test_no_command_takes_a_path_for_a_data_set(lake: Settings, words: list[str]) -> None:
    result = yupana(lake, *words, f"{small_lake.NAME}/")
    assert result.code == 2 and f"'{small_lake.NAME}/' is no name" in result.stderr
    assert not [p for p in lake.home.rglob("*") if small_lake.NAME in p.name]


@pytest.mark.parametrize("words", [["features"], ["predict"], ["monitor"], ["alerts", "list"]])
def test_no_command_takes_a_path_for_a_use_case(lake: Settings, words: list[str]) -> None:
    result = yupana(lake, *words, "../outbreak")
    assert result.code == 2 and "'../outbreak' is no name for a use case" in result.stderr


@pytest.mark.parametrize(("zone", "name"), [("published", "x/"), ("..", "x"), ("a/b", "x")])
def test_no_table_is_outside_of_its_zone(lake: Settings, zone: str, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a table"):
        lake.table(zone, name)
