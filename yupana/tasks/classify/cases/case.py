"""A case: its states, what of it goes to the classifier, and what was decided on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

State = Literal["received", "review", "department", "answered", "closed", "merged"]
RECEIVED: State = "received"
"""The receipt is out; the router has not seen it."""

REVIEW: State = "review"
"""A person is to say what it is about."""

DEPARTMENT: State = "department"
"""A department is to answer it."""

ANSWERED: State = "answered"
CLOSED: State = "closed"
MERGED: State = "merged"
"""The same as an earlier case, whose answer is its answer."""

OPEN: tuple[State, ...] = (REVIEW, DEPARTMENT)
"""The states in which a person has to act."""


class CaseText(NamedTuple):
    """What a classifier is asked about.

    Attributes:
        entity: the case's id.
        text: masked.
    """

    entity: str
    title: str
    text: str
    received: datetime


class Attachment(NamedTuple):
    """A file that came with a case; never opened by the service."""

    sha256: str
    size: int
    name: str
    media_type: str


@dataclass(frozen=True)
class Case:
    """A row of `CASES` as it is handled: nothing sealed, and no secret."""

    id: str
    use_case: str
    receipt: str
    received: datetime
    channel: str
    place: dict[str, Any]
    language: str
    title: str
    text: str
    state: State
    label: str
    confidence: float
    abstention: str
    model: str
    prediction_id: str
    priority: str
    rank: int
    department: str
    deadline: datetime
    taken_by: str
    transfers: int
    objections: int
    duplicate_of: str
    fingerprint: str
    answer: dict[str, Any] | None
    version: int

    def overdue(self, now: datetime) -> bool:
        """Whether a person should have answered it by now."""
        return self.state in OPEN and self.deadline < now


@dataclass(frozen=True)
class CaseEvent:
    """One entry of a case's history."""

    number: int
    time: datetime
    what: str
    by: str = ""
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """Who handles cases by a key or a token.

    Attributes:
        account: as `yupana.ledger.pseudonyms` takes it.
        departments: codes of those whose cases are seen; None: all.
    """

    account: str
    departments: tuple[str, ...] | None

    def sees(self, department: str) -> bool:
        """Whether a department's cases are shown."""
        return self.departments is None or department in self.departments
