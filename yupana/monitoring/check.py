"""What a check says of one period: what was looked at, how far it is from usual; and what an alarm
of it asks for: a person who looks, or a new training as well.

A fault of the data is never trained away: a model that learned from swapped columns would be
wrong and quiet. Only where the data stand and the world has moved does a new training help.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

State = Literal["ok", "alarm", "unknown"]
Severity = Literal["info", "warning", "critical"]

RETRAIN = ("drift", "performance")
"""Kinds of alarm that say that the world moved: of these, a new training can help."""

FAULTS = ("warning", "critical")
"""Severities that become an alert; `info` is in the history and on the page alone."""


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
        kind: what seems wrong, in one word (`RETRAIN` names those that a new training may help);
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


def alarms(checks: Sequence[Check]) -> list[Check]:
    """The checks that someone must be told of."""
    return [c for c in checks if c.state == "alarm" and c.severity in FAULTS]


def asks(check: Check) -> str:
    """`retrain` or `person`."""
    return "retrain" if check.kind in RETRAIN else "person"


def retraining(checks: Sequence[Check]) -> list[str]:
    """Why training is due, one sentence an alarm; none while a fault of the data is open."""
    loud = alarms(checks)
    if any(asks(check) == "person" for check in loud):
        return []
    return [check.en for check in loud]
