"""What a model must have before it may be used for decisions: stage `service`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from yupana.core.hashing import file_sha256, value_sha256
from yupana.governance import decisions, evidence, measures, persons
from yupana.governance.case import Case, Condition, said
from yupana.governance.decisions import Made
from yupana.governance.evidence import Look, Report
from yupana.governance.measures import Subject
from yupana.governance.register import LEVELS, Register
from yupana.governance.register_parts import UNNAMED


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
    found = evidence.newest_report(_looking(case, 1), pattern, ref)
    if found is None or not found.path.is_file():
        return {}, None
    told = json.loads(found.path.read_text())
    same = told.get("model") == ref and is_whole(told) and told["id"] in found.path.name
    return (told, found) if same else ({}, None)


def is_whole(report: dict[str, Any]) -> bool:
    """Whether an impact report has the content that its id is the hash of."""
    rest = {k: v for k, v in report.items() if k != "id" and not k.startswith("summary")}
    return value_sha256(rest)[:12] == report.get("id")


def _looking(case: Case, days: int) -> Look:
    return Look(case.settings, case.use_case, case.now, days)


def _old(case: Case, day: dt.date, days: int, what: str) -> str:
    over = case.now.date() > day + dt.timedelta(days=days)
    return f"{what} {day} counted {days} days" if over else ""


def _notice(case: Case, about: Register) -> Condition:
    path, wrong = case.settings.root / about.notice.file, ""
    if not path.is_file():
        wrong = f"{about.notice.file} is not there"
    elif file_sha256(path) != about.notice.sha256:
        wrong = f"{about.notice.file} is not what was published"
    return said(
        "notice", "service",
        [wrong, _old(case, about.notice.published, about.validity.notice, "published on")],
        es="aviso de transparencia publicado", en="a published transparency notice",
        seen=f"{about.notice.file}, {about.notice.sha256[:12]}",
        fix="Publish the notice; write its SHA-256 and the day under `notice` in the register.",
    )  # fmt: skip


def _people(case: Case, about: Register) -> Condition:
    wanted = ("supervisor", "deputy")
    return said(
        "people", "service",
        [f"no {r} is named with an account" for r in wanted if not about.having(r)],
        es="supervisión y suplencia con nombre y cuenta", en="a named supervisor and a deputy",
        seen=", ".join(p.id for r in wanted for p in about.having(r)),
        fix=f"Write names and accounts under `people`, in place of '{UNNAMED}'.",
    )  # fmt: skip


def _costs(case: Case, about: Register) -> Condition:
    unset = about.costs.set_by.strip().casefold() == UNNAMED
    return said(
        "costs", "service", "nobody set them" if unset else "",
        es="costos de los dos errores fijados por la entidad",
        en="costs of both errors set by the agency",
        seen=f"set by {about.costs.set_by}", fix="Set them under `costs`, and who did: set_by.",
    )  # fmt: skip


def _data_protection(case: Case, about: Register) -> Condition:
    told = [(f"item {n}", item) for n, item in enumerate(about.data_protection.items, 1)]
    return _checklist(
        case, about, "data_protection", about.data_protection.reviewed, told,
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
    case: Case, about: Register, code: str, reviewed: dt.date, told: Any, *, es: str, en: str
) -> Condition:
    days = int(getattr(about.validity, code))
    looking = _looking(case, about.validity.evidence)
    return said(
        code, "service",
        [_old(case, reviewed, days, "reviewed on"), *evidence.open_points(looking, told)],
        es=es, en=en, seen=f"reviewed {reviewed}, {len(told)} points with evidence",
        fix=f"Close these points under `{code}` in the register, and date its review.",
    )  # fmt: skip


def _factors(case: Case, about: Register) -> Condition:
    told = [(f"risk {n}", item) for n, item in enumerate(about.risk.factors, 1)]
    return said(
        "risks", "service", evidence.open_points(_looking(case, about.validity.evidence), told),
        es="factores de riesgo con su medida", en="risk factors with what is done against them",
        seen=f"{len(told)} factors with evidence", fix="Close these points under `risk.factors`.",
    )  # fmt: skip


def _scores(case: Case, about: Register) -> Condition:
    assert case.model is not None
    made = evidence.is_evaluated(_looking(case, 1), case.model.evaluation())
    return said(
        "scores", "service",
        "" if made else "evaluation.json is not what an evaluation in the ledger wrote",
        es="puntajes medidos en esta plataforma", en="scores that were measured on this platform",
        seen="evaluation.json, as the ledger has its hash",
        fix=f"Train it here: yupana train {case.use_case}",
    )  # fmt: skip


def _targets(case: Case, about: Register) -> Condition:
    assert case.model is not None
    impact = impact_of(case)[0]
    off = [w for b in about.targets.quantitative for w in measures.beyond(b, case.model, impact)]
    told = [(f"target {n}", item) for n, item in enumerate(about.targets.qualitative, 1)]
    off += evidence.open_points(_looking(case, about.validity.evidence), told)
    return said(
        "targets", "service", off, es="metas de desempeño", en="performance targets",
        seen=f"{len(about.targets.quantitative)} numbers, {len(told)} others reached",
        fix="Train a better version, or set the target that the agency can answer for.",
    )  # fmt: skip


def _groups(case: Case, about: Register) -> Condition:
    assert case.model is not None
    impact = impact_of(case)[0]
    off = [w for b in about.limits for w in measures.beyond(b, case.model, impact)]
    unjudged = [of for b in about.limits for of in measures.hidden(b, impact)]
    hidden = f"; not judged, their counts are hidden: {', '.join(unjudged)}" if unjudged else ""
    return said(
        "groups", "service", off, es="medidas por grupo dentro de los límites",
        en="metrics by group within the limits",
        seen=f"{len(about.limits)} limits hold{hidden}",
        fix=f"Measure: yupana impact {case.use_case}; train a version that is good for all.",
    )  # fmt: skip


def _impact(case: Case, about: Register) -> Condition:
    told, found = impact_of(case)
    name = case.model.name if case.model else case.use_case
    wrong = "" if found else f"no impact report on {name} that is as `yupana impact` wrote it"
    seen = ""
    if found and case.model:
        wrong = measures.left_out(case.model, told)
        wrong = wrong or _old(case, found.made.date(), about.validity.impact, "made on")
        period = told.get("period", {})
        seen = f"{found.path.name}, weeks {period.get('from')} to {period.get('to')}"
    return said(
        "impact", "service", wrong, es="evaluación de impacto vigente",
        en="a fresh impact assessment", seen=seen,
        fix=f"Run `yupana impact {case.use_case} --model {name}`.",
    )  # fmt: skip


def _author(case: Case, about: Register) -> Condition:
    assert case.model is not None
    people, strangers = persons.authors_known(case.settings, about, case.made, case.model)
    wrong = [f"{s} made it and is nobody of the register" for s in sorted(strangers)]
    return said(
        "author", "service", wrong or ("" if people else "it is not recorded who made it"),
        es="autoría registrada", en="an author whom the register knows",
        seen=", ".join(sorted(people)),
        fix="Write the author, with every account, under `people` (role author); see the account "
        f"by `yupana governance history {case.use_case}`.",
    )  # fmt: skip


def _assessed(case: Case, about: Register) -> Condition:
    assert case.model is not None
    found = decisions.newest(case.made, "assess", case.model.name)
    return said(
        "assessment", "service", stale(case, about, found, case.model),
        es="evaluación de riesgos vigente", en="a fresh assessment",
        seen=f"event {found.seq}, until {found.facts['expires']}" if found else "",
        fix=f"Run `yupana governance assess {case.model.name}`.",
    )  # fmt: skip


def stale(case: Case, about: Register, found: Made | None, model: Subject) -> str:
    """Why an assessment or approval does not count; empty where it does."""
    if found is None:
        return "there is none"
    if found.facts["sha256"] != model.sha256:
        return "it is of other files"
    if found.facts["register"] != about.digest:
        return "the register was changed after it"
    if case.now.date().isoformat() > str(found.facts["expires"]):
        return f"it counted until {found.facts['expires']}"
    return ""


def _approved(case: Case, about: Register) -> Condition:
    assert case.model is not None
    found = decisions.newest(case.made, "approve", case.model.name)
    wrong = stale(case, about, found, case.model)
    if found and not wrong:
        assessed = decisions.newest(case.made, "assess", case.model.name)
        if assessed is None or found.facts["assessment"] != assessed.hash:
            wrong = "it is of another assessment"
        else:
            wrong = persons.not_another(case.settings, about, case.made, case.model, found.accounts)
    return said(
        "approval", "service", wrong, es="aprobación de otra persona que quien lo hizo",
        en="approval by a person other than the author",
        seen=f"event {found.seq}, {found.facts['person']}" if found else "",
        fix=f"Another than the author: yupana governance approve {case.model.name} --reason TEXT",
    )  # fmt: skip
