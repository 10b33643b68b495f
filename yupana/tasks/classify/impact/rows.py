"""What became of texts: by held-out predictions, by the prediction log, and by the cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core import spec as specs
from yupana.database.engine import engine
from yupana.features import training_sets
from yupana.predictions import feedback, prediction_log
from yupana.tasks.classify import language
from yupana.tasks.classify.cases.tables import CASE_EVENTS, CASES
from yupana.tasks.classify.dataset.texts import ENTITY, GROUP, LABEL, TEXT, TIME, TITLE
from yupana.tasks.classify.model import store, words
from yupana.tasks.classify.model.cascade import LEAST_WORDS
from yupana.tasks.classify.result import Text
from yupana.tasks.classify.scoring import held_out
from yupana.tasks.classify.scoring.evaluate import LONG, SHORT
from yupana.tracking.versions import Version

Source = Literal["held_out", "answers", "cases"]
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Row:
    """One text.

    Attributes:
        group: the unit that is drawn whole in a bootstrap: a thread, or a case and its duplicates.
        of: group of people by attribute (`language`, `length`, `label`, …).
        person: whether a person had to decide.
        wrong: whether it went where it should not; what a person decides does not. None: nobody
            said.
        waited: days until it was answered or closed, or so far; None: it is no case.
        answered: whether it was.
    """

    day: date
    group: str
    of: Mapping[str, str]
    person: bool
    wrong: bool | None
    waited: float | None = None
    answered: bool = field(default=False)


def length(count: int) -> str:
    """How long a text is, by its words: as evaluations call it."""
    return "short" if count <= SHORT else "long" if count >= LONG else "middle"


def held(settings: Settings, version: Version) -> list[Row]:
    """Texts of groups that the model had not seen, each as it would have been handled.

    Raises:
        UsageError: the split of the version is gone.
    """
    about = specs.load(version.name)
    facts = store.description(version.folder)
    scored = held_out.read(version.folder, held_out.SCORED)
    mine = scored[scored[held_out.MODEL] == about.model.final]
    split = training_sets.load(settings, version.name, version.tags["split"])
    by_entity = split.set_index(ENTITY)
    rows = []
    for one in mine.to_dict("records"):
        text = by_entity.loc[one[ENTITY]]
        spoken = language.of(text[TEXT])
        person = (
            bool(spoken and spoken not in facts["languages"])
            or len(words.words(Text(text[TITLE], text[TEXT]).whole)) < LEAST_WORDS
            or one[held_out.CONFIDENCE] < facts["thresholds"]["decide"]
        )
        of = {
            "label": one[LABEL], "language": spoken or UNKNOWN,
            "length": length(len(text[TEXT].split())),
            **{name: str(text[name] or UNKNOWN) for name in about.entity.groups},
        }  # fmt: skip
        wrong = not person and bool(one[held_out.SAID] != one[LABEL])
        rows.append(Row(text[TIME].date(), str(one[GROUP]), of, person, wrong))
    return rows


def answers(settings: Settings, version: Version) -> list[Row]:
    """What the version answered, and whether users said that it was right."""
    url, name = settings.platform_db, version.name
    since = datetime(1970, 1, 1, tzinfo=UTC)
    truth = {
        one.prediction_id: one.payload.get("label")
        for one in feedback.newest(feedback.listing(url, name, since))
        if one.kind == feedback.OBSERVED
    }
    rows = []
    for entry in prediction_log.entries(url, name, kinds=("answer",)):
        if entry.basis.model != version.ref or entry.time is None:
            continue
        said, right = entry.payload, truth.get(entry.prediction_id)
        person = bool(said.get("abstention"))
        of = {
            "label": str(said.get("label") or UNKNOWN),
            "language": str(said.get("language") or UNKNOWN),
            "length": length(int(entry.features.get("words") or 0)),
        }
        # Only what is judged counts: a person's decisions are all known to be right, and would
        # make the rest seem so.
        wrong = None if person or right is None else right != said.get("label")
        rows.append(Row(entry.time.date(), entry.entity or entry.prediction_id, of, person, wrong))
    return rows


def cases(settings: Settings, version: Version, now: datetime) -> list[Row]:
    """Cases that the version read, and what clerks did with them since.

    A label that no clerk corrected and no department handed on counts as right.
    """
    of_ours = (CASES.c.use_case == version.name) & (CASES.c.model == version.ref)
    columns = (CASES.c.id, CASES.c.received, CASES.c.channel, CASES.c.place, CASES.c.language,
               CASES.c.text, CASES.c.label, CASES.c.duplicate_of)  # fmt: skip
    # A duplicate waits for the answer of the first, which another version may have read.
    every = sa.select(CASES.c.id).where(CASES.c.use_case == version.name)
    happened = (
        sa.select(CASE_EVENTS.c.case_id, CASE_EVENTS.c.time, CASE_EVENTS.c.what,
                  CASE_EVENTS.c.facts)
        .where(CASE_EVENTS.c.case_id.in_(every)).order_by(CASE_EVENTS.c.case_id,
                                                         CASE_EVENTS.c.number)
    )  # fmt: skip
    histories: dict[str, list[Any]] = {}
    with engine(settings.platform_db).connect() as connection:
        found = list(connection.execute(sa.select(*columns).where(of_ours).order_by(CASES.c.id)))
        for event in connection.execute(happened):
            histories.setdefault(event.case_id, []).append(event)
    return [
        _case(case, histories.get(case.id, []), histories.get(case.duplicate_of, []), now)
        for case in found
    ]


def _case(case: Any, history: Sequence[Any], of_first: Sequence[Any], now: datetime) -> Row:
    """A case by its history, and by that of the case that it is the same as."""
    first: dict[str, Any] = {}
    moved = False
    ended = next((e.time for e in [*history, *of_first] if e.what in ("answered", "closed")), None)
    for event in history:
        if "abstention" in event.facts and not first:
            first = event.facts
        moved |= event.what == "transferred"
        moved |= event.what == "corrected" and event.facts.get("label") != event.facts.get("was")
    person = bool(first.get("abstention"))
    of = {
        "label": case.label or UNKNOWN, "language": case.language or UNKNOWN,
        "length": length(len(case.text.split())), "channel": case.channel or UNKNOWN,
        "area": str((case.place or {}).get("area") or UNKNOWN),
    }  # fmt: skip
    # The first may have been answered before its duplicate came.
    waited = (max(ended or now, case.received) - case.received).total_seconds() / 86400
    return Row(case.received.date(), case.duplicate_of or case.id, of, person,
               not person and moved, waited, ended is not None)  # fmt: skip
