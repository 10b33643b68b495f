"""The impact report's page: plain words first, then charts with intervals, then every number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yupana.core import charts, disclosure, page
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.places import PERIODS

LONGEST = 34
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
    return _dots([(g, g[value], g[ends]) for g in groups if g[value] is not None], unit, middle)


def _missed(groups: Sequence[dict[str, Any]]) -> str:
    rates = [(g, g["missed"]["rate"], g["missed"]["interval"]) for g in groups]
    unit = "proporción de alertas omitidas / share of alerts missed"
    return _dots([r for r in rates if r[1] is not None], unit, None)


def _dots(
    values: Sequence[tuple[dict[str, Any], float, list[float] | None]],
    unit: str,
    middle: float | None,
) -> str:
    """A dot and its interval a group; a hollow dot where there is no interval. Empty for none."""
    if not values:
        return ""
    figure, axes = charts.blank(6.4, 0.7 + 0.27 * len(values))
    for at, (_, value, ends) in enumerate(values):
        if ends:
            axes.plot(ends, [at, at], color=charts.MAIN, lw=2, solid_capstyle="butt")
        face = charts.MAIN if ends else "white"
        axes.plot([value], [at], "o", color=charts.MAIN, mfc=face, ms=6)
    if middle is not None:
        axes.axvline(middle, color="#5b6673", lw=1, ls="--")
    names = [g["es"] for g, *_ in values]
    short = [n if len(n) <= LONGEST else f"{n[: LONGEST - 1]}…" for n in names]
    axes.set_yticks(range(len(values)), short)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.set_xlabel(unit, fontsize=9)
    text = "; ".join(
        f"{name} {value:.2f}" + (f" ({ends[0]:.2f}–{ends[1]:.2f})" if ends else "")
        for name, (_, value, ends) in zip(names, values, strict=True)
    )
    return charts.svg(figure, f"{unit}: {text}")
