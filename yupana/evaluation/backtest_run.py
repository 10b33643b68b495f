"""A backtest from files to report: read, forecast, score, write."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.forecast import ModelRoom
from yupana.core.progress import Progress
from yupana.data import contract as contracts
from yupana.data import delta
from yupana.evaluation import backtest, backtest_report, linelist, linelist_rows, origins, panel


def run(
    settings: Settings,
    use_case: str,
    cases: Sequence[Path],
    department: str,
    span: str | None,
    out: Path,
    *,
    today: date,
    progress: Progress,
) -> dict[str, Any]:
    """Score the use case's model and its baselines on past weeks.

    Writes the report to `out` and every forecast beside it (`<name>.rows.parquet`).

    Args:
        cases: line lists in the published schema; none = the published table, or the sample.
        span: origins as START:END:STEP; None = the newest three years of the data.
        today: weeks that start later are refused.

    Returns:
        The report: `scores`, `final`, `baselines`, `members`, `seconds`, and the tables of
        `backtest_report.tables` with what was asked for.

    Raises:
        UsageError: options or files that cannot be used.
        TerminalError: data that cannot be scored, or that a model cannot be fitted on.
    """
    start = time.monotonic()
    room = cast(ModelRoom, usecase.load("models", use_case))
    weekly = usecase.load("feature_repo", f"{use_case}_weekly")
    code, plain = linelist.department_code(department)
    wanted = origins.parse(span) if span else ()
    found, source = counts(settings, cases, code, plain, today, progress)
    wanted = wanted or origins.parse(origins.newest(found.last, len(room.HORIZONS)))
    panels = panel.build(found, wanted)
    districts = panels[0].rows["ubigeo"].n_unique()
    progress.say(
        f"{plain}: {districts} districts with a case before {wanted[0]}, "
        f"{len(wanted)} origins, weeks to {found.last}"
    )
    made = backtest.forecasts(
        room, panels, wanted, weekly.weekly_features, seed=settings.seed, say=progress.say
    )
    progress.say("score …")
    tables = backtest_report.tables(made.rows, seed=settings.seed)
    report = {
        "scores": tables.pop("scores"),
        "final": made.final,
        "baselines": list(made.baselines),
        "members": list(made.members),
        "seconds": round(time.monotonic() - start, 1),
        "department": plain,
        "districts": districts,
        "origins": [str(origin) for origin in wanted],
        "source": source,
        "left_out_rows": found.left_out,
        **tables,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    made.rows.to_parquet(rows_path(out), index=False)
    partial = out.with_name(f".{out.name}")
    partial.write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")
    partial.rename(out)
    return report


def rows_path(out: Path) -> Path:
    """Where the forecasts of a report lie."""
    return out.with_name(f"{out.stem}.rows.parquet")


def inputs(settings: Settings, cases: Sequence[Path]) -> tuple[str, ...]:
    """References of what a backtest reads.

    Raises:
        UsageError: a file is missing.
    """
    from yupana.core.hashing import file_sha256

    files = _files(settings, cases)
    if not files:
        return (delta.ref(settings.lake, "published", linelist_rows.CONTRACT).ref,)
    return tuple(
        f"file:{path.name}@{file_sha256(linelist_rows.existing(path))[:16]}" for path in files
    )


def _files(settings: Settings, cases: Sequence[Path]) -> list[Path]:
    """The line lists to read; none when the published table is to be read."""
    if cases:
        return list(cases)
    if delta.exists(settings.table("published", linelist_rows.CONTRACT)):
        return []
    return [settings.root / contracts.load(settings.root, linelist_rows.CONTRACT).location]


def counts(
    settings: Settings, cases: Sequence[Path], code: str, plain: str, today: date,
    progress: Progress,
) -> tuple[linelist.WeeklyCounts, list[str]]:  # fmt: skip
    """One department's cases, with the references of what was read.

    Args:
        cases: line lists; none = the published table, or the sample.
        code, plain: of `linelist.department_code`.

    Raises:
        UsageError, TerminalError: as `linelist.read` and `linelist.published`.
    """
    files = _files(settings, cases)
    source = list(inputs(settings, cases))
    progress.say(f"read {', '.join(source)} …")
    if files:
        found = linelist.read(files, plain, settings.root, today=today, say=progress.say)
    else:
        table = delta.read(settings.table("published", linelist_rows.CONTRACT))
        found = linelist.published(table, code, plain, today=today)
    return found, source
