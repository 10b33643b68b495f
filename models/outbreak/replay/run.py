"""A whole replay: learn what is usual, watch the untouched years, plant faults, score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from models.outbreak.replay import faults, history, lateness, pasts, score
from models.outbreak.replay.fault import LOOKS
from models.outbreak.replay.history import FIRST, Counts, History
from models.outbreak.replay.plant import plant
from models.outbreak.replay.score import Alarm, Planted, Untouched
from yupana.core.errors import UsageError
from yupana.monitoring.check import alarms
from yupana.tasks.forecast.checks import judge, learn
from yupana.tasks.forecast.checks.invariants import Invariants
from yupana.tasks.forecast.checks.norms import Norms
from yupana.tasks.forecast.checks.past import by_year
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import polars as pl

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
    definition: ForecastUseCase
    invariants: Invariants
    model: pasts.Model
    span: range
    norms: Norms


def usual(
    table: pl.DataFrame, definition: ForecastUseCase, first: int, seed: int, say: Callable[[str],
    None]
) -> Norms:
    """Norms from the years before one, and from nothing later; raises as `pasts.before`."""
    learned = pasts.before(table, definition, first, seed=seed, say=say)
    say(f"learn what is usual from {len(learned)} pasts of {len(learned[0].periods)} weeks")
    return learn.learn(learned, definition.invariants())


def run(
    table: pl.DataFrame, definition: ForecastUseCase, plan: Plan, norms: Norms,
    say: Callable[[str], None]
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
    counts, invariants = history.counts_of(table), definition.invariants()
    span = range(history.first_week(counts, plan.first), history.first_week(counts, plan.last + 1))
    if not span:
        raise UsageError(
            f"The cases reach from {counts.weeks[0]} to {counts.weeks[-1]}.",
            where="--from, --to",
            fix="Give years that lie within.",
        )
    counts = Counts(counts.entities, counts.weeks[: span.stop], counts.cases[:, : span.stop])
    model = by_year(definition, history.final(counts, definition), plan.first)
    stage = _Stage(counts, definition, invariants, model, span, norms)
    late, untouched = [], []
    prompt = _pasts(stage, (lateness.PROMPT,), plan.seed, say)[0]
    alone = _watched(prompt, stage, lateness.PROMPT.name, plan.seed)
    for n in range(plan.repeats):
        seed = plan.seed + 10 * n
        ways = pasts.LATE if n else (*pasts.LATE, *UNSEEN)
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


def loud(past: History, week: int, invariants: Invariants, norms: Norms) -> list[Alarm]:
    """The alarms of one week that someone is told of, the gravest first."""
    checks = judge.judge(past.window(week), invariants, past.record(week), norms)
    return [
        Alarm(c.period, (c.check, c.column, c.group), c.kind, c.en) for c in alarms(checks)
    ]


def _pasts(
    stage: _Stage, ways: Sequence[lateness.Lateness], seed: int, say: Callable[[str], None]
) -> list[History]:
    span = range(max(FIRST, stage.span.start - MARGIN), stage.span.stop)
    return pasts.build(
        stage.counts, stage.definition, stage.model, ways, seed=seed, span=span, say=say
    )


def _watched(past: History, stage: _Stage, late: str, seed: int) -> Untouched:
    alarms = [alarm for week in stage.span for alarm in loud(past, week, stage.invariants,
    stage.norms)]
    return Untouched(late, seed, len(stage.span), tuple(alarms))


def _planted(
    stage: _Stage, late: Sequence[tuple[str, History]], plan: Plan, say: Callable[[str], None]
) -> list[Planted]:
    histories = [past for _, past in late]
    sample = faults.sample(
        histories, stage.invariants, stage.span, each=plan.each, small=plan.hidden, seed=plan.seed
    )
    before: dict[tuple[int, int], set[tuple[str, str, str]]] = {}
    outcomes: list[Planted] = []
    for of, fault in sample:
        if not outcomes or outcomes[-1].fault.kind != fault.kind:
            say(f"plant faults: {fault.kind}")
        past = histories[of]
        faulty = plant(past, fault, stage.invariants, stage.model, LOOKS)
        looks, alarm = None, None
        for look in range(LOOKS):
            week = fault.week + look
            if (of, week) not in before:
                # What the untouched week says as well is not due to the fault.
                quiet = loud(past, week, stage.invariants, stage.norms)
                before[of, week] = {a.key for a in quiet}
            new = [
                a
                for a in loud(faulty, week, stage.invariants, stage.norms)
                if a.key not in before[of, week] and a.kind != "performance"
            ]
            if new:
                looks, alarm = look + 1, new[0]
                break
        kind, en = (alarm.kind, alarm.en) if alarm else (score.NONE, "")
        outcomes.append(Planted(fault, late[of][0], past.saturday(fault.week), looks, kind, en))
    return outcomes
