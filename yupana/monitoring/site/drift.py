"""The page of the drift: the newest week that the monitor looked at, its alerts and its trend."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from yupana.monitoring import alerts, rules, watch_page, weekly
from yupana.monitoring.checks.check import Check
from yupana.monitoring.site import model
from yupana.monitoring.site.parts import Answer, Asked, Basis, Missing, Page, kept, of_file

NAME = "deriva"
STALE_DAYS = 14
"""The monitor runs every week; once may fail before the answer is called old."""

_SCORES = ("coverage", "wis")
"""Checks that say how well it forecasts, not what it was asked."""


def page(asked: Asked) -> Page:
    """The newest week of the monitor, with the alerts as they are by now."""
    path = max(asked.folder.glob("watch-*.json"), key=lambda p: p.name, default=None)
    if path is None:
        missing = Missing(
            "No se vigiló si el modelo sigue funcionando.",
            "Whether the model still holds was not watched.",
            f"yupana monitor {asked.use_case}",
        )
        none = Answer("unknown", "El monitor no se ejecutó.", "The monitor was not run.")
        return Page(NAME, {"t": None}, missing=(missing,), answer=none)
    told = kept(path)
    url = asked.settings.platform_db
    checks = [Check(**{**c, "week": date.fromisoformat(c["week"])}) for c in told["checks"]]
    trends = weekly.trends_of(url, asked.use_case, checks)
    shown = {**told, "open": alerts.open(url, asked.use_case), "evidently_html": ""}
    other = told["model"] != model.served(asked).ref
    age = (asked.day - date.fromisoformat(told["made"][:10])).days
    values = {
        **watch_page.values(shown, trends),
        "other": other,
        "age": age,
        "stale": age > STALE_DAYS,
    }
    inputs = (Basis("Se basa en", "Rests on", ref) for ref in told["inputs"])
    basis = [_basis(asked, path, told), *inputs]
    return Page(NAME, values, tuple(basis), answer=_answer(told, checks, other, age))


def _basis(asked: Asked, path: Path, told: dict[str, Any]) -> Basis:
    es, en = "Informe del monitor", "Report of the monitor"
    return of_file(asked, path, es, en, time=told["made"], ref=told["ref"])


def _answer(told: dict[str, Any], checks: list[Check], other: bool, age: int) -> Answer:
    """No where it forecasts worse or a check alarms gravely; yes only of what was scored."""
    loud = rules.alarms(checks)
    week = told["week"]
    if loud:
        grave = any(c.severity == "critical" or c.check in _SCORES for c in loud)
        es, en = (" ".join(dict.fromkeys(getattr(c, lang) for c in loud[:3])) for lang in _LANGS)
        more = len(loud) - 3
        es_more, en_more = (f" Y {more} más.", f" And {more} more.") if more > 0 else ("", "")
        return Answer("no" if grave else "part", f"Semana al {week}: {es}{es_more}",
                      f"Week to {week}: {en}{en_more}")  # fmt: skip
    doubts = [
        (other, "se vigiló otra versión que la que responde",
         "another version was watched than the one that answers"),
        (age > STALE_DAYS, f"la última revisión tiene {age} días",
         f"the last look is {age} days old"),
        (any(c.check in _SCORES and c.state == "unknown" for c in checks),
         "todavía no se sabe qué tan bien pronosticó", "how well it forecast is not known yet"),
    ]  # fmt: skip
    es, en = ("; ".join(d[at] for true, *d in doubts if true) for at in (0, 1))
    if es:
        return Answer("part", f"Semana al {week}: sin alarmas, pero {es}.",
                      f"Week to {week}: no alarm, but {en}.")  # fmt: skip
    return Answer("yes", f"Semana al {week}: ninguna de {len(checks)} revisiones dio alarma.",
                  f"Week to {week}: none of {len(checks)} checks alarms.")  # fmt: skip


_LANGS = ("es", "en")
