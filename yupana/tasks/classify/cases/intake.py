"""A text is received: without personal data, with a receipt at once, the same one when it is sent
again."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.predictions.prediction_log import new_id
from yupana.privacy.mask import mask
from yupana.tasks.classify.cases import attachments, receipts, store
from yupana.tasks.classify.cases.case import RECEIVED
from yupana.tasks.classify.cases.receipts import Receipts
from yupana.tasks.classify.cases.rules import Rules
from yupana.tasks.classify.cases.tables import CASE_ATTACHMENTS, CASES

Mask = Callable[[str], str]
Seal = Callable[[bytes], bytes]

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)
"""What no reader sees and a database or a terminal may stumble over; tab and line end stay."""


def mask_text(text: str) -> str:
    """A text without personal data."""
    return mask(text).text


@dataclass(frozen=True)
class File:
    """An attachment as it came."""

    content: bytes
    name: str = ""
    media_type: str = ""


@dataclass(frozen=True)
class Submission:
    """What a citizen sends.

    Attributes:
        request: the Idempotency-Key; empty: none.
        sender: the key's id; empty: nobody is known.
        contact: where notices go, sealed before it is kept.
        body: the request's bytes, by which it is known again.
        service: the label that the sender chose; a hint in the history.
    """

    text: str
    title: str = ""
    place: Mapping[str, Any] | None = None
    language: str = ""
    contact: str = ""
    files: Sequence[File] = ()
    channel: str = "web"
    sender: str = ""
    request: str = ""
    body: bytes = b""
    service: str = ""


@dataclass(frozen=True)
class Received:
    """The receipt; `fresh` where this request made it."""

    case_id: str
    receipt: str
    secret: str
    received: datetime
    deadline: datetime
    state: str
    notices: bool
    fresh: bool


class ConflictError(UsageError):
    """The Idempotency-Key stands for another request already."""


@dataclass(frozen=True)
class Intake:
    """Receives texts for a use case.

    Attributes:
        mask: takes the personal data out of a text.
        seal: encrypts what came for who may read it; None: originals and contacts are not kept.
    """

    settings: Settings
    use_case: str
    rules: Rules
    receipts: Receipts
    mask: Mask = mask_text
    seal: Seal | None = None

    def receive(self, sent: Submission, now: datetime) -> Received:
        """Keep a text, and its receipt.

        Raises:
            UsageError: it has no text, or attachments that it may not have.
            ConflictError: its Idempotency-Key came with another body.
            TransientError: the platform database is away.
        """
        row = self._row(sent, now)
        files = [self._file(file) for file in _checked(sent.files)]
        with store.change(self.settings.platform_db, now) as change:
            if before := self._before(change.connection, row):
                return self._again(before, row)
            change.insert(CASES, row)
            for file in files:
                change.insert(CASE_ATTACHMENTS, {**file, "case_id": row["id"]})
            facts = {"channel": sent.channel, "service": sent.service}
            change.event(row["id"], 1, "received", facts=facts)
        return self._receipt(row, fresh=True)

    def _row(self, sent: Submission, now: datetime) -> dict[str, Any]:
        title, text = cleaned(sent.title), cleaned(sent.text)
        if not text:
            raise UsageError(
                "El texto está vacío. / The text is empty.", where="text",
                fix="Escriba qué pasó. / Write what happened.",
            )  # fmt: skip
        priority = self.rules.routing.priority(f"{title}\n{text}")
        case_id = new_id(now.timestamp())
        original = json.dumps({"title": title, "text": text}, ensure_ascii=False).encode()
        return {
            "id": case_id, "use_case": self.use_case, "receipt": receipts.new_receipt(),
            "secret": receipts.stored(self.receipts.secret(case_id)),
            "request": self._mark(sent), "body": self.receipts.mark("body", sent.body.hex()),
            "received": now, "channel": sent.channel, "place": self._place(sent.place or {}),
            "language": sent.language, "title": self.mask(title), "text": self.mask(text),
            "original": self.seal(original) if self.seal else None,
            "contact": self.seal(sent.contact.encode()) if self.seal and sent.contact else None,
            "state": RECEIVED, "label": "", "confidence": 0.0, "abstention": "", "model": "",
            "prediction_id": "", "priority": priority, "rank": self.rules.routing.rank(priority),
            "department": self.rules.routing.desk,
            "deadline": self.rules.routing.priorities[priority].end(now), "taken_by": "",
            "transfers": 0, "objections": 0, "duplicate_of": "", "fingerprint": "",
            "shingles": None, "answer": sa.null(), "version": 1, "claimed_by": "",
            "claimed_until": None,
        }  # fmt: skip

    def _place(self, place: Mapping[str, Any]) -> dict[str, Any]:
        """An address may hold a name as any text may."""
        return {k: self.mask(cleaned(v)) if isinstance(v, str) else v for k, v in place.items()}

    def _mark(self, sent: Submission) -> str | None:
        return self.receipts.mark("request", sent.sender, sent.request) if sent.request else None

    def _file(self, file: File) -> dict[str, Any]:
        return {
            "sha256": attachments.keep(self.settings, file.content), "size": len(file.content),
            "name": self.mask(cleaned(file.name).replace("/", "_"))[:200],
            "media_type": attachments.media_type(file.media_type),
        }  # fmt: skip

    def _before(
        self, connection: sa.Connection, row: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        if row["request"] is None:
            return None
        mine = (CASES.c.use_case == self.use_case) & (CASES.c.request == row["request"])
        before = connection.execute(sa.select(CASES).where(mine)).mappings().one_or_none()
        return dict(before) if before else None

    def _again(self, before: Mapping[str, Any], row: Mapping[str, Any]) -> Received:
        if before["body"] != row["body"]:
            raise ConflictError(
                "Esa Idempotency-Key ya llegó con otro contenido. / That Idempotency-Key came with "
                "another body before.",
                where="Idempotency-Key",
                fix="Use una nueva para cada texto, como un UUID. / Use a fresh one for each text, "
                "such as a UUID.",
            )
        return self._receipt(before, fresh=False)

    def _receipt(self, row: Mapping[str, Any], *, fresh: bool) -> Received:
        return Received(
            row["id"], row["receipt"], self.receipts.secret(row["id"]), row["received"],
            row["deadline"], row["state"], row["contact"] is not None, fresh,
        )  # fmt: skip


def cleaned(text: str) -> str:
    """A text as people see it: composed (NFC), without what has no form, without blanks around."""
    return unicodedata.normalize("NFC", _CONTROLS.sub("", text.replace("\r\n", "\n"))).strip()


def _checked(files: Sequence[File]) -> Sequence[File]:
    attachments.demand_size([file.content for file in files])
    return files
