"""The impact report's page: plain words first, then charts with intervals, then every number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yupana.core import charts, disclosure, page
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.places import PERIODS

_SHOWN = {
    "ratio": ("ratio", "ratio_interval", 1.0),
    "coverage_90": ("coverage_90", "coverage_interval", 0.9),
}


def write(out: Path, report: dict[str, Any]) -> Path:
    """Write the page of a report, as `report.make` returns it."""
    groups, frequency = report["groups"], usecases.load(report["use_case"]).frequency
    # A department that is everyone is told once.
    compared = [g for g in groups if g["by"] != "department" or g["against_others"] is not None]
    pictures = {
        "ratio": _forest(
            compared, "ratio", "× el error del método simple / × the simple one's error"
        ),
        "coverage": _forest(compared, "coverage_90", "proporción dentro / share inside"),
        "missed": _missed(compared),
    }
    return page.write(
        out,
        "tasks/forecast/impact/impact.html",
        r=report,
        groups=groups,
        charts=pictures,
        fewest=disclosure.FEWEST,
        period=PERIODS[frequency.name],
        ahead=report["alert"][f"{frequency.listing}_ahead"],
        run=report["bootstrap"][f"run_{frequency.listing}"],
    )


def _forest(groups: Sequence[dict[str, Any]], name: str, unit: str) -> str:
    value, ends, middle = _SHOWN[name]
    points = [(g["es"], g[value], g[ends]) for g in groups if g[value] is not None]
    return charts.forest(points, unit, unit, middle=middle)


def _missed(groups: Sequence[dict[str, Any]]) -> str:
    rates = [(g["es"], g["missed"]["rate"], g["missed"]["interval"]) for g in groups]
    unit = "proporción de alertas omitidas / share of alerts missed"
    return charts.forest([r for r in rates if r[1] is not None], unit, unit, middle=None)
