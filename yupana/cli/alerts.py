"""Commands on alerts: list them, say that someone looks, close them, send what waits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from yupana.cli.common import AsJson

Id = Annotated[str, typer.Argument(metavar="ID", help="The alert, or the first digits of its id.")]
Note = Annotated[str, typer.Option(help="What was found or done; no personal data.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    room = typer.Typer(help="Alerts of the monitor: list, ack, close, send.", no_args_is_help=True)
    room.command("list")(list_alerts)
    room.command()(ack)
    room.command()(close)
    room.command()(send)
    app.add_typer(room, name="alerts")


def list_alerts(
    use_case: Annotated[str, typer.Argument(help="The use case; default: all.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Also those resolved and closed.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the open alerts, the gravest first.

    Example: yupana alerts list outbreak
    """
    from yupana.config.settings import settings
    from yupana.monitoring import alerts

    url = settings().platform_db
    rows = alerts.every(url, use_case) if every else alerts.open(url, use_case)
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for row in rows:
        print(_told(row))
    if not rows:
        print("no alert yet" if every else "no open alert")


def ack(name: Id, note: Note = "", as_json: AsJson = False) -> None:
    """Say that someone looks at an alert: its repeats are counted and not told.

    Example: yupana alerts ack 3f2a --note 'asked the laboratory'
    """
    _answer(name, "acknowledged", note, as_json)


def close(name: Id, note: Note = "", as_json: AsJson = False) -> None:
    """Close an alert; it opens again when its alarm comes back.

    Example: yupana alerts close 3f2a --note 'file mended and published again'
    """
    _answer(name, "closed", note, as_json)


def send(as_json: AsJson = False) -> None:
    """Deliver what an unreachable mail server or webhook left waiting.

    Example: yupana alerts send
    """
    from yupana.config.settings import settings
    from yupana.core.progress import Lines
    from yupana.monitoring import delivery

    told = delivery.send(settings(), datetime.now(UTC), Lines().say)
    print(json.dumps(told) if as_json else f"delivered {told['delivered'] or 'nothing'}")


def _answer(name: str, state: str, note: str, as_json: bool) -> None:
    from yupana.config.settings import settings
    from yupana.governance import acting
    from yupana.monitoring import alerts

    # The one who logged in, where the machine tells; who they became by sudo otherwise.
    account = acting.here()[0]
    row = alerts.answer(settings(), name, state, account, note, datetime.now(UTC))
    if as_json:
        print(json.dumps(row, ensure_ascii=False, default=str))
    else:
        print(f"{row['id']} is {row['state']}: {row['en']}")


def _told(row: dict[str, Any]) -> str:
    asks = {"retrain": "a new training", "person": "a person"}[row["asks"]]
    return (
        f"{row['id']}  {row['severity']}, {row['state']}, {row['times']} times since "
        f"{row['first_week']}; asks for {asks}; owner: {row['owner']}\n"
        f"  {row['use_case']}: {row['en']}\n  {row['runbook']}"
    )
