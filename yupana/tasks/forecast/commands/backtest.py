"""The command that scores the forecasts of past weeks or months."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256
from yupana.core.progress import Lines
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.commands import candidate_backtest


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(backtest)


def backtest(
    use_case: UseCase,
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Further files of --cases.")
    ] = None,
    cases: Annotated[
        list[Path] | None,
        typer.Option(help="Line list in the published schema, plain or gzip; more are joined."),
    ] = None,
    department: Annotated[
        str,
        typer.Option(
            metavar="AREA",
            help="Department that is forecast, as INEI names it, or PERU for each in one run.",
        ),
    ] = "LORETO",
    train_on: Annotated[
        str,
        typer.Option(
            metavar="AREA",
            help="Area whose districts the model learns from: a department, or PERU for all. "
            "Default: what is forecast. The whole country takes many times as long.",
        ),
    ] = "",
    origins: Annotated[
        str | None,
        typer.Option(
            help="First period, last period, every how many: 2019-W01:2021-W44:4 or "
            "2014-01:2016-12:3. Default: the data's newest three years, every fourth week, or "
            "every month."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Report; the forecasts lie beside it.")] = Path(
        "report.json"
    ),
    pages: Annotated[bool, typer.Option(help="Also draw the report's pages.")] = True,
    candidate: Annotated[
        str,
        typer.Option(
            help="Reference that `yupana pool` printed: try its procedure on its own split, for "
            "`yupana register`. Without --origins by what its members told of past years, with "
            "them by fits anew."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Forecast past weeks or months as they would have been forecast then, and score them.

    Models are fitted at each year's first origin on what precedes it. Without --cases the
    published table is read, or the shipped sample where nothing is published yet.

    Example: yupana backtest outbreak --origins 2019-W01:2021-W44:4 --out report.json
    """
    from yupana.lineage import events, steps
    from yupana.tasks.forecast.backtest import run, terminal

    if candidate and train_on:
        raise UsageError(
            "A candidate learns from the districts of its own split.",
            where="--train-on",
            fix="Leave out --train-on, or --candidate.",
        )
    if candidate:
        candidate_backtest.backtest(use_case, candidate, origins or "", as_json)
        return
    if more and not cases:
        raise UsageError(
            f"'{more[0]}' belongs to no option.",
            where="yupana backtest",
            fix="Give line lists as --cases FILE FILE, or --cases FILE --cases FILE.",
        )
    config, progress = settings(), Lines()
    files, target = [p.resolve() for p in [*(cases or []), *(more or [])]], out.resolve()
    today = datetime.now(UTC).date()

    def reference() -> tuple[str, ...]:
        return (f"backtest:{file_sha256(target)[:16]}",)

    def work() -> steps.Outcome:
        report = run.run(
            config, use_case, files, department, origins, target, today=today, progress=progress,
            train_on=train_on,
        )  # fmt: skip
        if pages:
            from yupana.tasks.forecast.backtest import page

            progress.say("draw pages …")
            key = usecases.load(use_case).spec.entity.key
            page.write(
                run.rows_path(target), report, target.with_suffix(""), key=key, seed=config.seed
            )
        facts = {**terminal.facts(report), "report": str(target)}
        return steps.Outcome(reference(), metrics=facts)

    code = events.code_hash(config.root, "models", "feature_repo", "yupana/tasks/forecast")
    result = steps.run(
        config, "backtest", use_case, work,
        inputs=run.inputs(config, usecases.load(use_case), files),
        depends_on=[code, config.seed, department, origins, str(target), pages, train_on],
        still_there=lambda outputs: target.exists() and reference() == outputs,
    )  # fmt: skip
    if as_json:
        emit(result, as_json)
        return
    terminal.show(result.metrics)
    state = "already done" if result.status == "unchanged" else f"done in {result.seconds:.1f} s"
    print(f"backtest {use_case}: {state} → {target}")
