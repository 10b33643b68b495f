"""For whom the forecasts err more, as the auditor's page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yupana.core import charts
from yupana.core.disclosure import FEWEST
from yupana.monitoring.kind import Section
from yupana.monitoring.site.parts import Answer

PROMISED = 0.9
"""Share of the counts that a 90 % interval promises to hold."""
_LONGEST = 34


def section(report: Mapping[str, Any]) -> Section:
    """The section of a report, as `report.make` returns it."""
    with_ratio = [g for g in report["groups"] if g["ratio"] is not None]
    chart = _chart(
        [g["es"] for g in with_ratio],
        [g["ratio"] for g in with_ratio],
        [g["ratio_interval"] for g in with_ratio],
        report["baseline"],
    )
    values = {"chart": chart, "fewest": FEWEST}
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


def _chart(
    names: Sequence[str],
    values: Sequence[float],
    ends: Sequence[Sequence[float] | None],
    against: str,
) -> str:
    """Error of the model over that of a simple method by group, with 95 % intervals.

    Args:
        names: of the groups; `values` and `ends` (low and high, or None) in their order.
        against: the simple method.

    Returns:
        SVG; empty without groups. A group above 1 has a hollow diamond, one below it a dot.
    """
    if not names:
        return ""
    figure, axes = charts.blank(6.4, 0.8 + 0.27 * len(names))
    axes.axvline(1, color="#1d2733", lw=1)
    for n, (value, pair) in enumerate(zip(values, ends, strict=True)):
        worse = value > 1
        colour = charts.SECOND if worse else charts.MAIN
        if pair:
            axes.plot(pair, (n, n), color=colour, lw=1.5)
        face = "white" if worse else colour
        axes.plot([value], [n], marker="D" if worse else "o", ms=6, mec=colour, mfc=face, ls="")
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.set_xlabel(f"WIS ÷ WIS de {against}")
    text = "; ".join(f"{name} {value:.2f}" for name, value in zip(names, values, strict=True))
    return charts.svg(figure, f"Error del modelo dividido entre el de {against}, por grupo: {text}")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
