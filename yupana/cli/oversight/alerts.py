"""Commands on alerts: list them, say that someone looks, close them, send what waits."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, of_use_case, say, say_json
from yupana.core.progress import Lines

if TYPE_CHECKING:
    from yupana.monitoring.alerts import Alert

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
    use_case: Annotated[
        str, typer.Argument(help="The use case; default: all.", callback=of_use_case)
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Also those resolved and closed.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the open alerts, the gravest first.

    Example: yupana alerts list USE_CASE
    """
    from yupana.monitoring import alerts

    url = settings().platform_db
    rows = alerts.every(url, use_case) if every else alerts.open(url, use_case)
    if as_json:
        say_json([asdict(alert) for alert in rows])
        return
    for alert in rows:
        print(_text(alert))
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
    from yupana.monitoring import delivery

    deliveries = delivery.send(settings(), datetime.now(UTC), Lines().say)
    text = json.dumps(asdict(deliveries)) if as_json else ""
    print(text or f"delivered {deliveries.delivered or 'nothing'}")


def _answer(name: str, state: str, note: str, as_json: bool) -> None:
    from yupana.identity import actors
    from yupana.monitoring import alerts

    # The one who logged in, where the machine tells; who they became by sudo otherwise.
    account = actors.here()[0]
    alert = alerts.answer(settings(), name, state, account, note, datetime.now(UTC))
    say(asdict(alert), f"{alert.id} is {alert.state}: {alert.en}", as_json)


def _text(alert: Alert) -> str:
    asks = {"retrain": "a new training", "person": "a person"}[alert.asks]
    return (
        f"{alert.id}  {alert.severity}, {alert.state}, {alert.times} times since "
        f"{alert.first_period}; asks for {asks}; owner: {alert.owner}\n"
        f"  {alert.use_case}: {alert.en}\n  {alert.runbook}"
    )
