"""What classifiers bring to a prediction service; see `yupana.serving.kind.Kind`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core import spec
from yupana.core.spec import SUBMIT, Spec
from yupana.tasks.classify import usecases
from yupana.tasks.classify.serving import payload

OPEN311 = "open311"
"""The action behind the addresses of Open311 GeoReport."""

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI
    from pydantic import BaseModel

    from yupana.predictions.entry import LogEntry
    from yupana.predictions.feedback import OutcomeSchema
    from yupana.serving.context import ServiceContext
    from yupana.serving.deployment import Model
    from yupana.serving.notes import Note
    from yupana.tasks.classify.serving.classifier import Answers


class NoTable:
    """Classifications stand in the log alone: no run leaves a table of them."""

    action = "classify"

    def entry(self, prediction_id: str) -> LogEntry | None:
        """None: there is no table."""
        return None


class Preparation:
    """A classifier is ready once it is loaded: texts come with the questions."""

    recorded_answers = NoTable()

    def __init__(self, about: Spec) -> None:
        self._about = about

    def version(self) -> Hashable:
        """Answers rest on the model alone."""
        return None

    def prepare(self, model: Model, features_ref: str, caveats: tuple[Note, ...]) -> Answers:
        """The answers of a model; see `yupana.serving.kind.Preparation`."""
        from yupana.tasks.classify.serving import classifier

        return classifier.ready(model, self._about, features_ref, caveats)


class ClassifyServing:
    """See `yupana.serving.kind.Kind`; nothing of a model is imported before a service starts."""

    def outcome(self, about: Spec) -> OutcomeSchema:
        """The label that was right."""
        return payload.outcome(usecases.load(about.name).options)

    def feedback(self, about: Spec) -> type[BaseModel]:
        """The label that was right, or a complaint."""
        return payload.Feedback

    def router(self, about: Spec) -> APIRouter:
        """Classification, explanation, and cases where the spec has the action `submit`."""
        from yupana.tasks.classify.serving import routes

        return routes.router(about)

    def folders(self, about: Spec) -> Mapping[str, str]:
        """Open311's addresses, where the spec has that action."""
        return {"/open311/": OPEN311} if OPEN311 in about.actions else {}

    def how_to_ask(self, about: Spec) -> Mapping[str, str]:
        """How to mend each field of a question."""
        from yupana.tasks.classify.cases import routes as case_routes
        from yupana.tasks.classify.serving import routes

        return {**case_routes.HOW_TO_ASK, **routes.HOW_TO_ASK}

    def preparation(self, settings: Settings, use_case: str) -> Preparation:
        """A model that is loaded is ready."""
        return Preparation(spec.load(use_case))

    def start(self, app: FastAPI, context: ServiceContext, preparation: Any) -> None:
        """The classifier behind the routes, and the cases with their router at work."""
        from yupana.tasks.classify.cases.service import CaseService
        from yupana.tasks.classify.serving.classifier import Classifier

        about = spec.load(context.use_case)
        classifier = app.state.classifier = Classifier(context, about)
        if SUBMIT in about.actions:
            cases = app.state.cases = CaseService(
                context.settings, about.name, classifier.of_cases, suspended=classifier.suspended
            )
            cases.start()
