"""What is suspended: a use case, or one model of it, by whom (as a role) and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from yupana.governance.decisions import Made, use_case_of

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

    def told(self) -> tuple[str, str]:
        """The sentence for those who ask, Spanish and English."""
        es, en = ROLES.get(self.role, ROLES[""])
        at = f"{self.since:%Y-%m-%d %H:%M} UTC"
        return (
            f"{self.subject} está suspendido desde {at} por {es}: {self.es}",
            f"{self.subject} is suspended since {at} by {en}: {self.en}",
        )


def standing_ones(made: Sequence[Made]) -> dict[str, Suspension]:
    """Suspensions that no signed resumption lifted, by use case or model."""
    found: dict[str, Suspension] = {}
    for one in made:
        if one.kind == "suspend":
            role = str(one.facts.get("role", "")) if one.signed else ""
            es, en = (str(one.facts.get(k, "")) for k in ("reason_es", "reason_en"))
            found[one.subject] = Suspension(one.subject, one.time, role, es, en)
        elif one.kind == "resume" and one.signed:
            found.pop(one.subject, None)
    return found


def of_model(made: Sequence[Made], name: str) -> Suspension | None:
    """What suspends a model: its use case's suspension, or its own."""
    found = standing_ones(made)
    return found.get(use_case_of(name)) or found.get(name)
