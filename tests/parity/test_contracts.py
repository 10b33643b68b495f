"""Shipped contracts on their real files: both engines publish, refuse and count the same.

An ingest of a few rows takes Spark seconds, so that most contracts wait for the long run; those
that do not have between them whatever a shipped contract asks of an engine.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from compare import differences, pair

from yupana.config.settings import ROOT
from yupana.core.progress import Silent
from yupana.data.contracts import contract
from yupana.orchestration.ingest import ingest

pytestmark = pytest.mark.spark
CHALLENGE = "iquitos_challenge"
# The file of each contract that does not ship its own, below the real data beside the clone.
FILES = {
    "complaints_messy": ["messy_reclamos_csv/reclamos.csv"],
    "consumer_complaints": ["complaints_caba_consumer/denuncias-defensa-del-consumidor.csv"],
    "dengue_cases": [
        "minsa_dengue_maynas_2018_2019/dengue.csv",
        "minsa_dengue_maynas_2018_2019/dengue_quoted.csv",
    ],
    "district_indicators": ["ubigeo_peru/ubigeo_distrito.csv"],
    "iquitos_humidity_daily": [f"{CHALLENGE}/Environmental_data/Iquitos.xlsx"],
    "iquitos_ndvi_weekly": [f"{CHALLENGE}/Environmental_data/iquitos_noqc.csv"],
    "iquitos_population": [f"{CHALLENGE}/Population_data/iquitos_population_data.csv"],
    "iquitos_precipitation_daily": [f"{CHALLENGE}/Environmental_data/Iquitos_Precip.xlsx"],
    "iquitos_reanalysis_daily": [f"{CHALLENGE}/Environmental_data/Iquitos.xlsx"],
    "iquitos_station_daily": [f"{CHALLENGE}/Environmental_data/IquitosPE000084377.csv"],
    "iquitos_weekly": [f"{CHALLENGE}/Dengue_data/iquitos_training_data.csv"],
    "malaria_climate_monthly": [
        "loreto_climate_malaria/loreto_district_monthly_climate_malaria_2000_2017.csv"
    ],
    "malaria_monthly": ["malaria_loreto_monthly/error_metrics_total_districts.csv"],
    "province_population": ["minsa_dengue_linelist_2010_2021/province_pop.csv"],
    "respiratory_infections": ["lambayeque_ira/salud_dataset_iras_2010_2023.csv"],
    "san_juan_weekly": [f"{CHALLENGE}/Dengue_data/san_juan_training_data.csv"],
}
# Kept whole: no engine touches an object.
OBJECTS = {n for n in contract.names(ROOT) if contract.load(ROOT, n).format == "object"}
SHIPPED = sorted(set(contract.names(ROOT)) - set(FILES) - OBJECTS)
REAL = [(name, file) for name, files in FILES.items() for file in files]
# Of two files of a contract, the first.
EACH_MERGE = {
    "complaints_messy", "consumer_complaints", "dengue_cases", "dengue_linelist",
    "iquitos_precipitation_daily",
}  # fmt: skip
EACH_NTH = 40
"""Of the national file's rows."""


def both(tmp_path: Path, name: str, path: str | None) -> list[str]:
    """Ingest on each engine; what differs."""
    lakes = pair(tmp_path)
    results = [ingest(lake, name, path, Silent()) for lake in lakes]
    assert results[0].metrics["rows"]["read"] > 0
    return differences((results[0], results[1]), lakes, name)


def demands(name: str) -> Iterator[str]:
    """What a contract asks for: of the file, of each type of column, derivations, kinds of rule."""
    about = contract.load(ROOT, name)
    yield from (about.format, about.publication, *(f"rule {r.kind} {r.early}" for r in about.rules))
    yield from (word for word, there in (("sql", about.sql), ("cut", about.partitions)) if there)
    document = yaml.safe_load((ROOT / "expectations" / name / "contract.yaml").read_text())
    yield from (option["property"] for option in document.get("customProperties", []))
    for column in document["schema"][0]["properties"]:
        kind = column["logicalType"]
        yield from (kind, f"derive {column.get('transformLogic')}")
        yield from (f"{kind} {o['property']}" for o in column.get("customProperties", []))


def test_every_contract_is_compared() -> None:
    assert len(SHIPPED) + len(FILES) + len(OBJECTS) == len(contract.names(ROOT))


def test_what_any_contract_asks_for_is_compared_at_each_merge() -> None:
    now, every = ({word for name in names for word in demands(name)}
                  for names in (EACH_MERGE, {*SHIPPED, *FILES}))  # fmt: skip
    assert every - now == set(), "put a contract that asks for it into EACH_MERGE"


def later(name: str, file: str | None = None) -> list[pytest.MarkDecorator]:
    first = file is None or file == FILES[name][0]
    return [] if name in EACH_MERGE and first else [pytest.mark.long]


@pytest.mark.parametrize("name", [pytest.param(name, marks=later(name)) for name in SHIPPED])
def test_a_file_that_ships(tmp_path: Path, name: str) -> None:
    assert not both(tmp_path, name, None)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "file"), [pytest.param(*case, marks=later(*case)) for case in REAL]
)
def test_a_published_file(tmp_path: Path, shared, name: str, file: str) -> None:
    assert not both(tmp_path, name, str(shared(file)))


@pytest.mark.real
@pytest.mark.parametrize("name", sorted({*SHIPPED, *FILES} - EACH_MERGE))
def test_what_spark_compares_later_is_published_by_sail(tmp_path: Path, shared, name: str) -> None:
    path = str(shared(FILES[name][0])) if name in FILES else None
    rows = ingest(pair(tmp_path)[0], name, path, Silent()).metrics["rows"]
    assert rows["published"] > 0 and rows["read"] == rows["published"] + rows["quarantined"]


@pytest.mark.real
@pytest.mark.parametrize("nth", [EACH_NTH, pytest.param(1, marks=pytest.mark.long)])
def test_the_national_line_list(tmp_path: Path, shared, nth: int) -> None:
    """Rows of all departments."""
    path = shared("minsa_dengue_linelist_2010_2021/dengue_casos_2010_2021.csv.gz")
    with gzip.open(path, "rb") as whole:
        header, *lines = whole.read().splitlines(keepends=True)
    cut = tmp_path / "cut.csv"
    cut.write_bytes(header + b"".join(lines[::nth]))
    assert not both(tmp_path, "dengue_linelist", str(cut))
