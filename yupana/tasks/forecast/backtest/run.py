"""A backtest from files to report: read, forecast, score, write."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.data.contracts import contract
from yupana.data.contracts.checks import source as source_check
from yupana.data.lake import delta
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.backtest import (
    areas,
    by_department,
    channels,
    missed,
    origins,
    panel,
    vintages,
)
from yupana.tasks.forecast.backtest import report as backtest_report
from yupana.tasks.forecast.backtest.areas import Counts
from yupana.tasks.forecast.backtest.report import BacktestReport
from yupana.tasks.forecast.entities import outward
from yupana.tasks.forecast.usecases import ForecastUseCase


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
    train_on: str = "",
) -> BacktestReport:
    """Score the use case's model and its baselines on past weeks or months.

    Writes the report to `out` and every forecast beside it (`<name>.rows.parquet`).

    Args:
        cases: line lists in the published schema; none = the published table, or the sample.
        department: its name; the country's for all departments in one run.
        span: origins as START:END:STEP; None = the newest three years of the data.
        today: periods that start later are refused.
        train_on: area whose districts the model learns from, a department or the country; empty =
            that of `department`.

    Raises:
        UsageError: options or files that cannot be used.
        TerminalError: data that cannot be scored, or that a model cannot be fitted on.
    """
    start = time.monotonic()
    definition = usecases.load(use_case)
    code, plain = areas.area(department, "--department")
    period, reach = definition.frequency, definition.options.horizons
    starts = origins.parse(span, period) if span else ()
    area, source = counts(settings, definition, cases, code, plain, today, progress)
    starts = starts or origins.parse(origins.newest(area.last, reach, period), period)
    panels = panel.build(area, starts, period, reach)
    learn_from, trained_on = None, plain
    if train_on and (wider := areas.area(train_on, "--train-on")) != (code, plain):
        trained_on = wider[1]
        more, _ = counts(settings, definition, cases, *wider, today, progress)
        learn_from = panel.districts(more, starts[0], period, reach)
        number = learn_from.rows["entity"].n_unique()
        progress.say(f"{trained_on}: learn from {number} districts")
    districts = panels[0].rows["entity"].n_unique()
    progress.say(
        f"{plain}: {districts} districts with a case before {starts[0]}, "
        f"{len(starts)} origins, {period.name}s to {area.last}"
    )
    backtest = vintages.forecasts(
        definition, panels, starts, lambda rows: definition.features({definition.counted: rows}),
        seed=settings.seed, say=progress.say, learn_from=learn_from,
    )  # fmt: skip
    progress.say("score …")
    key = definition.spec.entity.key
    by_series = dict(zip(("district", "department"), panels, strict=True))
    rows = channels.beside(backtest.rows, by_series)
    tables = backtest_report.tables(rows, key, lead=period.lead, seed=settings.seed)
    report = BacktestReport(
        final=backtest.final,
        baselines=list(backtest.baselines),
        members=list(backtest.members),
        seconds=round(time.monotonic() - start, 1),
        frequency=period.name,
        department=plain,
        trained_on=trained_on,
        districts=districts,
        origins=[str(origin) for origin in starts],
        source=source,
        left_out_rows=area.left_out,
        missed=missed.of(rows, by_series, backtest.final),
        by_department=[] if code else by_department.of(
            rows, backtest.final, backtest.baselines, period, settings.seed
        ),
        **vars(tables),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    outward(rows, key).to_parquet(rows_path(out), index=False)
    partial = out.with_name(f".{out.name}")
    text = json.dumps(report.content(), indent=1, ensure_ascii=False)
    partial.write_text(text, encoding="utf-8")
    partial.rename(out)
    return report


def rows_path(out: Path) -> Path:
    """Where the forecasts of a report lie."""
    return out.with_name(f"{out.stem}.rows.parquet")


def inputs(
    settings: Settings, definition: ForecastUseCase, cases: Sequence[Path]
) -> tuple[str, ...]:
    """References of what a backtest reads.

    Raises:
        UsageError: a file is missing.
    """
    from yupana.core.hashing import file_sha256

    files = _files(settings, definition, cases)
    if not files:
        return (delta.ref(settings.lake, "published", definition.counted).ref,)
    return tuple(f"file:{path.name}@{file_sha256(_existing(path))[:16]}" for path in files)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UsageError(
            "There is no such file.", where=str(path), fix="Give the path of a line list."
        )
    return path


def _files(settings: Settings, definition: ForecastUseCase, cases: Sequence[Path]) -> list[Path]:
    """The files to read; none when the published table is to be read."""
    if cases:
        return list(cases)
    dataset = definition.counted
    if delta.exists(settings.table("published", dataset)):
        return []
    location = contract.load(settings.root, dataset).location
    source_check.refuse_link(location, settings.root)
    return [settings.root / location]


def counts(
    settings: Settings, definition: ForecastUseCase, cases: Sequence[Path], code: str, plain: str,
    today: date, progress: Progress,
) -> tuple[Counts, list[str]]:  # fmt: skip
    """One area's cases, with the references of what was read.

    Args:
        cases: line lists; none = the published table, or the sample.
        code, plain: of `areas.area`.

    Raises:
        UsageError, TerminalError: as `read_files` and `read_published` of the use case.
    """
    files = _files(settings, definition, cases)
    source = list(inputs(settings, definition, cases))
    progress.say(f"read {', '.join(source)} …")
    if files:
        area = definition.read_files(files, plain, settings.root, today=today, say=progress.say)
    else:
        table = delta.read(settings.table("published", definition.counted))
        area = definition.read_published(table, code, plain, today=today)
    return area, source
