"""Whole numbers that a double would change are told, with the type that keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from many_lake import NAME, project, put

from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data.contracts import contract
from yupana.data.draft.columns import kinds
from yupana.data.draft.columns.values import of
from yupana.data.lake import delta
from yupana.data.publication import quarantine
from yupana.orchestration.ingest import ingest


def test_a_whole_number_that_a_double_may_change_names_its_type(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in.csv")
    file = lake.root / "expectations" / NAME / "contract.yaml"
    about = yaml.safe_load(file.read_text())
    about["schema"][0]["properties"][1]["logicalType"] = "number"
    file.write_text(yaml.safe_dump(about))
    put(lake, "in.csv", "a,9007199254740993,Ana b,9007199254740992,Ana c,5,Ana d,12x,Ana")
    ingest(lake, NAME, None, Silent())
    assert delta.read(lake.table("published", NAME))["beds"].to_list() == [5.0]
    refusals = quarantine.refusals(lake, contract.load(lake.root, NAME), "row.parsed")
    shapes = [(r.line, r.column, r.value_class) for r in refusals]
    assert [line for line, _, _ in shapes] == [2, 3, 5]
    assert all("format: i64" in shape and column == "beds" for _, column, shape in shapes[:2])
    assert shapes[2][2] == "99a"
    about["customProperties"] = [p for p in about["customProperties"]
                                 if p["property"] != "quarantineLimit"]  # fmt: skip
    file.write_text(yaml.safe_dump(about))
    with pytest.raises(TerminalError) as error:
        ingest(lake, NAME, None, Silent())
    assert "format: i64" in str(error.value)


@pytest.mark.parametrize(
    ("texts", "kind", "long"),
    [
        (["9007199254740993", "5", "77"], "integer", True),
        (["3000000000", "5"], "integer", True),
        (["5", "6"], "integer", False),
        (["9223372036854775808", "5"], "string", False),
        (["9007199254740993", "0.5"], "number", False),
    ],
)
def test_a_draft_proposes_what_keeps_the_digits(texts: list[str], kind: str, long: bool) -> None:
    import polars as pl

    guess = kinds.of(of(pl.Series(texts)), ("amount",))
    assert (guess.type, guess.long) == (kind, long)
