"""States and history of a case in words for citizens, Spanish first."""

from __future__ import annotations

from yupana.core.spec import Bilingual
from yupana.tasks.classify import abstentions
from yupana.tasks.classify.cases.case import (
    ANSWERED,
    CLOSED,
    DEPARTMENT,
    MERGED,
    RECEIVED,
    REVIEW,
    CaseEvent,
)
from yupana.tasks.classify.cases.rules import Routing

STATES: dict[str, tuple[str, str]] = {
    RECEIVED: ("Recibido; aún no se ha visto de qué trata", "Received; not looked at yet"),
    REVIEW: ("Una persona lo está leyendo", "A person is reading it"),
    DEPARTMENT: ("Lo atiende el área responsable", "The department in charge is handling it"),
    ANSWERED: ("Respondido", "Answered"),
    CLOSED: ("Cerrado", "Closed"),
    MERGED: (
        "Es el mismo asunto que otro ya recibido; se responde con él",
        "It is the same matter as an earlier one; it is answered with that",
    ),
}

_EVENTS = {
    "received": ("Se recibió", "It was received"),
    "routed": ("Pasó a: {es}", "It went to: {en}"),
    "merged": ("Se juntó con otro del mismo asunto", "It was joined with another on this matter"),
    "answered": ("Se respondió", "It was answered"),
    "taken": ("Una persona lo tomó", "A person took it"),
    "corrected": ("Una persona corrigió el tema; está en: {es}", "A person corrected the topic; "
                  "it is with: {en}"),
    "transferred": ("Pasó a: {es}", "It was handed to: {en}"),
    "closed": ("Se cerró", "It was closed"),
    "reopened": ("Se abrió de nuevo", "It was opened again"),
    "objected": ("Usted objetó; lo leerá una persona", "You objected; a person will read it"),
}  # fmt: skip


def state(name: str) -> Bilingual:
    """A state in words."""
    es, en = STATES[name]
    return Bilingual(es=es, en=en)


def event(one: CaseEvent, routing: Routing) -> Bilingual:
    """An entry of the history in words; who acted is not told."""
    es, en = _EVENTS[one.what]
    department = routing.department(str(one.facts.get("department", "")))
    names = (department.es, department.en) if department else ("otra área", "another department")
    said = Bilingual(es=es.format(es=names[0]), en=en.format(en=names[1]))
    code = str(one.facts.get("abstention") or "")
    if not code or one.what != "routed":
        return said
    why = abstentions.reason(code, str(one.facts.get("language", "")))
    return Bilingual(es=f"{said.es}, porque {why.es}", en=f"{said.en}, because {why.en}")
