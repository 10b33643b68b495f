"""Every condition of the gate, each with its evidence and how to meet it."""

from __future__ import annotations

from datetime import timedelta

from yupana.governance import conditions_of_service, decisions, register, suspension
from yupana.governance.case import Case, Condition, said
from yupana.governance.measures import Subject
from yupana.governance.register import Register

CLOCK = timedelta(minutes=5)
"""By which clocks of one installation may differ."""


def look(case: Case) -> list[Condition]:
    """All conditions that the use case's class asks for, those of a trial first."""
    found = [_register(case)]
    if case.register is not None:
        found.append(_class(case, case.register))
    found += [_ledger(case), _clock(case), _suspended(case)]
    if case.model is not None:
        found += [_files(case.model), _evaluated(case.model)]
    if case.register is not None:
        found += conditions_of_service.look(case, case.register)
    return found


def _register(case: Case) -> Condition:
    return said(
        "register", "trial", case.invalid.replace("\n", " "),
        es="registro de riesgos válido", en="a valid risk register",
        seen=f"{register.path_of(case.settings.root, case.use_case).name}, "
        f"{case.register.digest[:12] if case.register else ''}",
        fix="Write or correct the register; docs/governance.md says how.",
    )  # fmt: skip


def _class(case: Case, about: Register) -> Condition:
    before = f"; judged as {case.level}, as before" if case.level != about.level else ""
    both = f"strategy: {about.risk.strategy.of}; DS 115-2025-PCM: {about.risk.regulation.of}"
    return said(
        "class", "trial", f"prohibited ({both})" if about.level == "prohibited" else "",
        es="uso permitido por su clase de riesgo", en="a use that its risk class permits",
        seen=f"{both}{before}",
        fix="A prohibited use is not deployed at all: take it out of service.",
    )  # fmt: skip


def _ledger(case: Case) -> Condition:
    return said(
        "ledger", "trial", decisions.trouble(case.made) or decisions.lost(case.settings),
        es="registro de decisiones íntegro", en="a whole record of decisions",
        seen=f"{len(case.made)} decisions, signed and chained",
        fix="Run `yupana audit verify`; restore the platform database from its backup.",
    )  # fmt: skip


def _clock(case: Case) -> Condition:
    late = decisions.latest(case.settings)
    back = late - CLOCK > case.now
    return said(
        "clock", "trial",
        f"it is {case.now:%Y-%m-%d %H:%M} here, and the ledger's newest event is of "
        f"{late:%Y-%m-%d %H:%M}" if back else "",
        es="reloj no atrasado", en="a clock that was not set back",
        seen=f"{case.now:%Y-%m-%d %H:%M} UTC", fix="Set this machine's clock right (NTP).",
    )  # fmt: skip


def _suspended(case: Case) -> Condition:
    name = case.model.name if case.model else case.use_case
    held = suspension.of_model(case.made, name)
    return said(
        "suspended", "trial", held.told()[1] if held else "",
        es="no suspendido", en="not suspended", seen="no suspension holds",
        fix=f"A supervisor lifts it: yupana governance resume {held.subject if held else name}",
    )  # fmt: skip


def _files(model: Subject) -> Condition:
    changed = ", ".join(model.changed or ())
    return said(
        "files", "trial", f"changed since the fit: {changed}" if changed else "",
        es="archivos del modelo como su ajuste los escribió",
        en="the model's files as its fit wrote them", seen=f"SHA-256 {model.sha256[:12]}",
        fix=f"Train it again: yupana train {model.use_case}",
    )  # fmt: skip


def _evaluated(model: Subject) -> Condition:
    scores = model.evaluation()
    has = model.final in scores
    return said(
        "evaluated", "trial", "" if has else "no scores of the model in evaluation.json",
        es="evaluado contra métodos simples", en="evaluated against simple methods",
        seen=f"WIS {scores[model.final]['wis']:.3f}" if has else "",
        fix=f"Evaluate it: yupana train {model.use_case}",
    )  # fmt: skip
