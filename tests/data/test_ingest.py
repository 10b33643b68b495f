"""Ingestion: rows add up, faults stop it with the mend, and the last good version stays."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from conftest import BOTH_ENGINES, BOTH_ENGINES_LATER, SAMPLE

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Silent
from yupana.data import engine
from yupana.data.contracts import contract as contracts
from yupana.data.lake import delta
from yupana.orchestration.ingest import ingest

NAME = "dengue_linelist"
LINES = gzip.decompress(SAMPLE.read_bytes()).decode().split("\r\n")


def write(path: Path, lines: list[str]) -> Path:
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode())
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path / "good.csv", LINES[:501])


def weekly(frame: pd.DataFrame, keys: list[str], week: list[str], cases: str) -> dict:
    return frame.groupby([*keys, *week])[cases].sum().astype(int).to_dict()


def published(lake: Settings) -> pl.DataFrame:
    return delta.read(lake.table("published", NAME))


def test_weekly_totals_of_the_sample_equal_an_independent_count(lake: Settings) -> None:
    result = ingest(lake, NAME, None, Silent())
    rows = result.metrics["rows"]
    assert rows == {"read": 60178, "published": 60178, "quarantined": 0}
    raw = pd.read_csv(SAMPLE)
    ours = published(lake).to_pandas()
    assert weekly(ours, ["province", "district"], ["year", "week"], "cases") == weekly(
        raw, ["Provincia", "Distrito"], ["Ano", "Semana"], "DIS"
    )
    assert set(ours.loc[ours["district"] == "IQUITOS", "ubigeo"]) == {"160101"}
    assert (ours["week"] == 53).sum() == 114 + 277
    assert "sex" not in ours


@BOTH_ENGINES_LATER
def test_every_row_keeps_its_line_and_source(lake: Settings, good: Path) -> None:
    result = ingest(lake, NAME, str(good), Silent())
    ours = published(lake).sort("source_line")
    assert ours["source_line"].to_list() == list(range(2, 502))
    assert ours["source_sha256"].unique().to_list() == [result.metrics["source_sha256"]]
    first = LINES[1].split(",")
    assert [ours["province"][0], ours["district"][0]] == first[1:3]


@BOTH_ENGINES_LATER
def test_a_file_already_published_changes_nothing(lake: Settings, good: Path) -> None:
    first = ingest(lake, NAME, str(good), Silent())
    again = ingest(lake, NAME, str(good), Silent())
    assert again.status == "unchanged"
    assert again.outputs == first.outputs
    assert delta.version_of(lake.table("published", NAME)) == first.metrics["version"]


@BOTH_ENGINES_LATER
def test_bad_rows_go_to_quarantine_with_rule_and_line(lake: Settings, tmp_path: Path) -> None:
    lines = LINES[:1001]
    lines[10] = lines[10].replace("LORETO", "ATLANTIS", 1)  # no such department
    lines[20] = lines[20].rsplit(",", 1)[0] + ",dos"  # not a number
    lines[30] = lines[30] + ",extra"  # one field too many
    lines[40] = "LORETO,MAYNAS,IQUITOS,2013,19,Dengue,53,Confirmados,1"  # 2013 has no week 53
    result = ingest(lake, NAME, str(write(tmp_path / "some.csv", lines)), Silent())
    assert result.metrics["rows"] == {"read": 1000, "published": 996, "quarantined": 4}
    aside = delta.read(lake.table("quarantine", NAME)).sort("source_line")
    assert aside["source_line"].to_list() == [11, 21, 31, 41]
    assert [sorted(rules) for rules in aside["broken_rules"].to_list()] == [
        ["ubigeo.required"],
        ["cases.required", "row.parsed"],
        ["row.parsed"],
        ["week_start.required"],
    ]


def test_an_absent_file_says_so(lake: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not there"):
        ingest(lake, NAME, str(tmp_path / "nowhere.csv"), Silent())


def test_another_contract_needs_no_python(lake: Settings) -> None:
    result = ingest(lake, "iquitos_weekly", None, Silent())
    assert result.metrics["rows"] == {"read": 468, "published": 468, "quarantined": 0}
    ours = delta.read(lake.table("published", "iquitos_weekly"))
    assert ours["total_cases"].sum() == 3638


@pytest.mark.real
def test_the_national_line_list(lake: Settings, shared) -> None:
    path = shared("minsa_dengue_linelist_2010_2021/dengue_casos_2010_2021.csv.gz")
    rows = ingest(lake, NAME, str(path), Silent()).metrics["rows"]
    assert rows["read"] == 345_736
    assert rows["read"] == rows["published"] + rows["quarantined"]
    raw = pd.read_csv(path, keep_default_na=False)
    blank = raw["Distrito"] == ""
    aside = delta.read(lake.table("quarantine", NAME))
    assert rows["quarantined"] == blank.sum() == len(aside)
    ours = published(lake).to_pandas()
    assert "sex" not in ours and "sex" not in aside.columns
    keys = ["department", "province", "district"], ["Departamnento", "Provincia", "Distrito"]
    assert weekly(ours, keys[0], ["year", "week"], "cases") == weekly(
        raw[~blank], keys[1], ["Ano", "Semana"], "DIS"
    )


LINE = ("LORETO", "MAYNAS", "IQUITOS", 2011, 19, "Dengue", 3, "Confirmados", 1, "160101", None)
WEEK = ("2000/2001", 1, 0, 0, 0, 0, 0, 0, None, 1)


@BOTH_ENGINES
@pytest.mark.parametrize(
    ("name", "schema", "good_row", "bad", "kinds"),
    [
        (
            NAME,
            "department STRING, province STRING, district STRING, year INT, update_week INT, "
            "event STRING, week INT, diagnosis STRING, cases INT, ubigeo STRING, "
            "_malformed STRING, week_start DATE, _repeated INT",
            (*LINE, date(2011, 1, 16), 1),
            {3: 1999, 5: "Zika", 6: 54, 7: "Dudosos", 8: 2, 9: "16-101", 10: "year: aaaa",
             12: 2},
            {"required", "range", "codes", "parsed", "once"},
        ),
        (
            "iquitos_weekly",
            "season STRING, season_week INT, denv1_cases INT, denv2_cases INT, denv3_cases INT, "
            "denv4_cases INT, other_positive_cases INT, total_cases INT, _malformed STRING, "
            "_key_count LONG, week_start DATE",
            (*WEEK, date(2000, 7, 1)),
            {0: "2000-2001", 1: 53, 2: -1, 7: -5, 8: "season_week: aa", 9: 2},
            {"required", "range", "pattern", "parsed", "unique"},
        ),
    ],
)
def test_great_expectations_and_spark_count_the_same(
    lake: Settings, tmp_path: Path, name: str, schema: str, good_row, bad, kinds
) -> None:
    """The suite that decides and the conditions that find rows are two forms of one rule."""
    from yupana.validation.audit import audit

    contract = contracts.load(lake.root, name).at(date(2020, 1, 1))
    rows = [good_row]
    for place, value in bad.items():
        rows.append((*good_row[:place], value, *good_row[place + 1 :]))
        rows.append((*good_row[:place], None, *good_row[place + 1 :]))
    frame = engine.session(lake).createDataFrame(rows, schema)
    by_gx = {r.rule: r.broken for r in audit(contract, frame, tmp_path).rules}
    by_spark = {rule.name: frame.where(f"NOT {rule.good}").count() for rule in contract.rules}
    assert by_gx == by_spark
    assert {rule.kind for rule in contract.rules if by_gx[rule.name]} == kinds
