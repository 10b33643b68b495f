"""What the quickstart shows when it is through: steps, forecast, reports, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core import spec, usecase
from yupana.lineage import events
from yupana.orchestration.quickstart import QuickstartRun, log_folder

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# Steps in the order of the road, with what each is told by.
ROAD = (
    "land",
    "ingest",
    "features",
    "split",
    "fit",
    "pool",
    "backtest",
    "evaluate",
    "register",
    "train",
    "deploy",
    "forecast",
    "share",
    "export-predictions",
    "monitor",
    "impact",
)


def show(settings: Settings, run: QuickstartRun, console: Console | None = None) -> None:
    """Print the tables of a finished run; `console` is for recording it."""
    from rich.console import Console

    out = console or Console(width=110)
    out.print()
    out.print(steps_table(settings, run.started))
    out.print(usecase.load(run.use_case).answer_table(run.answer))
    out.print(_next(settings, run), soft_wrap=True, highlight=False)


def steps_table(settings: Settings, started: int) -> Table:
    """Each step's newest success; those up to event number `started` are told as done already."""
    from rich.table import Table

    table = Table(title="What happened", title_justify="left")
    for column in ("step", "rows", "version"):
        table.add_column(column)
    table.add_column("seconds", justify="right")
    every = events.newest(settings.events, *ROAD, done=True)
    newest = {event["step"]: (number, event) for number, event in every}
    for step in ROAD:
        if step in newest:
            number, event = newest[step]
            seconds = f"{event['seconds']:.1f}" if number > started else "already done"
            table.add_row(step, _rows(event), (event["outputs"] or [""])[0][:52], seconds)
    return table


def _rows(event: events.Event) -> str:
    rows: Any = event["facts"].get("rows", "")
    if isinstance(rows, dict):
        return " ".join(f"{name} {count:,}" for name, count in rows.items())
    return f"{rows:,}" if isinstance(rows, int) else str(rows)


def _next(settings: Settings, run: QuickstartRun) -> str:
    use_case = spec.load(run.use_case)
    dataset = use_case.data.trigger
    ingest = events.last_done(settings.events, "ingest", dataset)
    audit = f"{dataset}-{ingest['facts']['validation']}.html" if ingest else ""
    batch = events.last_done(settings.events, "forecast", run.use_case)
    engine = ingest["facts"].get("engine", "") if ingest else ""
    on_spark = "YUPANA_ENGINE=spark YUPANA_HOME=$PWD/var/spark make run"
    other = f"; the same by Apache Spark (Java 17): {on_spark}" if "Sail" in engine else ""
    spent = "  ".join(f"{name} {seconds:.0f} s" for name, seconds in run.seconds.items())
    return "\n".join(
        [
            f"prediction_id    {run.answer['prediction_id']}",
            f"seconds          {spent}",
            f"engine           {engine}{other}",
            f"quality report   {settings.reports / 'validation' / audit}",
            f"drift report     {run.report['metrics']['html']}",
            f"forecast page    {batch['facts']['page'] if batch else ''}",
            f"auditor's pages  {run.pages['index']}  (the whole record was read for them)",
            f"logs             {log_folder(settings)}",
            "",
            "What to do next:",
            "  .venv/bin/yupana trace <prediction_id>   the road back to the source file",
            f"  .venv/bin/yupana governance check {run.use_case}   what it lacks for real use",
            "  .venv/bin/yupana audit verify            that nobody rewrote the record",
            f"  make serve USE_CASE={run.use_case}   the endpoint, with its page; then, elsewhere:",
            f"  .venv/bin/yupana {usecase.task(use_case.task).how_to_ask(use_case, run.answer)}",
            "  .venv/bin/yupana keys create --help   a key for an agency; docs/api shows its calls",
            "  make up                       Airflow's own page, with these DAGs",
            "  .venv/bin/yupana --help       every step as a command",
        ]
    )
