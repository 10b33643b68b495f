"""The page of the gates: risk class, what must hold with its evidence, and the decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any

from yupana.gate import decisions, gate, register, suspension
from yupana.gate.decisions import Record
from yupana.gate.gate import Decision
from yupana.gate.measures import model_sha256
from yupana.gate.register import Register
from yupana.gate.register_parts import Item
from yupana.ledger import entries
from yupana.monitoring import kind
from yupana.monitoring.site.parts import Answer, Basis, Missing, Page, SiteRequest, State, of_file

NAME = "compuertas"
MOST = 50
_KINDS = {
    "gate": ("La compuerta", "The gate"),
    "assess": ("Evaluación", "Assessment"),
    "approve": ("Aprobación", "Approval"),
    "suspend": ("Suspensión", "Suspension"),
    "resume": ("Reanudación", "Resumption"),
}


def page(request: SiteRequest) -> Page:
    """The register of the use case, and what the gate says of the model that answers.

    Raises:
        UsageError: the use case has no register.
        TerminalError: it is not valid.
    """
    settings = request.settings
    risks = register.load(settings.root, request.use_case)
    path = register.path_of(settings.root, request.use_case)
    record = decisions.of(settings, request.use_case)
    now = _moment(request)
    decision = _decide(request, now)
    basis = [
        of_file(request, path, "Registro de riesgo", "Risk register", ref=f"models/{path.name}"),
        Basis("Lo declarado, sin la etapa", "What is stated, without the stage", "", risks.digest),
        *(_basis(one) for one in reversed(record[-MOST:])),
    ]
    name = decision.model if decision else request.use_case
    stopped = suspension.of_model(record, name)
    values = {
        "risks": risks,
        "measures": kind.labels(request.use_case).measures,
        "checklists": _checklists(risks),
        "decision": decision,
        "judged": now.isoformat(),
        "allowed": _state(decision) if decision else "unknown",
        "suspended": stopped.sentences() if stopped else None,
        "decisions": [_row(one) for one in reversed(record[-MOST:])],
    }
    missing = () if record else (_never(request),)
    return Page(NAME, values, tuple(basis), missing, _answer(decision))


def _moment(request: SiteRequest) -> datetime:
    """When evidence is judged: the day that was asked for, or later by the ledger's own clock.

    The ledger is never ahead of the judgement, or the gate would take the clock for set back.
    """
    day = datetime.combine(request.day, time(), UTC)
    newest = entries.newest(request.settings.platform_db)
    return max(day, decisions.moment(newest.time)) if newest else day


def _decide(request: SiteRequest, now: datetime) -> Decision | None:
    """What the gate says of the model that answers; None where there is none."""
    from yupana.tracking import roles, subjects

    served = roles.served(request.settings, request.use_case)
    if served.folder is None:
        return None
    # The store adds files to its copy: where that is the candidate's own, the candidate is judged.
    folder = served.folder
    if served.fitted and model_sha256(served.fitted) == model_sha256(folder):
        folder = served.fitted
    subject = subjects.of_folder(request.use_case, served.version, folder)
    return gate.decide(request.settings, request.use_case, subject, "check", now)


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


def _never(request: SiteRequest) -> Missing:
    return Missing(
        "Ninguna decisión está anotada.",
        "No decision is recorded.",
        f"yupana governance check {request.use_case}",
    )


def _basis(decision: Record) -> Basis:
    es, en = _KINDS[decision.kind]
    when = decision.time.isoformat()
    name = f"Evento {decision.seq}: {es}"
    return Basis(name, f"Event: {en}", decision.subject, decision.hash, when)


def _row(decision: Record) -> dict[str, Any]:
    """A decision as a row: who acted stands under a pseudonym."""
    es, en = _KINDS[decision.kind]
    facts = decision.facts
    outcome = ("", "")
    if decision.kind == "gate":
        outcome = ("permitido", "allowed") if facts.get("allowed") else ("rechazado", "refused")
        outcome = (f"{facts.get('action', '')}: {outcome[0]}", outcome[1])
    why_es, why_en = (str(facts.get(f"reason_{k}", "")) for k in ("es", "en"))
    if unmet := facts.get("unmet"):
        why_es = why_es or f"faltan: {', '.join(unmet)}"
    return {
        "time": decision.time.isoformat(), "es": es, "en": en, "subject": decision.subject,
        "outcome": outcome, "why": (why_es, why_en), "actor": decision.actor,
        "signed": decision.signed,
    }  # fmt: skip


def _checklists(risks: Register) -> list[dict[str, Any]]:
    """Every checklist of the register: title, day of review, items, and how many are gaps."""
    adoption = [item for _, item in risks.adoption.items()]
    ethics = [item for _, item in risks.ethics.items()]
    personal = risks.data_protection
    return [
        _list("Protección de datos", "Data protection", personal.reviewed, personal.items),
        _list("Ética", "Ethics", risks.ethics.reviewed, ethics),
        _list("Adopción", "Adoption", risks.adoption.reviewed, adoption),
        _list("Metas cualitativas", "Qualitative targets", "", risks.targets.qualitative),
    ]


def _list(es: str, en: str, reviewed: Any, items: Sequence[Item]) -> dict[str, Any]:
    return {
        "es": es,
        "en": en,
        "reviewed": str(reviewed),
        "points": items,
        "gaps": sum(item.gap is not None for item in items),
    }
