"""Texts into recorded classifications: for routes, which wait, and for the router of cases."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from yupana.core.spec import Spec
from yupana.predictions import log_writer
from yupana.predictions.entry import Basis
from yupana.predictions.prediction_log import PredictionRecord, new_id, prediction
from yupana.predictions.usage import Caller
from yupana.serving import sandbox
from yupana.serving.context import ServiceContext
from yupana.serving.deployment import Model
from yupana.serving.notes import Note
from yupana.tasks.classify.cases.case import CaseText
from yupana.tasks.classify.model.cascade import Cascade
from yupana.tasks.classify.result import Classification, Text
from yupana.tasks.classify.serving import payload

ROUTER = Caller("", "", "")
"""Who asks where the service itself routes."""


@dataclass(frozen=True)
class Answers:
    """A model that is ready: a `yupana.serving.kind.ReadyAnswers`.

    Attributes:
        basis: what its answers rest on.
        caveats: of every answer.
    """

    basis: Basis
    cascade: Cascade
    caveats: tuple[Note, ...]

    def newest(self) -> date | None:
        """Texts bring their own day: data of a classifier does not age by standing."""
        return None

    def facts(self) -> dict[str, Any]:
        """What the listing of models says of it."""
        return {"features": self.basis.features_ref, "labels": list(self.cascade.labels)}


class Classifier:
    """Classifies by what serves, and makes the records of it."""

    def __init__(self, context: ServiceContext, about: Spec) -> None:
        self._context, self._about = context, about

    def suspended(self) -> bool:
        """Whether the gate lets no model answer."""
        return self._context.models.suspension is not None

    def answer(
        self, asked: Sequence[tuple[str, Text]], caller: Caller, request_id: str = ""
    ) -> tuple[list[Classification], list[PredictionRecord]]:
        """Classifications of entities' texts, and the records that must be kept before they leave.

        Args:
            asked: entity and text, masked.
        """
        deployment = self._context.models.deployment(caller.key_id)
        answers: Answers = deployment.answers
        caller.model = f"{self._about.name}@{deployment.model.version}"
        said = answers.cascade.classify([text for _, text in asked])
        now, results, records = time.time(), [], []
        # A text is of the day on which it comes.
        basis = answers.basis._replace(data_as_of=str(datetime.fromtimestamp(now, UTC).date()))
        for (entity, text), one in zip(asked, said, strict=True):
            content = prediction(
                basis, entity, payload.of(one, answers.cascade, text),
                payload_version=payload.VERSION, features=payload.features(text, one),
                caveats=[*answers.caveats, *sandbox.caveats(caller)],
            )  # fmt: skip
            record = PredictionRecord(
                new_id(now), now, content, {}, caller.key_id, caller.agency,
                sandbox.kind(caller, "answer"), request_id,
            )  # fmt: skip
            records.append(record)
            results.append(
                replace(one, model=basis.model, prediction_id=record.prediction_id)
            )
        return results, records

    def of_cases(self, texts: list[CaseText]) -> list[Classification]:
        """Classifications of cases, each in the log before it is returned.

        Raises:
            YupanaError: the log does not take them; the router tries again.
        """
        asked = [(one.entity, Text(one.title, one.text)) for one in texts]
        said, records = self.answer(asked, replace(ROUTER))
        log_writer.record(self._context.settings.platform_db, records)
        return said


def ready(model: Model, about: Spec, features_ref: str, caveats: tuple[Note, ...]) -> Answers:
    """A model's answers; nothing has to be made beforehand."""
    basis = Basis(about.name, model.version, model.tag, features_ref, "")
    return Answers(basis, model.predictor, caveats)
