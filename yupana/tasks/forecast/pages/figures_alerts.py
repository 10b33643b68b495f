"""Pictures of alerts that were judged: reliability, skill by horizon, value by costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from yupana.core import charts
from yupana.tasks.forecast.pages.figures import SOFT, Picture, look, picture, titled

if TYPE_CHECKING:
    from yupana.tasks.forecast.backtest.alerts import Reliability
    from yupana.tasks.forecast.scoring.exceedance import Decisions

BAND = 5
"""Points between probability and share within which a bin is called reliable."""


def reliability(name: str, title: str, lines: Mapping[str, Reliability]) -> Picture:
    """Share that exceeded by forecast probability; a marker's size is by its forecasts."""
    figure, axes = charts.blank(5.0, 3.6)
    axes.fill_between([0, 100], [-BAND, 100 - BAND], [BAND, 100 + BAND], color="#dfe9f1", lw=0)
    axes.plot([0, 100], [0, 100], color=SOFT, lw=1, ls="--")
    for n, (label, line) in enumerate(lines.items()):
        x = [100 * b.forecast for b in line.bins]
        y = [100 * b.observed for b in line.bins]
        style = look(n)
        axes.plot(x, y, color=style["color"], lw=1.4, label=label)
        sizes = [12 + 120 * b.n / max(b.n for b in line.bins) for b in line.bins]
        axes.scatter(x, y, s=sizes, color=style["color"], marker=style["marker"], zorder=3)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xlabel("probabilidad pronosticada / forecast probability, %")
    titled(axes, title, "superó el canal / exceeded, %")
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return picture(name, figure, f"{title}: parte que superó el canal por probabilidad dada")


def skill(
    name: str, title: str, by_model: Mapping[str, Mapping[int, float | None]], across: str
) -> Picture:
    """One line a model over horizons; above 0 is better than the channel itself."""
    figure, axes = charts.blank(5.0, 3.2)
    axes.axhline(0, color="black", lw=1)
    for n, (model, skills) in enumerate(by_model.items()):
        points = {str(h): 100 * s for h, s in skills.items() if s is not None}
        axes.plot(list(points), list(points.values()), **look(n), label=model)
    axes.set_xlabel(across)
    titled(axes, title, "habilidad / skill, %")
    axes.legend(frameon=False, fontsize=8, ncols=2)
    return picture(name, figure, f"{title}: habilidad por {across}, una línea por modelo")


def value(name: str, title: str, by_model: Mapping[str, Sequence[Decisions]]) -> Picture:
    """One line a model over the cost of a missed alert; 100 is a perfect forecast's."""
    figure, axes = charts.blank(5.0, 3.2)
    axes.axhline(0, color="black", lw=1)
    for n, (model, decisions) in enumerate(by_model.items()):
        points = {f"{d.miss_cost:g}": 100 * d.value for d in decisions if d.value is not None}
        axes.plot(list(points), list(points.values()), **look(n), label=model)
    axes.set_xlabel("alerta omitida, en avisos falsos / missed alert, in false alarms")
    titled(axes, title, "valor / value, %")
    axes.legend(frameon=False, fontsize=8, ncols=2)
    return picture(name, figure, f"{title}: valor por costo de una alerta omitida")
