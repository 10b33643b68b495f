"""Alerts told: to the log, by mail and to a webhook. What cannot be delivered now waits.

A message is delivered at least once: a receiver tells a repeat by its id (`Message-ID`,
`webhook-id`). The webhook is signed as https://www.standardwebhooks.com asks, so that a receiver
checks it by a library of its language.
"""

from __future__ import annotations

import json
import smtplib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import YupanaError
from yupana.database.engine import engine
from yupana.identity import local_key
from yupana.ledger import entries, vouched
from yupana.monitoring import mail, messages
from yupana.monitoring.messages import LOG, MAIL, MESSAGES, WEBHOOK
from yupana.webhooks import signature

TRIES = 3
"""Times that a webhook is tried in one run."""

_TIMEOUT = 10.0
_WAIT = 0.5
_LEVELS = {"critical": "error", "warning": "warning", "info": "info"}
_ASKS = {
    "retrain": ("Pide: entrenar de nuevo.", "It asks for a new training."),
    "person": ("Pide: que una persona lo revise.", "It asks for a person who looks."),
    "none": ("Ya no pide nada.", "It asks for nothing any more."),
}
Body = dict[str, Any]


@dataclass(frozen=True)
class Waiting:
    """How many messages wait for a channel, and why the first of them could not be sent."""

    messages: int
    error: str


@dataclass(frozen=True)
class Deliveries:
    """How many messages went out, and what waits, both by channel."""

    delivered: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)


def send(settings: Settings, now: datetime, say: Callable[[str], None]) -> Deliveries:
    """Deliver what waits, oldest first; a channel that fails is left until the next run."""
    database = engine(settings.platform_db)
    deliveries = Deliveries()
    for channel in messages.channels(settings):
        rows = _waiting(database, channel)
        for place, row in enumerate(rows):
            error = _try(_SENDERS[channel], settings, json.loads(row["body"]), now)
            _mark(database, row, error, now)
            if error:
                deliveries.waiting[channel] = Waiting(len(rows) - place, error)
                say(f"{channel}: {len(rows) - place} alerts wait until the next run: {error}")
                break
            deliveries.delivered[channel] = deliveries.delivered.get(channel, 0) + 1
    return deliveries


def _waiting(database: sa.Engine, channel: str) -> list[Any]:
    c = MESSAGES.c
    query = sa.select(MESSAGES).where(c.channel == channel, c.delivered.is_(None))
    with database.connect() as connection:
        return list(connection.execute(query.order_by(c.time, c.id)).mappings())


def _mark(database: sa.Engine, row: Any, error: str, now: datetime) -> None:
    c = MESSAGES.c
    change = {"tries": row["tries"] + 1, "error": error}
    change |= {} if error else {"delivered": now.timestamp()}
    with database.begin() as connection:
        mine = (c.id == row["id"]) & (c.channel == row["channel"])
        key = row["id"], row["channel"]
        before = vouched.present(connection, {MESSAGES: [key]})
        connection.execute(sa.update(MESSAGES).where(mine).values(**change))
        rows = vouched.changes(connection, {MESSAGES: [key]}, before)
        entries.write(connection, rows, now)


def _try(
    sender: Callable[[Settings, Body, datetime], None],
    settings: Settings, body: Body, now: datetime,
) -> str:  # fmt: skip
    """Why it could not be sent; empty when it was."""
    import httpx

    try:
        sender(settings, body, now)
    except YupanaError as error:
        return error.what
    except (OSError, smtplib.SMTPException, httpx.HTTPError, httpx.InvalidURL) as error:
        # Neither the address nor what the server said may hold a secret in a table or log.
        return type(error).__name__
    return ""


def _log(settings: Settings, body: Body, now: datetime) -> None:
    import structlog

    renderers = [structlog.processors.JSONRenderer(ensure_ascii=False)]
    log = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[structlog.processors.add_log_level, *renderers],
    )
    facts = {k: v for k, v in body.items() if k not in ("subject", "state")}
    level = "info" if body["what"] == "resolved" else _LEVELS[body["severity"]]
    getattr(log, level)("alert", **facts)


def _mail(settings: Settings, body: Body, now: datetime) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = (
        body["subject"], settings.alert_from, settings.alert_to,
    )  # fmt: skip
    message["Message-ID"] = f"<{body['id']}@yupana>"
    message["Date"] = now
    message.set_content(text(body), cte="quoted-printable")
    mail.send(settings, message)


def _webhook(settings: Settings, body: Body, now: datetime) -> None:
    import httpx
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

    data = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
    headers = {
        "Content-Type": "application/json",
        **signature.headers(_key(settings), body["id"], data, int(now.timestamp())),
    }
    again = Retrying(
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(_WAIT, max=5),
        retry=retry_if_exception(_passing),
        reraise=True,
    )
    # Redirects are not followed: the alert is for this address alone.
    with httpx.Client(timeout=_TIMEOUT) as client:
        again(lambda: _post(client, settings.alert_webhook, data, headers))


def _post(client: Any, url: str, data: bytes, headers: dict[str, str]) -> None:
    response = client.post(url, content=data, headers=headers)
    if not response.is_success:
        raise YupanaError(f"the webhook answered {response.status_code}")


def _passing(error: BaseException) -> bool:
    """Trouble that may be over in a moment: no answer, or one that is the server's fault."""
    import httpx

    if isinstance(error, YupanaError):
        return error.what.rsplit(" ", 1)[-1] in ("429", "500", "502", "503", "504")
    return isinstance(error, httpx.TransportError)


def _key(settings: Settings) -> bytes:
    if settings.alert_webhook_key is None:
        raise YupanaError("YUPANA_ALERT_WEBHOOK_KEY is not set")
    key = signature.key_of(local_key.read(settings.alert_webhook_key))
    if key is None:
        raise YupanaError(
            f"YUPANA_ALERT_WEBHOOK_KEY holds no key: {signature.PREFIX} and {signature.LEAST} to "
            f"{signature.MOST} bytes in base64 are one"
        )
    return key


def text(body: Body) -> str:
    """A message as people read it: Spanish, then English."""
    es, en = _ASKS["none" if body["what"] == "resolved" else body["asks"]]
    return "\n".join(
        [
            body["es"],
            es,
            "",
            body["en"],
            en,
            "",
            f"gravedad / severity: {body['severity']}",
            f"responsable / owner: {body['owner']}",
            f"período / period: {body['period']}",
            f"qué hacer / what to do: {body['runbook']}",
            f"alerta / alert: {body['alert']} (visto {body['times']} veces / "
            f"seen {body['times']} times)",
            f"  yupana alerts ack {body['alert']} --note '...'",
        ]
    )


_SENDERS = {LOG: _log, MAIL: _mail, WEBHOOK: _webhook}
