"""What the endpoints are asked; whatever breaks it is refused before any work.

The field of the entities is named by the use case's spec, so the models are made for a use case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from yupana.core.spec import Bilingual
from yupana.tasks.forecast.frequency import WEEK, Frequency
from yupana.tasks.forecast.payload import MOST_CASES
from yupana.tasks.forecast.places import PERIODS
from yupana.tasks.forecast.usecases import ForecastUseCase

MOST_ENTITIES = 2000
"""All of Peru's districts (about 1,900) fit in one question."""

MOST_RECENT = 12
"""Newest periods whose cases a simulation may change."""


class EntityQuestion(BaseModel):
    """A question about entities; the field `entity_key` names them."""

    model_config = ConfigDict(extra="forbid")

    entity_key: ClassVar[str]
    horizon: int

    @property
    def entities(self) -> list[str]:
        """The entities that are asked for, each once: asked for twice is answered once."""
        value = getattr(self, self.entity_key)
        return [value] if isinstance(value, str) else list(dict.fromkeys(value))


class ForecastQuestion(EntityQuestion):
    """Entities, and how many periods ahead. A misspelt field is refused, never ignored."""

    as_of: date | None


Kind = TypeVar("Kind", bound=EntityQuestion)


class Climate(BaseModel):
    """How the weather would be otherwise."""

    model_config = ConfigDict(extra="forbid")

    # Strict: Pydantic would take true and "1" for 1, which are no numbers in JSON.
    temperature: float = Field(
        0.0, ge=-10, le=10, strict=True, description="°C más o menos / °C added"
    )
    precipitation: float = Field(1.0, ge=0, le=10, strict=True, description="factor")


class SimulationQuestion(EntityQuestion):
    """A what-if: other recent cases, other weather, or both."""

    model_config = ConfigDict(
        extra="forbid",
        # Not `anyOf`, from which generators of clients make a body without fields.
        json_schema_extra={
            "if": {"not": {"required": ["recent_cases"]}},
            "then": {"required": ["climate"]},
        },
    )

    recent_cases: Any
    climate: Climate | None


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_day(value: Any) -> Any:
    # Pydantic would take a number for seconds since 1970, and a moment for its day.
    if value is not None and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError(
            "un día es un texto como 2022-01-05, de los años 1900 a 2199 / "
            "a day is a text such as 2022-01-05, of the years 1900 to 2199"
        )
    return value


def _whole(value: Any) -> Any:
    # JSON Schema calls 2.0 an integer; true and "2" are none.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("debe ser un número entero / it must be a whole number")
    return value


_DAY = re.compile("(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")
_DAY_SCHEMA = {"type": "string", "format": "date", "pattern": f"^{_DAY.pattern}$"}
Day = Annotated[
    date | None,
    BeforeValidator(
        _as_day, json_schema_input_type=Annotated[date, WithJsonSchema(_DAY_SCHEMA)] | None
    ),
]


def _count(least: int, most: int) -> Any:
    """A whole number with bounds, which the schema tells as well."""
    bounded: Any = Annotated[int, Field(ge=least, le=most)]
    return Annotated[bounded, BeforeValidator(_whole, json_schema_input_type=bounded)]


_PERIOD_CASES: Any = _count(0, 100_000)
RecentCases: Any = (
    Annotated[float, Field(ge=0, le=10, strict=True)]
    | Annotated[list[_PERIOD_CASES], Field(min_length=1, max_length=MOST_RECENT)]
    | None
)


def feedback(frequency: Frequency) -> type[BaseModel]:
    """The body of feedback; the day that ends a period is a field of the frequency's name."""
    ending, period, last = frequency.ending, PERIODS[frequency.name], _last_day(frequency)
    example = frequency.end(date(2022, 1, 8))
    day = f"{last.es} de {period.a} del pronóstico / {last.en} of a {period.en} of the forecast"
    fields: dict[str, Any] = {
        "kind": (
            Literal["observed", "complaint"],
            Field(
                description="observed: los casos que hubo / the cases that came; complaint: un "
                "reclamo"
            ),
        ),
        ending: (Day, Field(None, description=day)),
        "cases": (_count(0, MOST_CASES) | None, None),
        "comment": (
            str,
            Field(
                "",
                max_length=1000,
                description="sin datos personales / without personal data: DNI, phone numbers and "
                "e-mail are masked",
            ),
        ),
    }
    shape: dict[str, Any] = {
        "examples": [{"kind": "observed", ending: str(example), "cases": 4}],
        "if": {"properties": {"kind": {"const": "observed"}}},
        "then": {"required": [ending, "cases"]},
        "else": {"required": ["comment"]},
    }
    body: type[BaseModel] = create_model(
        "Feedback",
        __config__=ConfigDict(extra="forbid", json_schema_extra=shape),
        __doc__="What happened, or what is wrong with an answer.",
        **fields,
    )
    return body


def _last_day(frequency: Frequency) -> Bilingual:
    """What the day that ends a period is called."""
    if frequency is WEEK:
        return Bilingual(es="sábado", en="Saturday")
    return Bilingual(es="último día", en="last day")


@dataclass(frozen=True)
class Questions:
    """What a use case's endpoints take, with an example of each, and how to mend each field."""

    forecast: type[ForecastQuestion]
    simulation: type[SimulationQuestion]
    forecast_example: dict[str, Any]
    simulation_example: dict[str, Any]
    how_to_ask: dict[str, str]


def questions(definition: ForecastUseCase) -> Questions:
    """The questions of a use case."""
    spec, places, most = definition.spec, definition.places, len(definition.horizons)
    key, period = spec.entity.key, PERIODS[definition.frequency.name]
    entity: Any = Annotated[str, Field(pattern=places.pattern, examples=[spec.example.entity])]
    horizon: Any = Annotated[
        _count(1, most),
        Field(description=f"{period.es_many} hacia adelante / {period.en_many} ahead, 1-{most}"),
    ]
    listed: Any = Annotated[list[entity], Field(min_length=1, max_length=MOST_ENTITIES)]
    many: Any = Annotated[
        listed,
        BeforeValidator(_as_list, json_schema_input_type=listed | entity),
        Field(
            description=f"{places.code.es}, uno o una lista; repetido se responde una vez / "
            f"{places.code.en}, one or a list; a repeated one is answered once"
        ),
    ]
    example = {key: [spec.example.entity], "horizon": most, "as_of": "2022-01-05"}
    changed = {key: spec.example.entity, "recent_cases": 2.0}
    forecast = _question(
        "Question",
        ForecastQuestion,
        key,
        {
            key: (many, ...),
            "horizon": (horizon, most),
            "as_of": (
                Day,
                Field(
                    None,
                    description="día al que se pregunta, por defecto hoy (UTC) / day that is "
                    "asked for, by default today",
                ),
            ),
        },
    )
    simulation = _question(
        "Simulated",
        SimulationQuestion,
        key,
        {
            key: (entity, Field(description=f"{places.code.es} / {places.code.en}")),
            "horizon": (horizon, most),
            "recent_cases": (
                RecentCases,
                Field(
                    None,
                    description=f"factor de los casos más recientes, o los casos de l{period.o}s "
                    f"últim{period.o}s 1 a {MOST_RECENT} {period.es_many}, primero los más "
                    "antiguos / factor of the newest cases, or the cases of the newest 1 to "
                    f"{MOST_RECENT} {period.en_many}, the oldest first",
                ),
            ),
            "climate": (Climate | None, None),
        },
    )
    return Questions(forecast, simulation, example, changed, _how_to_ask(definition))


def _question(name: str, kind: type[Kind], key: str, fields: dict[str, Any]) -> type[Kind]:
    """A kind of question with the fields of a use case; `key` is the one of the entities."""
    question: Any = create_model(name, __base__=kind, __doc__=kind.__doc__, **fields)
    question.entity_key = key
    return cast("type[Kind]", question)


def _how_to_ask(definition: ForecastUseCase) -> dict[str, str]:
    """How to mend each field; the empty name is for all others."""
    places, most = definition.places, len(definition.horizons)
    frequency, last = definition.frequency, _last_day(definition.frequency)
    period = PERIODS[frequency.name]
    return {
        definition.spec.entity.key: f"Envíe {places.how_to_code.es}, o una lista de 1 a "
        f"{MOST_ENTITIES}. / Send {places.how_to_code.en}, or a list of 1 to {MOST_ENTITIES}.",
        "horizon": f"Envíe un entero de 1 a {most}. / Send a whole number from 1 to {most}.",
        "as_of": "Envíe un día como '2022-01-05', no futuro. / Send a day such as '2022-01-05', "
        "not in the future.",
        "recent_cases": f"Envíe un factor de 0 a 10, o los casos de 1 a {MOST_RECENT} "
        f"{period.es_many}. / Send a factor from 0 to 10, or the cases of 1 to {MOST_RECENT} "
        f"{period.en_many}.",
        places.area: places.how_to_area,
        "format": "Envíe json o csv; las alertas se dan también en geojson. / Send json or csv; "
        "alerts come as geojson, too.",
        "cases": f"Envíe un entero de 0 a {MOST_CASES}. / Send a whole number from 0 to "
        f"{MOST_CASES}.",
        frequency.ending: f"Envíe el {last.es} de {period.a} del pronóstico. / Send the {last.en} "
        f"of a {period.en} of the forecast.",
        "": "Mire la página / del servicio. / Look at the page / of the service.",
    }
