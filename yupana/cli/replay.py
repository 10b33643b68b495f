"""The command that shows whether the weekly checks notice faults, on years that are past."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli.common import AsJson, UseCase

if TYPE_CHECKING:
    import polars as pl

    from yupana.config.settings import Settings


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(replay)


def replay(
    use_case: UseCase,
    first: Annotated[int, typer.Option("--from", help="First year that is watched.")] = 2017,
    last: Annotated[int, typer.Option("--to", help="Last year that is watched.")] = 2021,
    seed: Annotated[
        int, typer.Option(help="Of late reports, made-up weather and faults.", min=0)
    ] = 3,
    each: Annotated[
        int, typer.Option(help="Faults that can be told, of each way of each kind.", min=1)
    ] = 20,
    cases: Annotated[
        Path | None, typer.Option(help="Line list in the published schema, plain or gzip.")
    ] = None,
    department: Annotated[str, typer.Option(help="Department, as INEI names it.")] = "LORETO",
    out: Annotated[
        Path | None, typer.Option(help="Folder; by default reports/<use case>/replay in the home.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Live past years again week by week, untouched and with planted faults, and count what the
    weekly checks said: the norms that they go by, a confusion table and the false alarms.

    Norms are learned from the years before --from alone. Without --cases the published table is
    read, or the shipped sample where nothing is published yet. Takes some minutes.

    Example: yupana replay outbreak --from 2017 --to 2021 --out replayed
    """
    from yupana.config.settings import settings
    from yupana.core.progress import Lines
    from yupana.monitoring.checks import norms
    from yupana.monitoring.replay import page, run

    chosen, progress = settings(), Lines()
    folder = (out or chosen.reports / use_case / "replay").resolve()
    table = _counts(chosen, cases, department, progress)
    usual = run.usual(table, use_case, first, seed, progress.say)
    folder.mkdir(parents=True, exist_ok=True)
    norms.save(usual, folder / "norms.json")
    plan = run.Plan(first, last, seed, each=each)
    # What is watched by is what is written, to the digit.
    report = run.run(table, use_case, plan, norms.load(folder / "norms.json"), progress.say)
    _write(folder / "confusion.json", json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    told = page.markdown(report)
    _write(folder / "confusion.md", told)
    page.write(folder / "confusion.html", report)
    progress.say(f"→ {folder}")
    if as_json:
        print(json.dumps({**report, "out": str(folder)}, ensure_ascii=False))
        return
    print(told)
    print("targets reached" if report["targets"] else "targets not reached")


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}")
    partial.write_text(text, encoding="utf-8")
    partial.rename(path)


def _counts(settings: Settings, cases: Path | None, department: str, progress: Any) -> pl.DataFrame:
    from datetime import UTC, datetime

    from yupana.evaluation import backtest_run, linelist

    code, plain = linelist.department_code(department)
    given = [cases.resolve()] if cases else []
    today = datetime.now(UTC).date()
    return backtest_run.counts(settings, given, code, plain, today, progress)[0].counts
