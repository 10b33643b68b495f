"""The page of the drift: the newest run of the monitor, its trend, alerts, and the replay."""

from __future__ import annotations

from yupana.monitoring.site.parts import Answer, Asked, Missing, Page

NAME = "deriva"


def page(asked: Asked) -> Page:
    """The newest run of the monitor."""
    missing = Missing(
        "El monitor no se ejecutó.", "The monitor was not run.", f"yupana monitor {asked.use_case}"
    )
    return Page(NAME, {"run": None}, missing=(missing,), answer=Answer("unknown", "", ""))
