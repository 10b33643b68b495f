"""What a check says of one week: what was looked at, how far it is from usual, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

State = Literal["ok", "alarm", "unknown"]
Severity = Literal["info", "warning", "critical"]

KINDS = {
    "swapped": ("columnas intercambiadas", "columns swapped"),
    "frozen": ("valores que no cambian", "values that stand still"),
    "split": ("un distrito dividido o un código nuevo", "a district split or a new code"),
    "places": ("distritos que faltan o sobran", "districts missing or too many"),
    "unit": ("otra unidad de medida", "another unit of measurement"),
    "doubled": ("casos contados dos veces", "cases counted twice"),
    "broken": ("una columna contradice a las demás", "a column contradicts the others"),
    "level": ("un salto fuera de lo conocido", "a jump beyond what is known"),
    "revised": ("semanas antiguas cambiadas", "old weeks changed"),
    "forecast": ("pronósticos fuera de lo usual", "forecasts out of the usual"),
    "performance": ("el modelo acierta menos", "the model does worse"),
}
"""What an alarm can say is wrong: Spanish, English."""


@dataclass(frozen=True)
class Check:
    """One look at one column or group in one week.

    Attributes:
        check: name of the check, see docs/runbooks.md.
        column: feature it is about; empty where it is about a group.
        group: ubigeo prefix (``16``, ``1601``, ``160101``) or size group; empty for all.
        week: Saturday that ends the week.
        value: how far from usual, in the check's own scale; None when not known.
        threshold: alarm above it.
        state: `unknown` when there is too little history or no data for it.
        severity: of the alarm.
        es, en: one sentence for people.
        runbook: anchor in docs/runbooks.md.
        kind: what seems wrong, one of `KINDS`; empty unless it is an alarm.
    """

    check: str
    column: str
    group: str
    week: date
    value: float | None
    threshold: float | None
    state: State
    severity: Severity
    es: str
    en: str
    runbook: str
    kind: str = ""
