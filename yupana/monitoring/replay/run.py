"""A whole replay: learn what is usual, watch the untouched years, plant faults, score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING, Any

from yupana.core import usecase
from yupana.core.errors import UsageError
from yupana.monitoring import rules
from yupana.monitoring.checks import judge
from yupana.monitoring.checks import watch as watching
from yupana.monitoring.checks.norms import Norms
from yupana.monitoring.checks.traits import Traits
from yupana.monitoring.replay import faults, lateness, learn, models, score
from yupana.monitoring.replay import history as histories
from yupana.monitoring.replay.fault import LOOKS
from yupana.monitoring.replay.history import FIRST, Counts, History
from yupana.monitoring.replay.plant import plant
from yupana.monitoring.replay.score import Planted, Told, Untouched

if TYPE_CHECKING:
    import polars as pl

LEARNED = 1000
"""Added to the seed of the pasts that norms are learned from: they are never those watched."""

UNSEEN = (lateness.ERRATIC,)
"""Ways of reporting late that norms were not learned from."""

MARGIN = 110
"""Weeks of features before the first watched week."""


@dataclass(frozen=True)
class Plan:
    """What a replay is asked for.

    Attributes:
        first, last: years that are watched; norms are learned from those before.
        seed: of late reports, weather and faults.
        repeats: pasts of each way of reporting late.
        each: faults that can be told, of each way of each kind.
        hidden: faults that cannot be told by the rules of `faults`, of each way at most.
    """

    first: int
    last: int
    seed: int
    repeats: int = 2
    each: int = 20
    hidden: int = 5


@dataclass(frozen=True)
class _Stage:
    counts: Counts
    room: ModuleType
    traits: Traits
    model: learn.Model
    span: range
    norms: Norms


def usual(
    table: pl.DataFrame, use_case: str, first: int, seed: int, say: Callable[[str], None]
) -> Norms:
    """Norms from the years before one, and from nothing later.

    Args:
        table: `ubigeo`, `week_start` (Sunday), `cases` of one department.

    Raises:
        UsageError: too few years before `first`, or the use case declares no traits.
    """
    room, traits, counts = _room(use_case), _traits(use_case), histories.counts_of(table)
    until = _week_of(counts, first)
    if until < FIRST + 104:
        raise UsageError(
            f"There are {until} weeks before {first}; norms need {FIRST + 104} or more.",
            where="--from",
            fix="Watch later years, or give a file that begins earlier.",
        )
    known = histories.before(counts, until)
    model = models.by_year(known, room.weekly_features, first)
    pasts = learn.pasts(
        known, room, model, learn.LATE, seed=seed + LEARNED, span=range(FIRST, until), say=say
    )
    say(f"learn what is usual from {len(pasts)} pasts of {until - FIRST} weeks")
    return learn.learn(pasts, traits, until)


def run(
    table: pl.DataFrame, use_case: str, plan: Plan, norms: Norms, say: Callable[[str], None]
) -> dict[str, Any]:
    """Watch the years of a plan, untouched and with faults.

    Args:
        table: as for `usual`.
        norms: learned from the years before.

    Returns:
        `targets` (whether they are reached), `kinds`, `ways`, `confusion`, `untouched`, `missed`
        and `plan`; see `score`.

    Raises:
        UsageError: the years are not in the table.
    """
    room, traits, counts = _room(use_case), _traits(use_case), histories.counts_of(table)
    span = range(_week_of(counts, plan.first), _week_of(counts, plan.last + 1))
    if not span:
        raise UsageError(
            f"The cases reach from {counts.weeks[0]} to {counts.weeks[-1]}.",
            where="--from, --to",
            fix="Give years that lie within.",
        )
    counts = Counts(counts.ubigeos, counts.weeks[: span.stop], counts.cases[:, : span.stop])
    model = models.by_year(counts, room.weekly_features, plan.first)
    stage = _Stage(counts, room, traits, model, span, norms)
    late, untouched = [], []
    prompt = _pasts(stage, (lateness.PROMPT,), plan.seed, say)[0]
    alone = _watched(prompt, stage, lateness.PROMPT.name, plan.seed)
    for n in range(plan.repeats):
        seed = plan.seed + 10 * n
        ways = learn.LATE if n else (*learn.LATE, *UNSEEN)
        for way, past in zip(ways, _pasts(stage, ways, seed, say), strict=True):
            say(f"watch the untouched weeks, late reports {way.name}, seed {seed}")
            untouched.append(_watched(past, stage, way.name, seed))
            late.append((way.name, past))
    planted = _planted(stage, late, plan, say)
    ways_of = score.by_way(planted)
    kinds = score.by_kind(ways_of)
    rows = score.false_alarms(untouched, alone)
    return {
        "plan": asdict(plan),
        "span": [str(counts.weeks[span.start]), str(counts.weeks[-1])],
        "learned": list(norms.span),
        "targets": score.reached(kinds, rows),
        "kinds": kinds,
        "confusion": score.confusion(planted),
        "untouched": [*score.false_alarms([alone], alone), *rows],
        "ways": ways_of,
        "missed": score.missed(planted),
    }


def loud(past: History, week: int, traits: Traits, norms: Norms) -> list[Told]:
    """The alarms of one week that someone is told of, the gravest first."""
    checks = judge.judge(past.window(week), traits, past.record(week), norms)
    return [
        Told(c.week, (c.check, c.column, c.group), c.kind, c.en) for c in rules.alarms(checks)
    ]


def _pasts(
    stage: _Stage, ways: Sequence[lateness.Lateness], seed: int, say: Callable[[str], None]
) -> list[History]:
    span = range(max(FIRST, stage.span.start - MARGIN), stage.span.stop)
    return learn.pasts(
        stage.counts, stage.room, stage.model, ways, seed=seed, span=span, say=say
    )


def _watched(past: History, stage: _Stage, late: str, seed: int) -> Untouched:
    alarms = [told for week in stage.span for told in loud(past, week, stage.traits, stage.norms)]
    return Untouched(late, seed, len(stage.span), tuple(alarms))


def _planted(
    stage: _Stage, late: Sequence[tuple[str, History]], plan: Plan, say: Callable[[str], None]
) -> list[Planted]:
    pasts = [past for _, past in late]
    drawn = faults.drawn(
        pasts, stage.traits, stage.span, each=plan.each, small=plan.hidden, seed=plan.seed
    )
    before: dict[tuple[int, int], set[tuple[str, str, str]]] = {}
    found: list[Planted] = []
    for of, fault in drawn:
        if not found or found[-1].fault.kind != fault.kind:
            say(f"plant faults: {fault.kind}")
        past = pasts[of]
        faulty = plant(past, fault, stage.traits, stage.model, LOOKS)
        looks, told = None, None
        for look in range(LOOKS):
            week = fault.week + look
            if (of, week) not in before:
                # What the untouched week says as well is not due to the fault.
                quiet = loud(past, week, stage.traits, stage.norms)
                before[of, week] = {a.key for a in quiet}
            new = [
                a
                for a in loud(faulty, week, stage.traits, stage.norms)
                if a.key not in before[of, week] and a.kind != "performance"
            ]
            if new:
                looks, told = look + 1, new[0]
                break
        kind, en = (told.kind, told.en) if told else (score.NONE, "")
        found.append(Planted(fault, late[of][0], past.saturday(fault.week), looks, kind, en))
    return found


def _room(use_case: str) -> ModuleType:
    return usecase.load("feature_repo", f"{use_case}_weekly")


def _traits(use_case: str) -> Traits:
    found = watching.traits_of(use_case)
    if found is None:
        raise UsageError(
            f"The use case '{use_case}' declares no traits of its features.",
            where=f"feature_repo/{use_case}_traits.py",
            fix="Declare them as feature_repo/outbreak_traits.py does.",
        )
    return found


def _week_of(counts: Counts, year: int) -> int:
    """Index of the first week that begins in a year, or the number of weeks."""
    return sum(w < date(year, 1, 1) for w in counts.weeks)
