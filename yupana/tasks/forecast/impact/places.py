"""Which district belongs to which group, how many people live there, and who is not measured.

A group is a set of districts: the data are counts by district, so that a person's poverty or
language is not seen, only that of the place. The rules stand in `group_words`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.data.national import areas, places
from yupana.tasks.forecast.impact import group_words as words
from yupana.tasks.forecast.scoring import groups
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import pandas as pd

CITY, TOWN, DENSE = 50_000, 5_000, 300
"""Persons of a city and of a town, and persons a km² of a town: the thresholds of the Degree of
Urbanisation (UN Statistical Commission 2020). There they hold for cells of 1 km²; here for
districts, the finest that is published. A district of 50 000 counts as urban however wide it
is, for the Amazon's are so wide that their density hides the city in them."""

Unmeasured = dict[str, str]


@dataclass(frozen=True)
class Group:
    """Places, what they have in common, and how many people live there, where that is known."""

    by: str
    of: str
    es: str
    en: str
    districts: tuple[str, ...]
    population: int | None

    @property
    def drawn_by(self) -> str:
        """Two groups of the same districts are drawn alike."""
        return ",".join(self.districts)


@dataclass(frozen=True)
class Places:
    """All groups, everyone first, and those that are not measured, with why.

    `population_of` says in Spanish and English where the population is from; `refs` are the
    tables that were read; `rules` say who belongs to which.
    """

    groups: list[Group]
    rules: words.Words
    unmeasured: list[Unmeasured]
    population_of: tuple[str, str]
    refs: tuple[str, ...] = field(default=())


def read(
    settings: Settings, definition: ForecastUseCase, frame: pd.DataFrame, districts: list[str]
) -> Places:
    """The groups of some places.

    Args:
        frame: the split that the model was fitted on.
        districts: codes that forecasts were scored of.
    """
    levels = words.levels(definition)
    by: dict[str, dict[str, str]] = {
        words.EVERYONE: dict.fromkeys(districts, words.EVERYONE),
        **{level: {u: areas.area(u, level) for u in districts} for level in levels},
    }
    # Of what is no place of the country nothing is published.
    indicators = _indicators(settings, districts) if levels else _Indicators()
    by |= indicators.by
    by["size"] = _sizes(frame, districts)
    by_province = {} if indicators.people else _provinces(frame, by.get("province", {}))
    groupings = _groups(by, indicators.people or by_province, bool(indicators.people), definition)
    return Places(
        groupings, words.rules(definition), [*indicators.unmeasured, words.LANGUAGE],
        _source(indicators.people, groupings), indicators.refs,
    )  # fmt: skip


@dataclass(frozen=True)
class _Indicators:
    """What is published of districts: groups by it, persons, and what has no figure."""

    by: dict[str, dict[str, str]] = field(default_factory=dict)
    people: Mapping[str, float] = field(default_factory=dict)
    unmeasured: Sequence[Unmeasured] = ()
    refs: tuple[str, ...] = ()


def _indicators(settings: Settings, districts: list[str]) -> _Indicators:
    path = settings.table("published", words.INDICATORS)
    if not delta.exists(path):
        es, en, fix = words.NO_INDICATORS
        return _Indicators(
            unmeasured=[
                {"by": name, "es": e, "en": n, "why": es, "why_en": en, "fix": fix}
                for name, (e, n) in words.BY_INDICATORS.items()
            ]
        )
    table = delta.read(path).to_pandas().dropna(subset=["ubigeo"]).set_index("ubigeo")
    # Density is published to many digits: times the area it gives back the whole persons.
    persons = (table["area"] * table["population_density"]).round().dropna()
    by, unmeasured = {}, []
    district_of = {u: areas.area(u, "district") for u in districts}
    for name, values in {"rural": _areas(table), "poverty": _poverty(table)}.items():
        by[name] = {u: values[d] for u, d in district_of.items() if d in values}
        if absent := set(district_of.values()) - set(values):
            unmeasured.append(_absent(name, len(absent)))
    people = {str(u): float(n) for u, n in persons.items()}
    ref = delta.ref(settings.lake, "published", words.INDICATORS).ref
    return _Indicators(by, people, unmeasured, (ref,))


def _sizes(frame: pd.DataFrame, districts: list[str]) -> dict[str, str]:
    sizes = groups.sizes(frame)
    return {u: sizes.get(u, groups.NEW) for u in districts}


def _areas(table: pd.DataFrame) -> dict[str, str]:
    rows = table.dropna(subset=["area", "population_density"])
    persons = rows["area"] * rows["population_density"]
    town = (persons >= TOWN) & (rows["population_density"] >= DENSE)
    urban = (persons >= CITY) | town
    return {str(u): "urban" if yes else "rural" for u, yes in urban.items()}


def _poverty(table: pd.DataFrame) -> dict[str, str]:
    share = table["poverty"].dropna()
    low, high = share.quantile([1 / 3, 2 / 3])
    return {
        str(u): "least_poor" if v <= low else "middle" if v <= high else "poorest"
        for u, v in share.items()
    }


def _absent(name: str, count: int) -> Unmeasured:
    es, en = words.BY_INDICATORS[name]
    return {
        "by": name,
        "es": f"{es}: {count} sin dato",
        "en": f"{en}: {count} without a figure",
        "why": f"La tabla {words.INDICATORS} no tiene el dato de {count} distritos.",
        "why_en": f"The table {words.INDICATORS} has no figure of {count} districts.",
        "fix": "",
    }


def _provinces(frame: pd.DataFrame, of: dict[str, str]) -> dict[str, float]:
    """Persons by province where `province_population` was published when the model was fitted."""
    if "province_population" not in frame or not (frame["province_population"] > 0).any():
        return {}
    newest = frame[frame["event_timestamp"] == frame["event_timestamp"].max()]
    provinces = [areas.area(str(u), "province") for u in newest["entity"]]
    persons = newest.groupby(provinces)["province_population"].max()
    return {p: float(n) for p, n in persons.items() if p in set(of.values()) and n > 0}


def _groups(
    by: dict[str, dict[str, str]], people: Mapping[str, float], by_district: bool,
    definition: ForecastUseCase,
) -> list[Group]:  # fmt: skip
    groupings, names = [], words.names(definition.places.noun)
    order = [*names]

    def rank(value: str) -> tuple[int, str]:
        return order.index(value) if value in order else -1, value

    for name, of in by.items():
        for value in sorted(set(of.values()), key=rank):
            mine = tuple(sorted(u for u, v in of.items() if v == value))
            level = "district" if by_district else "province"
            units = sorted({areas.area(u, level) for u in mine})
            # Persons of a province are not those of some of its districts.
            fits = by_district or name in (words.EVERYONE, "department", "province")
            whole = fits and all(u in people for u in units)
            population = round(sum(people[u] for u in units)) if whole else None
            code = places.place(value)
            es, en = names.get(value) or (of.format(code) for of in words.CODES[name])
            groupings.append(Group(name, value, es, en, mine, population))
    return groupings


def _source(people: Mapping[str, Any], groupings: list[Group]) -> tuple[str, str]:
    if people:
        return (
            "Proyección del INEI a 2020 por distrito (superficie × densidad).",
            "INEI's projection for 2020 by district (area × density).",
        )
    if any(g.population for g in groupings):
        return (
            "Población de la provincia con la que se entrenó; incluye distritos sin pronóstico.",
            "Population of the province as in training; includes districts without a forecast.",
        )
    es, en, fix = words.NO_INDICATORS
    return f"Sin dato: {es} {fix}", f"Not known: {en} {fix}"
