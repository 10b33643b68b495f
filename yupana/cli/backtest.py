"""The command that scores the forecasts of past weeks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from yupana.cli import judging
from yupana.cli.common import AsJson, UseCase, emit
from yupana.core.errors import UsageError


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
    department: Annotated[str, typer.Option(help="Department, as INEI names it.")] = "LORETO",
    origins: Annotated[
        str | None,
        typer.Option(
            help="First week, last week, every how many weeks. Default: the data's newest three "
            "years, every fourth week."
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
    """Forecast past weeks as they would have been forecast then, and score them.

    Models are fitted at each year's first origin on what precedes it. Without --cases the
    published table is read, or the shipped sample where nothing is published yet.

    Example: yupana backtest outbreak --origins 2019-W01:2021-W44:4 --out report.json
    """
    from datetime import UTC, datetime

    from yupana.config.settings import settings
    from yupana.core.hashing import file_sha256
    from yupana.core.progress import Lines
    from yupana.evaluation import backtest_run
    from yupana.governance import events, steps

    if candidate:
        judging.backtest(use_case, candidate, origins or "", as_json)
        return
    if more and not cases:
        raise UsageError(
            f"'{more[0]}' belongs to no option.",
            where="yupana backtest",
            fix="Give line lists as --cases FILE FILE, or --cases FILE --cases FILE.",
        )
    chosen, progress = settings(), Lines()
    given, target = [p.resolve() for p in [*(cases or []), *(more or [])]], out.resolve()
    today = datetime.now(UTC).date()

    def reference() -> tuple[str, ...]:
        return (f"backtest:{file_sha256(target)[:16]}",)

    def work() -> steps.Outcome:
        report = backtest_run.run(
            chosen, use_case, given, department, origins, target, today=today, progress=progress
        )
        if pages:
            from yupana.evaluation import report_page

            progress.say("draw pages …")
            report_page.write(
                backtest_run.rows_path(target), report, target.with_suffix(""), seed=chosen.seed
            )
        kept = ("scores", "final", "baselines", "members", "seconds", "pit")
        facts = {**{name: report[name] for name in kept}, "report": str(target)}
        return steps.Outcome(reference(), metrics=facts)

    code = events.code_hash(chosen.root, "models", "feature_repo", "yupana/evaluation")
    result = steps.run(
        chosen, "backtest", use_case, work,
        inputs=backtest_run.inputs(chosen, given),
        depends_on=[code, chosen.seed, department, origins, str(target), pages],
        still_there=lambda outputs: target.exists() and reference() == outputs,
    )  # fmt: skip
    if as_json:
        emit(result, as_json)
        return
    _show(result.metrics)
    said = "already done" if result.status == "unchanged" else f"done in {result.seconds:.1f} s"
    print(f"backtest {use_case}: {said} → {target}")


def _show(report: dict[str, Any]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table("series", "model", "WIS", "log", "MAE", "50 %", "90 %", "95 %", box=SIMPLE)
    for s in sorted(report["scores"], key=lambda s: (s["series"], s["wis"])):
        inside = (f"{100 * s['coverage'][c]:.1f}" for c in ("50", "90", "95"))
        role = " *" if s["model"] == report["final"] else " (member)"
        name = s["model"] + role * (s["model"] not in report["baselines"])
        numbers = (f"{s['wis']:,.3f}", f"{s['wis_log']:.3f}", f"{s['mae']:,.3f}")
        table.add_row(s["series"], name, *numbers, *inside)
    # A log is 80 characters wide to rich, which would cut names rather than pass them on.
    Console(width=max(Console().width, 96)).print(table)
