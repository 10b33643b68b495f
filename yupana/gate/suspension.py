"""What is suspended: a use case, or one model of it, by whom (as a role) and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from yupana.gate.decisions import Record, use_case_of

ROLES = {
    "supervisor": ("la persona que supervisa", "the supervisor"),
    "deputy": ("una suplente de quien supervisa", "a deputy of the supervisor"),
    "administrator": ("quien administra esta instalación a prueba", "who runs this trial"),
    "": ("una orden sin firma válida", "an order without a good signature"),
}


@dataclass(frozen=True)
class Suspension:
    """A suspension that holds; `role` says who ordered it, never by name."""

    subject: str
    since: datetime
    role: str
    es: str
    en: str

    def sentences(self) -> tuple[str, str]:
        """The sentence for those who ask, Spanish and English."""
        es, en = ROLES.get(self.role, ROLES[""])
        at = f"{self.since:%Y-%m-%d %H:%M} UTC"
        return (
            f"{self.subject} está suspendido desde {at} por {es}: {self.es}",
            f"{self.subject} is suspended since {at} by {en}: {self.en}",
        )


def in_force(records: Sequence[Record]) -> dict[str, Suspension]:
    """Suspensions that no signed resumption lifted, by use case or model."""
    holding: dict[str, Suspension] = {}
    for one in records:
        if one.kind == "suspend":
            role = str(one.facts.get("role", "")) if one.signed else ""
            es, en = (str(one.facts.get(k, "")) for k in ("reason_es", "reason_en"))
            holding[one.subject] = Suspension(one.subject, one.time, role, es, en)
        elif one.kind == "resume" and one.signed:
            holding.pop(one.subject, None)
    return holding


def of_model(records: Sequence[Record], name: str) -> Suspension | None:
    """What suspends a model: its use case's suspension, or its own."""
    holding = in_force(records)
    return holding.get(use_case_of(name)) or holding.get(name)
