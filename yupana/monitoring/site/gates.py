"""The page of the gates: risk class, what must hold with its evidence, and the decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any

from yupana.governance import decisions, gate, register, suspension
from yupana.governance.decisions import Made
from yupana.governance.gate import Decision
from yupana.governance.ledger import book
from yupana.governance.measures import model_sha256
from yupana.governance.register import Register
from yupana.governance.register_parts import Item
from yupana.monitoring.site import model
from yupana.monitoring.site.parts import Answer, Asked, Basis, Missing, Page, State, of_file

NAME = "compuertas"
MOST = 50
_KINDS = {
    "gate": ("La compuerta", "The gate"),
    "assess": ("Evaluación", "Assessment"),
    "approve": ("Aprobación", "Approval"),
    "suspend": ("Suspensión", "Suspension"),
    "resume": ("Reanudación", "Resumption"),
}


def page(asked: Asked) -> Page:
    """The register of the use case, and what the gate says of the model that answers.

    Raises:
        UsageError: the use case has no register.
        TerminalError: it is not valid.
    """
    settings = asked.settings
    held = register.load(settings.root, asked.use_case)
    path = register.path_of(settings.root, asked.use_case)
    made = decisions.of(settings, asked.use_case)
    now = _moment(asked)
    decision = _decide(asked, now)
    basis = [
        of_file(asked, path, "Registro de riesgo", "Risk register", ref=f"models/{path.name}"),
        Basis("Lo declarado, sin la etapa", "What is stated, without the stage", "", held.digest),
        *(_basis(one) for one in reversed(made[-MOST:])),
    ]
    name = decision.model if decision else asked.use_case
    stopped = suspension.of_model(made, name)
    values = {
        "held": held,
        "checklists": _checklists(held),
        "decision": decision,
        "judged": now.isoformat(),
        "allowed": _state(decision) if decision else "unknown",
        "suspended": stopped.told() if stopped else None,
        "decisions": [_told(one) for one in reversed(made[-MOST:])],
    }
    missing = () if made else (_never(asked),)
    return Page(NAME, values, tuple(basis), missing, _answer(decision))


def _moment(asked: Asked) -> datetime:
    """When evidence is judged: the day that was asked for, or later by the ledger's own clock.

    The ledger is never ahead of the judgement, or the gate would take the clock for set back.
    """
    day = datetime.combine(asked.day, time(), UTC)
    newest = book.newest(asked.settings.platform_db)
    return max(day, decisions.moment(newest.time)) if newest else day


def _decide(asked: Asked, now: datetime) -> Decision | None:
    """What the gate says of the model that answers; None where there is none."""
    from yupana.tracking import subjects

    found = model.served(asked)
    if found.folder is None:
        return None
    # The store adds files to its copy: where that is the candidate's own, the candidate is judged.
    folder = found.folder
    if found.fitted and model_sha256(found.fitted) == model_sha256(folder):
        folder = found.fitted
    subject = subjects.of_folder(asked.use_case, found.version, folder)
    return gate.decide(asked.settings, asked.use_case, subject, "check", now)


def _state(decision: Decision) -> State:
    if not decision.allowed:
        return "no"
    return "yes" if decision.meets == "service" and decision.stage == "service" else "part"


def _answer(decision: Decision | None) -> Answer:
    if decision is None:
        return Answer("unknown", "Ningún modelo está desplegado.", "No model is deployed.")
    if not decision.allowed:
        return Answer("no", f"La compuerta lo rechaza. {_cap(decision.why_es)}.",
                      f"The gate refuses it. {_cap(decision.why_en)}.")  # fmt: skip
    if _state(decision) == "part":
        open_for = len(decision.unmet("service"))
        return Answer(
            "part",
            "Solo a prueba: responde con una advertencia y no está aprobado para decidir. "
            f"Para el servicio faltan {open_for} condiciones.",
            "On trial only: it answers with a caveat and is not approved for decisions. "
            f"{open_for} conditions are open for service.",
        )
    return Answer("yes", "Aprobado para el servicio.", "Approved for service.")


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:]


def _never(asked: Asked) -> Missing:
    return Missing(
        "Ninguna decisión está anotada.",
        "No decision is recorded.",
        f"yupana governance check {asked.use_case}",
    )


def _basis(made: Made) -> Basis:
    es, en = _KINDS[made.kind]
    when = made.time.isoformat()
    return Basis(f"Evento {made.seq}: {es}", f"Event: {en}", made.subject, made.hash, when)


def _told(made: Made) -> dict[str, Any]:
    """A decision as a row: who acted stands under a pseudonym."""
    es, en = _KINDS[made.kind]
    facts = made.facts
    outcome = ("", "")
    if made.kind == "gate":
        outcome = ("permitido", "allowed") if facts.get("allowed") else ("rechazado", "refused")
        outcome = (f"{facts.get('action', '')}: {outcome[0]}", outcome[1])
    why_es, why_en = (str(facts.get(f"reason_{k}", "")) for k in ("es", "en"))
    if unmet := facts.get("unmet"):
        why_es = why_es or f"faltan: {', '.join(unmet)}"
    return {
        "time": made.time.isoformat(), "es": es, "en": en, "subject": made.subject,
        "outcome": outcome, "why": (why_es, why_en), "actor": made.actor, "signed": made.signed,
    }  # fmt: skip


def _checklists(held: Register) -> list[dict[str, Any]]:
    """Every checklist of the register: title, day of review, items, and how many are gaps."""
    adoption = [item for _, item in held.adoption.items()]
    ethics = [item for _, item in held.ethics.items()]
    personal = held.data_protection
    return [
        _list("Protección de datos", "Data protection", personal.reviewed, personal.items),
        _list("Ética", "Ethics", held.ethics.reviewed, ethics),
        _list("Adopción", "Adoption", held.adoption.reviewed, adoption),
        _list("Metas cualitativas", "Qualitative targets", "", held.targets.qualitative),
    ]


def _list(es: str, en: str, reviewed: Any, items: Sequence[Item]) -> dict[str, Any]:
    return {
        "es": es,
        "en": en,
        "reviewed": str(reviewed),
        "points": items,
        "gaps": sum(item.gap is not None for item in items),
    }
