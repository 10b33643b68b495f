"""Quality indicators on real Delta tables: each number from rows that are counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small_lake
from small_lake import NAME, SECRET, day

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.validation import quality
from yupana.validation.indicators import Indicator


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    return small_lake.make(tmp_path)


def indicator(measures: quality.Quality, name: str) -> Indicator:
    return next(i for i in measures.indicators if i.id == name)


def measured(
    lake: Settings,
    as_of: str = "2024-04-10",
    *,
    rows: pl.DataFrame | None = None,
    known_on: str = "2024-04-01",
    **facts: Any,
) -> quality.Quality:
    rows = small_lake.frame() if rows is None else rows
    small_lake.publish(lake, rows, known_on=known_on, **facts)
    return quality.measure(lake, NAME, day(as_of))


@pytest.mark.parametrize(
    ("known_on", "as_of", "met"),
    [
        # In force for a week and two weeks of delay; week 10 began on 3 March.
        ("2024-03-20", "2024-04-10", 5),
        ("2024-03-20", "2024-04-11", 4),
        ("2024-03-25", "2024-04-10", 4),
        ("2024-03-25", "2024-04-16", 3),
    ],
)
def test_readiness_asks_for_a_version_in_force_with_recent_data(
    lake: Settings, known_on: str, as_of: str, met: int
) -> None:
    ready = indicator(measured(lake, as_of, known_on=known_on), "readiness")
    assert (ready.numerator, ready.denominator) == (met, 5)
    assert ready.percent == 20 * met


def test_completeness_counts_cells(lake: Settings) -> None:
    # 60 rows of 6 columns; `note` is filled in the first row of each of the 10 weeks.
    complete = indicator(measured(lake), "completeness")
    assert (complete.numerator, complete.denominator) == (310, 360)
    assert complete.percent == pytest.approx(100 * 310 / 360)
    weeks = complete.parts[1]
    assert (weeks.numerator, weeks.denominator) == (10, 10)


def test_completeness_is_that_of_weeks_when_more_of_them_are_absent(lake: Settings) -> None:
    rows = small_lake.frame().filter(~pl.col("week").is_between(3, 7))
    measures = measured(lake, rows=rows)
    complete = indicator(measures, "completeness")
    assert (complete.numerator, complete.denominator) == (5, 10)
    # Week 2 of 2024 began on 7 January, week 8 on 18 February.
    assert measures.gaps == ((day("2024-01-07"), day("2024-02-18")),)


def test_usability_counts_refused_and_flagged_rows(lake: Settings) -> None:
    measures = measured(lake, rows=small_lake.frame(flags=3), quarantined=40)
    usable = indicator(measures, "usability")
    assert (usable.numerator, usable.denominator) == (57, 100)
    assert [(p.numerator, p.denominator) for p in usable.parts] == [(60, 100), (57, 60)]
    assert {c.name: c.flagged for c in measures.columns if c.flagged} == {"fever": 3}


def test_conformity_is_the_share_of_rule_checks_kept(lake: Settings) -> None:
    measures = measured(lake, broken={"week.range": 6, "year.required": 3})
    conform = indicator(measures, "conformity")
    # 6 rules (row, year x 2, week x 2, class) on 60 rows, 9 broken.
    assert (conform.numerator, conform.denominator) == (351, 360)
    week = next(c for c in measures.columns if c.name == "week")
    assert (week.checks, week.kept) == (120, 114)


def test_an_empty_value_is_checked_by_required_alone(lake: Settings) -> None:
    measures = measured(lake, empty={"diagnosis_class.codes": 12})
    conform = indicator(measures, "conformity")
    assert (conform.numerator, conform.denominator) == (348, 348)
    (codes,) = [r for r in measures.rules if r.rule == "diagnosis_class.codes"]
    assert (codes.made, codes.kept) == (48, 48)


def test_columns_without_statistics_in_the_log_are_counted_from_the_rows(lake: Settings) -> None:
    rows = small_lake.frame().with_columns(
        week=pl.when(pl.col("source_line") < 8).then(None).otherwise("week").cast(pl.Int32)
    )
    measures = measured(lake, rows=rows, partition="week")
    assert {c.name: c.cells - c.filled for c in measures.columns} == {
        "year": 0, "week": 6, "diagnosis_class": 0, "fever": 0, "patient": 0, "note": 50,
    }  # fmt: skip


def test_an_appended_table_counts_the_newest_of_each_file(tmp_path: Path) -> None:
    appending = small_lake.CONTRACT.replace(
        "  - {property: subjectArea",
        "  - {property: publication, value: append}\n  - {property: subjectArea",
    )
    lake = small_lake.make(tmp_path, appending)
    rows = small_lake.frame()
    small_lake.publish(lake, rows, known_on="2024-03-01", quarantined=90, validation="v0")
    small_lake.publish(lake, rows, known_on="2024-03-02", quarantined=20, validation="v1")
    small_lake.publish(
        lake, rows, known_on="2024-03-03", source="b", quarantined=10, validation="v2"
    )
    measures = quality.measure(lake, NAME, day("2024-04-10"))
    usable = indicator(measures, "usability")
    assert (usable.numerator, usable.denominator) == (60, 90)
    assert [p.usability for p in measures.trend] == [40, 75, pytest.approx(100 * 60 / 90)]
    (parsed,) = [r for r in measures.rules if r.rule == "row.parsed"]
    assert parsed.made == 80 + 70


def test_conformity_is_that_of_the_standards_when_the_contract_breaks_more(lake: Settings) -> None:
    path = lake.root / "expectations" / NAME / "contract.yaml"
    text = path.read_text("utf-8").replace("name: fever", "name: fecha")
    path.write_text(text.replace("- {property: unit, value: °C}", ""), encoding="utf-8")
    rows = small_lake.frame().rename({"fever": "fecha"})
    conform = indicator(measured(lake, rows=rows), "conformity")
    assert (conform.numerator, conform.denominator) == (14, 16)


def test_trend_has_a_point_a_publication_up_to_the_day(lake: Settings) -> None:
    rows = small_lake.frame()
    small_lake.publish(lake, rows, known_on="2024-03-01", quarantined=20, validation="v0")
    small_lake.publish(lake, rows, known_on="2024-04-01", source="b")
    small_lake.publish(lake, rows, known_on="2024-05-01", source="c")
    measures = quality.measure(lake, NAME, day("2024-04-30"))
    assert [(p.version, p.usability) for p in measures.trend] == [(0, 75.0), (1, 100.0)]
    assert measures.source_sha256 == "b" * 64


def test_page_is_whole_offline_and_tells_no_value(lake: Settings) -> None:
    measures = measured(lake, broken={"week.range": 6})
    small_lake.publish(lake, small_lake.frame(), known_on="2024-04-02", source="b")
    paths = quality.write(lake, quality.measure(lake, NAME, day("2024-04-10")))
    page = Path(paths["html"]).read_text("utf-8")
    assert "<svg" in page and "Completitud" in page and "completeness" in page
    assert "<script" not in page and "http" not in page.replace("http://www.w3.org", "")
    facts = Path(paths["json"]).read_text("utf-8")
    for text in (page, facts):
        assert SECRET not in text and "grave" not in text
    assert {i["id"] for i in json.loads(facts)["indicators"]} == {i.id for i in measures.indicators}


def test_never_ingested_says_the_command(lake: Settings) -> None:
    with pytest.raises(TerminalError) as caught:
        quality.measure(lake, NAME, day("2024-04-10"))
    assert f"yupana ingest {NAME}" in caught.value.fix
    with pytest.raises(UsageError):
        quality.measure(lake, "nothing", day("2024-04-10"))


def test_a_real_ingestion_is_measured_and_its_refused_line_is_named(tmp_path: Path) -> None:
    from yupana.config.settings import ROOT
    from yupana.data.contracts import contract
    from yupana.data.publication import quarantine
    from yupana.orchestration.ingest import ingest

    lake = Settings(home=tmp_path / "home")
    lines = (ROOT / "samples" / "iquitos_weekly_2000_2009.csv").read_text("utf-8").splitlines()
    path = tmp_path / "weekly.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = ingest(lake, "iquitos_weekly", str(path), Silent(), as_of=day("2024-04-01"))
    measures = quality.measure(lake, "iquitos_weekly", day("2024-04-01"))
    assert measures.rows == result.metrics["rows"]["read"] == len(lines) - 1
    rules = contract.load(lake.root, "iquitos_weekly").rules
    assert [r.rule for r in measures.rules if r.made == r.kept == measures.rows] == [
        r.name for r in rules
    ]
    assert [i.percent for i in measures.indicators] == [100, 100, 100, 100]
    about = contract.load(lake.root, "iquitos_weekly")
    assert quarantine.refusals(lake, about) == []

    row = lines[16].split(",")
    header = [name.strip('"') for name in lines[0].split(",")]
    row[header.index("season_week")] = "99"
    path.write_text("\n".join([*lines[:16], ",".join(row), *lines[17:]]) + "\n", encoding="utf-8")
    with pytest.raises(TerminalError, match=r"season_week\.range"):
        ingest(lake, "iquitos_weekly", str(path), Silent(), as_of=day("2024-04-02"))
    (broken,) = quarantine.refusals(lake, about)
    assert (broken.line, broken.column, broken.rule, broken.value_class) == (
        17, "season_week", "season_week.range", "99",
    )  # fmt: skip
    assert broken.source == str(path)
