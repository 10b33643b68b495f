"""What reports call the groups whose impact is told, Spanish and English; each rule stands once."""

from __future__ import annotations

from yupana.data.national import areas
from yupana.tasks.forecast.places import Noun
from yupana.tasks.forecast.usecases import ForecastUseCase

INDICATORS = "district_indicators"
EVERYONE = "all"

Words = dict[str, tuple[str, str]]
"""Spanish and English by name."""

CODES = {
    "department": ("Departamento {}", "Department {}"),
    "province": ("Provincia {}", "Province {}"),
}
_EVERY = {"week": ("semanales", "weekly"), "month": ("mensuales", "monthly")}
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
BY_INDICATORS = {
    "rural": ("Distritos urbanos y rurales", "Urban and rural districts"),
    "poverty": ("Pobreza del distrito", "Poverty of the district"),
}


def levels(definition: ForecastUseCase) -> list[str]:
    """The use case's groups that are areas of the country."""
    return [group for group in definition.spec.entity.groups if group in areas.DIGITS]


def rules(definition: ForecastUseCase) -> Words:
    """Who belongs to the groups of each kind."""
    noun, (weekly_es, weekly) = definition.places.noun, _EVERY[definition.frequency.name]
    of_areas = {
        "department": ("Departamento, por ubigeo del INEI.", "Department, by INEI's code."),
        "province": ("Provincia, por ubigeo del INEI.", "Province, by INEI's code."),
    }
    indicated = {
        "rural": (
            "Urbano: 50 000 habitantes o más, o 5 000 o más con 300 por km² o más (proyección "
            "2020); si no, rural.",
            "Urban: 50 000 inhabitants or more, or 5 000 or more at 300 a km² or more (projection "
            "for 2020); otherwise rural.",
        ),
        "poverty": (
            "Tercio de todos los distritos del país según su porcentaje de personas en pobreza.",
            "Third of all the country's districts by their share of people in poverty.",
        ),
    }
    areas_of = levels(definition)
    return {
        EVERYONE: (
            f"Tod{noun.o}s {noun.the_many} con pronóstico.",
            f"All {noun.en_many} with a forecast.",
        ),
        **{level: of_areas[level] for level in areas_of},
        "size": (
            f"Tercio de {noun.the_many} según sus casos {weekly_es} medios en el entrenamiento.",
            f"Third of the {noun.en_many} by mean {weekly} cases in training.",
        ),
        **(indicated if areas_of else {}),
    }


def names(noun: Noun) -> Words:
    """Groups that are no areas, in the order in which they are told."""
    es, en = noun.es_many.capitalize(), noun.en_many
    return {
        "small": (f"{es} con pocos casos", f"{en.capitalize()} with few cases"),
        "medium": (
            f"{es} con casos intermedios", f"{en.capitalize()} with a middling number of cases"
        ),
        "large": (f"{es} con muchos casos", f"{en.capitalize()} with many cases"),
        "new": (f"{es} nuev{noun.o}s, sin historia", f"New {en}, without history"),
        "urban": ("Distritos urbanos", "Urban districts"),
        "rural": ("Distritos rurales", "Rural districts"),
        "least_poor": ("Tercio menos pobre", "Least poor third"),
        "middle": ("Tercio intermedio en pobreza", "Middle third by poverty"),
        "poorest": ("Tercio más pobre", "Poorest third"),
        EVERYONE: (f"Tod{noun.o}s {noun.the_many}", f"All {en}"),
    }  # fmt: skip
