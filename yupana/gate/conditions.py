"""Every condition of the gate, each with its evidence and how to meet it."""

from __future__ import annotations

from datetime import timedelta

from yupana.core.evaluation import FILE
from yupana.gate import decisions, register, service_conditions, suspension
from yupana.gate.case import Case, Condition, condition
from yupana.gate.measures import Subject
from yupana.gate.register import Register

CLOCK = timedelta(minutes=5)
"""By which clocks of one installation may differ."""


def look(case: Case) -> list[Condition]:
    """All conditions that the use case's class asks for, those of a trial first."""
    results = [_register(case)]
    if case.register is not None:
        results.append(_class(case, case.register))
    results += [_ledger(case), _clock(case), _suspended(case)]
    if case.model is not None:
        results += [_files(case.model), _evaluated(case.model)]
    if case.register is not None:
        results += service_conditions.look(case, case.register)
    return results


def _register(case: Case) -> Condition:
    return condition(
        "register", "trial", case.invalid.replace("\n", " "),
        es="registro de riesgos válido", en="a valid risk register",
        evidence=f"{register.path_of(case.settings.root, case.use_case).name}, "
        f"{case.register.digest[:12] if case.register else ''}",
        fix="Write or correct the register; docs/governance.md says how.",
    )  # fmt: skip


def _class(case: Case, about: Register) -> Condition:
    before = f"; judged as {case.level}, as before" if case.level != about.level else ""
    both = f"strategy: {about.risk.strategy.of}; DS 115-2025-PCM: {about.risk.regulation.of}"
    return condition(
        "class", "trial", f"prohibited ({both})" if about.level == "prohibited" else "",
        es="uso permitido por su clase de riesgo", en="a use that its risk class permits",
        evidence=f"{both}{before}",
        fix="A prohibited use is not deployed at all: take it out of service.",
    )  # fmt: skip


def _ledger(case: Case) -> Condition:
    return condition(
        "ledger", "trial", decisions.trouble(case.records) or decisions.gaps(case.settings)[0],
        es="registro de decisiones íntegro", en="a whole record of decisions",
        evidence=f"{len(case.records)} decisions, signed and chained",
        fix="Run `yupana audit verify`; restore the platform database from its backup.",
    )  # fmt: skip


def _clock(case: Case) -> Condition:
    late = decisions.latest(case.settings)
    back = late - CLOCK > case.now
    return condition(
        "clock", "trial",
        f"it is {case.now:%Y-%m-%d %H:%M} here, and the ledger's newest event is of "
        f"{late:%Y-%m-%d %H:%M}" if back else "",
        es="reloj no atrasado", en="a clock that was not set back",
        evidence=f"{case.now:%Y-%m-%d %H:%M} UTC", fix="Set this machine's clock right (NTP).",
    )  # fmt: skip


def _suspended(case: Case) -> Condition:
    name = case.model.name if case.model else case.use_case
    suspended = suspension.of_model(case.records, name)
    return condition(
        "suspended", "trial", suspended.sentences()[1] if suspended else "",
        es="no suspendido", en="not suspended", evidence="no suspension holds",
        fix="A supervisor lifts it: "
        f"yupana governance resume {suspended.subject if suspended else name}",
    )  # fmt: skip


def _files(model: Subject) -> Condition:
    changed = ", ".join(model.changed or ())
    return condition(
        "files", "trial", f"changed since the fit: {changed}" if changed else "",
        es="archivos del modelo como su ajuste los escribió",
        en="the model's files as its fit wrote them", evidence=f"SHA-256 {model.sha256[:12]}",
        fix=f"Train it again: yupana train {model.use_case}",
    )  # fmt: skip


def _evaluated(model: Subject) -> Condition:
    evaluation = model.evaluation()
    values = evaluation.values() if evaluation else {}
    absent = [b for b in model.metric.baselines if b not in values]
    wrong = f"no {model.metric.name} of {', '.join(absent)}" if absent else ""
    return condition(
        "evaluated", "trial",
        wrong if values else f"no {model.metric.name} of the model in {FILE}",
        es="evaluado contra métodos simples", en="evaluated against simple methods",
        evidence=f"{model.metric.title} {values[model.final]:.3f}" if values else "",
        fix=f"Evaluate it: yupana train {model.use_case}",
    )  # fmt: skip
