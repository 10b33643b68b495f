"""Which district belongs to which group, how many people live there, and who is not measured.

A group is a set of districts: the data are counts by district, so that a person's poverty or
language is not seen, only that of the place. Each rule is stated once, in `RULES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.data import codes, delta
from yupana.evaluation import groups

if TYPE_CHECKING:
    import pandas as pd

INDICATORS = "district_indicators"
EVERYONE = "all"

CITY, TOWN, DENSE = 50_000, 5_000, 300
"""Persons of a city and of a town, and persons a km² of a town: the thresholds of the Degree of
Urbanisation (UN Statistical Commission 2020). There they hold for cells of 1 km²; here for
districts, the finest that is published. A district of 50 000 counts as urban however wide it
is, for the Amazon's are so wide that their density hides the city in them."""

RULES: dict[str, tuple[str, str]] = {
    EVERYONE: ("Todos los distritos con pronóstico.", "All districts with a forecast."),
    "department": ("Departamento, por ubigeo del INEI.", "Department, by INEI's code."),
    "province": ("Provincia, por ubigeo del INEI.", "Province, by INEI's code."),
    "size": (
        "Tercio de los distritos según sus casos semanales medios en el entrenamiento.",
        "Third of the districts by mean weekly cases in training.",
    ),
    "rural": (
        "Urbano: 50 000 habitantes o más, o 5 000 o más con 300 por km² o más (proyección 2020); "
        "si no, rural.",
        "Urban: 50 000 inhabitants or more, or 5 000 or more at 300 a km² or more (projection "
        "for 2020); otherwise rural.",
    ),
    "poverty": (
        "Tercio de todos los distritos del país según su porcentaje de personas en pobreza.",
        "Third of all the country's districts by their share of people in poverty.",
    ),
}

NAMES = {
    "small": ("Distritos con pocos casos", "Districts with few cases"),
    "medium": ("Distritos con casos intermedios", "Districts with a middling number of cases"),
    "large": ("Distritos con muchos casos", "Districts with many cases"),
    "new": ("Distritos nuevos, sin historia", "New districts, without history"),
    "urban": ("Distritos urbanos", "Urban districts"),
    "rural": ("Distritos rurales", "Rural districts"),
    "least_poor": ("Tercio menos pobre", "Least poor third"),
    "middle": ("Tercio intermedio en pobreza", "Middle third by poverty"),
    "poorest": ("Tercio más pobre", "Poorest third"),
    EVERYONE: ("Todos los distritos", "All districts"),
}
_CODES = {
    "department": ("Departamento {}", "Department {}"),
    "province": ("Provincia {}", "Province {}"),
}

Unmeasured = dict[str, str]
LANGUAGE = {
    "by": "language",
    "es": "Pueblos indígenas y lengua materna",
    "en": "Indigenous peoples and mother tongue",
    "why": "Ninguna tabla publicada dice qué lengua se habla en cada distrito. La mediría la "
    "lengua aprendida en la niñez por distrito (INEI, censo 2017), como un conjunto de datos con "
    "su contrato.",
    "why_en": "No published table says which language is spoken in a district. The language "
    "learned in childhood by district (INEI, census of 2017) would measure it, as a data set "
    "with its contract.",
    "fix": "",
}
NO_INDICATORS = (
    f"La tabla {INDICATORS} no está publicada.",
    f"The table {INDICATORS} is not published.",
    f"yupana ingest {INDICATORS}",
)
_BY_INDICATORS = {
    "rural": ("Distritos urbanos y rurales", "Urban and rural districts"),
    "poverty": ("Pobreza del distrito", "Poverty of the district"),
}


@dataclass(frozen=True)
class Group:
    """Districts, what they have in common, and how many people live there, where that is known."""

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
    tables that were read.
    """

    groups: list[Group]
    unmeasured: list[Unmeasured]
    population_of: tuple[str, str]
    refs: tuple[str, ...] = field(default=())


def read(settings: Settings, frame: pd.DataFrame, districts: list[str]) -> Places:
    """The groups of some districts.

    Args:
        frame: the split that the model was fitted on.
        districts: ubigeos that forecasts were scored of.
    """
    by: dict[str, dict[str, str]] = {
        EVERYONE: dict.fromkeys(districts, EVERYONE),
        "department": {u: u[:2] for u in districts},
        "province": {u: u[:4] for u in districts},
    }
    unmeasured, refs = [], []
    people: Mapping[str, float] = {}
    if delta.exists(settings.table("published", INDICATORS)):
        ref = delta.ref(settings.lake, "published", INDICATORS)
        table = delta.read(settings.table("published", INDICATORS)).to_pandas()
        table = table.dropna(subset=["ubigeo"]).set_index("ubigeo")
        refs.append(ref.ref)
        # Density is published to many digits: times the area it gives back the whole persons.
        persons = (table["area"] * table["population_density"]).round().dropna()
        people = {str(u): float(n) for u, n in persons.items()}
        of = {"rural": _areas(table), "poverty": _poverty(table)}
        for name, found in of.items():
            by[name] = {u: found[u] for u in districts if u in found}
            if absent := [u for u in districts if u not in found]:
                unmeasured.append(_absent(name, len(absent)))
    else:
        es, en, fix = NO_INDICATORS
        unmeasured += [
            {"by": name, "es": e, "en": n, "why": es, "why_en": en, "fix": fix}
            for name, (e, n) in _BY_INDICATORS.items()
        ]
    by["size"] = _sizes(frame, districts)
    made = _groups(by, people or _provinces(frame, by["province"]), bool(people))
    return Places(made, [*unmeasured, LANGUAGE], _source(people, made), tuple(refs))


def _sizes(frame: pd.DataFrame, districts: list[str]) -> dict[str, str]:
    known = groups.sizes(frame)
    return {u: known.get(u, groups.NEW) for u in districts}


def _areas(table: pd.DataFrame) -> dict[str, str]:
    known = table.dropna(subset=["area", "population_density"])
    persons = known["area"] * known["population_density"]
    town = (persons >= TOWN) & (known["population_density"] >= DENSE)
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
    es, en = _BY_INDICATORS[name]
    return {
        "by": name,
        "es": f"{es}: {count} sin dato",
        "en": f"{en}: {count} without a figure",
        "why": f"La tabla {INDICATORS} no tiene el dato de {count} distritos.",
        "why_en": f"The table {INDICATORS} has no figure of {count} districts.",
        "fix": "",
    }


def _provinces(frame: pd.DataFrame, of: dict[str, str]) -> dict[str, float]:
    """Persons by province where `province_population` was published when the model was fitted."""
    if "province_population" not in frame or not (frame["province_population"] > 0).any():
        return {}
    newest = frame[frame["event_timestamp"] == frame["event_timestamp"].max()]
    known = newest.groupby(newest["ubigeo"].astype(str).str[:4])["province_population"].max()
    return {p: float(n) for p, n in known.items() if p in set(of.values()) and n > 0}


def _groups(
    by: dict[str, dict[str, str]], people: Mapping[str, float], by_district: bool
) -> list[Group]:
    made = []
    order = [*NAMES]
    for name, of in by.items():
        found = sorted(set(of.values()), key=lambda o: (order.index(o) if o in order else -1, o))
        for value in found:
            mine = tuple(sorted(u for u, v in of.items() if v == value))
            units = mine if by_district else tuple(sorted({u[:4] for u in mine}))
            # Persons of a province are not those of some of its districts.
            fits = by_district or name in (EVERYONE, "department", "province")
            whole = fits and all(u in people for u in units)
            population = round(sum(people[u] for u in units)) if whole else None
            es, en = NAMES.get(value) or (of.format(codes.place(value)) for of in _CODES[name])
            made.append(Group(name, value, es, en, mine, population))
    return made


def _source(people: Mapping[str, Any], made: list[Group]) -> tuple[str, str]:
    if people:
        return (
            "Proyección del INEI a 2020 por distrito (superficie × densidad).",
            "INEI's projection for 2020 by district (area × density).",
        )
    if any(g.population for g in made):
        return (
            "Población de la provincia con la que se entrenó; incluye distritos sin pronóstico.",
            "Population of the province as in training; includes districts without a forecast.",
        )
    es, en, fix = NO_INDICATORS
    return f"Sin dato: {es} {fix}", f"Not known: {en} {fix}"
