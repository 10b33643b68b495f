"""How good the forecasts were, once it is known what happened: WIS, coverage, alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core import disclosure
from yupana.monitoring.check import Check
from yupana.tasks.forecast.entities import inward
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.monitoring import groups
from yupana.tasks.forecast.pages.words import WORDS
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES
from yupana.tasks.forecast.scoring import exceedance, intervals
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import polars as pl

COVERAGES = {"50": ("q0.25", "q0.75"), "90": ("q0.05", "q0.95")}
FEWEST = 200
"""Scored counts from which on a change is an alarm: about four weeks of fifty districts."""

LEAST_COVERAGE = 0.8
"""Of the 90 % intervals; below it they are taken as too narrow."""

WORSE = 1.5
"""Times the WIS of the test periods, relative to the cases, from which on the model does worse."""

RUNBOOK = "docs/monitoring.md#{}"


@dataclass(frozen=True)
class Scores:
    """How good some forecasts were; None where that would tell a small count.

    Attributes:
        n: counts scored.
        wis: cases.
        wis_relative: over the mean of the cases.
        coverage_50, coverage_90: shares of the counts inside these intervals.
        cases: that came, each as often as it was forecast.
        brier: of the probability to exceed the endemic channel, 0-1, lower is better (Brier 1950).
        exceedance, exceeded: mean of that probability, and the share that did exceed it; these
            three are None without a channel.
    """

    n: int
    wis: float | None = None
    wis_relative: float | None = None
    coverage_50: float | None = None
    coverage_90: float | None = None
    cases: int | None = None
    brier: float | None = None
    exceedance: float | None = None
    exceeded: float | None = None


@dataclass(frozen=True)
class Performance:
    """Scores of the forecasts whose periods are fully reported.

    Attributes:
        n: counts scored.
        periods: days that end the first and the last period (ISO).
        waiting: forecasts whose period is not known yet.
        all: None where nothing is scored.
        groups: by grouping (horizon, the spec's, size) and group.
    """

    n: int = 0
    periods: tuple[str, ...] = ()
    waiting: int = 0
    all: Scores | None = None
    groups: Mapping[tuple[str, str], Scores] = field(default_factory=dict)

    def document(self, frequency: Frequency) -> dict[str, Any]:
        """As reports hold it; the field of the periods is called by what they are."""
        groups = [{"by": by, "of": of, **asdict(s)} for (by, of), s in self.groups.items()]
        return {
            "n": self.n, frequency.listing: list(self.periods), "waiting": self.waiting,
            "all": self.all and asdict(self.all), "groups": groups,
        }  # fmt: skip


def score(
    forecasts: pl.DataFrame | None, truth: pl.DataFrame, sizes: dict[str, str],
    definition: ForecastUseCase,
) -> Performance:
    """Scores of the forecasts whose periods are fully reported.

    Args:
        forecasts: `entity`, `origin`, `horizon`, `LEVELS`, `channel_high` and `exceedance`; of
            several models of an origin the last one counts, as in the table.
        truth: `entity`, `end`, `cases`.
        sizes: third of each district by entity.
        definition: its spec names the groupings.
    """
    import polars as pl

    if forecasts is None:
        return Performance()
    newest = forecasts.unique(["entity", "origin", "horizon"], keep="last", maintain_order=True)
    ahead = definition.frequency.days_ahead(pl.col("origin"), pl.col("horizon"))
    due = newest.with_columns(end=ahead)
    rows = due.join(truth, on=["entity", "end"], how="inner")
    waiting = len(newest) - len(rows)
    if rows.is_empty():
        return Performance(waiting=waiting)
    scored = rows.with_columns(_wis().alias("wis"), *_inside())
    by = {"horizon": pl.col("horizon").cast(pl.String)}
    for name, members in groups.of_codes(definition.spec, rows["entity"], sizes).items():
        by[name] = pl.col("entity").replace_strict(members, return_dtype=pl.String)
    groupings = [_of_group(scored, name, of) for name, of in by.items()]
    return Performance(
        n=len(rows),
        periods=(str(rows["end"].min()), str(rows["end"].max())),
        waiting=waiting,
        all=_scores(scored),
        groups={key: scores for grouping in groupings for key, scores in grouping.items()},
    )


def expected(folder: Path, definition: ForecastUseCase, truth: pl.DataFrame) -> float | None:
    """WIS of the final model on its test periods over their mean cases; None where not kept."""
    import polars as pl

    scores = intervals.read(folder)
    if scores is None:
        return None
    final = inward(scores[scores["model"] == definition.final], definition.spec.entity.key)
    rows = pl.from_pandas(final).with_columns(
        pl.col("entity").cast(pl.String), pl.col("origin").cast(pl.Date)
    )
    end = definition.frequency.days_ahead(pl.col("origin"), pl.col("horizon"))
    rows = rows.with_columns(end=end).join(truth, on=["entity", "end"], how="inner")
    total = float(rows["cases"].sum())
    return float(rows["wis"].sum()) / total if total else None


def checks(
    scored: Performance, usual: float | None, end: date, frequency: Frequency
) -> list[Check]:
    """Coverage of the 90 % intervals, and WIS against the test periods."""
    every = scored.all
    enough = every is not None and scored.n >= FEWEST
    share = every.coverage_90 if every else None
    narrow = enough and share is not None and share < LEAST_COVERAGE
    relative = every.wis_relative if every else None
    ratio = relative / usual if relative is not None and usual else None
    worse = enough and ratio is not None and ratio > WORSE
    inside = f"{100 * share:.0f} %" if share is not None else "–"
    times = f"{ratio:.2f}" if ratio is not None else "–"
    return [
        Check(
            "coverage", "90", "", end, share, LEAST_COVERAGE,
            "unknown" if not enough else "alarm" if narrow else "ok", "warning",
            f"El {inside} de lo observado cayó en los intervalos del 90 % "
            f"({scored.n} conteos; al menos {100 * LEAST_COVERAGE:.0f} %).",
            f"{inside} of what was observed fell inside the 90 % intervals "
            f"({scored.n} counts; at least {100 * LEAST_COVERAGE:.0f} %).",
            RUNBOOK.format("coverage"), "performance" if narrow else "",
        ),
        Check(
            "wis", "", "", end, ratio, WORSE,
            "unknown" if not enough or ratio is None else "alarm" if worse else "ok", "warning",
            f"El error (WIS por caso) es {times} veces el de {WORDS[frequency.name]['tests']}.",
            f"The error (WIS per case) is {times} times that of the test {frequency.listing}.",
            RUNBOOK.format("coverage"), "performance" if worse else "",
        ),
    ]  # fmt: skip


def _wis() -> pl.Expr:
    """Twice the mean quantile loss, as `scoring.scores` has it (Bracher et al. 2021)."""
    import polars as pl

    apart = [pl.col("cases") - pl.col(name) for name in LEVELS]
    losses = [
        pl.max_horizontal(level * off, (level - 1) * off)
        for level, off in zip(QUANTILES, apart, strict=True)
    ]
    return 2 * pl.sum_horizontal(losses) / len(losses)


def _inside() -> list[pl.Expr]:
    import polars as pl

    return [
        pl.col("cases").is_between(pl.col(low), pl.col(high)).alias(f"inside_{name}")
        for name, (low, high) in COVERAGES.items()
    ]


def _of_group(scored: pl.DataFrame, by: str, of: pl.Expr) -> dict[tuple[str, str], Scores]:
    parts = {str(name): rows for (name,), rows in scored.group_by(of.alias("of"))}
    names = sorted(parts)
    # Hidden where they are 1 to 4, or would tell such a group by subtraction. A period stands once
    # for each horizon in `scored`: the cases of a group are counted as such.
    hidden = disclosure.hide([int(parts[n]["cases"].sum()) for n in names])
    return {
        (by, name): Scores(len(parts[name])) if cases is None else _scores(parts[name])
        for name, cases in zip(names, hidden, strict=True)
    }


def _scores(rows: pl.DataFrame) -> Scores:
    cases, wis = float(rows["cases"].sum()), float(rows["wis"].sum())
    return Scores(
        n=len(rows),
        wis=round(wis / len(rows), 6),
        wis_relative=round(wis / cases, 6) if cases else None,
        coverage_50=_share(rows, "50"),
        coverage_90=_share(rows, "90"),
        cases=int(cases),
        **_alerts(rows),
    )


def _alerts(rows: pl.DataFrame) -> dict[str, float]:
    """What is told of the rows that have a channel."""
    import polars as pl

    if "channel_high" not in rows.columns:
        return {}
    judged = rows.filter(pl.col("channel_high").is_not_nan()).drop_nulls("channel_high")
    if judged.is_empty():
        return {}
    chance = judged["exceedance"].to_numpy()
    exceeded = (judged["cases"] > judged["channel_high"]).to_numpy()
    return {
        "brier": round(exceedance.brier(chance, exceeded), 4),
        "exceedance": round(float(chance.mean()), 4),
        "exceeded": round(float(exceeded.mean()), 4),
    }


def _share(rows: pl.DataFrame, name: str) -> float:
    return round(float(rows[f"inside_{name}"].cast(int).sum()) / len(rows), 4)
