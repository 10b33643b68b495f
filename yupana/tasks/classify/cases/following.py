"""What a citizen sees of a case, and the objection: by receipt and secret, without an account.

A wrong secret and a receipt that does not exist are told alike, after the same work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.tasks.classify.cases import receipts, store
from yupana.tasks.classify.cases.case import RECEIVED, REVIEW, Case, CaseEvent
from yupana.tasks.classify.cases.handling import ChangedCaseError
from yupana.tasks.classify.cases.intake import Mask, cleaned, mask_text
from yupana.tasks.classify.cases.rules import Rules
from yupana.tasks.classify.cases.tables import CASES

MOST_OBJECTIONS = 5


class UnknownReceiptError(UsageError):
    """There is no such receipt, or its secret is another one."""


@dataclass(frozen=True)
class Followed:
    """A case as its citizen sees it.

    Attributes:
        first: the case that it was joined with; None where it stands by itself.
    """

    case: Case
    history: list[CaseEvent]
    first: Case | None

    @property
    def leading(self) -> Case:
        """The case whose state and answer count."""
        return self.first or self.case


@dataclass(frozen=True)
class Follower:
    """Cases by receipt and secret."""

    settings: Settings
    use_case: str
    rules: Rules
    mask: Mask = mask_text

    def look(self, receipt: str, secret: str) -> Followed:
        """A case, its history, and the case that it was joined with.

        Raises:
            UnknownReceiptError: receipt and secret are not of one case.
            TransientError: the platform database is away.
        """
        url = self.settings.platform_db
        with store.reached(url), engine(url).connect() as connection:
            case = self._case(connection, receipt, secret)
            first = store.case(connection, self.use_case, case.duplicate_of)
            return Followed(case, store.history(connection, case.id), first)

    def object(self, receipt: str, secret: str, reason: str, now: datetime) -> Followed:
        """Have a person read a case again, by itself.

        Raises:
            UnknownReceiptError: receipt and secret are not of one case.
            ChangedCaseError: it was objected to too often, or a person is reading it already.
            UsageError: there is no reason.
            TransientError: the platform database is away.
        """
        said = self.mask(cleaned(reason))
        with store.change(self.settings.platform_db, now) as change:
            case = self._case(change.connection, receipt, secret)
            if not said:
                raise UsageError(
                    "Falta el motivo. / The reason is missing.", where="reason",
                    fix="Escriba con qué no está de acuerdo. / Write what you do not agree with.",
                )  # fmt: skip
            if case.objections >= MOST_OBJECTIONS or case.state in (RECEIVED, REVIEW):
                raise ChangedCaseError(
                    "Ya lo lee una persona, o se objetó demasiadas veces. / A person is reading it "
                    "already, or there were too many objections.",
                    where="receipt", fix="Espere la respuesta. / Wait for the answer.",
                )  # fmt: skip
            term = self.rules.routing.priorities[self._priority(case)]
            done = change.update(
                case.id, case.version, state=REVIEW, objections=case.objections + 1,
                duplicate_of="", deadline=term.end(now), taken_by="",
            )  # fmt: skip
            assert done, "the ledger's lock is held"
            facts = {"department": case.department, "was": case.state}
            change.event(case.id, case.version + 1, "objected", reason=said, facts=facts)
        return self.look(receipt, secret)

    def _priority(self, case: Case) -> str:
        """Its own; the normal one where the rules have another set by now."""
        routing = self.rules.routing
        return case.priority if case.priority in routing.priorities else routing.normal

    def _case(self, connection: sa.Connection, receipt: str, secret: str) -> Case:
        mine = (CASES.c.use_case == self.use_case) & (CASES.c.receipt == receipt)
        kept = connection.execute(sa.select(CASES.c.id, CASES.c.secret).where(mine)).one_or_none()
        right = receipts.is_right(secret, bytes(kept.secret) if kept else None)
        # One question more, whether it is right or not.
        case = store.case(connection, self.use_case, kept.id if kept and right else "")
        if case is None:
            raise unknown()
        return case


def unknown() -> UnknownReceiptError:
    """The same words whatever of both is wrong."""
    return UnknownReceiptError(
        "No hay un caso con ese recibo y esa clave. / There is no case with this receipt and "
        "secret.",
        where="receipt, X-Receipt-Secret",
        fix="Envíe ambos como los recibió. / Send both as you were given them.",
    )


