"""What was answered against the model's test weeks: in all, by period and by group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core import disclosure
from yupana.core.errors import TerminalError, UsageError
from yupana.monitoring import answers, report, slices
from yupana.monitoring.answers import FORECAST, MODEL, PLACE, TIMES, WEEK
from yupana.monitoring.checks.check import Check
from yupana.monitoring.slices import FEWEST

RUNBOOK = "docs/monitoring.md#drift"
_SIZED_BY = "mean_52"


@dataclass(frozen=True)
class Asked:
    """What is compared.

    Attributes:
        reference: parquet of the test window, one row a series and week, with `columns` and
            `forecast_median_1` (cases, one week ahead).
        columns: the features to compare; the forecast is compared as well. A feature that is
            equal for all series of a week (the season, a department's sum) counts as drifted
            whenever the answers come from few weeks: leave it out, or read it so.
        week: Saturday that ends the newest week; answers from later data are not seen.
        weeks: how many weeks of answers are compared, up to `week`.
        page: where Evidently's page goes.
    """

    reference: Path
    columns: list[str]
    week: date
    weeks: int
    page: Path


def compare(
    settings: Settings, use_case: str, asked: Asked, say: Callable[[str], None]
) -> dict[str, Any]:
    """Compare the answers of the window, which `yupana export-predictions` puts into the lake.

    Returns:
        `enough` (20 distinct forecasts), `rows_reference` (test rows of the districts that were
        asked for), `rows_current` (distinct forecasts), `answers` (how often they were told),
        `models` (versions that answered), `columns`; and with enough of them `compared`,
        `drifted`, `empty` (columns without any value on one side), `share_drifted` (0-1, of the
        compared), `threshold`, `scores` by column (with up to 1000 forecasts p-values, drifted
        below the threshold; else distances, drifted from it on), `how` (rows, sample, counts),
        `error`, `evidently`, and `slices` (`slices.drift`, counts under five hidden).

    Raises:
        UsageError: there is no reference file.
        TerminalError: the reference lacks a column, or no column can be compared.
    """
    columns = [*asked.columns, FORECAST]
    reference = _reference(asked.reference, columns)
    numbers = [c for c in columns if reference.schema[c].is_numeric()]
    texts = [c for c in columns if c not in numbers]
    every = answers.told(settings, use_case, numbers, texts, asked.week)
    now = every.filter(every[WEEK] > asked.week - timedelta(weeks=asked.weeks))
    # A few districts against all would differ for ever, and no training would mend it.
    reference = reference.filter(reference[PLACE].is_in(now[PLACE].unique().implode()))
    told: dict[str, Any] = {
        "rows_reference": len(reference),
        "rows_current": len(now),
        "answers": int(now[TIMES].sum()),
        "models": sorted(now[MODEL].unique().to_list()),
        "columns": columns,
    }
    told["enough"] = min(len(now), len(reference)) >= FEWEST
    if not told["enough"]:
        say(f"{len(now)} distinct forecasts were told; a comparison needs {FEWEST}")
        return told
    say(f"comparing {len(now):,} forecasts that were told with {len(reference):,} test rows")
    found = report.compare(
        reference.select(columns).to_arrow(), now.select(columns).to_arrow(), numbers, texts,
        asked.page,
    )  # fmt: skip
    say(f"{len(found.drifted)} of {len(found.compared)} columns drifted")
    sizes = slices.sizes_of(reference, _SIZED_BY if _SIZED_BY in columns else FORECAST)
    parts = slices.periods(every, asked.week, asked.weeks)
    parts += slices.groups(reference, now, sizes)
    return told | {
        "compared": found.compared,
        "drifted": found.drifted,
        "empty": found.empty,
        "share_drifted": found.share,
        "threshold": found.threshold,
        "scores": found.scores,
        "how": found.how,
        "error": found.error,
        "evidently": found.evidently,
        "slices": _shown(slices.drift(parts, numbers, texts)),
    }


def checks(told: dict[str, Any] | None, week: date, threshold: float) -> list[Check]:
    """The share of drifted columns, each column's own score, and each period and group.

    Args:
        told: what `compare` gave; None when nothing was compared.
        threshold: share of drifted columns from which on it is an alarm.
    """
    if not told or not told["enough"]:
        rows = told["rows_current"] if told else 0
        return [
            Check(
                "drift", "", "", week, None, threshold, "unknown", "info",
                f"Se dieron {rows} pronósticos distintos; para comparar hacen falta {FEWEST}.",
                f"{rows} distinct forecasts were told; a comparison needs {FEWEST}.", RUNBOOK,
            )
        ]  # fmt: skip
    found = [_whole(told, week, threshold)]
    for column in told["compared"]:
        off = column in told["drifted"]
        score = told["scores"][column]
        shown = "–" if score is None else f"{score:.3g}"
        found.append(
            Check(
                "drift_column", column, "", week, score, told["threshold"],
                "alarm" if off else "ok", "info",
                f"{column}: {'cambió' if off else 'como en la prueba'} ({shown}).",
                f"{column}: {'has drifted' if off else 'as in the test weeks'} ({shown}).",
                RUNBOOK, "drift" if off else "",
            )
        )  # fmt: skip
    return found + [_part(one, week, threshold) for one in told["slices"]]


def _whole(told: dict[str, Any], week: date, threshold: float) -> Check:
    share, off, of = told["share_drifted"], len(told["drifted"]), len(told["compared"])
    far = share >= threshold
    return Check(
        "drift", "", "", week, share, threshold, "alarm" if far else "ok", "warning",
        f"{off} de {of} columnas de lo respondido difieren de las semanas de prueba del modelo.",
        f"{off} of {of} columns of what was answered differ from the model's test weeks.",
        RUNBOOK, "drift" if far else "",
    )  # fmt: skip


def _part(one: dict[str, Any], week: date, threshold: float) -> Check:
    name, of = f"drift_{one['by']}", one["of"]
    if not one["enough"]:
        return Check(
            name, "", of, week, None, threshold, "unknown", "info",
            f"{of}: muy pocas respuestas para comparar.", f"{of}: too few answers to compare.",
            RUNBOOK,
        )  # fmt: skip
    far = one["share_drifted"] >= threshold
    off = len(one["drifted"])
    return Check(
        name, "", of, week, one["share_drifted"], threshold, "alarm" if far else "ok", "info",
        f"{of}: {off} columnas difieren.", f"{of}: {off} columns differ.", RUNBOOK,
        "drift" if far else "",
    )  # fmt: skip


def _shown(every: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The slices with small counts of answers hidden."""
    shown = []
    for by in dict.fromkeys(one["by"] for one in every):
        mine = [one for one in every if one["by"] == by]
        for side in ("rows_reference", "rows_current"):
            for one, count in zip(mine, disclosure.hide([o[side] for o in mine]), strict=True):
                one[side] = count
        shown += mine
    return shown


def _reference(path: Path, columns: list[str]) -> Any:
    import polars as pl

    if not path.is_file():
        raise UsageError(
            "The model's test window is not there.",
            where=str(path),
            fix="Train the model again: evaluation writes reference.parquet.",
        )
    frame = pl.read_parquet(path)
    if missing := [c for c in columns if c not in frame.columns]:
        raise TerminalError(
            f"The model's test window lacks the columns {', '.join(missing)}.",
            where=str(path),
            fix="Train the model again with the features that it serves.",
        )
    texts = [c for c in columns if not frame.schema[c].is_numeric()]
    return frame.select("ubigeo", *columns).with_columns(pl.col(texts).cast(pl.String))
