"""Why an alert was missed, by rule from facts: one line in Spanish and English."""

from __future__ import annotations

from dataclasses import dataclass

from yupana.core.spec import Bilingual
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.places import PERIODS, Noun

RULES = {
    "one_case": Bilingual(
        es="un solo caso ya supera el límite", en="a single case is above the limit"
    ),
    "quiet": Bilingual(es="sin casos antes del origen", en="no case before the origin"),
    "fall": Bilingual(
        es="ya se superaba el límite y se esperaba un descenso",
        en="it was above the limit already, and was expected to fall",
    ),
    "beyond": Bilingual(
        es="subió más de lo que admitía el intervalo de 90 %",
        en="it rose beyond the 90 % interval",
    ),
    "possible": Bilingual(
        es="se dio como posible: el límite quedaba dentro del intervalo de 90 %",
        en="told as possible: the limit lay inside the 90 % interval",
    ),
}
"""The first that fits explains a missed alert; the last two leave none out."""


@dataclass(frozen=True)
class Facts:
    """What the rules look at.

    Attributes:
        periods: that the forecast looked ahead.
        limit, upper: of the channel, and of the forecast's 90 % interval, cases.
        probability: of exceeding the limit, 0-1.
        above_upper: the count was beyond the interval.
        known: cases of as many periods up to the origin; None where they must not be shown.
        observed: that came, as in `known`.
        neighbours_rose: the others of its province had twice the cases of the periods before.
    """

    periods: int
    limit: float
    upper: float
    probability: float
    above_upper: bool
    known: tuple[int | None, ...]
    observed: int | None
    neighbours_rose: bool


def why(facts: Facts, frequency: Frequency, *, shown: bool) -> tuple[str, Bilingual]:
    """The rule of `RULES` that explains a missed alert, and the line that says it.

    Args:
        shown: limit and probability may be told.
    """
    rule, period = _rule(facts), PERIODS[frequency.name]
    es, en = RULES[rule].es, RULES[rule].en
    if rule == "quiet":
        span = period.count(facts.periods)
        last_es, last_en = (f"en {span.es} hasta el origen", f"in {span.en} up to the origin")
        es, en = f"sin casos {last_es}", f"no case {last_en}"
    elif rule == "beyond" and facts.known[-1] is not None and facts.observed is not None:
        rise = _rise(facts.known[-1], facts.observed, facts.periods, period)
        es, en = f"{rise.es}: {es}", f"{rise.en}: {en}"
    if rule == "possible" and shown:
        es, en = f"{es}, p={facts.probability:.2f}", f"{en}, p={facts.probability:.2f}"
    if facts.neighbours_rose and rule in ("quiet", "beyond"):
        es += "; los vecinos de su provincia ya habían subido"
        en += "; its neighbours in the province had risen before"
    return rule, Bilingual(es=f"{es[0].upper()}{es[1:]}.", en=f"{en[0].upper()}{en[1:]}.")


def _rule(facts: Facts) -> str:
    if facts.limit < 1:
        return "one_case"
    if all(count == 0 for count in facts.known):
        return "quiet"
    # Of a hidden count nobody may learn that it was above a limit.
    if facts.known[-1] is not None and facts.known[-1] > facts.limit:
        return "fall"
    return "beyond" if facts.above_upper else "possible"


def _rise(known: int, observed: int, periods: int, period: Noun) -> Bilingual:
    span = period.count(periods)
    return Bilingual(
        es=f"de {known} a {observed} casos en {span.es}",
        en=f"from {known} to {observed} cases in {span.en}",
    )
