"""What people decide: assess, approve, suspend, resume. Each leaves a signed event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime, timedelta

from yupana.config.settings import Settings
from yupana.core import reason as reasons
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256, value_sha256
from yupana.gate import (
    decisions,
    gate,
    measures,
    register,
    register_people,
    service_conditions,
    suspension,
)
from yupana.gate.case import case_of
from yupana.gate.decisions import Record
from yupana.gate.measures import Subject
from yupana.gate.register import Register
from yupana.identity import actors

_BY_PEOPLE = {"assessment", "approval"}


def assess(
    settings: Settings, model: Subject, *, now: datetime, accounts: Sequence[str]
) -> tuple[Record, gate.Decision]:
    """Record what the register, the model's files and its measures by group are today.

    Raises:
        GateRefusedError: a condition of the trial does not hold: there is nothing to assess.
    """
    decision = gate.decide(settings, model.use_case, model, "check", now, "service")
    if decision.meets == "none":
        raise gate.GateRefusedError(
            gate.decide(settings, model.use_case, model, "check", now, "trial")
        )
    about = register.load(settings.root, model.use_case)
    case = case_of(settings, model.use_case, model, "check", now)
    report = service_conditions.impact_of(case)[1]
    by_group = measures.by_group(model)
    facts = {
        "sha256": model.sha256, "register": about.digest, "level": about.level,
        "measures": by_group,
        "measures_sha256": value_sha256(by_group),
        "impact": file_sha256(report.path) if report else "",
        "unmet": [c.code for c in decision.unmet() if c.code not in _BY_PEOPLE],
        "expires": _ends(now, about.validity.assessment),
    }  # fmt: skip
    record = decisions.write(settings, "assess", model.name, facts, accounts=accounts, now=now)
    return record, decision


def approve(
    settings: Settings, model: Subject, reason: str, *, now: datetime, accounts: Sequence[str]
) -> Record:
    """Approve an assessed model for decisions, as a person other than its author.

    Raises:
        TerminalError: the person may not, or a condition of service does not hold.
    """
    reasons.of_decision(reason)
    about = register.load(settings.root, model.use_case)
    records = decisions.of(settings, model.use_case)
    names = decisions.pseudonyms(settings, accounts)
    if why := register_people.not_another(settings, about, records, model, names):
        raise TerminalError(
            f"{model.name} is not approved: {why}.",
            where=f"accounts {', '.join(accounts)}",
            fix="An approver of the register does it by an own account, in an own session.",
        )
    decision = gate.decide(settings, model.use_case, model, "check", now, "service")
    if [c for c in decision.unmet() if c.code != "approval"]:
        raise gate.GateRefusedError(decision)
    assessed = decisions.newest(records, "assess", model.name, model.sha256)
    assert assessed is not None
    people = register_people.behind(settings, about, accounts)
    person = next(p for p in people if "approver" in p.roles)
    facts = {
        "sha256": model.sha256, "register": about.digest, "level": about.level,
        "assessment": assessed.hash, "person": person.id, "reason": reason,
        "expires": _ends(now, about.validity.approval),
    }  # fmt: skip
    return decisions.write(settings, "approve", model.name, facts, accounts=accounts, now=now)


@dataclass(frozen=True)
class Order:
    """A person's order to stop a use case or one model of it, or to let it go on.

    Attributes:
        subject: the use case, or a version of its model: `NAME@3`.
        reason, reason_en: why, in Spanish and in English; without the latter the former is both.
        accounts: by what the person acts.

    Raises:
        UsageError: a reason is too short, or cannot be shown.
    """

    subject: str
    reason: str
    reason_en: str = ""
    _: KW_ONLY
    now: datetime
    accounts: Sequence[str]

    def __post_init__(self) -> None:
        reasons.of_decision(self.reason)
        reasons.plain(self.reason_en, "--reason-en")


def suspend(settings: Settings, order: Order) -> Record:
    """Stop a use case, or one model of it; services follow within seconds.

    Raises:
        UsageError: no decision was ever made on such a version.
        TerminalError: the person is neither supervisor nor deputy, nor (on trial) the
            administrator of this installation.
    """
    order = replace(order, subject=_subject(settings, order.subject))
    role = _role(settings, order, ("supervisor", "deputy"), administrator=True)
    return _write(settings, "suspend", order, role)


def resume(settings: Settings, order: Order) -> Record:
    """Lift a suspension of exactly this use case or model.

    Raises:
        UsageError: it is not suspended.
        TerminalError: the person is no supervisor; or the register is not valid. On trial the
            administrator lifts what the administrator ordered.
    """
    records = decisions.of(settings, decisions.use_case_of(order.subject))
    suspensions = suspension.in_force(records)
    if order.subject not in suspensions:
        raise UsageError(
            f"{order.subject} is not suspended.",
            where="the ledger",
            fix=f"Suspended are: {', '.join(suspensions) or 'none'}.",
        )
    # What a supervisor or deputy stopped, the administrator does not start again.
    own = suspensions[order.subject].role in ("administrator", "")
    register.load(settings.root, _use_case_of(order.subject))
    role = _role(settings, order, ("supervisor",), administrator=own)
    return _write(settings, "resume", order, role)


def _write(settings: Settings, kind: str, order: Order, role: str) -> Record:
    about = _register(settings, decisions.use_case_of(order.subject))
    # By whose register the role is one: who edits it to have a role is found by this.
    by = about.digest if about else ""
    es, en = order.reason, order.reason_en or order.reason
    facts = {"role": role, "register": by, "reason_es": es, "reason_en": en}
    return decisions.write(
        settings, kind, order.subject, facts, accounts=order.accounts, now=order.now
    )


def _role(
    settings: Settings, order: Order, roles: tuple[str, ...], *, administrator: bool
) -> str:
    """The role by which the person may stop or start a use case.

    Args:
        administrator: whether the administrator of an installation on trial may as well.
    """
    use_case = _use_case_of(order.subject)
    about = _register(settings, use_case)
    for role in roles if about else ():
        people = register_people.behind(settings, about, order.accounts) if about else []
        if any(role in person.roles and person.is_appointed for person in people):
            return role
    trial = about is None or about.stage == "trial"
    if trial and administrator and actors.is_administrator(settings, tuple(order.accounts)):
        return "administrator"
    raise TerminalError(
        f"{order.subject} is suspended and resumed by others: you act as none of "
        f"{', '.join(roles)}.",
        where=f"accounts {', '.join(order.accounts)}",
        fix=f"Ask one of them; the register names them: models/{use_case}/governance.yaml.",
    )


def _subject(settings: Settings, subject: str) -> str:
    """A use case or version as decisions name it; one that is none would stop nothing."""
    use_case = _use_case_of(subject)
    if "@" not in subject:
        return subject
    name = f"{use_case}@{int(subject.partition('@')[2])}"
    versions = {one.subject for one in decisions.of(settings, use_case) if "@" in one.subject}
    if name not in versions:
        raise UsageError(
            f"{name} was never brought in: suspending it would stop nothing.",
            where="the ledger",
            fix=f"Write {use_case} for all of it, or one of: "
            f"{', '.join(sorted(versions)) or 'none'}.",
        )
    return name


def _use_case_of(subject: str) -> str:
    use_case, at, version = subject.partition("@")
    if at and not version.isdigit():
        raise UsageError(
            f"'{subject}' names no use case and no version.",
            where="what is suspended",
            fix=f"Write {use_case} for all of the use case, or {use_case}@3 for one model.",
        )
    return use_case


def _register(settings: Settings, use_case: str) -> Register | None:
    """The register; None for one that is broken, which must not keep a model running."""
    try:
        return register.load(settings.root, use_case)
    except UsageError:
        raise
    except TerminalError:
        return None


def _ends(now: datetime, days: int) -> str:
    return (now + timedelta(days=days)).date().isoformat()
