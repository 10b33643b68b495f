"""What a piece of personal data is, where it stands in a text, and the word put in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of personal data; its value is what the placeholder says, in Spanish."""

    DNI = "DNI"
    RUC = "RUC"
    FOREIGNER = "CE"
    PASSPORT = "PASAPORTE"
    PHONE = "TELÉFONO"
    MAIL = "CORREO"
    PLATE = "PLACA"
    CARD = "TARJETA"
    ACCOUNT = "CUENTA"
    ADDRESS = "DIRECCIÓN"
    NAME = "NOMBRE"

    @property
    def placeholder(self) -> str:
        return f"[{self.value}]"


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text."""

    kind: Kind
    start: int
    end: int


# As they stand in a folded text: lower case, without accents.
PLACEHOLDERS = re.compile(
    r"\[(?:dni|ruc|ce|pasaporte|telefono|correo|placa|tarjeta|cuenta|direccion|nombre)\]"
)


def wordset(text: str) -> frozenset[str]:
    """The words of a text, for a list of them in code."""
    return frozenset(text.split())
