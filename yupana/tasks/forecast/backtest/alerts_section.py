"""The part of the backtest's page on alerts: how far they can be trusted, and which were missed."""

from __future__ import annotations

from dataclasses import dataclass

from yupana.core.spec import Bilingual
from yupana.tasks.forecast.backtest.alerts import AlertReport, Reliability
from yupana.tasks.forecast.backtest.missed import Missed, reasons
from yupana.tasks.forecast.backtest.missed_words import RULES
from yupana.tasks.forecast.backtest.report import BacktestReport
from yupana.tasks.forecast.frequency import FREQUENCIES
from yupana.tasks.forecast.pages import figures_alerts
from yupana.tasks.forecast.pages.figures import Picture
from yupana.tasks.forecast.places import PERIODS, Noun
from yupana.tasks.forecast.scoring.exceedance import ENOUGH, Decisions

RELIABLE = 0.05
"""Gap between probability and share up to which a probability is reliable."""


@dataclass(frozen=True)
class Section:
    """What the template shows.

    Attributes:
        skill, reliable: a sentence each.
        pictures: reliability, skill and value, of one series.
        by_cost: of the final model, `lead` periods ahead.
        missed: of the newest two years, of all series; `reasons`: rule in words and how many.
    """

    skill: Bilingual
    reliable: Bilingual
    pictures: list[Picture]
    by_cost: list[Decisions]
    lead: Bilingual
    missed: list[Missed]
    reasons: list[tuple[Bilingual, int]]


def section(report: BacktestReport, series: str) -> Section | None:
    """The section of a series; None where no forecast of it has a channel."""
    alerts = report.alerts
    skills = alerts.skills(report.final, series) if alerts else {}
    if alerts is None or not skills:
        return None
    period = PERIODS[report.frequency]
    return Section(
        skill=_skill(skills, period),
        reliable=_reliable(alerts.reliable(report.final, series)[0]),
        pictures=_pictures(report, alerts, series, period),
        by_cost=alerts.decisions(report.final, series),
        lead=period.count(FREQUENCIES[report.frequency].lead),
        missed=report.missed,
        reasons=[(RULES[rule], n) for rule, n in reasons(report.missed)],
    )


def _skill(skills: dict[int, float | None], period: Noun) -> Bilingual:
    far = {h: s for h, s in skills.items() if h and s is not None}
    if not far:
        return Bilingual(es="No se puede decir.", en="It cannot be said.")
    worst, best = min(far, key=lambda h: far[h]), max(far, key=lambda h: far[h])
    ends = [(f"{100 * far[h]:.0f} %", period.count(h)) for h in (best, worst)]
    sign_es, sign_en = ("Avisa mejor que", "warns better than")
    if far[worst] <= 0:
        sign_es, sign_en = ("No siempre avisa mejor que", "does not always warn better than")
    return Bilingual(
        es=f"{sign_es} el canal endémico solo: le ahorra {ends[0][0]} del error de Brier a "
        f"{ends[0][1].es} y {ends[1][0]} a {ends[1][1].es}.",
        en=f"It {sign_en} the endemic channel alone: it saves {ends[0][0]} of its Brier score at "
        f"{ends[0][1].en} and {ends[1][0]} at {ends[1][1].en}.",
    )


def _reliable(of: Reliability) -> Bilingual:
    gap = f"{100 * of.expected_error:.1f}"
    es = f"Entre la probabilidad dada y la parte que ocurrió hay {gap} puntos en promedio"
    en = f"Between the probability told and the share that came lie {gap} points on average"
    worst = max((b for b in of.bins if b.n >= ENOUGH), key=lambda b: b.gap, default=None)
    if of.expected_error > RELIABLE:
        es, en = f"{es}: no se puede confiar en ella", f"{en}: it cannot be relied on"
    if worst and worst.gap > RELIABLE:
        forecast, came = f"{100 * worst.forecast:.0f} %", f"{100 * worst.observed:.0f} %"
        es += f"; lo más lejos, donde se dio {forecast} y ocurrió {came}"
        en += f"; the farthest off where {forecast} was told and {came} came"
    return Bilingual(es=f"{es}.", en=f"{en}.")


def _pictures(
    report: BacktestReport, alerts: AlertReport, series: str, period: Noun
) -> list[Picture]:
    near_far = {
        f"{a}–{b} {period.es_many} / {period.en_many}": line
        for line in alerts.reliable(report.final, series)[1:]
        for a, b in [line.horizons]
    }
    models = [m for m in (report.final, *report.baselines) if alerts.skills(m, series)]
    skills = {m: {h: s for h, s in alerts.skills(m, series).items() if h} for m in models}
    by_cost = {m: alerts.decisions(m, series) for m in models}
    across = f"{period.es_many} adelante / {period.en_many} ahead"
    lead = period.count(FREQUENCIES[report.frequency].lead)
    return [
        figures_alerts.reliability("alert-reliability", "¿Se cumple? / Does it hold?", near_far),
        figures_alerts.skill("alert-skill", "Frente al canal / Versus the channel", skills, across),
        figures_alerts.value("alert-value", f"Valor a {lead.es} / Value at {lead.en}", by_cost),
    ]
