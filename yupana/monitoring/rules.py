"""What an alarm asks for: a person who looks, or a new training as well.

A fault of the data is never trained away: a model that learned from swapped columns would be
wrong and quiet. Only where the data stand and the world has moved does a new training help.
"""

from __future__ import annotations

from collections.abc import Sequence

from yupana.monitoring.check import Check

RETRAIN = ("drift", "performance")
"""Kinds of alarm that say that the world moved: of these, a new training can help."""

FAULTS = ("warning", "critical")
"""Severities that become an alert; `info` is in the history and on the page alone."""


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
