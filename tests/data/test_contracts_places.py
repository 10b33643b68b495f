"""Places and people: code lists, district indicators, populations, respiratory infections."""

from __future__ import annotations

import csv
import difflib

import pandas as pd
import polars as pl
import pytest
from realdata import publish

from yupana.config.settings import ROOT, Settings
from yupana.data.national import places

real_test = [pytest.mark.real]
ALIASES = ROOT / "expectations" / "ubigeo" / "aliases.csv"


def marked(marks: list):
    """Apply several marks to one test."""

    def to(test):
        for mark in marks:
            test = mark(test)
        return test

    return to


@pytest.mark.parametrize(
    ("name", "rows"),
    [("ubigeo", 1893), ("epiweeks", 3704), ("disease_codes", 22), ("sex_codes", 3)],
)
def test_code_lists(lake: Settings, name: str, rows: int) -> None:
    result = publish(lake, name, None)
    assert result.counts == (rows, rows, 0)
    if name == "ubigeo":
        # The two systems collide: a join by the wrong one sends Loreto to Lima.
        one = result.good.filter(pl.col("ubigeo") == "160101").row(0, named=True)
        assert (one["district"], one["ubigeo_reniec"]) == ("IQUITOS", "150101")
        assert result.good.filter(pl.col("ubigeo") == "150101")["district"].item() == "LIMA"
    if name == "epiweeks":
        long = result.good.filter((pl.col("week") == 53) & pl.col("year").is_between(2010, 2021))
        assert long["year"].to_list() == [2014, 2020]


def test_aliases_are_reviewed_spellings() -> None:
    """Each leads to the district that bears most of its name, and hides no other district."""
    directory = {code: place for place, code in places.ubigeos().items()}
    with ALIASES.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        place = (row["department"], row["province"], row["district"])
        assert tuple(map(places.plain_name, place)) == place
        assert places.ubigeos().get(place, row["ubigeo"]) == row["ubigeo"], place
        theirs = directory[row["ubigeo"]]
        alike = difflib.SequenceMatcher(None, place[2], theirs[2]).ratio()
        part = place[2] in theirs[2] or theirs[2] in place[2]
        assert place[0] == theirs[0] and (part or alike > 0.6), (place, theirs)
        assert row["reason"]


@pytest.mark.real
def test_every_published_name_finds_its_district(shared) -> None:
    ubigeos = places.ubigeos_with_aliases(ROOT)
    raw = pd.read_csv(shared("ubigeo_peru/ubigeo_distrito.csv"), dtype=str, keep_default_na=False)
    names = raw[["departamento", "provincia", "distrito"]].map(places.plain_name)
    ours = [ubigeos.get(tuple(place)) for place in names.itertuples(False, None)]
    differ = {c: o for c, o in zip(raw["inei"], ours, strict=True) if c != o}
    # Two withdrawn codes, one that INEI does not list, one that the file leaves out.
    assert differ == {"160109": "160801", "160114": "160803", "150144": None, "NA": "180107"}
    cases = pd.read_csv(
        shared("minsa_dengue_linelist_2010_2021/dengue_casos_2010_2021.csv.gz"),
        usecols=[0, 1, 2],
        keep_default_na=False,
    ).drop_duplicates()
    absent = [
        p for p in cases.itertuples(False, None) if tuple(map(places.plain_name, p)) not in ubigeos
    ]
    assert absent == [("", "", "")]


@marked(real_test)
def test_district_indicators(lake: Settings, shared) -> None:
    path = shared("ubigeo_peru/ubigeo_distrito.csv")
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    result = publish(lake, "district_indicators", path)
    assert result.counts == (1893, 1889, 4)
    assert [list(rules) for rules in result.aside["broken_rules"]] == [
        *[["ubigeo.codes"]] * 3,
        ["ubigeo.required"],
    ]
    assert result.aside["ubigeo"].to_list() == ["150144", "160109", "160114", None]
    good = raw[~raw["inei"].isin(["150144", "160109", "160114", "NA"])]
    assert result.good["ubigeo"].to_list() == good["inei"].to_list()
    assert result.good["reniec_id"].to_list() == good["reniec"].to_list()
    # 920 in the file; none of the four set aside begins with a zero.
    assert result.good["ubigeo"].str.starts_with("0").sum() == 920
    for ours, theirs in (
        ("latitude", "latitude"),
        ("area", "superficie"),
        ("poverty", "pct_pobreza_total"),
    ):
        expected = pd.to_numeric(good[theirs], errors="coerce")
        assert result.good[ours].null_count() == expected.isna().sum()
        assert result.good[ours].sum() == pytest.approx(expected.sum())
    assert result.good["latitude"].null_count() == 15


@marked(real_test)
def test_populations(lake: Settings, shared) -> None:
    path = shared("minsa_dengue_linelist_2010_2021/province_pop.csv")
    raw = pd.read_csv(path)
    result = publish(lake, "province_population", path)
    assert result.counts == (221, 221, 0)
    ours = result.good.select(pl.col("^population_.*$"))
    assert ours.rows() == list(raw.iloc[:, 2:].itertuples(False, None))
    assert result.good["place"].to_list() == raw["Name"].to_list()
    assert len(result.good) - result.good["place"].n_unique() == 16
    levels = dict(result.good["level"].value_counts().rows())
    assert levels == {"province": 196, "region": 24, "region_level_province": 1}

    path = shared("iquitos_challenge/Population_data/iquitos_population_data.csv")
    city = publish(lake, "iquitos_population", path)
    assert city.counts == (15, 15, 0)
    raw = pd.read_csv(path)
    assert city.good.select("year", "population").rows() == list(raw.itertuples(False, None))


@marked(real_test)
def test_respiratory_infections(lake: Settings, shared) -> None:
    path = shared("lambayeque_ira/salud_dataset_iras_2010_2023.csv")
    raw = pd.read_csv(path, dtype={"ubigeo": str, "sub_reg_nt": str})
    result = publish(lake, "respiratory_infections", path)
    assert result.counts == (28_881, 28_881, 0)
    long = result.good.filter(pl.col("week") == 53)
    assert dict(long["year"].value_counts().rows()) == {2014: 40, 2020: 34}
    assert result.good["notifying_subregion"].to_list() == raw["sub_reg_nt"].to_list()
    ours = result.good.group_by("ubigeo", "year", "week").agg(pl.col("ari_cases").sum())
    theirs = raw.groupby(["ubigeo", "anio", "semana"])["ira_no_neumonia"].sum()
    assert {r[:3]: r[3] for r in ours.rows()} == theirs.to_dict()
    deaths = result.good["deaths_60_over"].sum()
    assert deaths == raw["defunciones_60mas"].sum()
