"""The impact report's page: plain words first, then charts with intervals, then every number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yupana.core import charts, disclosure, page

LONGEST = 34
_SHOWN = {
    "ratio": ("ratio", "ratio_interval", 1.0),
    "coverage_90": ("coverage_90", "coverage_interval", 0.9),
}


def write(out: Path, report: dict[str, Any]) -> Path:
    """Write the page of a report, as `report.make` returns it."""
    groups = report["groups"]
    # A department that is everyone is told once.
    told = [g for g in groups if g["by"] != "department" or g["against_others"] is not None]
    drawn = {
        "ratio": _forest(told, "ratio", "× el error del método simple / × the simple one's error"),
        "coverage": _forest(told, "coverage_90", "proporción dentro / share inside"),
        "missed": _missed(told),
    }
    return page.write(
        out,
        "evaluation/impact/impact.html",
        r=report,
        groups=groups,
        charts=drawn,
        fewest=disclosure.FEWEST,
    )


def _forest(groups: Sequence[dict[str, Any]], name: str, unit: str) -> str:
    value, ends, middle = _SHOWN[name]
    return _drawn([(g, g[value], g[ends]) for g in groups if g[value] is not None], unit, middle)


def _missed(groups: Sequence[dict[str, Any]]) -> str:
    rates = [(g, g["missed"]["rate"], g["missed"]["interval"]) for g in groups]
    unit = "proporción de alertas omitidas / share of alerts missed"
    return _drawn([r for r in rates if r[1] is not None], unit, None)


def _drawn(
    told: Sequence[tuple[dict[str, Any], float, list[float] | None]],
    unit: str,
    middle: float | None,
) -> str:
    """A dot and its interval a group; a hollow dot where there is no interval. Empty for none."""
    if not told:
        return ""
    figure, axes = charts.blank(6.4, 0.7 + 0.27 * len(told))
    for at, (_, value, ends) in enumerate(told):
        if ends:
            axes.plot(ends, [at, at], color=charts.MAIN, lw=2, solid_capstyle="butt")
        face = charts.MAIN if ends else "white"
        axes.plot([value], [at], "o", color=charts.MAIN, mfc=face, ms=6)
    if middle is not None:
        axes.axvline(middle, color="#5b6673", lw=1, ls="--")
    names = [g["es"] for g, *_ in told]
    short = [n if len(n) <= LONGEST else f"{n[: LONGEST - 1]}…" for n in names]
    axes.set_yticks(range(len(told)), short)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.set_xlabel(unit, fontsize=9)
    said = "; ".join(
        f"{name} {value:.2f}" + (f" ({ends[0]:.2f}–{ends[1]:.2f})" if ends else "")
        for name, (_, value, ends) in zip(names, told, strict=True)
    )
    return charts.svg(figure, f"{unit}: {said}")
