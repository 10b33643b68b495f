"""The impact report for people: its own page, and its section of the auditor's pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yupana.core import charts, disclosure, page
from yupana.monitoring.kind import Section
from yupana.monitoring.site.parts import Answer
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.places import PERIODS

PROMISED = 0.9
"""Share of the counts that a 90 % interval promises to hold."""


def write(out: Path, report: dict[str, Any]) -> Path:
    """Write the page of a report (as `report.make` returns it): plain words, charts, every number.
    """
    groups, frequency = report["groups"], usecases.load(report["use_case"]).frequency
    # A department that is everyone is told once.
    compared = [g for g in groups if g["by"] != "department" or g["against_others"] is not None]
    pictures = {
        "ratio": charts.forest(
            [(g["es"], g["ratio"], g["ratio_interval"]) for g in compared],
            "× el error del método simple / × the simple one's error", middle=1.0,
        ),
        "coverage": charts.forest(
            [(g["es"], g["coverage_90"], g["coverage_interval"]) for g in compared],
            "proporción dentro / share inside", middle=PROMISED,
        ),
        "missed": charts.forest(
            [(g["es"], g["missed"]["rate"], g["missed"]["interval"]) for g in compared],
            "proporción de alertas omitidas / share of alerts missed",
        ),
    }  # fmt: skip
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


def section(report: Mapping[str, Any]) -> Section:
    """For whom the forecasts err more, by a report as `report.make` returns it."""
    groups, against = report["groups"], report["baseline"]
    chart = charts.forest(
        [(g["es"], g["ratio"], g["ratio_interval"]) for g in groups],
        f"WIS ÷ WIS de {against}",
        f"Error del modelo dividido entre el de {against}, por grupo",
        middle=1.0,
        worse_above=True,
    )
    values = {"chart": chart, "fewest": disclosure.FEWEST}
    return Section("tasks/forecast/impact/site.html", values, answer(report))


def answer(report: Mapping[str, Any]) -> Answer:
    """No where all in all it errs more than the simple method; in part where a group fares worse
    or is not measured."""
    everyone, *groups = report["groups"]
    ends = everyone["ratio_interval"]
    if ends and ends[0] > 1:
        return Answer(
            "no",
            f"En conjunto erró más que el método simple {report['baseline']}.",
            f"In all it erred more than the simple method {report['baseline']}.",
        )
    worse = [g for g in groups if _surely_worse(g)]
    absent = report["unmeasured"]
    es = [f"Peor para: {_names(worse, 'es')}."] if worse else []
    en = [f"Worse for: {_names(worse, 'en')}."] if worse else []
    if not worse:
        es = [f"De ninguno de {len(groups)} grupos se puede decir que le vaya peor."]
        en = [f"Of none of {len(groups)} groups can it be said to fare worse."]
    if absent:
        es.append(f"Sin medir: {_names(absent, 'es')}.")
        en.append(f"Not measured: {_names(absent, 'en')}.")
    return Answer("part" if worse or absent else "yes", " ".join(es), " ".join(en))


def _names(of: Sequence[Mapping[str, Any]], lang: str) -> str:
    return "; ".join(f"{o[lang][:1].lower()}{o[lang][1:]}" for o in of)


def _surely_worse(group: Mapping[str, Any]) -> bool:
    """Worse than for the others, or than the simple method, or surer than it may be."""
    compared = (group["against_others"], group["missed"]["against_others"])
    ratio = group["ratio_interval"]
    inside = group["coverage_interval"]
    return bool(
        any(c and c["says"] == "worse" for c in compared)
        or (ratio and ratio[0] > 1)
        or (inside and inside[1] < PROMISED)
    )
