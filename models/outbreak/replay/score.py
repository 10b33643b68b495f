"""What a replay showed: false alarms of untouched years, and what planted faults were told as."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from models.outbreak.replay.fault import Fault
from models.outbreak.replay.faults import VARIANTS

NONE = "none"
APART = 4
"""Weeks without an alarm of a kind after which the next one is another episode."""

WEEKS_OF_YEAR = 52.18


@dataclass(frozen=True)
class Alarm:
    """An alarm of weight in one week.

    Attributes:
        week: Saturday that ends the week.
        key: check, column and group, which name an alert.
        kind: what it says is wrong.
        en: its sentence.
    """

    week: date
    key: tuple[str, str, str]
    kind: str
    en: str


@dataclass(frozen=True)
class Untouched:
    """Alarms of one past without a fault; `seed` is that of its late reports."""

    late: str
    seed: int
    weeks: int
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True)
class Planted:
    """A fault and the kind of the alarm it raised; `looks` is the weekly check that flagged it, 1
    the first."""

    fault: Fault
    late: str
    week: date
    looks: int | None
    alarm: str
    en: str


def episodes(alarms: Sequence[Alarm]) -> list[Alarm]:
    """The first alarm of each episode: an episode is alarms of one kind, week after week."""
    rows, last = [], dict[str, date]()
    for alarm in alarms:
        before = last.get(alarm.kind)
        if before is None or (alarm.week - before).days > 7 * APART:
            rows.append(alarm)
        last[alarm.kind] = alarm.week
    return rows


def by_lateness(late: Untouched, prompt: Untouched) -> list[Alarm]:
    """Episodes that there are with late reports alone: without them, none of that kind is near."""
    return [
        e
        for e in episodes(late.alarms)
        if not any(
            a.kind == e.kind and abs((a.week - e.week).days) <= 7 * APART for a in prompt.alarms
        )
    ]


def false_alarms(untouched: Sequence[Untouched], prompt: Untouched) -> list[dict[str, Any]]:
    """A row for each past: episodes a year, and those that late reports alone raised."""
    return [
        {
            "late": one.late,
            "seed": one.seed,
            "years": round(one.weeks / WEEKS_OF_YEAR, 2),
            "alarm_weeks": len({a.week for a in one.alarms}),
            "episodes": len(episodes(one.alarms)),
            "a_year": round(len(episodes(one.alarms)) / (one.weeks / WEEKS_OF_YEAR), 3),
            "by_lateness": len(by_lateness(one, prompt)),
            "alarms": [
                {"week": str(e.week), "kind": e.kind, "check": " ".join(filter(None, e.key)),
                 "en": e.en, "by_lateness": e in by_lateness(one, prompt)}
                for e in episodes(one.alarms)
            ],
        }
        for one in untouched
    ]  # fmt: skip


def confusion(planted: Sequence[Planted]) -> dict[str, dict[str, int]]:
    """How often each kind that can be told was told as which, `NONE` where nothing was."""
    counted = {kind: Counter[str]() for kind in VARIANTS}
    for one in planted:
        if one.fault.visible:
            counted[one.fault.kind][one.alarm] += 1
    return {kind: dict(counts.most_common()) for kind, counts in counted.items()}


def by_way(planted: Sequence[Planted]) -> list[dict[str, Any]]:
    """A row for each way of a fault: how many, flagged within `fault.LOOKS`, named right."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one in planted:
        fault = one.fault
        row = rows.setdefault(
            (fault.kind, fault.variant),
            {"kind": fault.kind, "variant": fault.variant, "planted": 0, "flagged": 0, "first": 0,
             "named": 0, "hidden": 0, "hidden_flagged": 0},
        )  # fmt: skip
        flagged = one.looks is not None
        if not fault.visible:
            row["hidden"] += 1
            row["hidden_flagged"] += flagged
            continue
        row["planted"] += 1
        row["flagged"] += flagged
        row["first"] += one.looks == 1
        row["named"] += one.alarm == fault.kind
    return list(rows.values())


def by_kind(ways: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same, summed by kind."""
    rows = []
    for kind in VARIANTS:
        mine = [row for row in ways if row["kind"] == kind]
        names = ("planted", "flagged", "first", "named", "hidden", "hidden_flagged")
        rows.append({"kind": kind, **{n: sum(row[n] for row in mine) for n in names}})
    return rows


def missed(planted: Sequence[Planted]) -> list[dict[str, Any]]:
    """Faults that can be told and were not flagged, or were told as another kind."""
    return [
        {**{k: v for k, v in asdict(p.fault).items() if k not in ("seed", "visible", "week")},
         "date": str(p.week), "late": p.late, "alarm": p.alarm, "en": p.en}
        for p in planted
        if p.fault.visible and p.alarm != p.fault.kind
    ]  # fmt: skip


def reached(kinds: Sequence[Mapping[str, Any]], late: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every fault that can be told was flagged, at most one false alarm a year in each
    past, and none by late reports alone."""
    return (
        all(row["flagged"] == row["planted"] > 0 for row in kinds)
        and all(row["a_year"] <= 1 for row in late)
        and not any(row["by_lateness"] for row in late)
    )


