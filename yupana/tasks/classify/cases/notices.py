"""What the contact of a case and its department's systems are told: put aside in the transaction
that changes the case, and tried until it is delivered.

Webhooks have an outbox of the platform's own (`yupana.webhooks`); here is that of mails. Nothing
that anybody wrote is in either: receipt, state, department and date.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import YupanaError
from yupana.database.engine import engine
from yupana.monitoring import mail
from yupana.tasks.classify.cases import words
from yupana.tasks.classify.cases.case import ANSWERED, CLOSED, DEPARTMENT, OPEN, Case, State
from yupana.tasks.classify.cases.store import Change
from yupana.tasks.classify.cases.tables import CASE_NOTICES, CASES
from yupana.webhooks import outbox
from yupana.webhooks.notice import CASE, Notice

MAIL = "mail"
WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"
GIVE_UP, FIRST_WAIT = timedelta(days=3), timedelta(minutes=5)
_AT_ONCE = 200
_TOLD = (ANSWERED, CLOSED, DEPARTMENT)
"""The states that a contact is told of."""

Unseal = Callable[[bytes], bytes]
Row = sa.Row[Any]


def put(change: Change, case: Case, state: State, department: str) -> None:
    """Put aside what is to be told of a case that came into a state."""
    data = {
        "case": case.id, "receipt": case.receipt, "state": state, "department": department,
        "version": case.version + 1, "link": f"/v1/{case.use_case}/review/{case.id}",
    }  # fmt: skip
    if state in OPEN:
        notice = Notice(case.use_case, CASE, data, department)
        event = f"{case.id}.{case.version + 1}"
        change.decisions += outbox.put(change.connection, [notice], event, change.now)
    if state in _TOLD:
        for name, receipt in _with_contact(change, case.id, state):
            body = {"receipt": receipt, "state": state, "use_case": case.use_case}
            row = {"case_id": name, "channel": MAIL, "body": body, "created": change.now,
                   "state": WAITING, "tries": 0, "error": "", "due": change.now}  # fmt: skip
            change.insert(CASE_NOTICES, row)


def _with_contact(change: Change, case_id: str, state: State) -> list[tuple[str, str]]:
    """Id and receipt of a case that has a contact; where it is done, of those joined with it."""
    mine = CASES.c.id == case_id
    if state not in OPEN:
        mine |= CASES.c.duplicate_of == case_id
    query = sa.select(CASES.c.id, CASES.c.receipt).where(mine, CASES.c.contact.is_not(None))
    return [(str(row.id), str(row.receipt)) for row in change.connection.execute(query)]


def deliver(settings: Settings, unseal: Unseal | None, now: datetime) -> tuple[int, int]:
    """Send the mails that are due; how many went out, and how many wait for another try.

    Without a mail server (`YUPANA_ALERT_SMTP`), or without what unseals contacts, all wait.
    """
    if not settings.alert_smtp or unseal is None:
        return 0, _count(settings, now)
    sent = left = 0
    for row in _due(settings, now):
        if not _claim(settings, row, now):
            continue
        error = _send(settings, row, unseal, now)
        _mark(settings, row, error, now)
        sent, left = sent + (not error), left + bool(error)
    return sent, left


def _send(settings: Settings, row: Row, unseal: Unseal, now: datetime) -> str:
    """Why it could not be sent; empty where it was."""
    try:
        return mail.try_to_send(settings, _message(settings, row, unseal, now))
    except (YupanaError, ValueError) as error:
        return error.what if isinstance(error, YupanaError) else type(error).__name__


def _message(
    settings: Settings, row: Row, unseal: Unseal, now: datetime
) -> EmailMessage:
    body = row._mapping["body"]
    es, en = words.STATES[body["state"]]
    message = EmailMessage()
    message["Subject"] = f"{body['receipt']}: {es} / {en}"
    message["From"], message["To"] = settings.alert_from, unseal(row._mapping["contact"]).decode()
    message["Message-ID"] = f"<{row._mapping['id']}@yupana>"
    message["Date"] = now
    link = f"{settings.public_url.rstrip('/')}/v1/{body['use_case']}/{body['receipt']}"
    message.set_content(
        f"{body['receipt']}: {es}.\nSígalo con su recibo y su clave: {link}\n\n"
        f"{body['receipt']}: {en}.\nFollow it with your receipt and its secret: {link}\n"
    )
    return message


def _due(settings: Settings, now: datetime) -> list[Row]:
    c = CASE_NOTICES.c
    query = (
        sa.select(c.id, c.body, c.tries, c.created, CASES.c.contact)
        .join_from(CASE_NOTICES, CASES, c.case_id == CASES.c.id)
        .where(c.state == WAITING, c.due <= now, CASES.c.contact.is_not(None))
        .order_by(c.created, c.id).limit(_AT_ONCE)
    )  # fmt: skip
    with engine(settings.platform_db).connect() as connection:
        return [*connection.execute(query)]


def _count(settings: Settings, now: datetime) -> int:
    waiting = (CASE_NOTICES.c.state == WAITING) & (CASE_NOTICES.c.due <= now)
    query = sa.select(sa.func.count()).select_from(CASE_NOTICES).where(waiting)
    with engine(settings.platform_db).connect() as connection:
        return int(connection.scalar(query) or 0)


def _claim(settings: Settings, row: Row, now: datetime) -> bool:
    """Put the next try off before this one, so that no other process makes it as well; one that is
    killed in it leaves it to the next."""
    values = row._mapping
    due = now + FIRST_WAIT * 2 ** min(values["tries"], 8)
    mine = (CASE_NOTICES.c.id == values["id"]) & (CASE_NOTICES.c.tries == values["tries"])
    change = sa.update(CASE_NOTICES).where(mine, CASE_NOTICES.c.state == WAITING)
    with engine(settings.platform_db).begin() as connection:
        return bool(connection.execute(change.values(tries=values["tries"] + 1, due=due)).rowcount)


def _mark(settings: Settings, row: Row, error: str, now: datetime) -> None:
    """How a try went: columns that the ledger does not vouch for."""
    values = row._mapping
    old = now - values["created"].astimezone(UTC) >= GIVE_UP
    state = DELIVERED if not error else FAILED if old else WAITING
    change = sa.update(CASE_NOTICES).where(CASE_NOTICES.c.id == values["id"])
    with engine(settings.platform_db).begin() as connection:
        connection.execute(change.values(state=state, error=error))
