"""The gate: whether a model may become champion, be placed, and go on answering; and why.

Everything that can put a model before people asks here, in code: registration, promotion,
deployment, adoption; and a service asks again, each second, of what it was given to serve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.gate import conditions, decisions, register, suspension
from yupana.gate.case import Condition, Stage, case_of
from yupana.gate.decisions import Record
from yupana.gate.measures import Subject
from yupana.identity import actors

Action = Literal["promote", "deploy", "challenge", "shadow", "adopt", "check"]


@dataclass(frozen=True)
class Decision:
    """What the gate says of a model, with every condition and its evidence.

    `meets` is the highest stage whose conditions all hold: service, trial or none.
    """

    allowed: bool
    stage: Stage
    meets: Literal["service", "trial", "none"]
    use_case: str
    model: str
    action: str
    time: datetime
    conditions: tuple[Condition, ...]
    why_es: str
    why_en: str

    def unmet(self, stage: str = "") -> list[Condition]:
        """Conditions of a stage (by default of the decision's) that do not hold."""
        judged = stage or self.stage
        return [c for c in self.conditions if not c.met and judged in (c.needed_for, "service")]


class GateRefusedError(TerminalError):
    """The gate refuses; `decision` has every condition."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        unmet = decision.unmet()
        super().__init__(
            f"The gate refuses to {decision.action} {decision.model} (stage {decision.stage}): "
            + "; ".join(f"{c.code}: {c.en}" for c in unmet)
            + ".",
            where=f"models/{decision.use_case}/governance.yaml and the ledger",
            fix="\n         ".join(dict.fromkeys(f"{c.code}: {c.fix}" for c in unmet)),
        )


def decide(
    settings: Settings,
    use_case: str,
    model: Subject | None,
    action: Action,
    now: datetime,
    stage: Stage | None = None,
) -> Decision:
    """Look at every condition; writes nothing.

    Args:
        model: None judges the use case alone.
        stage: judged for this stage; by default the register's own.
    """
    case = case_of(settings, use_case, model, action, now)
    results = tuple(conditions.look(case))
    judged = stage or (case.register.stage if case.register else "trial")
    open_for = {
        s: [c for c in results if not c.met and s in (c.needed_for, "service")]
        for s in ("trial", "service")
    }
    meets: Any = "none" if open_for["trial"] else "trial" if open_for["service"] else "service"
    unmet = [c.code for c in open_for[judged]]
    name = model.name if model else use_case
    es = f"faltan: {', '.join(unmet)}" if unmet else f"se cumple todo lo que pide {judged}"
    en = f"open: {', '.join(unmet)}" if unmet else f"all that {judged} asks for holds"
    return Decision(
        not unmet, judged, meets, use_case, name, action, now, results,
        f"{name}: {es}", f"{name}: {en}",
    )  # fmt: skip


def admit(
    settings: Settings,
    use_case: str,
    model: Subject,
    action: Action,
    now: datetime,
) -> Decision:
    """Decide, and write the decision into the ledger, signed: a pass for exactly these files.

    Raises:
        GateRefusedError: a condition of the stage does not hold; that is recorded as well.
    """
    # A shadow answers nobody: it may be tried before it is approved.
    stage: Stage | None = "trial" if action == "shadow" else None
    decision = decide(settings, use_case, model, action, now, stage)
    records = decisions.of(settings, use_case)
    basis = _basis(records, model) if decision.meets == "service" else {}
    facts = {
        "action": action, "version": model.version, "sha256": model.sha256,
        "allowed": decision.allowed, "stage": decision.stage, "meets": decision.meets,
        "shadow": action == "shadow", "unmet": [c.code for c in decision.unmet()],
        **_judged_by(settings, use_case), **basis,
    }  # fmt: skip
    decisions.write(settings, "gate", model.name, facts, accounts=actors.here(), now=now)
    if not decision.allowed:
        raise GateRefusedError(decision)
    return decision


def note_author(settings: Settings, model: Subject, action: str, now: datetime) -> None:
    """Record who brought a model in: whoever approves it must be another person."""
    facts = {
        "action": action, "version": model.version, "sha256": model.sha256, "allowed": False,
    }  # fmt: skip
    decisions.write(settings, "gate", model.name, facts, accounts=actors.here(), now=now)


def demand_permitted(settings: Settings, use_case: str, now: datetime) -> None:
    """Refuse a use case whose register is not valid, or classes it as prohibited.

    Raises:
        GateRefusedError: so it is.
    """
    decision = decide(settings, use_case, None, "promote", now, "trial")
    if {"register", "class"} & {c.code for c in decision.unmet()}:
        raise GateRefusedError(decision)


def is_settled(settings: Settings, model: Subject, now: datetime) -> bool:
    """Whether these files have a pass under this version, nothing holds them back, and another
    decision would give no better pass: one of trial becomes one of service by an approval."""
    now_standing = standing(settings, model.use_case, str(model.version), model.sha256, now)
    if not now_standing.allowed or now_standing.shadow:
        return False
    records = decisions.of(settings, model.use_case)
    granted = _newest_pass(records, model.name, model.sha256)
    if granted and granted.facts["meets"] == "service" and not now_standing.expired:
        return True
    return decide(settings, model.use_case, model, "check", now, "service").meets != "service"


def was_admitted(settings: Settings, model: Subject) -> bool:
    """Whether these files had a pass before, to answer, under this version."""
    granted = _newest_pass(decisions.of(settings, model.use_case), model.name, model.sha256)
    return granted is not None and not granted.facts.get("shadow")


def _basis(records: list[Record], model: Subject) -> dict[str, Any]:
    """The approval and assessment that a pass of service rests on, and until when."""
    newest = {
        kind: decisions.newest(records, kind, model.name, model.sha256)
        for kind in ("assess", "approve")
    }
    basis: dict[str, Any] = {kind: one.hash for kind, one in newest.items() if one}
    ends = [str(one.facts["expires"]) for one in newest.values() if one]
    return {**basis, "expires": min(ends)} if ends else basis


def _judged_by(settings: Settings, use_case: str) -> dict[str, str]:
    """The register that a decision was made by, and the class that it states."""
    try:
        about = register.load(settings.root, use_case)
    except TerminalError:
        return {"register": ""}
    return {"register": about.digest, "level": about.level}


@dataclass(frozen=True)
class Standing:
    """What a service asks of a model that it holds.

    Attributes:
        allowed: it has a good pass for exactly its files, and nothing holds it back.
        trial: its answers are not approved for decisions, and say so.
        suspended: Spanish and English, where it is; `why` is what else holds it back.
        expired: its approval was good once, and its time is over.
        shadow: its pass is for answers that nobody is told.
    """

    allowed: bool
    trial: bool = True
    suspended: tuple[str, str] | None = None
    why: tuple[str, str] | None = None
    expired: bool = False
    shadow: bool = False


def standing(
    settings: Settings, use_case: str, version: str, sha256: str, now: datetime
) -> Standing:
    """Whether a model may answer now: its pass in the ledger, suspensions, stage and class.

    Cheap: a service asks each second.
    """
    records, wrong = decisions.cached(settings, use_case)
    name = f"{use_case}@{version}"
    # First: nothing that is wrong elsewhere may hide a suspension.
    if suspended := suspension.of_model(records, name):
        return Standing(False, suspended=suspended.sentences())
    if wrong:
        return _refused(f"el registro de decisiones no está íntegro: {wrong}",
                        f"the record of decisions is not whole: {wrong}")  # fmt: skip
    try:
        about = register.load(settings.root, use_case)
    except TerminalError as error:
        return _refused("el registro de riesgos no es válido", error.what)
    if about.level == "prohibited":
        return _refused("la clase de riesgo es prohibida", "the risk class is prohibited")
    granted = _newest_pass(records, name, sha256)
    if granted is None:
        return _refused(f"{name} no pasó la compuerta con estos archivos",
                        f"{name} has no gate pass for these files")  # fmt: skip
    # A clock that was set back makes nothing young again.
    return _of_pass(granted, about.stage, records, max(now, decisions.latest(settings)))


def _of_pass(granted: Record, stage: str, records: list[Record], now: datetime) -> Standing:
    approved = granted.facts["meets"] == "service"
    basis = {granted.facts["assess"], granted.facts["approve"]} if approved else set()
    if not basis <= {r.hash for r in records}:
        return _refused("su aprobación ya no está en el registro", "its approval is gone")
    shadow = bool(granted.facts.get("shadow"))
    if stage == "service" and not approved and not shadow:
        return _refused("su pase es de una prueba", "its pass is of a trial")
    expired = approved and str(granted.facts["expires"]) < now.date().isoformat()
    return Standing(True, stage == "trial" or not approved or expired, None, None, expired, shadow)


def _newest_pass(records: Sequence[Record], name: str, sha256: str) -> Record | None:
    return next((r for r in reversed(records) if _is_pass(r, name, sha256)), None)


def _is_pass(record: Record, name: str, sha256: str) -> bool:
    of_it = record.kind == "gate" and record.subject == name and record.signed
    return of_it and bool(record.facts.get("allowed")) and record.facts.get("sha256") == sha256


def _refused(es: str, en: str) -> Standing:
    return Standing(False, why=(es, en))


@dataclass(frozen=True)
class Versions:
    """What holds of each version of a use case, for answers that models gave before.

    Attributes:
        approved: versions with a pass of service; nothing is approved on trial.
    """

    use_case: str
    approved: frozenset[str]
    suspended: dict[str, suspension.Suspension]

    def suspension_of(self, version: str) -> suspension.Suspension | None:
        """What suspends a version."""
        by_name = self.suspended
        return by_name.get(self.use_case) or by_name.get(f"{self.use_case}@{version}")


def versions(settings: Settings, use_case: str) -> Versions:
    """Approvals and suspensions as they are now; cheap."""
    records, _ = decisions.cached(settings, use_case)
    try:
        trial = register.load(settings.root, use_case).stage == "trial"
    except TerminalError:
        trial = True
    passed = (m for m in records if m.kind == "gate" and m.signed and m.facts.get("allowed"))
    approved = {str(m.facts["version"]) for m in passed if m.facts.get("meets") == "service"}
    current = frozenset() if trial else frozenset(approved)
    return Versions(use_case, current, suspension.in_force(records))


def to_json(decision: Decision) -> dict[str, Any]:
    """A decision for programs and pages."""
    return {
        **{k: v for k, v in asdict(decision).items() if k not in ("conditions", "time")},
        "time": decision.time.isoformat(timespec="seconds"),
        "conditions": [asdict(c) for c in decision.conditions],
    }
