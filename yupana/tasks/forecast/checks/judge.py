"""The statistics of a period against its norms, and what the ones beyond their limits mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from yupana.monitoring.check import Check
from yupana.tasks.forecast.checks import (
    counts,
    diagnose,
    identities,
    meaning,
    measures,
    performance,
    places,
    text,
)
from yupana.tasks.forecast.checks.invariants import Invariants, prefixes
from yupana.tasks.forecast.checks.norms import Norms
from yupana.tasks.forecast.checks.record import Record
from yupana.tasks.forecast.checks.restated import Finding
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.window import Window
from yupana.tasks.forecast.pages.words import WORDS

COUNTED = (
    counts.MULTIPLE, places.NEW, places.SILENT_ONE, counts.RESENT, counts.REVISION, counts.ORDER,
    counts.LEVEL,
)  # fmt: skip
"""Checks of the counts themselves, the one that says most of what is wrong first."""

SCORED = (performance.SCORE, performance.COVERAGE)
RULES = {places.NEW: -1.0}
"""Limits that are not learned, in log likelihood ratio: a code without a past is told of unless
its cases are clearly likelier an outbreak where none was than missing elsewhere."""

SELDOM = (places.NEW, places.SILENT_ONE)
"""Checks that have something to look at in few periods: nothing is no gap."""


@dataclass(frozen=True)
class Alarm:
    """A finding with the statistics that it explains, the one that tells it first."""

    finding: Finding
    statistics: tuple[Statistic, ...]


def statistics(window: Window, invariants: Invariants, record: Record | None) -> list[Statistic]:
    """All numbers of the newest period; those of forecasts only with a record."""
    every = [
        *identities.measure(window, invariants),
        *measures.measure(window, invariants),
        *counts.measure(window, invariants),
        *places.measure(window, invariants),
    ]
    if record is not None:
        every += performance.measure_answers(window, invariants, record)
        every += performance.measure(window, invariants, record)
    return every


def judge(
    window: Window, invariants: Invariants, record: Record | None, norms: Norms
) -> list[Check]:
    """Every check of the newest period, alarms first: one alarm of weight a finding."""
    learned = [s for s in statistics(window, invariants, record) if norms.knows(s.check)]
    far = [s for s in learned if norms.standard(s) > norms.limits[s.check]]
    checks, explained = [], set()
    for alarm in alarms(window, invariants, norms, far):
        for n, statistic in enumerate(alarm.statistics):
            narrow = is_narrow(statistic.group, invariants)
            checks.append(
                _alarm(window, norms, alarm.finding, statistic, first=n == 0, narrow=narrow)
            )
            explained.add(statistic.key)
    checks += [_usual(window, norms, s) for s in learned if s.key not in explained]
    names = {s.check for s in learned}
    checks += [unknown(window, c) for c in norms.limits if c not in names and c not in SELDOM]
    return [*facts(window, record), *checks]


def alarms(
    window: Window, invariants: Invariants, norms: Norms, far: Sequence[Statistic]
) -> list[Alarm]:
    """What the statistics beyond their limits mean, what explains others before these."""
    by = {name: [s for s in far if s.check == name] for name in dict.fromkeys(s.check for s in far)}
    every: list[Alarm] = []
    unequal = _worst_first(norms, by.get(identities.CHECK, []))
    if unequal:
        failing = [s.column for s in unequal]
        finding = diagnose.diagnose(window, invariants, failing, _mended(invariants, norms))
        lead = [s for s in unequal if s.column in finding.columns] or unequal
        every.append(Alarm(finding, (lead[0], *(s for s in unequal if s is not lead[0]))))
    moved = [*by.get(measures.STILL, []), *by.get(measures.SHIFT, [])]
    every += [Alarm(f, tuple(s)) for f, s in meaning.measured(window, invariants, moved)]
    counted = [s for name in COUNTED for s in _worst_first(norms, by.get(name, []))]
    if counted:
        every.append(Alarm(meaning.counted(window, invariants, counted), tuple(counted)))
    for kind, names in (("forecast", (performance.ANSWERS,)), ("performance", SCORED)):
        mine = [s for name in names for s in _worst_first(norms, by.get(name, []))]
        # A small group alone is told, and no alert: half a year of it is a few dozen cases.
        mine.sort(key=lambda s: is_narrow(s.group, invariants))
        if mine:
            where = mine[0].group if kind == "performance" else ""
            every.append(Alarm(Finding(kind, (), where), tuple(mine)))
    return _joined(every, invariants)


def _joined(every: Sequence[Alarm], invariants: Invariants) -> list[Alarm]:
    """Alarms that follow from the first one are told with it.

    Counts that are wrong make counts look odd and forecasts go astray. How good forecasts of
    periods past were does not follow from this one's fault.
    """
    if not every:
        return []
    first, rest = every[0], every[1:]
    after = [a for a in rest if _follows(first.finding, a.finding, invariants)]
    statistics = (*first.statistics, *(s for a in after for s in a.statistics))
    return [Alarm(first.finding, statistics), *(a for a in rest if a not in after)]


def _follows(cause: Finding, finding: Finding, invariants: Invariants) -> bool:
    if finding.kind == "performance" or cause.kind == "performance":
        return False
    if finding.kind == "forecast":
        return True
    if not cause.columns and cause.kind == "frozen":
        return True
    of_counts = all(
        not f.columns or any(meaning.is_count(invariants[c]) for c in f.columns)
        for f in (cause, finding)
    )
    return of_counts or bool(set(cause.columns) & set(finding.columns))


def _mended(invariants: Invariants, norms: Norms) -> diagnose.Mended:
    """Whether all identities hold; those that failed are tried first, to be quick."""

    def holds(tried: Window, first: Sequence[str]) -> bool:
        order = [*first, *(c for c in invariants if c not in first)]
        for name in order:
            statistic = identities.of(tried, invariants, name)
            if statistic and norms.standard(statistic) > norms.limits[identities.CHECK]:
                return False
        return True

    return holds


def is_narrow(group: str, invariants: Invariants) -> bool:
    """Whether a group lies within one of the widest groups of places."""
    widest = prefixes(invariants)[:1]
    return group not in performance.SIZES and any(len(group) > digits for digits in widest)


def _worst_first(norms: Norms, every: Sequence[Statistic]) -> list[Statistic]:
    return sorted(every, key=lambda s: (-norms.standard(s), s.key))


def facts(window: Window, record: Record | None) -> list[Check]:
    """What is wrong whatever is usual: numbers that are none, places without a row."""
    looks: list[tuple[str, str, Callable[[], list[str]]]] = [
        ("missing", "broken", lambda: measures.missing(window)),
        ("vanished", "places", lambda: places.vanished(window)),
    ]
    if record is not None:
        looks.append(("invalid", "forecast", lambda: performance.faults(window, record)))
    every = []
    for name, kind, look in looks:
        wrong = look()
        column = ", ".join(wrong) if name == "missing" else ""
        places_of = "" if name == "missing" else " ".join(wrong[:4])
        es, en = text.sentences(kind, [column] if column else [], places_of, window.frequency)
        if not wrong:
            es, en = text.usual(name, "", "")
        every.append(
            Check(
                name, "", "", window.end, float(len(wrong)), 0.0, "alarm" if wrong else "ok",
                text.WEIGHTS[kind], es, en,
                text.runbook(kind) if wrong else text.USUAL, kind if wrong else "",
            )
        )  # fmt: skip
    return every


def _alarm(
    window: Window, norms: Norms, finding: Finding, statistic: Statistic, *, first: bool,
    narrow: bool,
) -> Check:  # fmt: skip
    kind = finding.kind
    es, en = text.sentences(kind, finding.columns, finding.group, window.frequency)
    weight = text.WEIGHTS[kind]
    if not first:
        es, en = text.part_of(kind, *statistic[:3])
    if not first or (kind == "performance" and narrow):
        weight = "info"
    return Check(
        *statistic[:3], window.end, norms.standard(statistic), norms.limits[statistic.check],
        "alarm", weight, es, en, text.runbook(kind), kind,
    )  # fmt: skip


def _usual(window: Window, norms: Norms, statistic: Statistic) -> Check:
    es, en = text.usual(*statistic[:3])
    return Check(
        *statistic[:3], window.end, norms.standard(statistic), norms.limits[statistic.check],
        "ok", "info", es, en, text.USUAL,
    )  # fmt: skip


def unknown(window: Window, check: str) -> Check:
    """A check for which the window holds too little."""
    many = WORDS[window.frequency.name]["many"]
    return Check(
        check, "", "", window.end, None, None, "unknown", "info",
        f"{check}: todavía hay muy poco que mirar ({len(window)} {many}).",
        f"{check}: too little to look at yet ({len(window)} {window.frequency.listing}).",
        text.UNKNOWN,
    )  # fmt: skip
