"""What the gate judges, and how a condition is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.gate import decisions, register
from yupana.gate.decisions import Record
from yupana.gate.measures import Subject
from yupana.gate.register import LEVELS, Register

Stage = Literal["trial", "service"]


@dataclass(frozen=True)
class Condition:
    """One condition: whether it is met, what was seen, and what to do where it is not."""

    code: str
    met: bool
    needed_for: Stage
    es: str
    en: str
    evidence: str
    fix: str


@dataclass
class Case:
    """What is judged: a model (or None: the use case alone), now, on these decisions."""

    settings: Settings
    use_case: str
    model: Subject | None
    action: str
    now: datetime
    records: Sequence[Record]
    register: Register | None = None
    invalid: str = ""

    @property
    def level(self) -> str:
        """The class whose conditions hold: the register's, or the one that decisions were made
        under before, where that is higher. An approval under the lower class lowers it."""
        now = self.register.level if self.register else "low"
        before = "low"
        for one in self.records:
            level = str(one.facts.get("level", "low"))
            if one.kind == "approve" and one.signed:
                before = level
            elif one.kind in ("gate", "assess"):
                before = max(before, level, key=LEVELS.index)
        # What is prohibited is so by the register as it is: no approval could ever lift it.
        before = "high" if before == "prohibited" else before
        return max(now, before, key=LEVELS.index)


def case_of(
    settings: Settings, use_case: str, model: Subject | None, action: str, now: datetime
) -> Case:
    """All that the conditions look at."""
    case = Case(settings, use_case, model, action, now, decisions.of(settings, use_case))
    try:
        case.register = register.load(settings.root, use_case)
    except TerminalError as error:
        case.invalid = str(error)
    return case


def condition(
    code: str,
    needed_for: Stage,
    wrong: str | Sequence[str],
    *,
    es: str,
    en: str,
    evidence: str,
    fix: str,
) -> Condition:
    """A condition from what is wrong with it: nothing wrong meets it."""
    faults = [w for w in ([wrong] if isinstance(wrong, str) else wrong) if w]
    text = "; ".join(faults) or evidence
    words = (f"{es}: {text}", f"{en}: {text}") if faults else (es, en)
    return Condition(code, not faults, needed_for, *words, text, fix if faults else "")
