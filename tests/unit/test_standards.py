"""Each data standard is broken once and found; the shipped contracts break none."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_lake
from small_lake import NAME

from yupana.config.settings import ROOT
from yupana.core.errors import UsageError
from yupana.data.contracts import contract
from yupana.validation import data_model, standards
from yupana.validation.conventions import CONVENTIONS


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_lake.make(tmp_path).root


def add(root: Path, name: str, text: str) -> None:
    folder = root / "expectations" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contract.yaml").write_text(text, encoding="utf-8")


def broken(root: Path, old: str, new: str) -> list[tuple[str, str]]:
    assert old in small_lake.CONTRACT
    add(root, NAME, small_lake.CONTRACT.replace(old, new))
    return [(f.standard, f.column) for f in standards.check(root)]


NOTE = "- {name: note, physicalName: Nota, logicalType: string}"


def column(text: str) -> tuple[str, str]:
    return NOTE, f"{NOTE}\n      - {{{text}}}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("name: note", "name: Nota1"), ("name.snake_case", "Nota1")),
        (("name: note", f"name: {'a' * 64}"), ("name.snake_case", "a" * 64)),
        (("name: note", "name: fecha_nota"), ("name.english", "fecha_nota")),
        (column("name: note, logicalType: string"), ("contract.valid", "")),
        (column("name: tags, logicalType: array"), ("type.allowed", "tags")),
        (column("name: report_date, logicalType: string"), ("type.date", "report_date")),
        (column("name: home_ubigeo, logicalType: string"), ("place.ubigeo", "home_ubigeo")),
        (("maximum: 53", "maximum: 54"), ("time.week", "week")),
        (("name: year", "name: reported"), ("time.week", "week")),
        (("{minimum: 2000}", "{minimum: 2000, maximum: 2030}"), ("time.relative", "year")),
        (("{property: unit, value: °C}", "{property: missing, value: NA}"),
         ("measure.unit", "fever")),
        (column("name: cases, logicalType: integer"), ("measure.unit", "cases")),
        (column("name: exit_status, logicalType: string"), ("code.tied", "exit_status")),
        (column("name: place, logicalType: string, relationships: [{type: foreignKey, "
                f"to: {small_lake.NAME}.b}}]"), ("relation.exists", "place")),
        (column("name: kind_code, logicalType: string, enum: [{value: NO}, {value: YES}]"),
         ("code.quoted", "")),
        (("name: note", "name: phone"), ("personal.treated", "phone")),
        (("    dataGranularityDescription: One row is one notified case.\n", ""),
         ("table.key", "")),
        (("{property: licence, value: CC BY 4.0}", "{property: encoding, value: utf-8}"),
         ("about.stated", "")),
        (("One row is one notified case.", '"TODO: what is one row?"'), ("about.complete", "")),
        (("value: epidemiology", "value: epidemics"), ("about.area", "")),
        (("logicalType: number", "logicalType: numero"), ("contract.valid", "")),
    ],
)  # fmt: skip
def test_each_standard_finds_what_breaks_it(
    root: Path, change: tuple[str, str], expected: tuple[str, str]
) -> None:
    assert standards.check(root) == []
    assert expected in broken(root, *change)


def test_every_standard_is_tried_above() -> None:
    tried = test_each_standard_finds_what_breaks_it.pytestmark[0].args[1]
    assert set(CONVENTIONS) <= {expected[0] for _, expected in tried}


END = "logicalTypeOptions: {maximum:"


@pytest.mark.parametrize(
    ("bound", "rule"),
    [
        (f"name: seen_date, logicalType: date, {END} '2021-12-31'}}", "seen_date.range"),
        (f"name: seen_at, logicalType: timestamp, {END} '2021-12-31'}}", "seen_at.range"),
        (f"name: epi_year, logicalType: integer, {END} 21}}", "epi_year.range"),
        (f"name: campaign_order, logicalType: integer, {END} 2021}}", "campaign_order.range"),
        ("name: report_year, logicalType: string, enum: [{value: '2020'}, {value: '2021'}]",
         "report_year.codes"),
        ("name: report_year, logicalType: integer, customProperties: [{property: outlier, "
         "value: {maximum: 2021, action: flag}}]", "report_year.outlier_flag"),
    ],
)  # fmt: skip
def test_a_latest_time_that_is_a_literal_is_told_with_its_mend(
    root: Path, bound: str, rule: str
) -> None:
    old, new = column(bound)
    add(root, NAME, small_lake.CONTRACT.replace(old, new))
    (fault,) = [f for f in standards.check(root) if f.standard == "time.relative"]
    assert rule in fault.what and "21" in fault.what
    assert f"expectations/{NAME}/contract.yaml" in fault.fix and "notAfter" in fault.fix


@pytest.mark.parametrize(
    "bound",
    [
        f"name: day_order, logicalType: integer, {END} 366}}",
        f"name: seats, logicalType: integer, {END} 2021}}, customProperties: [{{property: unit, "
        "value: persons}]",
        "name: room, logicalType: string, enum: [{value: '2020'}, {value: '2021'}]",
        "name: seen_date, logicalType: date, logicalTypeOptions: {minimum: '2000-01-01'}, "
        "customProperties: [{property: notAfter, value: release}]",
    ],
)
def test_other_maxima_and_relative_bounds_are_no_fault_of_time(root: Path, bound: str) -> None:
    assert "time.relative" not in [standard for standard, _ in broken(root, *column(bound))]


def test_a_relation_must_have_the_type_of_its_target(root: Path) -> None:
    add(root, "wards", small_lake.CONTRACT.replace("id: notified_cases", "id: wards"))
    to_class = "relationships: [{type: foreignKey, to: wards.diagnosis_class}]"
    good = f"name: ward, logicalType: string, {to_class}"
    assert ("relation.exists", "ward") not in broken(root, *column(good))
    bad = f"name: ward, logicalType: date, {to_class}"
    assert ("relation.exists", "ward") in broken(root, *column(bad))


def test_score_counts_standards_not_faults(root: Path) -> None:
    every = len(CONVENTIONS)
    assert standards.score(root, NAME) == (every, every)
    broken(root, "name: note", "name: fecha")
    assert standards.score(root, NAME) == (every - 1, every)
    broken(root, "logicalType: number", "logicalType: numero")
    assert standards.score(root, NAME) == (0, every)


def test_only_the_one_asked_for_is_told(root: Path) -> None:
    add(root, "other", small_lake.CONTRACT.replace("epidemiology", "nowhere"))
    assert standards.check(root, NAME) == []
    assert [f.standard for f in standards.check(root, "other")] == ["about.area"]
    with pytest.raises(UsageError, match="nothing"):
        standards.check(root, "nothing")


def test_shipped_contracts_keep_every_standard() -> None:
    assert [f"{f.dataset}.{f.column}: {f.what}" for f in standards.check(ROOT)] == []


def test_data_model_page_is_current() -> None:
    lake, _ = standards.load(ROOT)
    shipped = (ROOT / "docs" / "data-model.md").read_text("utf-8")
    assert shipped == data_model.page(lake), "run `yupana standards model`"


def test_diagram_draws_keys_and_relations() -> None:
    lake, _ = standards.load(ROOT)
    page = data_model.page(lake)
    for name in contract.names(ROOT):
        assert f"\n### {name}\n" in page
    diagram = page.split("```")[1]
    related = [
        (t.name, c)
        for t in lake.contracts.values()
        for c in t.table_columns
        if c.relation is not None
    ]
    assert related and "ubigeo {\n        string ubigeo PK\n" in diagram
    for table, c in related:
        other = str(c.relation).split(".")[0]
        (line,) = [x for x in diagram.splitlines() if x.endswith(f" {other} : {c.name}")
                   and x.startswith(f"    {table} ")]  # fmt: skip
        many, one = line.split()[1].split("--")
        key = lake.contracts[table].key
        assert many == ("|o" if key == (c.name,) else "}o")
        assert one == ("||" if c.required or c.name in key else "|o")
