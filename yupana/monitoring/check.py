"""What a check says of one period: what was looked at, how far it is from usual, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

State = Literal["ok", "alarm", "unknown"]
Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True)
class Check:
    """One look at one column or group in one period.

    Attributes:
        check: name of the check, see docs/runbooks.md.
        column: feature it is about; empty where it is about a group.
        group: an entity, or a group of them by its code; empty for all.
        period: day that ends it.
        value: how far from usual, in the check's own scale; None when not known.
        threshold: alarm above it.
        state: `unknown` when there is too little history or no data for it.
        severity: of the alarm.
        es, en: one sentence for people.
        runbook: anchor in docs/runbooks.md.
        kind: what seems wrong, in one word (`rules` names those that a new training may help);
            empty unless it is an alarm.
    """

    check: str
    column: str
    group: str
    period: date
    value: float | None
    threshold: float | None
    state: State
    severity: Severity
    es: str
    en: str
    runbook: str
    kind: str = ""
