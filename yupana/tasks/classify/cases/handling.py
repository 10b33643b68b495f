"""What clerks do with a case: each is one transaction, told to the ledger without a word of what
anybody wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.data.national.working_days import LIMA
from yupana.tasks.classify.cases import decisions, notices, store
from yupana.tasks.classify.cases.case import (
    ANSWERED,
    CLOSED,
    DEPARTMENT,
    MERGED,
    OPEN,
    RECEIVED,
    REVIEW,
    Case,
    Person,
    State,
)
from yupana.tasks.classify.cases.intake import Mask, cleaned, mask_text
from yupana.tasks.classify.cases.rules import Rules
from yupana.tasks.classify.cases.store import Change
from yupana.tasks.classify.labelling import labels
from yupana.tasks.classify.labelling.labels import Label

_HANDLED = (RECEIVED, *OPEN)
_DONE = (ANSWERED, CLOSED, MERGED)


class UnknownCaseError(UsageError):
    """There is no such case, or not for this person: told in the same words."""


class ChangedCaseError(UsageError):
    """Another changed the case first, or it is not in a state in which this can be done."""


@dataclass(frozen=True)
class Work:
    """One change under way: the case as it is, and who changes it."""

    change: Change
    case: Case
    actor: str


@dataclass(frozen=True)
class Desk:
    """The cases of a use case, as clerks handle them.

    Attributes:
        mask: takes personal data out of reasons; answers are the clerk's own word and stay.
    """

    settings: Settings
    use_case: str
    rules: Rules
    mask: Mask = mask_text

    def take(self, case_id: str, person: Person, version: int, now: datetime) -> Case:
        """Say that one handles a case.

        Raises:
            UnknownCaseError: there is none that this person may see.
            ChangedCaseError: its version is another one, or it is handled no more.
        """
        with self._work(case_id, person, version, now, OPEN) as work:
            return self._done(work, "taken", taken_by=work.actor)

    def correct(
        self, case_id: str, person: Person, version: int, label: str, reason: str, now: datetime
    ) -> Case:
        """Say what a case is about; the label is kept to learn from. Raises as `take`."""
        rule = self.rules.routing.labels.get(label)
        if rule is None:
            choices = ", ".join(self.rules.routing.labels)
            raise UsageError(
                f"No hay un tema '{label[:60]}'. / There is no such label.",
                where="label", fix=f"Use uno de / Use one of: {choices}.",
            )  # fmt: skip
        with self._work(case_id, person, version, now, _HANDLED) as work:
            case = work.case
            given = Label(case.id, label, "clerk", work.actor, 1.0, case.prediction_id)
            labels.add_within(work.change.connection, self.use_case, [given], now)
            moved = rule.department != case.department
            return self._done(
                work, "corrected", self._clean(reason), {"label": label, "was": case.label},
                label=label, confidence=1.0, abstention="", state=DEPARTMENT,
                department=rule.department, taken_by="" if moved else case.taken_by,
                claimed_by="", claimed_until=None,
            )  # fmt: skip

    def transfer(
        self, case_id: str, person: Person, version: int, department: str, reason: str,
        now: datetime,
    ) -> Case:  # fmt: skip
        """Hand a case to another department, with the reason. Raises as `take`."""
        if self.rules.routing.department(department) is None:
            choices = ", ".join(one.code for one in self.rules.routing.departments)
            raise UsageError(
                f"No hay un área '{department[:60]}'. / There is no such department.",
                where="department", fix=f"Use una de / Use one of: {choices}.",
            )  # fmt: skip
        said = self._demand(reason, "reason")
        with self._work(case_id, person, version, now, OPEN) as work:
            if department == work.case.department:
                raise _state("Ya está en esa área.", "It is with that department already.")
            return self._done(
                work, "transferred", said, {"was": work.case.department}, department=department,
                transfers=work.case.transfers + 1, taken_by="", state=DEPARTMENT,
            )  # fmt: skip

    def answer(
        self, case_id: str, person: Person, version: int, text: str, prepared: str, now: datetime
    ) -> Case:
        """Answer a case, by a text or by a prepared answer. Raises as `take`."""
        with self._work(case_id, person, version, now, _HANDLED) as work:
            if prepared:
                answer = self._prepared(prepared, work.case.language, now)
            else:
                day = now.astimezone(LIMA).date().isoformat()
                answer = {"id": "", "version": 0, "text": self._demand(text, "text"),
                          "source": work.case.department, "day": day}  # fmt: skip
            answer["by"] = "clerk"
            return self._done(
                work, "answered", "", {"answer": answer["id"]}, answer=answer, state=ANSWERED,
                taken_by=work.actor, claimed_by="", claimed_until=None,
            )  # fmt: skip

    def close(
        self, case_id: str, person: Person, version: int, reason: str, now: datetime
    ) -> Case:
        """Close a case without an answer, or after it. Raises as `take`."""
        said = self._demand(reason, "reason")
        with self._work(case_id, person, version, now, (*_HANDLED, ANSWERED)) as work:
            return self._done(work, "closed", said, state=CLOSED, claimed_by="", claimed_until=None)

    def reopen(
        self, case_id: str, person: Person, version: int, reason: str, now: datetime
    ) -> Case:
        """Handle a case again that was done, by itself. Raises as `take`."""
        said = self._demand(reason, "reason")
        with self._work(case_id, person, version, now, _DONE) as work:
            state = DEPARTMENT if work.case.label in self.rules.routing.labels else REVIEW
            return self._done(work, "reopened", said, state=state, duplicate_of="", taken_by="")

    def merge(
        self, case_id: str, person: Person, version: int, into: str, now: datetime
    ) -> Case:  # fmt: skip
        """Say that a case is the same matter as another, whose answer is its answer.

        Raises as `take`, of either case.
        """
        with self._work(case_id, person, version, now, _HANDLED) as work:
            first = self._seen(work.change, into, person)
            if first.id == case_id or first.duplicate_of:
                raise _state(
                    "Ese caso no puede ser el primero.", "That case cannot be the first one."
                )
            if store.duplicates(work.change.connection, [case_id]):
                raise _state("Otros casos dependen de este.", "Other cases depend on this one.")
            return self._done(
                work, "merged", "", {"into": first.id}, state=MERGED, duplicate_of=first.id,
                department=first.department, claimed_by="", claimed_until=None,
            )  # fmt: skip

    @contextmanager
    def _work(
        self, case_id: str, person: Person, version: int, now: datetime, states: tuple[State, ...]
    ) -> Iterator[Work]:
        with store.change(self.settings.platform_db, now) as change:
            case = self._seen(change, case_id, person)
            if case.version != version:
                raise ChangedCaseError(
                    f"El caso cambió: su versión es {case.version}. / The case has changed: its "
                    f"version is {case.version}.",
                    where="version", fix="Léalo de nuevo y decida. / Read it again, and decide.",
                )  # fmt: skip
            if case.state not in states:
                raise _state(f"El caso está '{case.state}'.", f"The case is '{case.state}'.")
            yield Work(change, case, change.actor(person))

    def _seen(self, change: Change, case_id: str, person: Person) -> Case:
        return demand(store.case(change.connection, self.use_case, case_id), person, case_id)

    def _done(
        self, work: Work, what: str, reason: str = "", facts: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> Case:  # fmt: skip
        """Write the change, its event, its notices and the ledger's word on it."""
        change, case = work.change, work.case
        changed = replace(
            case, version=case.version + 1, **{k: v for k, v in values.items() if hasattr(case, k)}
        )
        assert change.update(case.id, case.version, **values), "the ledger's lock is held"
        more = {**(facts or {}), "department": changed.department}
        change.event(
            case.id, changed.version, what, by=work.actor, reason=reason, facts=more
        )  # fmt: skip
        change.decide(changed, what, work.actor, version=changed.version)
        if changed.state != case.state or changed.department != case.department:
            notices.put(change, case, changed.state, changed.department)
        return changed

    def _prepared(self, name: str, language: str, now: datetime) -> dict[str, Any]:
        day = now.astimezone(LIMA).date()
        holds = [a for a in self.rules.answers if a.id == name and a.holds(day)]
        if not holds:
            raise UsageError(
                f"No hay una respuesta '{name[:60]}' vigente. / There is no such answer in force.",
                where="prepared", fix="Escriba un texto. / Write a text.",
            )  # fmt: skip
        return decisions.told(max(holds, key=lambda a: a.version), language)

    def _clean(self, text: str) -> str:
        return self.mask(cleaned(text))

    def _demand(self, text: str, field: str) -> str:
        said = cleaned(text) if field == "text" else self._clean(text)
        if not said:
            raise UsageError(
                f"Falta '{field}'. / '{field}' is missing.", where=field,
                fix="Escríbalo: el ciudadano lo leerá o lo verá quien sigue. / Write it: the "
                "citizen, or who comes next, will read it.",
            )  # fmt: skip
        return said


def demand(case: Case | None, person: Person, name: str) -> Case:
    """A case that a person may see.

    Raises:
        UnknownCaseError: it is not there, or another department's.
    """
    if case is None or not person.sees(case.department):
        raise UnknownCaseError(
            f"No hay un caso {name[:40]} en su área. / There is no case {name[:40]} in your "
            "department.",
            where="case", fix="GET …/review los lista. / GET …/review lists them.",
        )  # fmt: skip
    return case


def _state(es: str, en: str) -> ChangedCaseError:
    return ChangedCaseError(
        f"{es} / {en}", where="state", fix="Léalo de nuevo y decida. / Read it again, and decide."
    )
