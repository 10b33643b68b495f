"""Commands for the machine: set-up, doctor, and the quickstart."""

from __future__ import annotations

from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console import tables
from yupana.console.options import AsJson, emit, of_use_case
from yupana.core.progress import Lines


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (run, setup, doctor, up, down, maintain):
        app.command()(command)


def run(
    use_case: Annotated[
        str, typer.Argument(help="Default: all whose data ships.", callback=of_use_case)
    ] = "",
) -> None:
    """Run a use case once from file to drift report: publish, train, deploy, ask, monitor.

    Example: yupana run
    """
    from yupana.orchestration import quickstart, summary

    config = settings()
    names = (use_case,) if use_case else quickstart.shipped_use_cases(config.root)
    for done in quickstart.run(config, names, Lines()):
        summary.show(config, done)


def setup() -> None:
    """Fetch what Apache Spark needs beside Python's packages: the Delta JARs, checked by hash.

    The engine Sail needs none of it; Spark fetches them itself when it starts first. This is for
    machines that will be without a network.

    Example: yupana setup
    """
    from yupana.data.engine import jars

    config = settings()
    fetched = jars.fetch(config.cache, Lines())
    print(f"Delta JARs: {'fetched' if fetched else 'already there'} in {config.cache / 'jars'}")


def doctor() -> None:
    """Say what is missing on this machine, and how to get it; which engines it can run.

    Example: yupana doctor
    """
    from rich.text import Text

    from yupana.orchestration import machine

    checks, colours = machine.check(settings()), {"ok": "green", "missing": "red"}
    rows = [
        (Text(c.sign, colours.get(c.sign, "yellow")), c.what, c.state, "" if c.ok else c.fix)
        for c in checks
    ]
    tables.show("", "what", "found", "how to get it", rows=rows)
    if any(c.needed and not c.ok for c in checks):
        raise typer.Exit(1)


def up() -> None:
    """Start Airflow with its web page and all DAGs, and an engine for all tasks, until Ctrl-C.

    Both listen on this machine alone. Ports: YUPANA_AIRFLOW_PORT, YUPANA_ENGINE_PORT. The engine
    is that of YUPANA_ENGINE: Sail, or Apache Spark behind a token.

    Example: yupana up
    """
    from yupana.orchestration import standalone

    standalone.up(settings(), Lines())


def down() -> None:
    """Stop what `yupana up` started, from another terminal.

    Example: yupana down
    """
    from yupana.orchestration import standalone

    print(standalone.down(settings()))


def maintain(
    part: Annotated[str, typer.Argument(help="compact, vacuum, forget, or all.")] = "all",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be done, and how disks fill.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compact tables, remove files that nothing refers to, and forget raw files in time.

    A version that the event log mentions stays readable for ever; other files stay for
    YUPANA_KEEP_DAYS. Raw files go by the contract's retention, if they were never published;
    statistics of use after YUPANA_USAGE_DAYS, webhooks' notices YUPANA_NOTICE_DAYS after their
    last try. Members of models go YUPANA_KEEP_DAYS after they were fitted.

    With --dry-run it also tells what each folder takes, gained a week since earlier runs, and
    will take in a year.

    Example: yupana maintain --dry-run
    """
    from yupana.orchestration import maintain as maintenance

    emit(maintenance.maintain(settings(), part, Lines(), dry_run=dry_run), as_json)
