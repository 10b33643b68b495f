"""The router: cases that were received are classified and sent on, each exactly once.

Any number of routers may run, each killed at any moment. One claims some cases for a while,
classifies them, and writes state and history in one transaction, on the condition that nothing
happened to the case meanwhile: of two that worked on the same one, the second writes nothing.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from yupana.config.settings import Settings
from yupana.core.errors import TransientError, record_text
from yupana.tasks.classify.cases import claims, duplicates, notices, store
from yupana.tasks.classify.cases.case import MERGED, OPEN, Case, CaseText
from yupana.tasks.classify.cases.decisions import SUSPENDED, Decision, decide
from yupana.tasks.classify.cases.duplicates import Firsts
from yupana.tasks.classify.cases.rules import Rules
from yupana.tasks.classify.cases.store import Change
from yupana.tasks.classify.result import Classification

_LOG = logging.getLogger(__name__)
Classify = Callable[[list[CaseText]], list[Classification]]
FAILED, AWAY = "failed", "away"
PATIENCE = timedelta(hours=1)
"""How long a case waits for a classifier that is away, before a person gets it."""

PAUSE = 1.0
"""Seconds between two looks where nothing waits."""


@dataclass
class Router:
    """Routes the cases of a use case.

    Attributes:
        classify: as many results as texts, in their order; TransientError where it is away.
        suspended: whether the gate lets no model answer: people then get all cases.
        batch: cases that are classified together.
        claim: how long this router has for a batch.
    """

    settings: Settings
    use_case: str
    rules: Rules
    classify: Classify
    suspended: Callable[[], bool] = lambda: False
    batch: int = 32
    claim: timedelta = claims.CLAIM
    name: str = field(default_factory=lambda: secrets.token_hex(16))

    def follow(self, stop: threading.Event) -> None:
        """Route what comes until `stop` is set; trouble is logged, and tried again."""
        while not stop.is_set():
            try:
                waits = self.run_once(datetime.now(UTC)) == 0
            except Exception as error:
                _LOG.warning("cases wait: %s", record_text(error))
                waits = True
            if waits:
                stop.wait(PAUSE)

    def run_once(self, now: datetime) -> int:
        """Route one batch; returns how many cases were routed.

        Raises:
            TransientError: the platform database is away; nothing is lost.
        """
        url = self.settings.platform_db
        cases = claims.claim(url, self.use_case, self.name, now, self.batch, self.claim)
        pairs = [(c, said) for c, said in zip(cases, self._said(cases, now), strict=True) if said]
        return self._write(pairs, now) if pairs else 0

    def _said(self, cases: Sequence[Case], now: datetime) -> list[Classification | None]:
        """What the classifier says of each; None of one that waits for it."""
        if not cases:
            return []
        if self.suspended():
            return [_nothing(SUSPENDED)] * len(cases)
        texts = [CaseText(c.id, c.title, c.text, c.received) for c in cases]
        try:
            said = self.classify(texts)
            if len(said) == len(texts):
                return [*said]
            _LOG.error("the classifier answers %d of %d texts", len(said), len(texts))
        except TransientError as error:
            _LOG.warning("the classifier is away: %s", record_text(error))
            return [_nothing(AWAY) if now - c.received > PATIENCE else None for c in cases]
        except Exception as error:
            _LOG.error("the classifier failed on a batch: %s", record_text(error))
        return [self._alone(text) for text in texts]

    def _alone(self, text: CaseText) -> Classification:
        """One text by itself, so that the one that it fails on holds up no other."""
        try:
            (said,) = self.classify([text])
        except Exception as error:
            _LOG.error("the classifier failed on case %s: %s", text.entity, record_text(error))
            return _nothing(FAILED)
        return said

    def _write(self, pairs: Sequence[tuple[Case, Classification]], now: datetime) -> int:
        with store.change(self.settings.platform_db, now) as change:
            rules = self.rules.routing.duplicates
            firsts = duplicates.firsts(change.connection, self.use_case, rules, now)
            return sum(self._route(change, firsts, case, said) for case, said in pairs)

    def _route(self, change: Change, firsts: Firsts, case: Case, said: Classification) -> bool:
        """Write what becomes of one; False where another was quicker."""
        text = CaseText(case.id, case.title, case.text, case.received)
        decision, print_ = decide(text, said, self.rules, change.now), duplicates.of(case)
        # Who is answered at once need not wait for another's answer.
        first = firsts.same_as(case, print_) if decision.state in OPEN else None
        state = MERGED if first else decision.state
        department = first.department if first else decision.department
        facts = decision.facts(self.rules.routing.version) | {"department": department}
        routed = change.update(
            case.id, case.version, state=state, label=said.label, confidence=said.confidence,
            abstention=decision.abstention, model=said.model, prediction_id=said.prediction_id,
            language=said.language or case.language, priority=decision.priority,
            rank=decision.rank, department=department, deadline=decision.deadline,
            duplicate_of=first.id if first else "", fingerprint=print_.fingerprint,
            shingles=print_.shingles, claimed_by="", claimed_until=None, **_answer(decision, first),
        )  # fmt: skip
        if not routed:
            return False
        what = "merged" if first else "answered" if state not in OPEN else "routed"
        language = said.language or case.language
        change.event(case.id, case.version + 1, what, facts={**facts, "language": language})
        notices.put(change, case, state, department)
        if not first and state in OPEN:
            firsts.add(case, print_, department)
        return True


def _answer(decision: Decision, first: object) -> dict[str, object]:
    return {} if first or decision.answer is None else {"answer": decision.answer}


def _nothing(reason: str) -> Classification:
    return Classification("", 0.0, abstention=reason)
