"""Commands for the machine: set-up, doctor, and the whole thread once."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (run, setup, doctor, up):
        app.command()(command)


def run() -> None:
    """Run the whole thread on the shipped sample: file → forecast → drift report.

    Example: yupana run
    """
    from yupana.config.settings import settings
    from yupana.core.progress import Lines
    from yupana.orchestration import summary, thread

    chosen = settings()
    summary.show(chosen, thread.run(chosen, Lines()))


def setup() -> None:
    """Fetch what no package index holds (the Delta JARs), checked by hash.

    Example: yupana setup
    """
    from yupana.config.settings import settings
    from yupana.core.progress import Lines
    from yupana.data import jars

    chosen = settings()
    fetched = jars.fetch(chosen.cache, Lines())
    print(f"Delta JARs: {'fetched' if fetched else 'already there'} in {chosen.cache / 'jars'}")


def doctor() -> None:
    """Say what is missing on this machine, and how to get it.

    Example: yupana doctor
    """
    from rich.console import Console
    from rich.table import Table

    from yupana.config.settings import settings
    from yupana.orchestration import machine

    table = Table("", "what", "found", "how to get it")
    checks = machine.check(settings())
    for c in checks:
        sign = (
            "[green]ok[/]" if c.ok else ("[red]missing[/]" if c.needed else "[yellow]optional[/]")
        )
        table.add_row(sign, c.what, c.found, "" if c.ok else c.fix)
    Console().print(table)
    if any(c.needed and not c.ok for c in checks):
        raise typer.Exit(1)


def up() -> None:
    """Start Airflow with its web page and all DAGs, until Ctrl-C.

    Example: yupana up
    """
    from yupana.config.settings import settings
    from yupana.orchestration import thread

    thread.airflow_standalone(settings())
