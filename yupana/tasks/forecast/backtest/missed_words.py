"""Why an alert was missed, by rule from facts: one line in Spanish and English."""

from __future__ import annotations

from dataclasses import dataclass

from yupana.core.spec import Bilingual
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.places import PERIODS, Noun

ONE_CASE = Bilingual(
    es="un solo caso ya supera el límite", en="a single case is above the limit"
)
RULES = {
    "quiet": Bilingual(es="sin casos antes del origen", en="no case before the origin"),
    "one_case": ONE_CASE,
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


_NEIGHBOURS = Bilingual(
    es="los vecinos de su provincia ya habían subido",
    en="its neighbours in the province had risen before",
)


@dataclass(frozen=True)
class Facts:
    """What the rules look at.

    Attributes:
        periods: that the forecast looked ahead.
        limit, upper: of the channel, and of the forecast's 90 % interval, cases.
        probability: of exceeding the limit, 0-1.
        above_upper: the count was beyond the interval.
        recent: cases of as many periods up to the origin; None where they must not be shown.
        observed: that came, as in `recent`.
        neighbours_rose: the others of its province had twice the cases of the periods before.
    """

    periods: int
    limit: float
    upper: float
    probability: float
    above_upper: bool
    recent: tuple[int | None, ...]
    observed: int | None
    neighbours_rose: bool


def why(facts: Facts, frequency: Frequency, *, shown: bool) -> tuple[str, Bilingual]:
    """The rule of `RULES` that explains a missed alert, and the line that says it.

    Args:
        shown: limit and probability may be told.
    """
    rule, period = _rule(facts), PERIODS[frequency.name]
    parts = [_first(rule, facts, period)]
    if rule == "quiet" and facts.limit < 1:
        parts.append(ONE_CASE)
    if facts.neighbours_rose:
        parts.append(_NEIGHBOURS)
    if shown and rule not in ("beyond", "fall"):
        chance = f"p={facts.probability:.2f}"
        parts.append(Bilingual(es=chance, en=chance))
    es, en = ("; ".join(getattr(part, lang) for part in parts) for lang in ("es", "en"))
    return rule, Bilingual(es=f"{es[0].upper()}{es[1:]}.", en=f"{en[0].upper()}{en[1:]}.")


def _first(rule: str, facts: Facts, period: Noun) -> Bilingual:
    """What the rule says, with the numbers that may be told."""
    words, span = RULES[rule], period.count(facts.periods)
    if rule == "quiet":
        to_es, to_en = f"en {span.es} hasta el origen", f"in {span.en} up to the origin"
        return Bilingual(es=f"sin casos {to_es}", en=f"no case {to_en}")
    newest, observed = facts.recent[-1], facts.observed
    if rule != "beyond" or newest is None or observed is None:
        return words
    return Bilingual(
        es=f"de {newest} a {observed} casos en {span.es}: {words.es}",
        en=f"from {newest} to {observed} cases in {span.en}: {words.en}",
    )


def _rule(facts: Facts) -> str:
    if all(count == 0 for count in facts.recent):
        return "quiet"
    if facts.limit < 1:
        return "one_case"
    # Of a hidden count nobody may learn that it was above a limit.
    if facts.recent[-1] is not None and facts.recent[-1] > facts.limit:
        return "fall"
    return "beyond" if facts.above_upper else "possible"
