"""Who belongs to which group, how many people live there, and who is named as not measured."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from deltalake import write_deltalake

from models.outbreak import USE_CASE as OUTBREAK
from yupana.config.settings import ROOT, Settings
from yupana.gate import register
from yupana.tasks.forecast.impact import group_words, places

DISTRICTS = ["160101", "160102", "160201", "160202", "160301"]
INDICATORS = [
    # ubigeo, km², persons a km², % in poverty: Iquitos is dense, 160102 wide and populous.
    ("160101", 10.0, 400.0, 12.0),  # 4,000 persons: too few for a town
    ("160102", 60_000.0, 1.0, 20.0),  # 60,000 persons: a city, however wide
    ("160201", 20.0, 350.0, 30.0),  # 7,000 at 350 a km²: a town
    ("160202", 100.0, 60.0, 40.0),  # 6,000 at 60: rural
    ("999901", 1.0, 1.0, 50.0),
    ("999902", 1.0, 1.0, 60.0),
]


def frame() -> pd.DataFrame:
    """The split: mean cases 1, 2, 3, 4; the last district has no row to learn from."""
    rows = [(u, n + 1.0, "train") for n, u in enumerate(DISTRICTS[:4])]
    table = pd.DataFrame(rows, columns=["entity", "target_1", "part"])
    return table.assign(event_timestamp=pd.Timestamp("2020-01-04", tz="UTC"))


@pytest.fixture
def with_indicators(lake: Settings) -> Settings:
    columns = ["ubigeo", "area", "population_density", "poverty"]
    table = lake.table("published", group_words.INDICATORS)
    table.parent.mkdir(parents=True)
    write_deltalake(table, pl.DataFrame(INDICATORS, schema=columns, orient="row").to_arrow())
    return lake


def by(grouping: places.Places, name: str) -> dict[str, places.Group]:
    return {g.of: g for g in grouping.groups if g.by == name}


def test_urban_poor_and_persons_follow_from_the_published_table(with_indicators: Settings) -> None:
    grouping = places.read(with_indicators, OUTBREAK, frame(), DISTRICTS)
    area, poverty = by(grouping, "rural"), by(grouping, "poverty")
    assert area["urban"].districts == ("160102", "160201")
    assert area["rural"].districts == ("160101", "160202")
    assert (area["urban"].population, area["rural"].population) == (67_000, 10_000)
    # Thirds of all six districts of the country: up to 26.7, up to 43.3, above.
    assert poverty["least_poor"].districts == ("160101", "160102")
    assert poverty["middle"].districts == ("160201", "160202") and "poorest" not in poverty
    assert by(grouping, "province")["1601"].population == 64_000
    assert by(grouping, "all")["all"].population is None, "that of 160301 is not known"
    assert grouping.refs == ("delta:published/district_indicators@0",)
    assert "INEI" in grouping.population_of[0]


def test_a_district_without_a_figure_is_named_and_in_no_group(with_indicators: Settings) -> None:
    grouping = places.read(with_indicators, OUTBREAK, frame(), DISTRICTS)
    unmeasured = {u["by"]: u for u in grouping.unmeasured}
    assert set(unmeasured) == {"rural", "poverty", "language"}
    assert unmeasured["rural"]["es"] == "Distritos urbanos y rurales: 1 sin dato"
    assert unmeasured["poverty"]["en"] == "Poverty of the district: 1 without a figure"
    assert not any("160301" in g.districts for g in grouping.groups if g.by in ("rural", "poverty"))


def test_without_the_table_its_groups_are_named_with_the_command(lake: Settings) -> None:
    grouping = places.read(lake, OUTBREAK, frame(), DISTRICTS)
    unmeasured = {u["by"]: u for u in grouping.unmeasured}
    assert set(unmeasured) == {"rural", "poverty", "language"}
    assert unmeasured["poverty"]["fix"] == "yupana ingest district_indicators"
    assert "no está publicada" in unmeasured["rural"]["why"]
    assert "not published" in unmeasured["rural"]["why_en"]
    assert not by(grouping, "rural") and grouping.refs == ()
    assert all(g.population is None for g in grouping.groups)


def test_groups_of_the_data_itself_need_no_other_table(lake: Settings) -> None:
    grouping = places.read(lake, OUTBREAK, frame(), DISTRICTS)
    sizes = {of: g.districts for of, g in by(grouping, "size").items()}
    assert sizes == {
        "small": ("160101", "160102"), "medium": ("160201",), "large": ("160202",),
        "new": ("160301",),
    }  # fmt: skip
    province = by(grouping, "province")
    assert province["1601"].es == "Provincia Maynas" and province["1601"].en == "Province Maynas"
    assert by(grouping, "department")["16"].es == "Departamento Loreto"
    assert grouping.groups[0].of == "all" and len(grouping.groups[0].districts) == 5


def test_every_table_that_is_named_has_a_contract(lake: Settings) -> None:
    """What a page tells to run must be there to run."""
    for gap in places.read(lake, OUTBREAK, frame(), DISTRICTS).unmeasured:
        name = gap["fix"].removeprefix("yupana ingest ")
        folder: Path = lake.root / "expectations" / name
        assert not gap["fix"] or (folder / "contract.yaml").exists(), gap["fix"]


def test_limits_of_the_register_are_on_groups_that_are_measured() -> None:
    """A limit on a group that no report has by that name would never be judged."""
    risks = register.load(ROOT, "outbreak")
    names = {*group_words.rules(OUTBREAK), "horizon"}
    assert risks.limits and {limit.by for limit in risks.limits} <= names
