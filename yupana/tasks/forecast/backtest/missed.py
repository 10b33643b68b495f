"""Missed alerts, each with what was known, what was forecast, what came, and why in one line.

Missed: the count exceeded its channel, and the probability of it, `lead` periods before, was not
above the threshold of equal costs. Every number here may be shown. Of a count that is hidden the
limit and what was forecast are hidden with it, since with the rule they say how large it is at
least or at most; except below a limit of one case, which says no more than that there was one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.core import disclosure
from yupana.data.national import areas as national
from yupana.tasks.forecast.backtest.alerts import EXCEEDED, PROBABILITY, with_probability
from yupana.tasks.forecast.backtest.channels import HIGH
from yupana.tasks.forecast.backtest.missed_words import Facts, why
from yupana.tasks.forecast.backtest.panel import Panel
from yupana.tasks.forecast.frequency import YEAR_DAYS
from yupana.tasks.forecast.scoring.exceedance import threshold

if TYPE_CHECKING:
    import pandas as pd

YEARS, EQUAL = 2, 1.0
"""Years before the last period whose missed alerts are listed; cost of one, in false alarms."""


@dataclass(frozen=True)
class Missed:
    """One missed alert; what must not be shown is None.

    Attributes:
        origin, end: days that end the newest known period and the one that was missed (ISO).
        observed: cases that came.
        limit: upper quartile of the channel, cases.
        median, upper: of the forecast, and of its 90 % interval, cases.
        probability: of exceeding the limit, 0-1.
        rule: of `missed_words.RULES`, the one that explains it; `es` and `en` say it.
    """

    series: str
    entity: str
    origin: str
    end: str
    observed: int | None
    limit: float | None
    median: float | None
    upper: float | None
    probability: float | None
    rule: str
    es: str
    en: str


def of(rows: pd.DataFrame, panels: Mapping[str, Panel], final: str) -> list[Missed]:
    """The missed alerts of the newest two years, by series, the newest first.

    Args:
        rows: of `channels.beside`.
        panels: by series.
        final: the model whose alerts they are.
    """
    judged = with_probability(rows[rows["model"] == final])
    return [
        missed
        for series, panel in panels.items()
        for missed in _of_series(judged[judged["series"] == series], panel)
    ]


def _of_series(rows: pd.DataFrame, panel: Panel) -> list[Missed]:
    lead, ahead = panel.frequency.lead, panel.frequency.ahead
    judged = rows[rows["horizon"] == lead]
    missed = judged[judged[EXCEEDED] & (judged[PROBABILITY] <= threshold(EQUAL))]
    past = _Past(panel)
    ends = {origin: ahead(origin, lead) for origin in judged["origin"].unique()}
    since = max(ends.values(), default=date.min) - timedelta(days=round(YEARS * YEAR_DAYS))
    newest = [row for row in missed.to_dict("records") if ends[row["origin"]] > since]
    # Not by cases: the order would tell hidden ones.
    newest.sort(key=lambda row: (-ends[row["origin"]].toordinal(), row["entity"]))
    return [past.missed(row, ends[row["origin"]]) for row in newest]


class _Past:
    """The counts of a panel, and which of them may be shown."""

    def __init__(self, panel: Panel) -> None:
        counts = panel.counts()
        self._frequency = panel.frequency
        self._entities = [str(name) for name in counts.columns]
        self._places = {self._end(start): n for n, start in enumerate(counts.index)}
        self._counts = counts.to_numpy().round().astype(int)
        # The total of an area is known, and the others of it may give a small count away.
        totals = [national.total(name) for name in self._entities]
        self._visible = [disclosure.hide_within(n, totals) for n in self._counts.tolist()]
        self._provinces = [national.area(name, "province") for name in self._entities]

    def _end(self, start: pd.Timestamp) -> date:
        return self._frequency.end(start.date())

    def missed(self, row: dict[Any, Any], end: date) -> Missed:
        me, to = self._entities.index(str(row["entity"])), self._places[end]
        limit, chance = float(row[HIGH]), round(float(row[PROBABILITY]), 2)
        count = self._visible[to][me]
        shown = count is not None or limit < 1
        facts = self._facts(row, me, self._places[row["origin"]], count)
        rule, line = why(facts, self._frequency, shown=shown)
        return Missed(
            row["series"], str(row["entity"]), row["origin"].isoformat(), end.isoformat(),
            count,
            limit if shown else None,
            float(row["q0.5"]) if shown else None,
            float(row["q0.95"]) if shown else None,
            chance if shown else None,
            rule, line.es, line.en,
        )  # fmt: skip

    def _facts(self, row: dict[Any, Any], me: int, at: int, count: int | None) -> Facts:
        periods = int(row["horizon"])
        return Facts(
            periods=periods,
            limit=float(row[HIGH]),
            upper=float(row["q0.95"]),
            probability=round(float(row[PROBABILITY]), 2),
            above_upper=bool(row["observed"] > row["q0.95"]),
            recent=tuple(self._visible[n][me] for n in range(max(0, at - periods + 1), at + 1)),
            observed=count,
            neighbours_rose=self._rose(me, at, periods),
        )

    def _rose(self, me: int, at: int, periods: int) -> bool:
        """Whether the province's others had twice as many cases as in as many periods before."""
        others = [
            n for n, province in enumerate(self._provinces)
            if province == self._provinces[me] and n != me
        ]  # fmt: skip
        sums = self._counts[:, others].sum(axis=1)
        now = int(sums[max(0, at - periods + 1) : at + 1].sum())
        before = int(sums[max(0, at - 2 * periods + 1) : max(0, at - periods + 1)].sum())
        return now >= 2 * max(before, disclosure.FEWEST)


def reasons(missed: Sequence[Missed]) -> Iterator[tuple[str, int]]:
    """Each rule that explains some of them, and how many, the most first."""
    rules, numbers = np.unique([m.rule for m in missed], return_counts=True)
    yield from sorted(zip(map(str, rules), map(int, numbers), strict=True), key=lambda p: -p[1])
