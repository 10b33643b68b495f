"""A small line list in the published schema, made up: four districts of Loreto and their weeks,
and three of Ucayali beside them where a country is wanted."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import numpy as np

from yupana.data.national.calendar import epiweek_starts

COLUMNS = (
    "Departamnento", "Provincia", "Distrito", "Ano", "Semana actualización", "Eventos o daños",
    "Semana", "Sexo", "Tipo de diagnóstico", "DIS",
)  # fmt: skip
PLACES = {
    "160101": ("MAYNAS", "IQUITOS"),
    "160113": ("MAYNAS", "SAN JUAN BAUTISTA"),
    "160201": ("ALTO AMAZONAS", "YURIMAGUAS"),
    "160301": ("LORETO", "NAUTA"),
    "160205": ("ALTO AMAZONAS", "JEBEROS"),
    "250101": ("CORONEL PORTILLO", "CALLERIA"),
    "250105": ("CORONEL PORTILLO", "YARINACOCHA"),
    "250301": ("PADRE ABAD", "PADRE ABAD"),
}
DEPARTMENTS = {"16": "LORETO", "25": "UCAYALI"}
MEANS = {"160101": 9.0, "160113": 5.0, "160201": 3.0, "160301": 0.4}
ELSEWHERE = {"250101": 7.0, "250105": 2.0, "250301": 0.2}
LATE = "160205"
"""Has its first case in the last year."""

Weeks = dict[tuple[str, int, int], int]
"""Cases by ubigeo, year and week."""


def country() -> Weeks:
    """Those of both departments; Ucayali's many zeros are of its third district."""
    return {**weeks(), **weeks(seed=12, means=ELSEWHERE, late="")}


def weeks(
    first: int = 2012, last: int = 2016, seed: int = 11, means: dict[str, float] = MEANS,
    late: str = LATE,
) -> Weeks:  # fmt: skip
    """Seasonal counts, overdispersed; many weeks of the fourth district are zero."""
    rng = np.random.default_rng(seed)
    results: Weeks = {}
    for i, (year, week, _) in enumerate(epiweek_starts(first, last)):
        for ubigeo, mean in means.items():
            now = mean * np.exp(0.8 * np.sin(2 * np.pi * i / 52.2))
            results[ubigeo, year, week] = int(rng.negative_binomial(3, 3 / (3 + now)))
        if late and year == last:
            results[late, year, week] = 2
    return results


def starts(first: int = 2012, last: int = 2016) -> dict[tuple[int, int], date]:
    """First day of each week."""
    return {(year, week): day for year, week, day in epiweek_starts(first, last)}


def write(path: Path, found: Weeks, more: Iterable[tuple[object, ...]] = ()) -> Path:
    """One row a case, then `more` rows; gzip where the name says so."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for (ubigeo, year, week), cases in found.items():
        writer.writerows([row(ubigeo, year, week)] * cases)
    writer.writerows(more)
    raw = text.getvalue().encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def row(ubigeo: str, year: int, week: int) -> tuple[object, ...]:
    """One case."""
    place = DEPARTMENTS[ubigeo[:2]], *PLACES[ubigeo]
    return (*place, year, 19, "Dengue", week, "Femenino", "Confirmados", 1)
