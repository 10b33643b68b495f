"""In the kit an entity is an entity; its key stands at the border, and nowhere within."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import polars as pl
import pytest

from yupana.config.settings import ROOT
from yupana.tasks.forecast.entities import ENTITY, inward, outward

NATIONAL = {
    "client.py",  # what agencies ask for where they name no other field
    "commands/ask.py",
    "impact/ages.py", "impact/group_words.py", "impact/places.py",  # tables of the country
    "pages/figures_map.py", "pages/map_page.py", "pages/forecast_page.py", "backtest/areas.py",
}  # fmt: skip
"""Files of the kit that speak of the country's own codes."""


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_table_keeps_its_rows_and_its_order_of_columns(frame: Any) -> None:
    kept = frame({"origin": [1, 2], "station": ["a", "b"], "cases": [3, 4]})
    table = inward(kept, "station")
    assert list(table.columns) == ["origin", ENTITY, "cases"]
    assert list(table[ENTITY]) == ["a", "b"] and list(kept.columns)[1] == "station"
    assert list(outward(table, "station").columns) == list(kept.columns)
    assert inward(table, "station") is table


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_column_of_the_keys_name_is_never_lost(frame: Any) -> None:
    """A backtest's rows have `series` (district or department); so may a use case's key be."""
    rows = frame({"series": ["district"], ENTITY: ["160101-vivax"]})
    assert list(outward(rows, "series").columns) == ["series", ENTITY]
    assert list(inward(rows, "series")["series"]) == ["district"]


@pytest.mark.parametrize(
    ("frame", "error"),
    [(pd.DataFrame, KeyError), (pl.DataFrame, pl.exceptions.ColumnNotFoundError)],
)
def test_a_table_without_entities_is_an_error(frame: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="station"):
        inward(frame({"cases": [1]}), "station")


def test_the_kit_names_no_key_and_cuts_no_code() -> None:
    kit = ROOT / "yupana" / "tasks" / "forecast"
    codes = re.compile(r"ubigeo|(?<!names)(?<!worse)(?<!wrong)\[: ?[246]\]|\.str\.head\([246]\)")
    faults = [
        f"{path.relative_to(kit)}:{number}"
        for path in sorted(kit.rglob("*.py"))
        if str(path.relative_to(kit)) not in NATIONAL
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if codes.search(line)
    ]
    assert not faults
