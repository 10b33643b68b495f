"""Every shipped contract on its real file: both engines publish, refuse and count the same."""

from __future__ import annotations

from pathlib import Path

import pytest
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


def both(tmp_path: Path, name: str, path: str | None) -> list[str]:
    """Ingest on each engine; what differs."""
    lakes = pair(tmp_path)
    results = [ingest(lake, name, path, Silent()) for lake in lakes]
    assert results[0].metrics["rows"]["read"] > 0
    return differences((results[0], results[1]), lakes, name)


def test_every_contract_is_compared() -> None:
    assert len(SHIPPED) + len(FILES) + len(OBJECTS) == len(contract.names(ROOT))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_file_that_ships(tmp_path: Path, name: str) -> None:
    assert not both(tmp_path, name, None)


@pytest.mark.real
@pytest.mark.parametrize(("name", "file"), REAL)
def test_a_published_file(tmp_path: Path, shared, name: str, file: str) -> None:
    assert not both(tmp_path, name, str(shared(file)))


@pytest.mark.real
def test_the_national_line_list(tmp_path: Path, shared) -> None:
    path = shared("minsa_dengue_linelist_2010_2021/dengue_casos_2010_2021.csv.gz")
    assert not both(tmp_path, "dengue_linelist", str(path))
