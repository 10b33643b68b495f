"""The impact report for people: its own page, and its section of the auditor's pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from yupana.core import charts, disclosure, page
from yupana.monitoring.kind import Section
from yupana.monitoring.site.parts import Answer
from yupana.tasks.classify.impact import summary

TEMPLATE = "tasks/classify/impact/site.html"


def write(out: Path, report: Mapping[str, Any]) -> Path:
    """Write the page of a report (as `report.make` returns it)."""
    values = section(report).values
    return page.write(out, "tasks/classify/impact/impact.html", r=report, **values)


def section(report: Mapping[str, Any]) -> Section:
    """Who is sent to a person more often, who is routed wrongly, and who waits."""
    pictures = {
        name: charts.forest(
            [(g["es"], 100 * g[name]["rate"], g[name]["interval"] and
              [100 * end for end in g[name]["interval"]])
             for g in report["groups"] if g[name]],
            unit,
        )
        for name, unit in (
            ("sent_to_person", "% a una persona / % sent to a person"),
            ("routed_wrongly", "% mal dirigido / % routed wrongly"),
        )
    }  # fmt: skip
    values = {"pictures": pictures, "fewest": disclosure.FEWEST}
    return Section(TEMPLATE, values, answer(report))


def answer(report: Mapping[str, Any]) -> Answer:
    """In part where a group fares worse or somebody is not measured."""
    groups, absent = report["groups"], report["unmeasured"]
    off = [g for name in summary.RATES for g in summary.worse(groups, name)]
    names = {lang: "; ".join(dict.fromkeys(g[lang] for g in off)) for lang in ("es", "en")}
    es = f"Peor para: {names['es']}." if off else "De ningún grupo se puede decir que le vaya peor."
    en = f"Worse for: {names['en']}." if off else "Of no group can it be said to fare worse."
    if absent:
        es += f" Sin medir: {'; '.join(a['es'] for a in absent)}."
        en += f" Not measured: {'; '.join(a['en'] for a in absent)}."
    return Answer("part" if off or absent else "yes", es, en)
