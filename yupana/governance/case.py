"""What the gate judges, and how a condition is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.governance import decisions, register
from yupana.governance.decisions import Made
from yupana.governance.measures import Subject
from yupana.governance.register import LEVELS, Register

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
    made: Sequence[Made]
    register: Register | None = None
    invalid: str = ""

    @property
    def level(self) -> str:
        """The class whose conditions hold: the register's, or the one that decisions were made
        under before, where that is higher. An approval under the lower class lowers it."""
        now = self.register.level if self.register else "low"
        before = "low"
        for one in self.made:
            told = str(one.facts.get("level", "low"))
            if one.kind == "approve" and one.signed:
                before = told
            elif one.kind in ("gate", "assess"):
                before = max(before, told, key=LEVELS.index)
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


def said(
    code: str,
    needed_for: Stage,
    wrong: str | Sequence[str],
    *,
    es: str,
    en: str,
    seen: str,
    fix: str,
) -> Condition:
    """A condition from what is wrong with it: nothing wrong meets it."""
    found = [wrong] if isinstance(wrong, str) else list(wrong)
    found = [w for w in found if w]
    evidence = "; ".join(found) or seen
    told = (f"{es}: {evidence}", f"{en}: {evidence}") if found else (es, en)
    return Condition(code, not found, needed_for, *told, evidence, fix if found else "")
