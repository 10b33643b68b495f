"""The command that shows whether the weekly checks notice faults, on years that are past."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.console.options import AsJson
from yupana.tasks.forecast import usecases

if TYPE_CHECKING:
    import polars as pl

    from yupana.config.settings import Settings


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(replay)


def replay(
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
        Path | None, typer.Option(help="Folder; by default reports/outbreak/replay in the home.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Live past years again week by week, untouched and with planted faults, and count what the
    weekly checks said: the norms that they go by, a confusion table and the false alarms.

    Norms are learned from the years before --from alone. Without --cases the published table is
    read, or the shipped sample where nothing is published yet. Takes some minutes.

    Example: yupana outbreak replay --from 2017 --to 2021 --out replayed
    """
    from models.outbreak.replay import page, run
    from yupana.config.settings import settings
    from yupana.core import whole_file
    from yupana.core.progress import Lines
    from yupana.tasks.forecast.checks import norms

    config, progress = settings(), Lines()
    folder = (out or config.reports / "outbreak" / "replay").resolve()
    table = _counts(config, cases, department, progress)
    definition = usecases.load("outbreak")
    usual = run.usual(table, definition, first, seed, progress.say)
    folder.mkdir(parents=True, exist_ok=True)
    norms.save(usual, folder / "norms.json")
    plan = run.Plan(first, last, seed, each=each)
    # What is watched by is what is written, to the digit.
    report = run.run(table, definition, plan, norms.load(folder / "norms.json"), progress.say)
    whole_file.write_json(folder / "confusion.json", report)
    text = page.markdown(report)
    whole_file.write(folder / "confusion.md", text)
    page.write(folder / "confusion.html", report)
    progress.say(f"→ {folder}")
    if as_json:
        print(json.dumps({**report, "out": str(folder)}, ensure_ascii=False))
        return
    print(text)
    print("targets reached" if report["targets"] else "targets not reached")


def _counts(settings: Settings, cases: Path | None, department: str, progress: Any) -> pl.DataFrame:
    from datetime import UTC, datetime

    from yupana.tasks.forecast.backtest import areas
    from yupana.tasks.forecast.backtest import run as backtest_run

    code, plain = areas.department(department)
    files = [cases.resolve()] if cases else []
    today = datetime.now(UTC).date()
    return backtest_run.counts(settings, usecases.load("outbreak"), files, code, plain, today,
    progress)[0].counts
