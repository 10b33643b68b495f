"""What the outbreak endpoints are asked; whatever breaks it is refused before any work."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MOST_DISTRICTS = 2000
"""All of Peru's districts (about 1,900) fit in one question."""

MOST_WEEKS = 8
EXAMPLE = {"ubigeo": ["160101"], "horizon": 8, "as_of": "2022-01-05"}

Ubigeo = Annotated[str, Field(pattern=r"^[0-9]{6}$", examples=["160101"])]


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


def _as_day(given: Any) -> Any:
    # Pydantic would take a number for seconds since 1970, and a moment for its day.
    if given is not None and not (isinstance(given, str) and len(given) == 10):
        raise ValueError("a day is a text such as 2022-01-05")
    return given


def _whole(given: Any) -> Any:
    # JSON Schema calls 2.0 an integer; true and "2" are none.
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError("a whole number is wanted")
    return given


Horizon = Annotated[
    int,
    BeforeValidator(_whole, json_schema_input_type=int),
    Field(ge=1, le=MOST_WEEKS, description="semanas hacia adelante / weeks ahead, 1-8"),
]


class Question(BaseModel):
    """Districts, and how many weeks ahead. A misspelt field is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    ubigeo: Annotated[
        list[Ubigeo],
        Field(
            min_length=1,
            max_length=MOST_DISTRICTS,
            description="código INEI de seis dígitos, uno o una lista / six-digit INEI codes",
        ),
        BeforeValidator(_as_list, json_schema_input_type=list[Ubigeo] | Ubigeo),
    ]
    horizon: Horizon = MOST_WEEKS
    as_of: Annotated[date | None, BeforeValidator(_as_day)] = Field(
        None,
        description="día al que se pregunta, por defecto hoy (UTC) / day that is asked for, by "
        "default today",
    )


class Climate(BaseModel):
    """How the weather would be otherwise."""

    model_config = ConfigDict(extra="forbid")

    temperature: float = Field(0.0, ge=-10, le=10, description="°C más o menos / °C added")
    precipitation: float = Field(1.0, ge=0, le=10, description="factor")


class Simulated(BaseModel):
    """A what-if: other recent cases, other weather, or both."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"ubigeo": "160101", "recent_cases": 2.0}],
            "anyOf": [{"required": ["recent_cases"]}, {"required": ["climate"]}],
        },
    )

    ubigeo: Ubigeo = Field(description="código INEI de seis dígitos / six-digit INEI code")
    horizon: Horizon = MOST_WEEKS
    recent_cases: (
        Annotated[float, Field(ge=0, le=10)]
        | Annotated[
            list[Annotated[int, Field(ge=0, le=100_000)]], Field(min_length=1, max_length=12)
        ]
        | None
    ) = Field(
        None,
        description="factor de los casos de las últimas 4 semanas, o los casos de las últimas 1 a "
        "12, la más antigua primero / factor of the cases of the newest 4 weeks, or the cases of "
        "the newest 1 to 12, the oldest first",
    )
    climate: Climate | None = None


class Feedback(BaseModel):
    """What happened, or what is wrong with an answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "observed", "week_ending": "2022-01-08", "cases": 4}],
            "if": {"properties": {"kind": {"const": "observed"}}},
            "then": {"required": ["week_ending", "cases"]},
            "else": {"required": ["comment"]},
        },
    )

    kind: Literal["observed", "complaint"] = Field(
        description="observed: los casos que hubo / the cases that came; complaint: un reclamo"
    )
    week_ending: Annotated[date | None, BeforeValidator(_as_day)] = Field(
        None, description="sábado de una semana del pronóstico / Saturday of a week of the forecast"
    )
    cases: (
        Annotated[
            int,
            BeforeValidator(_whole, json_schema_input_type=int),
            Field(ge=0, lt=1_000_000),
        ]
        | None
    ) = None
    comment: str = Field(
        "",
        max_length=1000,
        description="sin datos personales / without personal data: DNI, phone numbers and e-mail "
        "are masked",
    )


HOW_TO_ASK = {
    "ubigeo": f"Envíe un código INEI de seis dígitos entre comillas, o una lista de 1 a "
    f"{MOST_DISTRICTS}. / Send a six-digit INEI code in quotes, or a list of 1 to "
    f"{MOST_DISTRICTS}.",
    "horizon": f"Envíe un entero de 1 a {MOST_WEEKS}. / Send a whole number from 1 to "
    f"{MOST_WEEKS}.",
    "as_of": "Envíe un día como '2022-01-05', no futuro. / Send a day such as '2022-01-05', not "
    "in the future.",
    "recent_cases": "Envíe un factor de 0 a 10, o los casos de 1 a 12 semanas. / Send a factor "
    "from 0 to 10, or the cases of 1 to 12 weeks.",
    "department": "Envíe dos dígitos, como 16. / Send two digits, such as 16.",
    "format": "Envíe json, geojson o csv. / Send one of them.",
    "prediction_id": "Envíe el prediction_id de una respuesta. / Send the one of an answer.",
    "version": "Envíe un número. / Send a number: GET /v1/models.",
    "kind": "Envíe 'observed' o 'complaint'. / Send one of the two.",
    "cases": "Envíe un entero desde 0. / Send a whole number from 0.",
    "week_ending": "Envíe el sábado de una semana del pronóstico. / Send the Saturday of a week "
    "of the forecast.",
    "comment": "Envíe hasta 1000 caracteres. / Send up to 1000 characters.",
    "": f"Envíe un objeto JSON como este / Send a JSON object like this: {EXAMPLE}".replace(
        "'", '"'
    ),
}
"""How to mend each field; the empty name stands for the body and for unknown fields."""
