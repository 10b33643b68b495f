"""How good the forecasts were, once it is known what happened: WIS and coverage."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core import disclosure
from yupana.core.forecast import LEVELS, QUANTILES
from yupana.monitoring.checks.check import Check
from yupana.tracking import intervals

if TYPE_CHECKING:
    import polars as pl

COVERAGES = {"50": ("q0.25", "q0.75"), "90": ("q0.05", "q0.95")}
FEWEST = 200
"""Scored counts from which on a change is an alarm: about four weeks of fifty districts."""

LEAST_COVERAGE = 0.8
"""Of the 90 % intervals; below it they are taken as too narrow."""

WORSE = 1.5
"""Times the WIS of the test weeks, relative to the cases, from which on the model does worse."""

RUNBOOK = "docs/monitoring.md#{}"


def score(
    forecasts: pl.DataFrame | None, truth: pl.DataFrame, sizes: dict[str, str]
) -> dict[str, Any]:
    """Scores of the forecasts whose weeks are fully reported.

    Args:
        forecasts: `ubigeo`, `origin`, `horizon`, `LEVELS`; of several models of an origin the
            last one counts, as in the table.
        truth: `ubigeo`, `week`, `cases`.
        sizes: third of each district by ubigeo.

    Returns:
        `n` (counts scored), `weeks` (first and last, ISO), `waiting` (forecasts whose week is
        not known yet), `all`, and `groups`: dicts of `by` (horizon, department, province, size),
        `of`, `n`, `wis` (cases), `wis_relative` (over the mean of the cases), `coverage_50`,
        `coverage_90`, `cases` (None, and no scores, where they are 1 to 4 or would tell such
        a group by subtraction).
    """
    import polars as pl

    if forecasts is None:
        return {"n": 0, "weeks": [], "waiting": 0, "all": None, "groups": []}
    one = forecasts.unique(["ubigeo", "origin", "horizon"], keep="last", maintain_order=True)
    due = one.with_columns(week=pl.col("origin") + pl.duration(weeks=pl.col("horizon")))
    rows = due.join(truth, on=["ubigeo", "week"], how="inner")
    waiting = len(one) - len(rows)
    if rows.is_empty():
        return {"n": 0, "weeks": [], "waiting": waiting, "all": None, "groups": []}
    scored = rows.with_columns(_wis().alias("wis"), *_inside())
    groups = {
        "horizon": pl.col("horizon").cast(pl.String),
        "department": pl.col("ubigeo").str.head(2),
        "province": pl.col("ubigeo").str.head(4),
        "size": pl.col("ubigeo").replace_strict(sizes, default="new", return_dtype=pl.String),
    }
    found = [g for by, of in groups.items() for g in _by(scored, by, of)]
    return {
        "n": len(rows),
        "weeks": [str(rows["week"].min()), str(rows["week"].max())],
        "waiting": waiting,
        "all": _told(scored),
        "groups": found,
    }


def expected(folder: Path, final: str, truth: pl.DataFrame) -> float | None:
    """WIS of the model on its test weeks over the mean of their cases; None where not kept."""
    import polars as pl

    kept = intervals.read(folder)
    if kept is None:
        return None
    rows = pl.from_pandas(kept[kept["model"] == final]).with_columns(
        pl.col("ubigeo").cast(pl.String), pl.col("origin").cast(pl.Date)
    )
    week = pl.col("origin") + pl.duration(weeks=pl.col("horizon"))
    rows = rows.with_columns(week=week).join(truth, on=["ubigeo", "week"], how="inner")
    total = float(rows["cases"].sum())
    return float(rows["wis"].sum()) / total if total else None


def checks(found: dict[str, Any], usual: float | None, week: date) -> list[Check]:
    """Coverage of the 90 % intervals, and WIS against the test weeks."""
    every = found["all"]
    enough = every is not None and found["n"] >= FEWEST
    share = every["coverage_90"] if every else None
    narrow = enough and share is not None and share < LEAST_COVERAGE
    relative = every["wis_relative"] if every else None
    ratio = relative / usual if relative is not None and usual else None
    worse = enough and ratio is not None and ratio > WORSE
    seen = f"{100 * share:.0f} %" if share is not None else "–"
    times = f"{ratio:.2f}" if ratio is not None else "–"
    return [
        Check(
            "coverage", "90", "", week, share, LEAST_COVERAGE,
            "unknown" if not enough else "alarm" if narrow else "ok", "warning",
            f"El {seen} de lo observado cayó en los intervalos del 90 % "
            f"({found['n']} conteos; al menos {100 * LEAST_COVERAGE:.0f} %).",
            f"{seen} of what was observed fell inside the 90 % intervals "
            f"({found['n']} counts; at least {100 * LEAST_COVERAGE:.0f} %).",
            RUNBOOK.format("coverage"), "performance" if narrow else "",
        ),
        Check(
            "wis", "", "", week, ratio, WORSE,
            "unknown" if not enough or ratio is None else "alarm" if worse else "ok", "warning",
            f"El error (WIS por caso) es {times} veces el de las semanas de prueba.",
            f"The error (WIS per case) is {times} times that of the test weeks.",
            RUNBOOK.format("coverage"), "performance" if worse else "",
        ),
    ]  # fmt: skip


def _wis() -> pl.Expr:
    """Twice the mean quantile loss, as `evaluation.scores` has it (Bracher et al. 2021)."""
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


def _by(scored: pl.DataFrame, by: str, of: pl.Expr) -> list[dict[str, Any]]:
    parts = {str(name): rows for (name,), rows in scored.group_by(of.alias("of"))}
    names = sorted(parts)
    # A week stands once for each horizon in `scored`: the cases of a group are counted as such.
    hidden = disclosure.hide([int(parts[n]["cases"].sum()) for n in names])
    shown = []
    for name, cases in zip(names, hidden, strict=True):
        told = _told(parts[name])
        if cases is None:
            told = dict.fromkeys(told) | {"n": told["n"]}
        shown.append({"by": by, "of": name, **told})
    return shown


def _told(rows: pl.DataFrame) -> dict[str, Any]:
    cases, wis = float(rows["cases"].sum()), float(rows["wis"].sum())
    return {
        "n": len(rows),
        "wis": round(wis / len(rows), 6),
        "wis_relative": round(wis / cases, 6) if cases else None,
        **{f"coverage_{name}": _share(rows, name) for name in COVERAGES},
        "cases": int(cases),
    }


def _share(rows: pl.DataFrame, name: str) -> float:
    return round(float(rows[f"inside_{name}"].cast(int).sum()) / len(rows), 4)
