"""What is sent about cases and what is answered, as OpenAPI describes it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from yupana.core.spec import Bilingual
from yupana.tasks.classify.cases import attachments, receipts

MOST_TEXT, MOST_TITLE, MOST_REASON = 5_000, 200, 1_000
CASE_ID, SHA256 = "^[0-9a-f]{32}$", "^[0-9a-f]{64}$"
KEY = "^[A-Za-z0-9_-]{16,64}$"
"""Of an Idempotency-Key: so long that nobody sends another's by chance."""

_MAIL = r"^[^@\s,;<>\"]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,5}$"
Reason = Annotated[str, Field(max_length=MOST_REASON)]
Version = Annotated[int, Field(ge=1, le=1_000_000, description="la que se leyó / as it was read")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Place(Body):
    """Where it is; what is not known is left out."""

    address: str = Field("", max_length=300)
    area: str = Field("", max_length=100)
    lat: float | None = Field(None, ge=-90, le=90)
    long: float | None = Field(None, ge=-180, le=180)


class AttachmentBody(Body):
    """A file, as base64."""

    content: str = Field(min_length=1, max_length=4 * attachments.MOST_BYTES // 3 + 4)
    name: str = Field("", max_length=200)
    media_type: str = Field("", max_length=100)


class CaseBody(Body):
    """What a citizen sends."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"text": "No recogen la basura de mi calle desde el lunes.", "title": "Basura",
                 "place": {"address": "Calle Lima, cuadra 3", "area": "Belén"}}
            ]
        },
    )  # fmt: skip
    text: str = Field(min_length=1, max_length=MOST_TEXT)
    title: str = Field("", max_length=MOST_TITLE)
    place: Place = Place()
    language: str = Field("", pattern="^([a-z]{2,3})?$", description="ISO 639")
    contact: str = Field("", max_length=200, pattern=f"^$|{_MAIL}", description="correo / e-mail")
    # A bound that is told: clients are made from the schema.
    attachments: list[AttachmentBody] = Field(
        [], max_length=attachments.MOST, json_schema_extra={"minItems": 0}
    )


class Objection(Body):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "No es de limpieza."}]}
    )
    reason: Reason


class Take(Body):
    version: Version


class Correction(Take):
    label: str = Field(max_length=200)
    reason: Reason = ""


class Transfer(Take):
    department: str = Field(max_length=60)
    reason: Reason


class Reply(Take):
    """A text of the clerk's own, or the id of a prepared answer."""

    text: str = Field("", max_length=MOST_TEXT)
    prepared: str = Field("", max_length=60)


class WithReason(Take):
    reason: Reason


class Merge(Take):
    into: str = Field(pattern=CASE_ID, description="el primero / the first one")


class Purpose(Body):
    reason: Reason


class ReceiptAnswer(BaseModel):
    """The receipt; its secret is shown to whoever sent this request, and to nobody else."""

    receipt: str = Field(pattern=receipts.PATTERN)
    secret: str
    follow: str = Field(description="GET con / with X-Receipt-Secret")
    received: datetime
    deadline: datetime
    state: str
    notices: bool = Field(description="si se avisará al contacto / whether the contact is told")


class Named(BaseModel):
    code: str
    es: str
    en: str


class AnswerText(BaseModel):
    """What was answered, by a prepared text (its source and that one's day) or by a clerk."""

    text: str
    source: str
    day: date
    by: str = Field(description="prepared, clerk")


class HistoryEntry(BaseModel):
    time: datetime
    es: str
    en: str


class CaseView(BaseModel):
    """A case as its citizen sees it."""

    receipt: str
    state: str
    words: Bilingual
    received: datetime
    deadline: datetime
    department: Named
    label: Named | None
    joined: bool = Field(description="con otro del mismo asunto / with another on this matter")
    answer: AnswerText | None
    history: list[HistoryEntry]


class CaseLine(BaseModel):
    """A case in the queue, and as it is after a change."""

    model_config = ConfigDict(extra="allow")

    id: str
    receipt: str
    state: str
    label: str
    confidence: float
    abstention: str
    why: Bilingual | None = Field(description="por qué decide una persona / why a person decides")
    priority: str
    department: str
    deadline: datetime
    overdue: bool
    version: int


class QueuePage(BaseModel):
    cases: list[CaseLine]
    after: str = Field(description="para la página siguiente / for the next page; vacío: fin")


class WholeCaseView(CaseLine):
    """A case with its history, by pseudonyms, and its attachments."""

    history: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    duplicates: list[str]
    original: bool = Field(description="si se puede leer / whether it can be read")


class OriginalView(BaseModel):
    title: str
    text: str
