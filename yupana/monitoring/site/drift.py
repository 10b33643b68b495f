"""The page of the drift: the newest period that the monitor checked, its alerts and its trend."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from yupana.monitoring import alerts, run, watch_page
from yupana.monitoring.check import Check, alarms
from yupana.monitoring.site.parts import Answer, Basis, Missing, Page, SiteRequest, of_file, read
from yupana.tracking import roles

NAME = "deriva"
STALE_DAYS = 14
"""The monitor runs every week; once may fail before the answer is called old."""


def page(request: SiteRequest) -> Page:
    """The newest period of the monitor, with the alerts as they are by now."""
    path = max(request.folder.glob("watch-*.json"), key=lambda p: p.name, default=None)
    if path is None:
        missing = Missing(
            "No se vigiló si el modelo sigue funcionando.",
            "Whether the model still holds was not watched.",
            f"yupana monitor {request.use_case}",
        )
        none = Answer("unknown", "El monitor no se ejecutó.", "The monitor was not run.")
        return Page(NAME, {"t": None}, missing=(missing,), answer=none)
    report = read(request.settings, path)
    url = request.settings.platform_db
    checks = [Check(**{**c, "period": date.fromisoformat(c["period"])}) for c in report["checks"]]
    scores = [tuple(score) for score in report["scores"]]
    trends = run.trends_of(url, request.use_case, checks, scores)
    open_report = {**report, "open": alerts.open(url, request.use_case), "evidently_html": ""}
    other = report["model"] != roles.served(request.settings, request.use_case).ref
    age = (request.day - date.fromisoformat(report["made"][:10])).days
    values = {
        **watch_page.values(open_report, trends),
        "other": other,
        "age": age,
        "stale": age > STALE_DAYS,
    }
    inputs = (Basis("Se basa en", "Rests on", ref) for ref in report["inputs"])
    basis = [_basis(request, path, report), *inputs]
    answer = _answer(report["period"], checks, {name for name, *_ in scores}, other, age)
    return Page(NAME, values, tuple(basis), answer=answer)


def _basis(request: SiteRequest, path: Path, report: dict[str, Any]) -> Basis:
    es, en = "Informe del monitor", "Report of the monitor"
    return of_file(request, path, es, en, time=report["made"], ref=report["ref"])


def _answer(
    period: str, checks: list[Check], scores: set[str], other: bool, age: int
) -> Answer:
    """No where it does worse or a check alarms gravely; yes only of what was scored.

    Args:
        scores: checks that say how well it does, not what it was asked.
    """
    alarming = alarms(checks)
    if alarming:
        grave = any(c.severity == "critical" or c.check in scores for c in alarming)
        first = alarming[:3]
        es, en = (" ".join(dict.fromkeys(getattr(c, lang) for c in first)) for lang in _LANGS)
        more = len(alarming) - 3
        es_more, en_more = (f" Y {more} más.", f" And {more} more.") if more > 0 else ("", "")
        return Answer("no" if grave else "part", f"Período al {period}: {es}{es_more}",
                      f"Period to {period}: {en}{en_more}")  # fmt: skip
    doubts = [
        (other, "se vigiló otra versión que la que responde",
         "another version was watched than the one that answers"),
        (age > STALE_DAYS, f"la última revisión tiene {age} días",
         f"the last look is {age} days old"),
        (any(c.check in scores and c.state == "unknown" for c in checks),
         "todavía no se sabe qué tan bien respondió", "how well it did is not known yet"),
    ]  # fmt: skip
    es, en = ("; ".join(d[at] for true, *d in doubts if true) for at in (0, 1))
    if es:
        return Answer("part", f"Período al {period}: sin alarmas, pero {es}.",
                      f"Period to {period}: no alarm, but {en}.")  # fmt: skip
    return Answer("yes", f"Período al {period}: ninguna de {len(checks)} revisiones dio alarma.",
                  f"Period to {period}: none of {len(checks)} checks alarms.")  # fmt: skip


_LANGS = ("es", "en")
