"""The statistics of a week against its norms, and what the ones beyond their limits mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from yupana.monitoring.checks import (
    counts,
    diagnose,
    forecasts,
    identities,
    meaning,
    measures,
    performance,
    places,
    words,
)
from yupana.monitoring.checks.check import Check
from yupana.monitoring.checks.norms import Norms
from yupana.monitoring.checks.record import Record
from yupana.monitoring.checks.restated import Finding
from yupana.monitoring.checks.statistic import Statistic
from yupana.monitoring.checks.traits import Traits
from yupana.monitoring.checks.window import Window

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
"""Checks that have something to look at in few weeks: nothing is no gap."""


@dataclass(frozen=True)
class Alarm:
    """A finding with the statistics that it explains, the one that tells it first."""

    finding: Finding
    told_by: tuple[Statistic, ...]


def statistics(window: Window, traits: Traits, record: Record | None) -> list[Statistic]:
    """All numbers of the newest week; those of forecasts only with a record."""
    found = [
        *identities.measure(window, traits),
        *measures.measure(window, traits),
        *counts.measure(window, traits),
        *places.measure(window, traits),
    ]
    if record is not None:
        found += forecasts.measure(window, traits, record)
        found += performance.measure(window, traits, record)
    return found


def judge(window: Window, traits: Traits, record: Record | None, norms: Norms) -> list[Check]:
    """Every check of the newest week, alarms first: one alarm of weight a finding."""
    looked = [s for s in statistics(window, traits, record) if norms.knows(s.check)]
    far = [s for s in looked if norms.standard(s) > norms.limits[s.check]]
    told, explained = [], set()
    for alarm in alarms(window, traits, norms, far):
        for n, statistic in enumerate(alarm.told_by):
            told.append(_alarm(window, norms, alarm.finding, statistic, first=n == 0))
            explained.add(statistic.key)
    told += [_usual(window, norms, s) for s in looked if s.key not in explained]
    seen = {s.check for s in looked}
    told += [unknown(window, c) for c in norms.limits if c not in seen and c not in SELDOM]
    return [*facts(window, record), *told]


def alarms(
    window: Window, traits: Traits, norms: Norms, far: Sequence[Statistic]
) -> list[Alarm]:
    """What the statistics beyond their limits mean, what explains others before these."""
    by = {name: [s for s in far if s.check == name] for name in dict.fromkeys(s.check for s in far)}
    found: list[Alarm] = []
    unequal = _worst_first(norms, by.get(identities.CHECK, []))
    if unequal:
        failing = [s.column for s in unequal]
        finding = diagnose.diagnose(window, traits, failing, _mended(window, traits, norms))
        lead = [s for s in unequal if s.column in finding.columns] or unequal
        found.append(Alarm(finding, (lead[0], *(s for s in unequal if s is not lead[0]))))
    moved = [*by.get(measures.STILL, []), *by.get(measures.SHIFT, [])]
    found += [Alarm(f, tuple(s)) for f, s in meaning.measured(window, traits, moved)]
    counted = [s for name in COUNTED for s in _worst_first(norms, by.get(name, []))]
    if counted:
        found.append(Alarm(meaning.counted(window, traits, counted), tuple(counted)))
    for kind, names in (("forecast", (forecasts.CHECK,)), ("performance", SCORED)):
        mine = [s for name in names for s in _worst_first(norms, by.get(name, []))]
        # One province alone is told, and no alert: half a year of it is a few dozen cases.
        mine.sort(key=lambda s: is_province(s.group))
        if mine:
            where = mine[0].group if kind == "performance" else ""
            found.append(Alarm(Finding(kind, (), where), tuple(mine)))
    return _joined(found, traits)


def _joined(found: Sequence[Alarm], traits: Traits) -> list[Alarm]:
    """Alarms that follow from the first one are told with it.

    Counts that are wrong make counts look odd and forecasts go astray. How good forecasts of
    weeks past were does not follow from this week's fault.
    """
    if not found:
        return []
    first, rest = found[0], found[1:]
    after = [a for a in rest if _follows(first.finding, a.finding, traits)]
    told = (*first.told_by, *(s for a in after for s in a.told_by))
    return [Alarm(first.finding, told), *(a for a in rest if a not in after)]


def _follows(cause: Finding, finding: Finding, traits: Traits) -> bool:
    if finding.kind == "performance" or cause.kind == "performance":
        return False
    if finding.kind == "forecast":
        return True
    if not cause.columns and cause.kind == "frozen":
        return True
    of_counts = all(
        not f.columns or any(meaning.is_count(traits[c]) for c in f.columns)
        for f in (cause, finding)
    )
    return of_counts or bool(set(cause.columns) & set(finding.columns))


def _mended(window: Window, traits: Traits, norms: Norms) -> diagnose.Mended:
    """Whether all identities hold; those that failed are tried first, to be quick."""

    def holds(tried: Window, first: Sequence[str]) -> bool:
        order = [*first, *(c for c in traits if c not in first)]
        for name in order:
            statistic = identities.of(tried, traits, name)
            if statistic and norms.standard(statistic) > norms.limits[identities.CHECK]:
                return False
        return True

    return holds


def is_province(group: str) -> bool:
    """Whether a group is a province, or a district of one."""
    return group.isdigit() and len(group) > 2


def _worst_first(norms: Norms, found: Sequence[Statistic]) -> list[Statistic]:
    return sorted(found, key=lambda s: (-norms.standard(s), s.key))


def facts(window: Window, record: Record | None) -> list[Check]:
    """What is wrong whatever is usual: numbers that are none, places without a row."""
    looks: list[tuple[str, str, Callable[[], list[str]]]] = [
        ("missing", "broken", lambda: measures.missing(window)),
        ("vanished", "places", lambda: places.vanished(window)),
    ]
    if record is not None:
        looks.append(("invalid", "forecast", lambda: forecasts.faults(window, record)))
    found = []
    for name, kind, look in looks:
        wrong = look()
        column = ", ".join(wrong) if name == "missing" else ""
        shown = "" if name == "missing" else " ".join(wrong[:4])
        es, en = words.sentences(kind, [column] if column else [], shown)
        if not wrong:
            es, en = words.usual(name, "", "")
        found.append(
            Check(
                name, "", "", window.week, float(len(wrong)), 0.0, "alarm" if wrong else "ok",
                words.WEIGHTS[kind], es, en,
                words.runbook(kind) if wrong else words.USUAL, kind if wrong else "",
            )
        )  # fmt: skip
    return found


def _alarm(
    window: Window, norms: Norms, finding: Finding, statistic: Statistic, *, first: bool
) -> Check:
    kind = finding.kind
    es, en = words.sentences(kind, finding.columns, finding.group)
    weight = words.WEIGHTS[kind]
    if not first:
        es, en = words.part_of(kind, *statistic[:3])
    if not first or (kind == "performance" and is_province(statistic.group)):
        weight = "info"
    return Check(
        *statistic[:3], window.week, norms.standard(statistic), norms.limits[statistic.check],
        "alarm", weight, es, en, words.runbook(kind), kind,
    )  # fmt: skip


def _usual(window: Window, norms: Norms, statistic: Statistic) -> Check:
    es, en = words.usual(*statistic[:3])
    return Check(
        *statistic[:3], window.week, norms.standard(statistic), norms.limits[statistic.check],
        "ok", "info", es, en, words.USUAL,
    )  # fmt: skip


def unknown(window: Window, check: str) -> Check:
    """A check for which the window holds too little."""
    return Check(
        check, "", "", window.week, None, None, "unknown", "info",
        f"{check}: todavía hay muy poco que mirar ({len(window)} semanas).",
        f"{check}: too little to look at yet ({len(window)} weeks).", words.UNKNOWN,
    )  # fmt: skip
