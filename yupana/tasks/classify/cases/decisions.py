"""Where a case goes: to a person, to a department, or answered by what was prepared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yupana.data.national.working_days import LIMA
from yupana.tasks.classify.cases.case import ANSWERED, DEPARTMENT, REVIEW, CaseText, State
from yupana.tasks.classify.cases.rules import Answer, Rules, has_words
from yupana.tasks.classify.result import Classification

NO_WORDS, LANGUAGE, NO_RULE, SUSPENDED = "no_words", "language", "no_rule", "suspended"


@dataclass(frozen=True)
class Decision:
    """What is done with a case.

    Attributes:
        abstention: code of the reason why a person decides; empty where the label is relied on.
    """

    state: State
    department: str
    priority: str
    rank: int
    deadline: datetime
    abstention: str = ""
    answer: dict[str, Any] | None = None

    def facts(self, routing_version: int) -> dict[str, Any]:
        """What the history keeps of it."""
        return {
            "department": self.department, "priority": self.priority, "abstention": self.abstention,
            "routing": routing_version, "answer": self.answer and self.answer["id"],
        }  # fmt: skip


def decide(case: CaseText, said: Classification, rules: Rules, now: datetime) -> Decision:
    """Where a case goes, by what the classifier said of it.

    An urgent matter is never answered by a prepared text: a person reads it.
    """
    routing = rules.routing
    whole = f"{case.title}\n{case.text}"
    priority = routing.priority(whole)
    reason = _abstention(whole, said, rules)
    rule = routing.labels.get(said.label)
    department = routing.desk if reason or rule is None else rule.department
    day = now.astimezone(LIMA).date()
    simple = not reason and priority == routing.normal
    prepared = rules.prepared(said.label, whole, day) if simple else None
    return Decision(
        REVIEW if reason else ANSWERED if prepared else DEPARTMENT,
        department, priority, routing.rank(priority),
        routing.priorities[priority].end(case.received), reason,
        told(prepared, said.language) if prepared else None,
    )  # fmt: skip


def _abstention(text: str, said: Classification, rules: Rules) -> str:
    if not has_words(text):
        return NO_WORDS
    if said.language and said.language not in rules.languages:
        return LANGUAGE
    if said.abstention:
        return said.abstention
    return "" if said.label in rules.routing.labels else NO_RULE


def told(answer: Answer, language: str, by: str = "") -> dict[str, Any]:
    """A prepared answer as a case keeps it: text, source and the source's day."""
    return {
        "id": answer.id, "version": answer.version, "text": answer.text(language),
        "source": answer.source.url, "day": answer.source.day.isoformat(), "by": by,
    }  # fmt: skip
