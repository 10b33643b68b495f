"""What a ministry's national file brings: a week twice, other codes and names, a place that lacks.

By the command, with the shipped contracts; `tests/integration/test_outage.py` goes on to forecasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from command import CommandResult, yupana
from conftest import BOTH_ENGINES_LATER

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.data.national import calendar, places

FIRST, WEEKS = date(2020, 1, 5), 12
LORETO = [p for p, code in sorted(places.ubigeos().items(), key=lambda x: x[1]) if code[:2] == "16"]
UCAYALI = ("UCAYALI", "CORONEL PORTILLO", "CALLERIA")
LINES = (
    "Departamnento,Provincia,Distrito,Ano,Semana actualización,Eventos o daños,Semana,"
    "Tipo de diagnóstico,DIS"
)
PORTAL = (
    "departamento,provincia,distrito,localidad,enfermedad,ano,semana,diagnostic,diresa,ubigeo,"
    "localcod,edad,tipo_edad,sexo"
)
SEVERITY = "DENGUE SIN SIGNOS DE ALARMA"


def week(
    number: int, among: Sequence[tuple[str, str, str]], each: int = 3, updated: int = 40
) -> list[str]:
    """The cases of a week: a few in each district, not of one number."""
    year, epiweek = calendar.epiweek(FIRST + timedelta(weeks=number))
    return [
        f"{','.join(place)},{year},{updated},Dengue,{epiweek},Confirmados,1"
        for n, place in enumerate(among)
        for _ in range(each + (n + number) % 3)
    ]


def weeks(upto: int, among: Sequence[tuple[str, str, str]] = LORETO[:24]) -> list[str]:
    return [line for number in range(upto) for line in week(number, among)]


def portal(district: str, number: int, ubigeo: str) -> str:
    """A case as the portal publishes it."""
    case = f"{SEVERITY},2020,{number},A97.0,16,{ubigeo},NA,30,A,FEMENINO"
    return f"LORETO,MAYNAS,{district},NA,{case}"


class Desk:
    """A data engineer who ingests files by the command."""

    def __init__(self, lake: Settings, folder: Path) -> None:
        self.lake, self.folder = lake, folder

    def file(self, name: str, lines: Sequence[str], header: str = LINES) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    def ingest(self, path: Path, *words: str, name: str = "dengue_linelist") -> CommandResult:
        day = FIRST + timedelta(weeks=WEEKS, days=3)
        words = words or ("--as-of", str(day))
        return yupana(self.lake, "ingest", name, "--source", str(path), *words)

    def count(self, name: str = "dengue_linelist") -> int:
        return len(delta.read(self.lake.table("published", name)))

    def aside(self, name: str = "dengue_linelist") -> list[list[str]]:
        rows = delta.read(self.lake.table("quarantine", name)).sort("source_line")
        return [sorted(rules) for rules in rows["broken_rules"].to_list()]


@pytest.fixture
def desk(lake: Settings, tmp_path: Path) -> Desk:
    return Desk(lake, tmp_path)


@BOTH_ENGINES_LATER
def test_a_week_twice_in_a_file_counts_once_and_is_told(desk: Desk) -> None:
    every, last = weeks(WEEKS * 5), week(WEEKS * 5 - 1, LORETO[:24])
    day = str(FIRST + timedelta(weeks=WEEKS * 5, days=3))
    result = desk.ingest(desk.file("a.csv", [*every, *last]), "--as-of", day)
    assert result.code == 0, result.stderr
    assert f"set aside: {len(last)} rows (period.once {len(last)})" in result.stdout
    assert desk.count() == len(every)
    assert desk.aside() == [["period.once"]] * len(last)


def test_a_week_in_two_files_of_a_release_counts_once(desk: Desk) -> None:
    every = weeks(WEEKS * 5)
    desk.file("files/a.csv", every)
    desk.file("files/b.csv", week(WEEKS * 5 - 1, LORETO[:24], updated=41))
    day = str(FIRST + timedelta(weeks=WEEKS * 5, days=3))
    result = desk.ingest(desk.folder / "files", "--as-of", day)
    assert result.code == 0, result.stderr
    assert "period.once" in result.stdout and desk.count() == len(every)


def test_a_few_pairs_are_patients_and_a_restated_week_takes_the_others_place(desk: Desk) -> None:
    pairs = weeks(WEEKS, LORETO[:6])
    first = desk.ingest(desk.file("a.csv", [*pairs, *week(WEEKS - 1, LORETO[:6])]))
    assert first.code == 0 and "set aside: no row" in first.stdout, "six districts tell nothing"
    lower = weeks(WEEKS - 1, LORETO[:6]) + week(WEEKS - 1, LORETO[:6], each=2)
    again = desk.ingest(
        desk.file("b.csv", lower), "--as-of", str(FIRST + timedelta(weeks=WEEKS, days=10))
    )
    assert again.code == 0 and "revised" in again.stdout and desk.count() == len(lower)


def test_names_of_before_a_change_count_as_the_successor(desk: Desk) -> None:
    old = ("LORETO", "MAYNAS", "PUTUMAYO")
    lines = [*weeks(WEEKS), *week(3, [old], each=6), *week(3, [("LORETO", "MAYNAS", "NINGUNO")])]
    result = desk.ingest(desk.file("a.csv", lines))
    assert result.code == 0, result.stderr
    told = "6 rows came under the name LORETO / MAYNAS / PUTUMAYO, withdrawn since 2014"
    assert f"{told}: they count as 160801" in result.stdout
    rows = delta.read(desk.lake.table("published", "dengue_linelist"))
    plain = sum("PUTUMAYO,PUTUMAYO" in line for line in lines)
    assert len(rows.filter(ubigeo="160801")) == plain + 6
    assert desk.aside() == [["ubigeo.required"]] * 3, "a name that is none"


@BOTH_ENGINES_LATER
def test_a_code_is_followed_or_held_to_its_names(desk: Desk) -> None:
    lines = [portal("IQUITOS", w, "160101") for w in range(1, 11) for _ in range(30)]
    lines += [
        portal("IQUITOS", 3, "150101"), portal("PUTUMAYO", 3, "160109"),
        portal("NINGUNO", 3, "160199"), portal("IQUITOZ", 3, "160101"),
    ]  # fmt: skip
    result = desk.ingest(desk.file("p.csv", lines, PORTAL), name="dengue_cases")
    assert result.code == 0, result.stderr
    assert "fewer than 5 rows came under the code 160109" in result.stdout
    rows = delta.read(desk.lake.table("published", "dengue_cases"))
    assert rows["ubigeo"].value_counts().sort("ubigeo").rows() == [("160101", 301), ("160801", 1)]
    # RENIEC's code of Iquitos is INEI's of Lima.
    assert desk.aside("dengue_cases") == [["ubigeo.names"], ["ubigeo.codes"]]


def test_a_department_that_is_missing_is_told(desk: Desk) -> None:
    among = [*LORETO[:24], *[UCAYALI] * 3]
    assert desk.ingest(desk.file("a.csv", weeks(WEEKS - 1, among))).code == 0
    newest = week(WEEKS - 1, LORETO[:24])
    result = desk.ingest(
        desk.file("b.csv", [*weeks(WEEKS - 1, among), *newest]),
        "--as-of", str(FIRST + timedelta(weeks=WEEKS, days=10)),
    )  # fmt: skip
    assert result.code == 0, result.stderr
    start = FIRST + timedelta(weeks=WEEKS - 1)
    for what in ("department UCAYALI", "province CORONEL PORTILLO", "ubigeo 250101"):
        assert f"warning: {start} has no row of {what}, of which every period" in result.stdout
