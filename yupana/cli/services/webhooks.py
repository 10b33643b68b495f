"""Commands of webhooks: where agencies want notices, and what became of each notice."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, emit, say, say_json
from yupana.core.errors import TransientError
from yupana.core.progress import Lines

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="The webhook, as the list shows it.")]


class State(StrEnum):
    """What became of a notice."""

    waiting = "waiting"
    delivered = "delivered"
    failed = "failed"
    cancelled = "cancelled"


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(
        no_args_is_help=True, help="Webhooks: signed notices to agencies of forecasts and alerts."
    )
    for command in (add, remove, test, deliveries, send):
        group.command()(command)
    group.command("list")(list_webhooks)
    app.add_typer(group, name="webhooks")


def add(
    agency: Annotated[str, typer.Option(help="The agency that wants the notices.")],
    url: Annotated[str, typer.Option(help="Its address, https://….")],
    topic: Annotated[
        list[str] | None,
        typer.Option(help="Which ones, e.g. 'USE_CASE.alert', '*.forecast'; once for each. "
                     "Default: all."),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Register an address and print its signing secret, once: hand it to the agency.

    Example: yupana webhooks add --agency AGENCY --url https://agency.example/yupana
    """
    from yupana.webhooks import endpoints

    topics = tuple(topic or endpoints.EVERYTHING)
    name, secret = endpoints.add(settings(), agency, url, topics, datetime.now(UTC))
    if as_json:
        say_json({"id": name, "secret": secret})
        return
    typer.echo(f"Webhook {name} of {agency}; its secret is shown this once:", err=True)
    print(secret)


def list_webhooks(
    agency: Annotated[str, typer.Option(help="Only of this agency.")] = "", as_json: AsJson = False
) -> None:
    """List the webhooks, without their secrets.

    Example: yupana webhooks list --agency AGENCY
    """
    from yupana.webhooks import endpoints

    hooks = endpoints.listing(settings().platform_db, agency)
    if as_json:
        say_json([asdict(hook) for hook in hooks])
        return
    for hook in hooks:
        state = f"removed {hook.removed:%Y-%m-%d}" if hook.removed else "in use"
        print(f"{hook.id}  {hook.agency}  {hook.url}  {' '.join(hook.topics)}  {state}")
    if not hooks:
        print("no webhook")


def remove(webhook: WebhookId, as_json: AsJson = False) -> None:
    """End a webhook: what waits for it is cancelled, and its secret is deleted.

    Example: yupana webhooks remove 3f9a0c12b7de
    """
    from yupana.webhooks import endpoints

    endpoints.remove(settings(), webhook, datetime.now(UTC))
    say({"id": webhook, "removed": True}, f"removed: {webhook}", as_json)


def test(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Send a notice that says nothing, and tell whether it was taken; exit code 3 if not.

    Example: yupana webhooks test 3f9a0c12b7de
    """
    from yupana.webhooks import delivery, outbox
    from yupana.webhooks.tables import DELIVERED

    config, now = settings(), datetime.now(UTC)
    name, _ = outbox.put_test(config, webhook, now)
    delivery.send(config, now, Lines(), webhook)
    rows = outbox.listing(config.platform_db, webhook)
    result = next(row for row in rows if row.id == name)
    if as_json:
        say_json(asdict(result))
    if result.state != DELIVERED:
        raise TransientError(
            f"The webhook did not take it: {result.error}.",
            where=f"webhook {webhook}",
            fix="Mend the receiver; the notice is tried again by itself.",
        )
    if not as_json:
        print(f"delivered: {name}")


def deliveries(
    webhook: Annotated[str, typer.Argument(metavar="[ID]", help="Only of this webhook.")] = "",
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List notices, the newest first, and what became of each.

    Example: yupana webhooks deliveries --state failed
    """
    from yupana.webhooks import outbox

    rows = outbox.listing(settings().platform_db, webhook, state.value if state else "", last)
    if as_json:
        say_json([asdict(row) for row in rows])
        return
    for row in rows:
        error = f"; {row.error}" if row.error else ""
        again = f"; next {row.due:%Y-%m-%d %H:%M} UTC" if row.state == "waiting" else ""
        print(
            f"{row.created:%Y-%m-%d %H:%M}  {row.webhook}  {row.topic}  {row.state}, "
            f"{row.tries} tries{error}{again}  {row.id}"
        )
    if not rows:
        print("no notice")


def send(as_json: AsJson = False) -> None:
    """Deliver the notices that are due; those that are not taken are tried again, for three days.

    Example: yupana webhooks send
    """
    from yupana.core.types import StepResult
    from yupana.webhooks import delivery

    result = delivery.send(settings(), datetime.now(UTC), Lines())
    status = "done" if result.delivered or result.refused else "unchanged"
    emit(
        StepResult(step="webhooks", subject="send", status=status, metrics=asdict(result)), as_json
    )
