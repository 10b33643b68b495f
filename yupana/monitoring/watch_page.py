"""The page of a period: what alarms, what was answered, how good past answers were, and trends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yupana.core import spec
from yupana.monitoring import kind, slices
from yupana.monitoring.history import Point

MOST_TRENDS = 8

STATES = {"alarm": ("alarma", "alarm"), "ok": ("bien", "ok"), "unknown": ("no se sabe", "unknown")}
SEVERITIES = {
    "info": ("aviso", "info"),
    "warning": ("advertencia", "warning"),
    "critical": ("grave", "critical"),
}
ASKS = {
    "retrain": ("entrenar de nuevo", "a new training"),
    "person": ("que una persona lo revise", "a person who looks"),
}
HOW = {
    "rows": ("fila por fila", "row by row"),
    "sample": ("por muestra", "by a sample"),
}


@dataclass(frozen=True)
class Trend:
    """What a check is called on the page, and its past."""

    name: str
    points: list[Point]


def write(path: Path, report: dict[str, Any], trends: list[Trend]) -> Path:
    """Write the page.

    Args:
        report: the JSON of the run (`run.run`).
    """
    from yupana.core import page

    return page.write(path, "monitoring/watch.html", **values(report, trends))


def values(report: dict[str, Any], trends: list[Trend]) -> dict[str, Any]:
    """What `monitoring/watch_body.html` is filled with; arguments as in `write`."""
    use_case = report["use_case"]
    labels = kind.labels(use_case)
    section = kind.of(use_case).performance(report["performance"], spec.load(use_case))
    checks = report["checks"]
    return {
        "t": report,
        "loud": [c for c in checks if c["state"] == "alarm"],
        "counted": {state: sum(c["state"] == state for c in checks) for state in STATES},
        "trends": [d for each in trends if (d := _trend_chart(each))],
        "performance": section.template,
        "words": {
            "states": STATES, "severities": SEVERITIES, "asks": ASKS, "how": HOW,
            "entities": labels.entities, "place": labels.place,
            "groups": {slices.BY_PERIOD: ("período", "period"), **labels.groups},
            "names": {**slices.PERIODS, slices.NEW: ("nuevos", "new"), **labels.values},
        },
        **section.values,
    }  # fmt: skip


def _trend_chart(trend: Trend) -> dict[str, str] | None:
    from yupana.core import charts

    points = [p for p in trend.points if p.value is not None]
    if not points:
        return None
    both: dict[str, Sequence[float | None]] = {
        "valor / value": [p.value for p in points],
        "límite / limit": [p.threshold for p in points],
    }
    what = f"{trend.name}, {len(points)} períodos / periods"
    return {
        "title": trend.name,
        "svg": charts.lines([p.period for p in points], both, "", what),
    }
