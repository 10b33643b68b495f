"""The page of the impact: for whom the model errs more, as `yupana impact` measured it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from yupana.core.disclosure import FEWEST
from yupana.governance import events
from yupana.monitoring.site import model, pictures
from yupana.monitoring.site.parts import Answer, Asked, Basis, Missing, Page, kept, of_file

NAME = "impacto"
PROMISED = 0.9
"""Share of the counts that a 90 % interval promises to hold."""


def page(asked: Asked) -> Page:
    """The newest impact report of the model that answers, or else of another version."""
    ref = model.served(asked).ref
    times = _times(asked)
    read = [(kept(path), path) for path in sorted(asked.folder.glob("impact-*.json"))]
    if not read:
        missing = Missing(
            "No se midió para quién acierta el modelo y para quién no.",
            "For whom the model is right, and for whom not, was not measured.",
            f"yupana impact {asked.use_case}",
        )
        return Page(
            NAME,
            {"r": None},
            missing=(missing,),
            answer=Answer("unknown", "No se midió por grupos.", "It was not measured by group."),
        )

    def order(pair: tuple[dict[str, Any], Path]) -> tuple[bool, str, str, str]:
        report = pair[0]
        return (
            report["model"] == ref,
            times.get(report["id"], ""),
            report["period"]["to"],
            pair[1].name,
        )

    report, path = max(read, key=order)
    time = times.get(report["id"], str(report["period"]["to"]))
    name = f"report:{asked.use_case}/impact-{report['id']}"
    basis = [
        of_file(asked, path, "Informe de impacto", "Impact report", time=time, ref=name),
        *(Basis("Se basa en", "Rests on", r) for r in report["rests_on"]),
    ]
    shown = [g for g in report["groups"] if g["ratio"] is not None]
    names = [g["es"] for g in shown]
    ends = [g["ratio_interval"] for g in shown]
    values = {
        "r": report,
        "other": report["model"] != ref,
        "chart": pictures.ratios(names, [g["ratio"] for g in shown], ends, report["baseline"]),
        "fewest": FEWEST,
    }
    return Page(NAME, values, tuple(basis), answer=_answer(report))


def _times(asked: Asked) -> dict[str, str]:
    """When each report was made, by its id."""
    found = {}
    for event in events.read(asked.settings.events):
        if (event["step"], event["subject"], event["status"]) == ("impact", asked.use_case, "done"):
            for ref in event["outputs"]:
                found[ref.rpartition("impact-")[2]] = str(event["time"])
    return found


def _answer(report: dict[str, Any]) -> Answer:
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


def _names(of: list[dict[str, Any]], lang: str) -> str:
    return "; ".join(f"{o[lang][:1].lower()}{o[lang][1:]}" for o in of)


def _surely_worse(group: dict[str, Any]) -> bool:
    """Worse than for the others, or than the simple method, or surer than it may be."""
    compared = (group["against_others"], group["missed"]["against_others"])
    ratio = group["ratio_interval"]
    inside = group["coverage_interval"]
    return bool(
        any(c and c["says"] == "worse" for c in compared)
        or (ratio and ratio[0] > 1)
        or (inside and inside[1] < PROMISED)
    )
