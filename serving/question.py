"""What the outbreak endpoint is asked; whatever breaks it is refused before any work."""

from __future__ import annotations

from typing import Annotated, Any

import bentoml
from pydantic import BeforeValidator, ConfigDict, Field

MOST_DISTRICTS = 100
MOST_WEEKS = 8
EXAMPLE = '{"ubigeo": ["160101"], "horizon": 8}'

Ubigeo = Annotated[str, Field(pattern=r"^[0-9]{6}$", examples=["160101"])]


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


class Question(bentoml.IODescriptor):
    """Districts, and how many weeks ahead. A misspelt field is refused, never ignored."""

    model_config = ConfigDict(extra="forbid")

    ubigeo: Annotated[
        list[Ubigeo],
        Field(
            min_length=1,
            max_length=MOST_DISTRICTS,
            description="código INEI de seis dígitos, uno o una lista / six-digit INEI codes",
        ),
        BeforeValidator(_as_list, json_schema_input_type=list[Ubigeo] | Ubigeo),
    ]
    horizon: int = Field(
        MOST_WEEKS,
        ge=1,
        le=MOST_WEEKS,
        strict=True,
        description="semanas hacia adelante / weeks ahead, 1-8",
    )


HOW_TO_ASK = {
    "ubigeo": f"Envíe un código INEI de seis dígitos entre comillas, o una lista de 1 a "
    f"{MOST_DISTRICTS}. / Send a six-digit INEI code in quotes, or a list of 1 to "
    f"{MOST_DISTRICTS}.",
    "horizon": f"Envíe un entero de 1 a {MOST_WEEKS}. / Send a whole number from 1 to "
    f"{MOST_WEEKS}.",
    "": f"Envíe un objeto JSON como este / Send a JSON object like this: {EXAMPLE}",
}
"""How to mend each field; the empty name stands for the body and for unknown fields."""
