"""What agencies write, on both engines: codes, zeros, dates in words, bounds of a file."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import BOTH_ENGINES, BOTH_ENGINES_LATER

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.orchestration.ingest import ingest

NAME = "agency"
CONTRACT = """
{name: id, logicalType: integer, primaryKey: true}
{name: code, logicalType: string, customProperties: [{property: pad, value: 6}]}
{name: ill, logicalType: string, enum: [{value: Y}, {value: N}], customProperties: [{property: codes, value: {SI: Y, NO: N, 01: Y}}]}
{name: day, logicalType: date, customProperties: [{property: dateFormats, value: [dd/MM/yyyy, dd-MMM-yy, "d 'de' MMMM 'de' yyyy"]}]}
{name: at, logicalType: timestamp, customProperties: [{property: dateFormats, value: "dd/MM/yyyy HH:mm"}]}
"""  # noqa: E501
ROWS = """id,code,ill,day,at
1,10101,SI,05/03/2021,05/03/2021 23:59
2,160101,NO,16-ENE-20,01/01/2021 00:00
3,A1,01,1 de setiembre de 2021,
4,,,31-DIC-20,
5,,,16-Abr.-20,
"""
REFUSED = {
    "31/02/2021": "a day that is not",
    "5/3/2021": "one digit where the pattern asks for two",
    "05/03/2021 10:30": "more than the pattern",
    "05/03/21": "a year of two digits",
    "2021": "a year alone",
    "16-XYZ-20": "no month",
    "01/01/0000": "a year that no reader holds",
    "01/01/0021": "a year before 1000",
}


def project(tmp_path: Path, engine: str, **options: Any) -> Settings:
    about = yaml.safe_load((ROOT / "expectations/iquitos_weekly/contract.yaml").read_text())
    about["customProperties"] = [{"property": k, "value": v} for k, v in options.items()]
    about["schema"][0].pop("properties")
    text = yaml.safe_dump(about, sort_keys=False)
    lines = "".join(f"  - {line}\n" for line in CONTRACT.strip().splitlines())
    folder = tmp_path / "project" / "expectations" / NAME
    folder.mkdir(parents=True)
    # By hand: a code as a person writes it has no quotes.
    (folder / "contract.yaml").write_text(f"{text}  properties:\n{lines}")
    return Settings(root=tmp_path / "project", home=tmp_path / "home", engine=engine)


def publish(lake: Settings, text: str) -> None:
    path = lake.root / "in.csv"
    path.write_text(text, encoding="utf-8")
    ingest(lake, NAME, str(path), Silent())


@BOTH_ENGINES_LATER
def test_what_people_write_is_read_as_they_mean_it(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, quarantineLimit=1)
    wrong = "".join(f"{n},,,{text},\n" for n, text in enumerate(REFUSED, 10))
    publish(lake, ROWS + wrong)
    rows = delta.read(lake.table("published", NAME)).sort("id")
    assert rows["code"].to_list() == ["010101", "160101", "A1", None, None]
    assert rows["ill"].to_list() == ["Y", "N", "Y", None, None]
    assert rows["day"].to_list() == [
        date(2021, 3, 5), date(2020, 1, 16), date(2021, 9, 1), date(2020, 12, 31),
        date(2020, 4, 16),
    ]  # fmt: skip
    times = [t.replace(tzinfo=None) for t in rows["at"].to_list()[:2]]
    assert times == [datetime(2021, 3, 5, 23, 59), datetime(2021, 1, 1)]
    aside = delta.read(lake.table("quarantine", NAME))
    assert sorted(aside["id"]) == list(range(10, 10 + len(REFUSED)))


NUMBERS: dict[str, dict[str, float | int | None]] = {
    "decimal: ',', thousands: .": {
        "1,5": 1.5, "1.234,56": 1234.56, "1.234": 1234.0, "-12": -12.0, ",5": 0.5, "1.5": None,
        "0.234": None, "1234.567": None, "1,2,3": None},
    "decimal: ','": {"1,5": 1.5, "1.234": None, "1234": 1234.0},
    "thousands: ','": {"1,234.5": 1234.5, "1,5": None, "12,345,678": 12345678.0},
    "decimal: ',', thousands: ' '": {"1 234,5": 1234.5, "1\u202f234": 1234.0, "12 34": None},
    'thousands: "\'"': {"1'234.5": 1234.5, "1'23": None},
    "unit: '%', decimal: ','": {"12,5 %": 12.5, "-3%": -3.0, "%": None, "1 % 2": None},
    "unit: PEN, thousands: ','": {
        "S/ 1,234.50": 1234.5, "S/.12": 12.0, "PEN 7": 7.0, "7 PEN": 7.0, "-S/ 3": -3.0,
        "$ 3": None},
    "unit: '°C'": {"25.5 °C": 25.5, "-1°C": -1.0, "3 C": None},
    "unit: USD, negative: parentheses": {
        "($ 12)": -12.0, "(3.5)": -3.5, "US$4": 4.0, "(-2)": None, "(2": None, "1e400": None,
        "9" * 320: None, "1e308": 1e308},
    "negative: trailing": {"12-": -12.0, "5": 5.0, "-5-": None},
    "missing: [NA, s/d]": {"na": None, "S/D": None, "Na": None, "1": 1.0},
    # A double would make one value of the second and the third.
    "unit: t": {"9007199254740991": 9007199254740991.0, "9007199254740992": None,
                "-9007199254740993": None, "9007199254740992.0": 9007199254740992.0, "1e17": 1e17},
    "unit: m, thousands: '.', decimal: ','": {"9.007.199.254.740.993": None, "9.007,5": 9007.5},
    "format: i64": {"9223372036854775807": 2**63 - 1, "-3000000000": -3 * 10**9,
                    "9223372036854775808": None},
}  # fmt: skip


def number_column(name: str, options: str) -> str:
    """A column of the contract, with these options."""
    settings = yaml.safe_load("{" + options + "}")
    kind, long = ("integer", ", logicalTypeOptions: {format: i64}") if "format" in settings else (
        "number", "")  # fmt: skip
    custom = [{"property": k, "value": v} for k, v in settings.items() if k != "format"]
    return f"  - {{name: {name}, logicalType: {kind}, customProperties: {custom}{long}}}\n"


@BOTH_ENGINES_LATER
def test_numbers_as_people_write_them(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, quarantineLimit=1)
    path = lake.root / "expectations" / NAME / "contract.yaml"
    columns = [number_column(f"n{i}", options) for i, options in enumerate(NUMBERS)]
    path.write_text(path.read_text() + "".join(columns))
    header = ",".join(["id,code,ill,day,at", *(f"n{i}" for i in range(len(columns)))])
    cells = [[*texts, *[""] * (9 - len(texts))] for texts in NUMBERS.values()]
    lines = [f"{n},,,,," + ",".join(f'"{c}"' for c in row)
             for n, row in enumerate(zip(*cells, strict=True))]  # fmt: skip
    publish(lake, "\n".join([header, *lines]) + "\n")
    tables = [delta.read(lake.table(zone, NAME)) for zone in ("published", "quarantine")]
    rows = {row["id"]: row for table in tables for row in table.to_dicts()}
    for number, texts in enumerate(NUMBERS.values()):
        numbers = {text: rows[n][f"n{number}"] for n, text in enumerate(texts)}
        assert numbers == texts
    # What cannot be read is a fault; a mark of no value is none.
    published = {row["id"] for row in tables[0].to_dicts()}
    faults = {n for options, texts in NUMBERS.items() if "missing" not in options
              for n, value in enumerate(texts.values()) if value is None}  # fmt: skip
    assert published == set(range(9)) - faults


def test_the_message_names_every_rule_the_share_and_the_shape(tmp_path: Path) -> None:
    lake = project(tmp_path, "sail", quarantineLimit=0.005)
    with pytest.raises(TerminalError) as error:
        publish(lake, "id,code,ill,day,at\n1,,X,2021,\n2,,X,05/03/2021,\n")
    message = str(error.value)
    assert "2 of 2 rows break 'ill.codes', and the contract allows 0.5%" in message
    assert "Also: row.parsed 1." in message and "line 2, column ill" in message
    assert f"yupana quarantine {NAME}" in message
    with pytest.raises(TerminalError, match=r"line 2, day: 9999"):
        publish(lake, "id,code,ill,day,at\n1,,,2021,\n")


def test_a_rule_that_few_rows_have_a_value_for_is_named(tmp_path: Path) -> None:
    lake = project(tmp_path, "sail", quarantineLimit=0.2)
    rows = "".join(f"{n},,{'X' if n == 1 else 'Y' if n == 2 else ''},,\n" for n in range(1, 11))
    with pytest.raises(TerminalError, match=r"1 of 10 rows break 'ill\.codes'"):
        publish(lake, f"id,code,ill,day,at\n{rows}")


@pytest.mark.parametrize(
    ("bound", "says"),
    [
        ("mustBeGreaterThan: 2", "at least 3"),
        ("mustBeBetween: [5, 9]", "at least 5 and at most 9"),
        ("mustBeLessThan: 2", "at least 1 and at most 1"),
    ],
)
def test_a_count_of_rows_is_enforced(tmp_path: Path, bound: str, says: str) -> None:
    lake = project(tmp_path, "sail")
    path = lake.root / "expectations" / NAME / "contract.yaml"
    old = "mustBeGreaterThan: 0"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, bound))
    with pytest.raises(TerminalError, match=f"has 2 rows, and the contract asks for {says} "):
        publish(lake, "id,code,ill,day,at\n1,,,,\n2,,,,\n")
    assert not delta.exists(lake.table("published", NAME))


ENFORCED = """
{name: share, logicalType: number, logicalTypeOptions: {exclusiveMinimum: 0, exclusiveMaximum: 1}}
{name: name, logicalType: string, logicalTypeOptions: {minLength: 2, maxLength: 4}, unique: true}
{name: sex, logicalType: string, quality: [{type: library, metric: invalidValues, mustBe: 0, arguments: {validValues: [F, M]}}, {type: library, metric: missingValues, mustBe: 0}]}
{name: doc, logicalType: string, quality: [{type: library, metric: duplicateValues, mustBe: 0}]}
"""  # noqa: E501
SQL = """  quality:
  - {name: few_f, type: sql, query: "SELECT COUNT(*) FROM ${table} WHERE sex = 'F'", mustBe: 2}
"""


@BOTH_ENGINES
def test_what_a_contract_asks_for_is_enforced(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, quarantineLimit=1)
    path = lake.root / "expectations" / NAME / "contract.yaml"
    lines = "".join(f"  - {line}\n" for line in ENFORCED.strip().splitlines())
    text = path.read_text() + lines
    path.write_text(text.replace("  quality:\n", SQL))
    rows = [
        "1,0.5,Ñañá,F,1", "2,0,Ana,F,2", "3,1,Eva,M,3", "4,,X,M,4", "5,,Maria,M,5", "6,,,,6",
        "7,,Luz,F,7", "8,,Luz,F,8", "9,,Sol,X,9", "10,,Pía,F,10", "11,,Teo,M,10", "12,,Noé,F,",
    ]  # fmt: skip
    cells = (row.split(",", 1) for row in rows)
    text = "id,code,ill,day,at,share,name,sex,doc\n" + "".join(f"{i},,,,,{r}\n" for i, r in cells)
    publish(lake, text)
    assert sorted(delta.read(lake.table("published", NAME))["id"]) == [1, 12]
    aside = delta.read(lake.table("quarantine", NAME)).sort("id")
    broken = {row["id"]: sorted(row["broken_rules"]) for row in aside.to_dicts()}
    assert broken == {
        2: ["share.range"], 3: ["share.range"], 4: ["name.length"], 5: ["name.length"],
        6: ["sex.required"], 7: ["name.unique"], 8: ["name.unique"], 9: ["sex.codes"],
        10: ["doc.unique"], 11: ["doc.unique"],
    }  # fmt: skip
    path.write_text(path.read_text().replace("mustBe: 2", "mustBeGreaterThan: 2"))
    with pytest.raises(TerminalError, match="'few_f' gives 2, and must be greater than 2"):
        publish(lake, text)
