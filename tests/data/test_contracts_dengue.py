"""The portal's dengue cases and the challenge's weekly series, on the published files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from realdata import Ingested, publish, whole_output

from yupana.config.settings import Settings

pytestmark = [pytest.mark.real]
FOLDER = "minsa_dengue_maynas_2018_2019"
PERSONAL = {"locality", "locality_code", "age", "age_unit"}


def values(result: Ingested) -> pl.DataFrame:
    return result.good.drop("source_sha256")


def stage_of(row: pd.Series) -> str:
    years = int(row["edad"]) // {"A": 1, "M": 12, "D": 365}[row["tipo_edad"]]
    bounds = [(0, 11), (12, 17), (18, 29), (30, 59), (60, 120)]
    return next(f"{a}-{b}" for a, b in bounds if a <= years <= b)


def test_cases_of_maynas(lake: Settings, shared) -> None:
    path = shared(f"{FOLDER}/dengue.csv")
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    result = publish(lake, "dengue_cases", path)
    # 32 rows equal another one: they are patients and stay.
    assert result.counts == (1996, 1996, 0)
    assert raw.duplicated().sum() == 32
    same = {
        "disease": raw["diagnostic"],  # the code of the name is the code as reported
        "diagnosis_code": raw["diagnostic"],
        "ubigeo": raw["ubigeo"],
        "sex": raw["sexo"],
        "health_region": raw["diresa"],
        "life_stage": raw.apply(stage_of, axis=1),
    }
    for column, expected in same.items():
        assert result.good[column].to_list() == expected.to_list(), column
    assert not PERSONAL & set(result.good.columns)
    # 58 months are four years, 16 days none: read without their unit they would be old people.
    assert result.flags == {}

    output = whole_output(lake)
    assert "A97.1" in output
    for value in ("ELIANE KARP", "1601131492", "TAMSHIYACU", "1601030001"):
        assert raw.apply(lambda c, v=value: c.str.contains(v, regex=False)).any(axis=None)
        assert value not in output

    quoted = publish(lake, "dengue_cases", shared(f"{FOLDER}/dengue_quoted.csv"))
    assert values(quoted).equals(values(result))


def test_the_portals_own_form_and_its_known_faults(lake: Settings, shared, tmp_path: Path) -> None:
    """As released: `;`, a byte order mark, SIGNOS for SEÑALES, ages up to millions."""
    path = shared(f"{FOLDER}/dengue.csv")
    raw = pd.read_csv(path, dtype=str, keep_default_na=False).head(500)
    raw["enfermedad"] = raw["enfermedad"].str.replace("SEÑALES", "SIGNOS")
    raw.loc[3, "edad"] = "71000000"
    raw.loc[4, "edad"] = "treinta"
    raw.loc[5, "ubigeo"] = "160199"  # no such district
    raw.loc[6, ["distrito", "ubigeo"]] = ["PUTUMAYO", "160109"]  # withdrawn, of MAYNAS then
    raw.loc[7, "sexo"] = "NA"
    raw.loc[8, ["ano", "semana"]] = ["2019", "53"]  # 2019 has 52 weeks
    raw.loc[9, "enfermedad"] = "GRIPE"
    file = tmp_path / "portal.csv"
    raw.to_csv(file, sep=";", index=False, encoding="utf-8-sig")
    result = publish(lake, "dengue_cases", file)
    assert result.counts == (500, 496, 4)
    broken = dict(zip(result.aside["source_line"], result.aside["broken_rules"], strict=True))
    assert {line: list(rules) for line, rules in broken.items()} == {
        6: ["row.parsed"],
        7: ["ubigeo.codes"],
        10: ["week_start.required"],
        11: ["disease.codes"],
    }
    by_line = {row["source_line"]: row for row in result.good.rows(named=True)}
    # A case stays a case: its impossible age is told, not guessed and not shown.
    assert by_line[5]["life_stage"] is None
    assert list(by_line[5]["quality_flags"]) == ["age.outlier_flag"]
    assert by_line[8]["ubigeo"] == "160801"
    assert by_line[9]["sex"] is None
    assert set(result.good["disease"]) <= {"A97.0", "A97.1", "A97.2"}
    output = whole_output(lake)
    for value in ("71000000", "treinta", "ELIANE KARP"):
        assert value not in output


@pytest.mark.parametrize(
    ("name", "file", "rows", "cases", "most"),
    [
        ("iquitos_weekly", "iquitos_training_data.csv", 468, 3638, 116),
        ("san_juan_weekly", "san_juan_training_data.csv", 988, 33028, 461),
    ],
)
def test_weekly_series(
    lake: Settings, shared, name: str, file: str, rows: int, cases: int, most: int
) -> None:
    path = shared(f"iquitos_challenge/Dengue_data/{file}")
    result = publish(lake, name, path)
    assert result.counts == (rows, rows, 0)
    assert (result.good["total_cases"].sum(), result.good["total_cases"].max()) == (cases, most)
    raw = pd.read_csv(path)
    measures = [c for c in raw.columns if c.endswith("_cases")]
    assert result.good.select(measures).rows() == list(raw[measures].itertuples(False, None))
    assert result.good["week_start"].cast(pl.String).to_list() == raw["week_start_date"].to_list()
