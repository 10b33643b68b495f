"""What clerks read of one case: all of it that is masked, and, told to the ledger, what was not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.tasks.classify.cases import attachments, store
from yupana.tasks.classify.cases.case import Attachment, Case, CaseEvent, Person
from yupana.tasks.classify.cases.handling import demand
from yupana.tasks.classify.cases.tables import CASE_ATTACHMENTS, CASES

Unseal = Callable[[bytes], bytes]


@dataclass(frozen=True)
class WholeCase:
    """A case with what hangs on it."""

    case: Case
    history: list[CaseEvent]
    attachments: list[Attachment]
    duplicates: list[str]
    sealed: bool


@dataclass(frozen=True)
class Reader:
    """Reads cases for clerks.

    Attributes:
        unseal: decrypts originals; None where none are kept.
    """

    settings: Settings
    use_case: str
    unseal: Unseal | None = None

    def whole(self, case_id: str, person: Person) -> WholeCase:
        """A case with history and attachments.

        Raises:
            UnknownCaseError: there is none that this person may see.
            TransientError: the platform database is away.
        """
        url = self.settings.platform_db
        with store.reached(url), engine(url).connect() as connection:
            case = demand(store.case(connection, self.use_case, case_id), person, case_id)
            same = sa.select(CASES.c.receipt).where(CASES.c.duplicate_of == case.id)
            sealed = sa.select(CASES.c.original.is_not(None)).where(CASES.c.id == case.id)
            return WholeCase(
                case, store.history(connection, case.id), attached(connection, case.id),
                list(connection.scalars(same.order_by(CASES.c.received).limit(100))),
                bool(connection.scalar(sealed)),
            )  # fmt: skip

    def original(
        self, case_id: str, person: Person, reason: str, now: datetime
    ) -> dict[str, str]:  # fmt: skip
        """Title and text as they came; the ledger is told who read them, not what they say.

        Raises:
            UnknownCaseError: there is none that this person may see.
            UsageError: no original is kept, or no reason was given.
        """
        if not reason.strip():
            raise UsageError(
                "Falta el motivo. / The reason is missing.", where="reason",
                fix="Diga para qué lo lee. / Say what you read it for.",
            )  # fmt: skip
        with store.change(self.settings.platform_db, now) as change:
            case = demand(store.case(change.connection, self.use_case, case_id), person, case_id)
            query = sa.select(CASES.c.original).where(CASES.c.id == case.id)
            sealed = change.connection.scalar(query)
            if sealed is None or self.unseal is None:
                raise UsageError(
                    "No se guarda el original. / The original is not kept.", where="case",
                    fix="Trabaje con el texto sin datos personales. / Work with the masked text.",
                )  # fmt: skip
            text: dict[str, str] = json.loads(self.unseal(bytes(sealed)))
            change.decide(case, "read original", change.actor(person))
        return text

    def attachment(
        self, case_id: str, sha256: str, person: Person, now: datetime
    ) -> tuple[Attachment, bytes]:
        """An attachment's bytes; the ledger is told who read them.

        Raises:
            UnknownCaseError: there is no such case, or it has no such attachment.
        """
        with store.change(self.settings.platform_db, now) as change:
            case = demand(store.case(change.connection, self.use_case, case_id), person, case_id)
            mine = [one for one in attached(change.connection, case.id) if one.sha256 == sha256]
            content = attachments.read(self.settings, sha256) if mine else None
            if content is None:
                demand(None, person, case_id)
            change.decide(case, "read attachment", change.actor(person), sha256=sha256)
        assert content is not None
        return mine[0], content


def attached(connection: sa.Connection, case_id: str) -> list[Attachment]:
    """The attachments of a case."""
    columns = [CASE_ATTACHMENTS.c[name] for name in Attachment._fields]
    query = sa.select(*columns).where(CASE_ATTACHMENTS.c.case_id == case_id)
    return [Attachment(*row) for row in connection.execute(query.order_by(CASE_ATTACHMENTS.c.id))]


