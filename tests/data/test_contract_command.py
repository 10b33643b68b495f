"""`yupana contract check`: what will be enforced and by what, what is only told, and all faults."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from command import yupana

from yupana.config.settings import ROOT, Settings
from yupana.core.progress import Silent
from yupana.data import draft as drafts
from yupana.data.contracts import contract
from yupana.data.contracts.checks import faults as contract_faults
from yupana.data.lake import delta
from yupana.orchestration.ingest import ingest

NAME = "visits"
HEAD = """apiVersion: v3.1.0
kind: DataContract
id: visits
name: Visitas
version: 1.0.0
status: active
description: {purpose: To plan staff.}
customProperties:
  - {property: quarantineLimit, value: 0.02}
servers: [{server: project, type: local, path: in.csv, format: csv}]
slaProperties: [{property: latency, value: 2, unit: w}]
schema:
  - name: visits
    dataGranularityDescription: One row is one visit.
    quality: [{type: text, name: late, description: two weeks late}]
    properties:
"""
COLUMNS = """\
      - {name: id, logicalType: string, primaryKey: true}
      - {name: dni, logicalType: string, classification: personal}
      - {name: birth_date, logicalType: date, classification: personal, customProperties: [{property: treatment, value: pseudonymise}, {property: dateFormats, value: [d/M/yyyy]}]}
      - {name: day, logicalType: date, customProperties: [{property: dateFormats, value: [d/M/yyyy, d-MMM-yy]}, {property: missing, value: [S/D]}]}
      - {name: ubigeo, logicalType: string, relationships: [{type: foreignKey, to: ubigeo.ubigeo}]}
      - {name: near, logicalType: string, relationships: [{type: foreignKey, to: visits.id}]}
      - {name: cases, logicalType: integer, logicalTypeOptions: {minimum: 0}, customProperties: [{property: unit, value: cases}, {property: outlier, value: {maximum: 90, action: flag}}]}
"""  # noqa: E501
FILE = """id,dni,birth_date,day,ubigeo,near,cases
a,40112233,01/02/1980,13/02/2021,160101,b,1
b,40112234,03/02/1981,16-ENE-20,160101,a,2
c,40112235,04/02/1982,S/D,160101,a,3
d,40112236,05/02/1983,ayer,160101,a,4
"""


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    root = tmp_path / "project"
    shutil.copytree(ROOT / "expectations" / "ubigeo", root / "expectations" / "ubigeo")
    return Settings(root=root, home=tmp_path / "home")


def write(lake: Settings, columns: str = COLUMNS, head: str = HEAD) -> None:
    folder = lake.root / "expectations" / NAME
    folder.mkdir(exist_ok=True)
    (folder / "contract.yaml").write_text(head + columns, encoding="utf-8")


def test_each_rule_has_its_expectation_and_limit(lake: Settings) -> None:
    write(lake)
    report = json.loads(yupana(lake, "contract", "check", NAME, "--json").stdout)
    rules = {r["rule"]: (r["expectation"], r["limit"]) for r in report["rules"]}
    assert rules == {
        "row.parsed": ("expect_column_values_to_be_null", 0.02),
        "id.required": ("expect_column_values_to_not_be_null", 0.02),
        "ubigeo.codes": ("expect_column_values_to_be_in_set", 0.02),
        "cases.range": ("expect_column_values_to_be_between", 0.02),
        "key.unique": ("expect_column_values_to_be_between", 0.02),
        "rowCount": ("expect_table_row_count_to_be_between", 0.0),
    }
    assert list(rules)[:-1] == [r.name for r in contract.load(lake.root, NAME).rules]
    notes = {(t["column"], t["field"]) for t in report["remarks"]}
    assert notes == {
        ("", "latency"),
        ("", "quality: late"),
        ("dni", "classification: personal"),
        ("birth_date", "treatment: pseudonymise"),
        ("near", "relation to visits.id"),
        ("cases", "outlier: flag"),
        ("cases", "unit: cases"),
    }


def test_dates_of_the_file_at_hand_are_read_by_each_pattern(lake: Settings) -> None:
    write(lake)
    assert json.loads(yupana(lake, "contract", "check", NAME, "--json").stdout)["dates"] == []
    (lake.root / "in.csv").write_text(FILE)
    result = yupana(lake, "contract", "check", NAME)
    dates = json.loads(yupana(lake, "contract", "check", NAME, "--json").stdout)["dates"]
    assert dates == [
        {"column": "day", "pattern": "d/M/yyyy", "rows": 1, "text": "99/99/9999",
         "value": "2021-02-13"},
        {"column": "day", "pattern": "d-MMM-yy", "rows": 1, "text": "99-aaa-99",
         "value": "2020-01-16"},
        {"column": "day", "pattern": "", "rows": 1, "text": "aaaa", "value": ""},
    ]  # fmt: skip
    for secret in ("40112233", "1980-02-01", "01/02/1980"):
        assert secret not in result.stdout


def test_all_faults_are_told_each_with_line_and_mend(lake: Settings) -> None:
    slips = (
        "      - {name: a.b, logicalType: string}\n"
        "      - {name: c, logicalType: date, customProperties: "
        "[{property: dateFormats, value: dd/mm/yyyy}]}\n"
        "      - {name: d, logicalType: integer, logicalTypeOptions: {multipleOf: 2}}\n"
        '      - {name: e, logicalType: string, logicalTypeOptions: {pattern: "(?=x)"}}\n'
        "      - {name: f, logicalType: string, customProperties: [{property: colour, value: 1}]}\n"
        "      - {name: g, logicalType: string, logicalTypeOptions: {pattern: x}}\n"
    )
    write(lake, slips, HEAD.replace("0.02", "2%"))
    result = yupana(lake, "contract", "check", NAME)
    assert result.code == 1
    for line, what in (
        (9, "quarantineLimit '2%'"), (17, "the column name 'a.b'"), (18, "'dd/mm/yyyy'"),
        (19, "multipleOf"), (20, "a pattern on the column 'e'"), (21, "colour"),
    ):  # fmt: skip
        assert any(
            what in fault.what and f"line {line}" in fault.where and fault.fix
            for fault in contract_faults.every(lake.root, NAME)
        ), what
        assert what in result.stdout
    assert "6 faults" in result.stdout


def test_what_breaks_the_standard_is_told_beside_other_faults(lake: Settings) -> None:
    write(lake, COLUMNS + "      - {name: a, logicalType: strong}\n      - {logicalType: string}\n",
          HEAD.replace("0.02", "2%"))  # fmt: skip
    faults = contract_faults.every(lake.root, NAME)
    whats = " / ".join(f.what for f in faults)
    assert "'strong' is not one of" in whats and "quarantineLimit" in whats
    assert all(f.fix and "line" in f.where for f in faults)


def test_no_yaml_and_no_contract(lake: Settings) -> None:
    write(lake, "  - [", "")
    assert "not YAML" in yupana(lake, "contract", "check", NAME).stdout
    assert yupana(lake, "contract", "check", "absent").code == 2


@pytest.mark.parametrize("name", contract.names(ROOT))
def test_the_contracts_that_are_shipped_have_no_fault(name: str) -> None:
    assert contract_faults.every(ROOT, name) == []


@pytest.mark.parametrize(
    ("texts", "option", "amounts"),
    [
        (("5 %", "7.5 %"), 'unit, value: "%"', [5.0, 7.5]),
        (("S/ 1,200.50", "(S/ 30.00)"), 'negative, value: "parentheses"', [1200.5, -30.0]),
        (("US$ 1.200,50", "US$ -3,00"), 'unit, value: "USD"', [1200.5, -3.0]),
        (("10-", "5"), 'negative, value: "trailing"', [-10, 5]),
        (("9999999999", "1"), "format: i64", [9999999999, 1]),
    ],
)
def test_a_draft_of_numbers_as_people_write_them_publishes(
    lake: Settings, texts: tuple[str, ...], option: str, amounts: list[float]
) -> None:
    lines = "".join(f'{n};"{text}"\n' for n, text in enumerate(texts))
    (lake.root / "in.csv").write_text(f"id;monto\n{lines}", encoding="utf-8")
    draft = drafts.draft(lake, "in.csv", NAME, Silent(), today=date(2024, 6, 1))
    assert option in draft.text
    shutil.copy(ROOT / "expectations/subject_areas.csv", lake.root / "expectations")
    area = '"TODO: a code of expectations/subject_areas.csv"'
    write(lake, "", draft.text.replace(area, "health"))
    ingest(lake, NAME, None, Silent())
    assert delta.read(lake.table("published", NAME)).sort("id")["amount"].to_list() == amounts


def test_bounds_and_queries_are_enforced(lake: Settings) -> None:
    few = '{name: few, type: sql, query: "SELECT COUNT(*) FROM ${table}", mustBe: 4}'
    bounds = "  - {property: change, value: {rows: 0.5, past: 0.1, periods: keep}}\nservers"
    head = HEAD.replace("quality: [", f"quality: [{few}, ").replace("servers", bounds, 1)
    write(lake, head=head)
    report = json.loads(yupana(lake, "contract", "check", NAME, "--json").stdout)
    rules = {rule["rule"]: rule for rule in report["rules"]}
    assert rules["few"]["says"].endswith("4") and rules["change.past"]["limit"] == 0.1
    assert rules["change.rows"]["says"] == "between 0.5 and 2 times the rows before"
    assert "change.periods" in rules
