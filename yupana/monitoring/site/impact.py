"""The page of the impact: for whom the model errs more, as its kind measured and shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from yupana.core import spec
from yupana.lineage import events
from yupana.monitoring import kind
from yupana.monitoring.site.parts import Answer, Basis, Missing, Page, SiteRequest, of_file, read
from yupana.tracking import roles

NAME = "impacto"


def page(request: SiteRequest) -> Page:
    """The newest impact report of the model that answers, or else of another version."""
    ref = roles.served(request.settings, request.use_case).ref
    times = _times(request)
    paths = sorted(request.folder.glob("impact-*.json"))
    reports = [(read(request.settings, path), path) for path in paths]
    if not reports:
        missing = Missing(
            "No se midió para quién acierta el modelo y para quién no.",
            "For whom the model is right, and for whom not, was not measured.",
            f"yupana impact {request.use_case}",
        )
        return Page(
            NAME,
            {"r": None},
            missing=(missing,),
            answer=Answer("unknown", "No se midió por grupos.", "It was not measured by group."),
        )

    def order(pair: tuple[dict[str, Any], Path]) -> tuple[bool, str, str, str]:
        report, path = pair
        ours, time = report["model"] == ref, times.get(report["id"], "")
        return ours, time, report["period"]["to"], path.name

    report, path = max(reports, key=order)
    time = times.get(report["id"], str(report["period"]["to"]))
    name = f"report:{request.use_case}/impact-{report['id']}"
    basis = [
        of_file(request, path, "Informe de impacto", "Impact report", time=time, ref=name),
        *(Basis("Se basa en", "Rests on", r) for r in report["rests_on"]),
    ]
    section = kind.of(request.use_case).impact(report, spec.load(request.use_case))
    values = {
        **section.values,
        "r": report,
        "other": report["model"] != ref,
        "section": section.template,
    }
    return Page(NAME, values, tuple(basis), answer=section.answer)


def _times(request: SiteRequest) -> dict[str, str]:
    """When each report was made, by its id."""
    times: dict[str, str] = {}
    for event in events.done(request.settings.events, "impact", request.use_case):
        for ref in event["outputs"]:
            times.setdefault(ref.rpartition("impact-")[2], str(event["time"]))
    return times
