"""Cases as they are answered: to citizens without who acted, to clerks whole but for what is
sealed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from yupana.config.settings import Settings
from yupana.tasks.classify import abstentions
from yupana.tasks.classify.cases import words
from yupana.tasks.classify.cases.case import REVIEW, Case
from yupana.tasks.classify.cases.following import Followed
from yupana.tasks.classify.cases.intake import Received
from yupana.tasks.classify.cases.queue import Page
from yupana.tasks.classify.cases.reading import WholeCase
from yupana.tasks.classify.cases.rules import Routing

_NOT_SHOWN = ("use_case", "fingerprint", "rank")


def receipt(settings: Settings, use_case: str, got: Received) -> dict[str, Any]:
    """See `schemas.ReceiptAnswer`."""
    follow = f"{settings.public_url.rstrip('/')}/v1/{use_case}/{got.receipt}"
    return {
        "receipt": got.receipt, "secret": got.secret, "follow": follow, "received": got.received,
        "deadline": got.deadline, "state": got.state, "notices": got.notices,
    }  # fmt: skip


def followed(one: Followed, routing: Routing) -> dict[str, Any]:
    """See `schemas.CaseView`."""
    case, leading = one.case, one.leading
    state = leading.state if one.first else case.state
    answer = leading.answer
    history = [(e.time, words.event(e, routing)) for e in one.history]
    return {
        "receipt": case.receipt, "state": state, "words": words.state(state).model_dump(),
        "received": case.received, "deadline": leading.deadline,
        "department": _department(leading.department, routing),
        # What nobody relies on is not told to the citizen.
        "label": None if state == REVIEW else _label(leading.label, routing),
        "joined": one.first is not None,
        "answer": answer and {
            "text": answer["text"], "source": _source(answer, routing), "day": answer["day"],
            "by": answer["by"] or "prepared",
        },
        "history": [{"time": time, "es": said.es, "en": said.en} for time, said in history],
    }  # fmt: skip


def line(case: Case, now: datetime, reports: int = 0) -> dict[str, Any]:
    """See `schemas.CaseLine`."""
    code = case.abstention
    why = abstentions.reason(code, case.language).model_dump() if code else None
    shown = {name: value for name, value in asdict(case).items() if name not in _NOT_SHOWN}
    return {**shown, "why": why, "overdue": case.overdue(now), "reports": reports}


def page(one: Page, now: datetime) -> dict[str, Any]:
    """See `schemas.QueuePage`."""
    lines = [line(case, now, one.reports.get(case.id, 0)) for case in one.cases]
    return {"cases": lines, "after": one.after}


def whole(one: WholeCase, now: datetime) -> dict[str, Any]:
    """See `schemas.WholeCaseView`."""
    return {
        **line(one.case, now, len(one.duplicates)), "history": [asdict(e) for e in one.history],
        "attachments": [file._asdict() for file in one.attachments],
        "duplicates": one.duplicates, "original": one.sealed,
    }  # fmt: skip


def _department(code: str, routing: Routing) -> dict[str, str]:
    found = routing.department(code)
    return {"code": code, "es": found.es if found else code, "en": found.en if found else code}


def _label(code: str, routing: Routing) -> dict[str, str] | None:
    found = routing.labels.get(code)
    return {"code": code, "es": found.es, "en": found.en} if found else None


def _source(answer: dict[str, Any], routing: Routing) -> str:
    """Of a clerk's answer the department's name, else what the prepared one rests on."""
    found = routing.department(answer["source"]) if answer["by"] else None
    return found.es if found else str(answer["source"])
