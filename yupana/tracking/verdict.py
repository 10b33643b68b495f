"""Champion or challenger: what automation may promote, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

from yupana.core.evaluation import Paired
from yupana.core.spec import Metric

MARGIN = 1.02
"""The largest ratio to the champion's loss at which a model that knows newer data is as good."""


@dataclass(frozen=True)
class Standing:
    """How a model did on some rows by the use case's metric.

    Attributes:
        value: of the metric.
        baselines: its value for the models that must be beaten.
        split: two standings with the same one were scored on the same rows.
        backtest: how its procedure did in an earlier time; None where that was not tried.
        knows: ISO date of the newest that it has learned from; empty where that is not known.
    """

    metric: Metric
    value: float
    baselines: dict[str, float]
    split: str
    backtest: Standing | None = None
    knows: str = ""

    @property
    def against(self) -> dict[str, float]:
        """The metric over each baseline's: 0.9 of an error is a tenth better."""
        return {name: self.value / other for name, other in self.baselines.items() if other > 0}


def verdict(
    mine: Standing, present: bool, champion: Standing | None, paired: Paired | None = None
) -> tuple[bool, str]:
    """Whether a model may become champion without a person's word, and why.

    Args:
        present: there is a champion now.
        champion: how it did; None where that is not known.
        paired: both on the rows that both were scored on; None where they share too few.

    Its metric must be better than every baseline's. Where there is a backtest, it must not be
    worse than any baseline there either: one good season may be luck.

    On the rows that it shares with the champion it must be better beyond chance, or as good and
    know newer data: not worse beyond chance, and by no more than `MARGIN`. Without such rows the
    two are compared by their metric relative to a baseline that both have, since the bare numbers
    say more of the rows than of the model, and so are their backtests. Even is good enough there:
    a model that is trained again by the same procedure has the same backtest.
    """
    metric, tried = mine.metric, mine.backtest
    beyond, short = ("below", "above") if metric.better == "lower" else ("above", "below")
    for name, other in mine.baselines.items():
        if not metric.is_better(mine.value, other):
            return False, f"{_of(mine)} is not {beyond} {name}'s {other:.3f}"
    for name, other in tried.baselines.items() if tried else ():
        if tried and metric.is_better(other, tried.value):
            return False, f"{_of(tried)} on the backtest is {short} {name}'s {other:.3f}"
    if present and champion is None:
        return False, "how the champion did is not known"
    if champion is not None and paired is not None:
        good, reason = _on_the_same_rows(mine, champion, paired)
        if not good:
            return False, reason
        return True, f"{reason}; {_of(mine)} on its test rows"
    if champion is not None:
        if worse := _worse(mine, champion, beyond):
            return False, worse
        before = champion.backtest
        if tried and before and (worse := _worse(tried, before, beyond, even=True)):
            return False, f"on the backtest, {worse}"
    rest = ", ".join(f"{n} {v:.3f}" for n, v in mine.baselines.items())
    also = f", {tried.value:.3f} on the backtest" if tried else ""
    return True, f"{_of(mine)} on the test rows (baselines: {rest}){also}"


def _on_the_same_rows(mine: Standing, champion: Standing, paired: Paired) -> tuple[bool, str]:
    ratio = f"{paired.ratio:.3f} ({paired.low:.3f}-{paired.high:.3f})"
    shared = f"its {mine.metric.title} loss is {ratio} × the champion's on {paired.n:,} shared rows"
    if paired.high < 1:
        return True, f"better than the champion beyond chance: {shared}"
    if paired.low > 1:
        return False, f"worse than the champion beyond chance: {shared}"
    if paired.ratio > MARGIN:
        return False, f"no better than the champion beyond chance: {shared}, above {MARGIN}"
    if mine.knows > champion.knows:
        newer = f"it knows data to {mine.knows}, the champion to {champion.knows or 'no known day'}"
        return True, f"as good as the champion and newer: {shared}, and {newer}"
    return False, f"no better than the champion beyond chance, and no newer: {shared}"


def _of(standing: Standing) -> str:
    return f"{standing.metric.title} {standing.value:.3f}"


def _worse(mine: Standing, champion: Standing, beyond: str, *, even: bool = False) -> str:
    """Why a standing is not better than the champion's; empty where it is.

    Args:
        even: the same value on the same rows is good enough.
    """
    if mine.split != champion.split:
        return _relative(mine, champion, beyond)
    if mine.metric.is_better(mine.value, champion.value):
        return ""
    if even and mine.value == champion.value:
        return ""
    return f"{_of(mine)} is not {beyond} the champion's {champion.value:.3f}"


def _relative(mine: Standing, champion: Standing, beyond: str) -> str:
    common = set(mine.against) & set(champion.against)
    if not common:
        return "the champion was scored on other test rows, without a baseline in common"
    # The best of the shared baselines: to lead a weak one by much says little.
    name = mine.metric.best({n: mine.baselines[n] for n in common})
    one, other = mine.against[name], champion.against[name]
    if mine.metric.is_better(one, other):
        return ""
    return (
        f"{mine.metric.title} {one:.3f} × {name}'s is not {beyond} the champion's {other:.3f} × "
        "(other test rows)"
    )
