"""What a model must have before it may be used for decisions: stage `service`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from yupana.core.hashing import file_sha256, value_sha256
from yupana.gate import decisions, evidence, measures, register_people
from yupana.gate.case import Case, Condition, condition
from yupana.gate.decisions import Record
from yupana.gate.evidence import EvidenceContext, Report
from yupana.gate.measures import Subject
from yupana.gate.register import LEVELS, Register
from yupana.gate.register_parts import UNNAMED


def look(case: Case, about: Register) -> list[Condition]:
    """The conditions that a class asks for; a class asks for all that the lower ones do."""
    checks: list[tuple[str, Callable[[Case, Register], Condition], bool]] = [
        ("low", _notice, False), ("low", _people, False), ("low", _scores, True),
        ("low", _targets, True),
        ("medium", _data_protection, False), ("medium", _ethics, False),
        ("medium", _adoption, False), ("medium", _factors, False), ("medium", _groups, True),
        ("medium", _assessed, True),
        ("high", _costs, False), ("high", _impact, True), ("high", _author, True),
        ("high", _approved, True),
    ]  # fmt: skip
    mine = LEVELS.index(case.level)
    return [
        check(case, about)
        for level, check, of_model in checks
        if LEVELS.index(level) <= mine and (case.model is not None or not of_model)
    ]


def impact_of(case: Case) -> tuple[dict[str, Any], Report | None]:
    """The newest impact report on the model that is as it was written, and where it lies."""
    if case.model is None:
        return {}, None
    pattern, ref = f"{case.use_case}/impact-*.json", f"model:{case.model.name}"
    source = evidence.newest_report(_looking(case, 1), pattern, ref)
    if source is None or not source.path.is_file():
        return {}, None
    report = json.loads(source.path.read_text())
    same = report.get("model") == ref and is_whole(report) and report["id"] in source.path.name
    return (report, source) if same else ({}, None)


def is_whole(report: dict[str, Any]) -> bool:
    """Whether an impact report has the content that its id is the hash of."""
    rest = {k: v for k, v in report.items() if k != "id" and not k.startswith("summary")}
    return value_sha256(rest)[:12] == report.get("id")


def _looking(case: Case, days: int) -> EvidenceContext:
    return EvidenceContext(case.settings, case.use_case, case.now, days)


def _old(case: Case, day: dt.date, days: int, what: str) -> str:
    over = case.now.date() > day + dt.timedelta(days=days)
    return f"{what} {day} counted {days} days" if over else ""


def _notice(case: Case, about: Register) -> Condition:
    path, wrong = case.settings.root / about.notice.file, ""
    if not path.is_file():
        wrong = f"{about.notice.file} is not there"
    elif file_sha256(path) != about.notice.sha256:
        wrong = f"{about.notice.file} is not what was published"
    return condition(
        "notice", "service",
        [wrong, _old(case, about.notice.published, about.validity.notice, "published on")],
        es="aviso de transparencia publicado", en="a published transparency notice",
        evidence=f"{about.notice.file}, {about.notice.sha256[:12]}",
        fix="Publish the notice; write its SHA-256 and the day under `notice` in the register.",
    )  # fmt: skip


def _people(case: Case, about: Register) -> Condition:
    roles = ("supervisor", "deputy")
    return condition(
        "people", "service",
        [f"no {r} is named with an account" for r in roles if not about.having(r)],
        es="supervisión y suplencia con nombre y cuenta", en="a named supervisor and a deputy",
        evidence=", ".join(p.id for r in roles for p in about.having(r)),
        fix=f"Write names and accounts under `people`, in place of '{UNNAMED}'.",
    )  # fmt: skip


def _costs(case: Case, about: Register) -> Condition:
    unset = about.costs.set_by.strip().casefold() == UNNAMED
    return condition(
        "costs", "service", "nobody set them" if unset else "",
        es="costos de los dos errores fijados por la entidad",
        en="costs of both errors set by the agency",
        evidence=f"set by {about.costs.set_by}", fix="Set them under `costs`, and who did: set_by.",
    )  # fmt: skip


def _data_protection(case: Case, about: Register) -> Condition:
    items = [(f"item {n}", item) for n, item in enumerate(about.data_protection.items, 1)]
    return _checklist(
        case, about, "data_protection", about.data_protection.reviewed, items,
        es="evaluación de protección de datos", en="data-protection assessment",
    )  # fmt: skip


def _ethics(case: Case, about: Register) -> Condition:
    return _checklist(
        case, about, "ethics", about.ethics.reviewed, list(about.ethics.items()),
        es="cinco principios y ocho requisitos éticos",
        en="five principles and eight requirements of ethics",
    )  # fmt: skip


def _adoption(case: Case, about: Register) -> Condition:
    return _checklist(
        case, about, "adoption", about.adoption.reviewed, list(about.adoption.items()),
        es="lista de adopción", en="checklist of adoption",
    )  # fmt: skip


def _checklist(
    case: Case, about: Register, code: str, reviewed: dt.date, items: Any, *, es: str, en: str
) -> Condition:
    days = int(getattr(about.validity, code))
    looking = _looking(case, about.validity.evidence)
    return condition(
        code, "service",
        [_old(case, reviewed, days, "reviewed on"), *evidence.open_points(looking, items)],
        es=es, en=en, evidence=f"reviewed {reviewed}, {len(items)} points with evidence",
        fix=f"Close these points under `{code}` in the register, and date its review.",
    )  # fmt: skip


def _factors(case: Case, about: Register) -> Condition:
    items = [(f"risk {n}", item) for n, item in enumerate(about.risk.factors, 1)]
    return condition(
        "risks", "service", evidence.open_points(_looking(case, about.validity.evidence), items),
        es="factores de riesgo con su medida", en="risk factors with what is done against them",
        evidence=f"{len(items)} factors with evidence",
        fix="Close these points under `risk.factors`.",
    )  # fmt: skip


def _scores(case: Case, about: Register) -> Condition:
    assert case.model is not None
    measured = evidence.is_measured(_looking(case, 1), case.model.evaluation())
    return condition(
        "scores", "service",
        "" if measured else "evaluation.json is not what an evaluation in the ledger wrote",
        es="puntajes medidos en esta plataforma", en="scores that were measured on this platform",
        evidence="evaluation.json, as the ledger has its hash",
        fix=f"Train it here: yupana train {case.use_case}",
    )  # fmt: skip


def _targets(case: Case, about: Register) -> Condition:
    assert case.model is not None
    impact = impact_of(case)[0]
    off = [w for b in about.targets.quantitative for w in measures.beyond(b, case.model, impact)]
    items = [(f"target {n}", item) for n, item in enumerate(about.targets.qualitative, 1)]
    off += evidence.open_points(_looking(case, about.validity.evidence), items)
    return condition(
        "targets", "service", off, es="metas de desempeño", en="performance targets",
        evidence=f"{len(about.targets.quantitative)} numbers, {len(items)} others reached",
        fix="Train a better version, or set the target that the agency can answer for.",
    )  # fmt: skip


def _groups(case: Case, about: Register) -> Condition:
    assert case.model is not None
    impact = impact_of(case)[0]
    off = [w for b in about.limits for w in measures.beyond(b, case.model, impact)]
    unjudged = [of for b in about.limits for of in measures.hidden(b, case.model, impact)]
    hidden = f"; not judged, their counts are hidden: {', '.join(unjudged)}" if unjudged else ""
    return condition(
        "groups", "service", off, es="medidas por grupo dentro de los límites",
        en="metrics by group within the limits",
        evidence=f"{len(about.limits)} limits hold{hidden}",
        fix=f"Measure: yupana impact {case.use_case}; train a version that is good for all.",
    )  # fmt: skip


def _impact(case: Case, about: Register) -> Condition:
    report, source = impact_of(case)
    name = case.model.name if case.model else case.use_case
    wrong = "" if source else f"no impact report on {name} that is as `yupana impact` wrote it"
    period_text = ""
    if source and case.model:
        wrong = measures.left_out(case.model, report)
        wrong = wrong or _old(case, source.time.date(), about.validity.impact, "made on")
        period = report.get("period", {})
        period_text = f"{source.path.name}, {period.get('from')} to {period.get('to')}"
    return condition(
        "impact", "service", wrong, es="evaluación de impacto vigente",
        en="a fresh impact assessment", evidence=period_text,
        fix=f"Run `yupana impact {case.use_case} --model {name}`.",
    )  # fmt: skip


def _author(case: Case, about: Register) -> Condition:
    assert case.model is not None
    people, strangers = register_people.people_behind(
        case.settings, about, case.records, case.model
    )
    wrong = [f"{s} made it and is nobody of the register" for s in sorted(strangers)]
    return condition(
        "author", "service", wrong or ("" if people else "it is not recorded who made it"),
        es="autoría registrada", en="an author whom the register knows",
        evidence=", ".join(sorted(people)),
        fix="Write the author, with every account, under `people` (role author); see the account "
        f"by `yupana governance history {case.use_case}`.",
    )  # fmt: skip


def _assessed(case: Case, about: Register) -> Condition:
    assert case.model is not None
    record = decisions.newest(case.records, "assess", case.model.name)
    return condition(
        "assessment", "service", stale(case, about, record, case.model),
        es="evaluación de riesgos vigente", en="a fresh assessment",
        evidence=f"event {record.seq}, until {record.facts['expires']}" if record else "",
        fix=f"Run `yupana governance assess {case.model.name}`.",
    )  # fmt: skip


def stale(case: Case, about: Register, record: Record | None, model: Subject) -> str:
    """Why an assessment or approval does not count; empty where it does."""
    if record is None:
        return "there is none"
    if record.facts["sha256"] != model.sha256:
        return "it is of other files"
    if record.facts["register"] != about.digest:
        return "the register was changed after it"
    if case.now.date().isoformat() > str(record.facts["expires"]):
        return f"it counted until {record.facts['expires']}"
    return ""


def _approved(case: Case, about: Register) -> Condition:
    assert case.model is not None
    record = decisions.newest(case.records, "approve", case.model.name)
    wrong = stale(case, about, record, case.model)
    if record and not wrong:
        assessed = decisions.newest(case.records, "assess", case.model.name)
        if assessed is None or record.facts["assessment"] != assessed.hash:
            wrong = "it is of another assessment"
        else:
            wrong = register_people.not_another(
                case.settings, about, case.records, case.model, record.accounts
            )
    return condition(
        "approval", "service", wrong, es="aprobación de otra persona que quien lo hizo",
        en="approval by a person other than the author",
        evidence=f"event {record.seq}, {record.facts['person']}" if record else "",
        fix=f"Another than the author: yupana governance approve {case.model.name} --reason TEXT",
    )  # fmt: skip
