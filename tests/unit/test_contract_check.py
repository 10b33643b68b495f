"""Slips that people make in a contract: each is one sentence with its line and its mend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import yupana

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.data.contracts import contract as contracts
from yupana.orchestration.cards import cards

TEXT = (ROOT / "expectations" / "iquitos_population" / "contract.yaml").read_text()
LIMIT = "{property: quarantineLimit, value: 0.0}"
UNIT = "{property: unit, value: persons}"
RANGE = "logicalTypeOptions: {minimum: 0}"
COLUMN = "      - {name: population,"
SERVER = "servers:\n"
QUALITY = "{name: not_empty, type: library, metric: rowCount, mustBeGreaterThan: 0}"


# Half a kB that stands for 43 million fields.
BOMB = "".join(
    f"x{n}: &x{n} [{','.join([f'*x{n - 1}' if n else 'l'] * 9)}]\n" for n in range(9)
)  # fmt: skip


def option(name: str, value: str) -> tuple[str, str]:
    return LIMIT, f"{LIMIT}\n  - {{property: {name}, value: {value}}}"


def column(text: str) -> tuple[str, str]:
    return COLUMN, f"      - {{{text}}}\n{COLUMN}"


def times(text: str) -> tuple[str, str]:
    return SERVER, f"slaProperties:\n  - {{{text}}}\n{SERVER}"


def sql(query: str, bound: str = "description: none") -> tuple[str, str]:
    """A rule in SQL in place of the one that the contract has."""
    return QUALITY, f'{{name: not_empty, type: sql, query: "{query}", {bound}}}'


SLIPS: list[tuple[tuple[str, str], int, str, str]] = [
    ((LIMIT, LIMIT.replace("0.0", "5")), 20, "quarantineLimit '5'", "2 % is 0.02"),
    ((LIMIT, LIMIT.replace("0.0", "2%")), 20, "quarantineLimit '2%'", "2 % is 0.02"),
    (option("quarantineLimit", "1"), 20, "'quarantineLimit' twice", "Keep one"),
    (option("encoding", "ANSI"), 21, "encoding 'ANSI', which does not exist", "cp1252"),
    (option("encoding", "rot13"), 21, "encoding 'rot13'", "cp1252"),
    (option("delimiter", '""'), 21, "the delimiter ''", "tab"),
    (option("delimiter", "tab"), 21, "the delimiter 'tab'", '"\\t" in double quotes'),
    (option("delimiter", "'\\t'"), 21, "the delimiter '\\t'", '"\\t" in double quotes'),
    (option("headerRow", "-1"), 21, "the headerRow '-1'", "0 where there are none"),
    (option("headerRow", "[3, 2]"), 21, "the headerRow '[3, 2]'", "[2, 3] where names stand"),
    (option("widths", "[6, 0]"), 21, "the widths '[6, 0]'", "[6, 4, 10]"),
    (option("skip", "'^(?!a)'"), 21, "the skip '^(?!a)'", "without look-around"),
    (option("skip", "'^(a'"), 21, "the skip '^(a'", "without look-around"),
    (column("name: a, logicalType: string, logicalTypeOptions: {pattern: '*a'}"), 32,
     "a pattern on the column 'a', which cannot be used: nothing to repeat", "`enum`"),
    (column("name: a, logicalType: string, quality: [{type: library, metric: invalidValues, "
            "mustBe: 0, arguments: {pattern: '(?=a)'}}]"), 32, "a pattern on the column 'a'",
     "enum"),
    (option("records", "'.items'"), 21, "records: '.items'", "result.records"),
    (option("mojibake", "mend"), 21, "mojibake: 'mend'", "Use repair"),
    (option("delimiter", "'¦'"), 21, "the delimiter '¦'", '";" or "|"'),
    ((UNIT, "{property: negative, value: ()}"), 32, "'negative' on the column", "parentheses"),
    ((UNIT, "{property: fill, value: up}"), 32, "'fill' on the column", "down"),
    ((RANGE, "logicalTypeOptions: {format: i16}"), 32, "the format 'i16'", "i64"),
    (option("multiline", '"false"'), 21, "multiline: false", "take it out"),
    (option("separator", ";"), 21, "the option 'separator'", "Options are change, delimiter"),
    (option("publication", "merges"), 21, "the publication 'merges'", "snapshot, append, merge"),
    (times("property: latency, value: 1.5, unit: w"), 22, "a latency of 1.5", "1.5 w is 11 d"),
    (times("property: retention, value: 30, unit: minutes"), 22, "retention in 'minutes'", "d, w"),
    (times("property: frequency, value: 2, unit: w"), 22, "a frequency of 2", "1 w"),
    (column("name: total.pct, logicalType: number"), 32, "column name 'total.pct'", "physicalName"),
    (column("name: a"), 32, "column 'a' states no logicalType", "string, integer"),
    (column("name: Year, logicalType: integer"), 31, "columns year and Year", "one another name"),
    (column("name: source_line, logicalType: integer"), 32, "'source_line'", "yupana's own"),
    ((RANGE, "logicalTypeOptions: {multipleOf: 5}"), 32, "'multipleOf'", "minimum"),
    ((RANGE, "logicalTypeOptions: {minimum: 5, maximum: 2}"), 32, "a minimum above", "mend"),
    ((RANGE, "logicalTypeOptions: {minimum: 5, exclusiveMinimum: 2}"), 32, "two bounds", "Keep"),
    ((RANGE, "logicalTypeOptions: {minimum: 5, maximum: 2.5}"), 32, "a minimum above", "mend"),
    ((RANGE, "logicalTypeOptions: {minimum: 5, exclusiveMaximum: 5}"), 32, "above the exclusive",
     "mend"),
    (column("name: a, logicalType: string, enum: [{value: x}], quality: [{type: library, metric: "
            "invalidValues, mustBe: 0, arguments: {validValues: [y]}}]"), 32,
     "several lists of allowed values on the column 'a'", "put them in one"),
    (column("name: a, logicalType: string, logicalTypeOptions: {pattern: x}, quality: [{type: "
            "library, metric: invalidValues, mustBe: 0, arguments: {pattern: y}}]"), 32,
     "several patterns on the column 'a'", "put them in one"),
    (column("name: a, logicalType: string, logicalTypeOptions: {minLength: 3, maxLength: 2}"), 32,
     "a minLength above", "mend"),
    (column("name: a, logicalType: string, quality: [{type: library, metric: nullValues, "
            "mustBeLessThan: 5}]"), 32, "quality rule 'nullValues'", "quarantineLimit"),
    (sql("SELECT COUNT(*) FROM ${table}"), 34, "rule 'not_empty' is not whole", "a bound"),
    (sql("SELEC 1", "mustBe: 0"), 34, "cannot be asked: it", "one SELECT"),
    (sql("SELECT 1; DROP TABLE a", "mustBe: 0"), 34, "it is not one SELECT", "one SELECT"),
    (sql("SELECT a, b FROM ${table}", "mustBe: 0"), 34, "does not select one number", "SELECT"),
    (sql("SELECT COUNT(*) FROM delta.`/etc`", "mustBe: 0"), 34, "may read ${table} alone", "one"),
    (sql("SELECT COUNT(*) FROM csv.staged_rows", "mustBe: 0"), 34, "alone", "one"),
    (sql("SELECT java_method('a', 'b') FROM ${table}", "mustBe: 0"), 34, "it calls", "one"),
    *((sql(query, "mustBe: 0"), 34, what, "one SELECT") for query, what in {
        "SELECT year FROM ${table}": "a number for each row",
        "SELECT COUNT(*) OVER () FROM ${table}": "a number for each row",
        "SELECT MAX(year) FROM ${table} GROUP BY population": "a number for each group",
        "SELECT COUNT(*) FROM ${table} UNION SELECT 2": "not one SELECT",
        "SELECT COUNT(*) FROM ${table} WHERE nosuch > 5": "no column 'nosuch' is published",
        "SELECT COUNT(*) / 0 FROM ${table}": "it divides by zero",
        "SELECT MAX(source_sha256) FROM ${table}": "a text, not a number",
        "SELECT COUNT(*) = 0 FROM ${table}": "a boolean, not a number",
    }.items()),
    (sql("SELECT COUNT(*) FROM ${table}", "mustBeBetween: [5, 1]"), 34, "the larger number first",
     "bound"),
    (sql("SELECT COUNT(*) FROM ${table}", "mustBe: few"), 34, "few is not a number", "bound"),
    (column("name: a, logicalType: string, logicalTypeOptions: {minimum: 0}"), 32,
     "'a' is of type string", "minimum and maximum are for numbers"),
    (column("name: a, logicalType: string, relationships: [{type: foreignKey, to: "
            "ubigeos.ubigeo}]"), 32,
     "a relation of 'a' to 'ubigeos.ubigeo'", "<data set>.<column>"),
    ((UNIT, "{property: outlier, value: {minimum: 9, maximum: 0, action: flag}}"), 32,
     "'outlier' on the column 'population' in another form", "minimum: 0, maximum: 300"),
    ((UNIT, "{property: pad, value: 6}"), 32, "pad on the column 'population'", "string"),
    (("mustBeGreaterThan: 0", "mustNotBe: 0"), 34, "quality rule 'not_empty'", "rowCount"),
    (("metric: rowCount", "metric: nullValues"), 34, "quality rule 'not_empty'", "missingValues"),
    (("mustBeGreaterThan: 0", "mustBeBetween: [10, 5]"), 34, "at least 10 rows and at most 5",
     "mend one"),
    (("mustBeGreaterThan: 0", "mustBe: 0"), 34, "at least 1 rows and at most 0", "mend one"),
    (("mustBeGreaterThan: 0", "mustBeLessThan: 1.0e400"), 34, "mustBeLessThan: inf", "rows"),
    (option("headerRow", "9" * 20), 21, "the headerRow '99999999999999999999'", "a line's number"),
    (option("headerRow", "9" * 5000), 21, "the headerRow", "a line's number"),
    (option("widths", "[4, 99999999999]"), 21, "the widths", "[6, 4, 10]"),
    (times("property: retention, value: 99999999999, unit: y"), 22, "a retention of", "9999"),
    (times("property: latency, value: ², unit: w"), 22, "a latency of ²", "whole number"),
    (column("name: d, logicalType: date, logicalTypeOptions: {minimum: '2021-13-01'}"), 32,
     "the minimum '2021-13-01' on the column 'd'", "2021-12-31"),
    (column("name: d, logicalType: date, logicalTypeOptions: {maximum: 20211231}"), 32,
     "20211231", "field"),
    (column("name: d, logicalType: timestamp, logicalTypeOptions: {maximum: '2021-01-01T25:00:00'}"
            ), 32, "the maximum '2021-01-01T25:00:00'", "an instant that is"),
    ((RANGE, "logicalTypeOptions: {minimum: 1.0e400}"), 32, "the minimum 'inf'", "a number"),
    (column("name: a, logicalType: string, logicalTypeOptions: {minLength: 99999999999}"), 32,
     "the minLength '99999999999'", "characters"),
    (("status: active", "status: " + "[" * 20000 + "]" * 20000), 6, "nested deeper than 40",
     "close what stays open"),
    (("status: active", "status: &a [*a]"), 6, "an alias inside of what it stands for", "Write"),
    (("status: active", "status: active\n" + BOMB), 12, "more than 100,000 fields", "aliases"),
    (("status: active", "status: " + "a" * (1 << 20)), 1, "larger than 1 MiB", "code list"),
    (option("sheet", "Hoja2"), 21, "'sheet', which does nothing for a file of format csv", "xlsx"),
    (option("records", "result.records"), 21, "'records', which does nothing", "json"),
    (times("property: latency, value: 1, unit: w}\n  - {property: latency, value: 9, unit: w"),
     23, "the option 'latency' twice", "Keep one"),
    ((" format: csv", " format: csv\n  - {server: b, type: local, path: b, format: csv}"), 26,
     "a second source, 'b'", "a pattern"),
    (column("name: a, logicalType: string, customProperties: [{property: missing, value: [NA]}, "
            "{property: missing, value: [ND]}]"), 32, "'missing' twice on the column 'a'", "lost"),
    (column("name: a, logicalType: string, customProperties: [{property: negative, value: "
            "trailing}]"), 32, "negative on the column 'a', which is no number", "number"),
    (column("name: a, logicalType: date, transformLogic: date_of, transformSourceObjects: [year], "
            "customProperties: [{property: missing, value: NA}]"), 32, "'a', which is derived",
     "made of"),
    *((column(f"name: a, logicalType: string, classification: {word}"), 32, "the classification '",
       "personal, restricted, public") for word in ("Personal", "' personal'", "sensitive", "''")),
    (column("name: a, logicalType: string, primaryKey: true, classification: personal"), 32,
     "primaryKey on the column 'a', which is personal and dropped", "pseudonymise"),
    (column("name: a, logicalType: string, partitioned: true, classification: personal"), 32,
     "partitioned on the column 'a'", "name other columns"),
    (column("name: a, logicalType: string, unique: true, classification: personal, "
            "customProperties: [{property: treatment, value: mask}]"), 32,
     "unique on the column 'a', which is personal and masked", "pseudonymise"),
    (column("name: a, logicalType: number, logicalTypeOptions: {minimum: 0}, customProperties: ["
            "{property: outlier, value: {maximum: 9, action: quarantine}}]"), 32,
     "two ranges that set rows aside", "minimum and maximum alone"),
    (("status: active", "status: active\nstatus: draft"), 6, "'status' stands twice", "Keep one"),
    (("version: 1.1.0", "version: [1.1.0"), 6, "is not YAML", "quotes"),
    ((SERVER, "server:\n"), 1, "breaks the Open Data Contract Standard", "Mend that field"),
]  # fmt: skip


def root_with(tmp_path: Path, change: tuple[str, str]) -> Path:
    old, new = change
    assert old in TEXT
    folder = tmp_path / "expectations" / "slip"
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(TEXT.replace(old, new, 1))
    good = tmp_path / "expectations" / "good"
    good.mkdir()
    (good / "contract.yaml").write_text(TEXT)
    return tmp_path


@pytest.mark.parametrize(("change", "line", "what", "fix"), SLIPS)
def test_a_slip_is_one_sentence(
    tmp_path: Path, change: tuple[str, str], line: int, what: str, fix: str
) -> None:
    root = root_with(tmp_path, change)
    with pytest.raises(TerminalError) as error:
        contracts.load(root, "slip")
    assert what in error.value.what and "\n" not in error.value.what.strip()
    assert fix in error.value.fix
    assert f"expectations/slip/contract.yaml, line {line}" in error.value.where


DATES = {
    "dd/mm/yyyy": "dd/MM/yyyy", "DD/MM/YYYY": "dd/MM/yyyy", "d/M": "yyyy", "yyyy": "yyyy",
    "dd-MMM-aa": "yyyy", "dd/MM/yyyy'": "two quotes", "ddd/MM/yyyy": "yyyy",
    "dd/MM/yyyy dd": "yyyy", "dd/MM/yyyy hh:mm a": "from 0 to 23", "dd/MM/yyyy hh:mm": "HH:mm",
    "dd/MM/yyyy HH:mm a": "from 0 to 23",
}  # fmt: skip


@pytest.mark.parametrize("pattern", DATES)
def test_a_date_pattern_is_checked_when_the_contract_is_read(tmp_path: Path, pattern: str) -> None:
    formats = f"customProperties: [{{property: dateFormats, value: {json.dumps([pattern])}}}]"
    root = root_with(tmp_path, column(f"name: day, logicalType: date, {formats}"))
    with pytest.raises(TerminalError, match="on the column 'day'") as error:
        contracts.load(root, "slip")
    assert DATES[pattern] in error.value.fix


def test_one_bad_contract_stops_no_other(tmp_path: Path) -> None:
    root = root_with(tmp_path, SLIPS[0][0])
    (root / "expectations" / "subject_areas.csv").write_text("area,title\npopulation,Población\n")
    settings = Settings(root=root, home=tmp_path / "home")
    assert [bool(card.fault) for card in cards(settings)] == [False, True]
    assert yupana(settings, "datasets", "--json").code == 0
    tidied = yupana(settings, "maintain", "--dry-run")
    assert "1 could not be tidied: forget slip: The contract has the quaran" in tidied.stderr
    assert "line 20" in tidied.stderr and "All others were." in tidied.stderr
    assert "line 20" in yupana(settings, "datasets", "slip").stderr


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    about = TEXT[TEXT.index("description:") : TEXT.index("authoritativeDefinitions:")]
    purpose = "description: {purpose: To count beds.}\n"
    contract = contracts.load(root_with(tmp_path, (about, purpose)), "slip")
    assert (contract.limitations, contract.row_count) == ("", (1, None))
    with pytest.raises(TerminalError, match="The contract has no purpose"):
        contracts.load(root_with(tmp_path / "none", (about, "")), "slip")
