"""The page of a week: what alarms, what was answered, how good the forecasts were, and trends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
GROUPS = {
    "period": ("período", "period"),
    "horizon": ("semanas adelante", "weeks ahead"),
    "department": ("departamento", "department"),
    "province": ("provincia", "province"),
    "size": ("tamaño del distrito", "size of district"),
}
NAMES = {
    "before": ("la ventana anterior", "the window before"),
    "season": ("la misma época del año pasado", "the same season last year"),
    "small": ("pequeños", "small"),
    "medium": ("medianos", "medium"),
    "large": ("grandes", "large"),
    "new": ("nuevos", "new"),
}
HOW = {
    "rows": ("fila por fila", "row by row"),
    "sample": ("por muestra", "by a sample"),
    "counts": ("por conteos", "by counts"),
}


def write(path: Path, told: dict[str, Any], trends: list[dict[str, Any]]) -> Path:
    """Write the page.

    Args:
        told: the JSON of the run (`weekly.run`).
        trends: `name`, and `points` of `history.trend`.
    """
    from yupana.core import page

    return page.write(path, "monitoring/watch.html", **values(told, trends))


def values(told: dict[str, Any], trends: list[dict[str, Any]]) -> dict[str, Any]:
    """What `monitoring/watch_body.html` is filled with; `told` and `trends` as in `write`."""
    from yupana.data import codes

    checks = told["checks"]
    return {
        "t": told,
        "loud": [c for c in checks if c["state"] == "alarm"],
        "counted": {state: sum(c["state"] == state for c in checks) for state in STATES},
        "drawn": [d for each in trends if (d := _drawn(each))],
        "words": {
            "states": STATES, "severities": SEVERITIES, "asks": ASKS, "groups": GROUPS,
            "names": NAMES, "how": HOW, "place": codes.place,
        },
    }  # fmt: skip


def _drawn(trend: dict[str, Any]) -> dict[str, str] | None:
    from yupana.core import charts

    points = [p for p in trend["points"] if p["value"] is not None]
    if not points:
        return None
    both: dict[str, Sequence[float | None]] = {
        "valor / value": [p["value"] for p in points],
        "límite / limit": [p["threshold"] for p in points],
    }
    what = f"{trend['name']}, {len(points)} semanas / weeks"
    return {
        "title": trend["name"],
        "svg": charts.lines([p["week"] for p in points], both, "", what),
    }
