"""What a kind of use case brings to a prediction service: routes, and answers made ready.

The platform keeps models, access, log and errors; a kind knows what is asked and what is answered.
`serving` of its object `TASK` is a `Kind`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from yupana.core import usecase

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI
    from pydantic import BaseModel

    from yupana.config.settings import Settings
    from yupana.core.spec import Spec
    from yupana.predictions.entry import LogEntry
    from yupana.predictions.feedback import OutcomeSchema
    from yupana.serving.context import ServiceContext
    from yupana.serving.deployment import Model
    from yupana.serving.notes import Note


class ReadyAnswers(Protocol):
    """The answers of one model from one version of the features."""

    def newest(self) -> date | None:
        """The newest day with data; None where nothing is ready."""
        ...

    def facts(self) -> dict[str, Any]:
        """What the listing of models says of them: `features`, and what the kind adds."""
        ...


class RecordedAnswers(Protocol):
    """Answers that a run left in a table, for all who may read it: the log has them not."""

    @property
    def action(self) -> str:
        """The action of the use case that shows them: whose scope opens it may refer to them."""
        ...

    def entry(self, prediction_id: str) -> LogEntry | None:
        """One of them as the log would have it; None where the table has no such id.

        Raises:
            ContentError: the table is not as its run left it.
        """
        ...


class Preparation(Protocol):
    """Makes a model's answers ready before it answers anyone."""

    @property
    def recorded_answers(self) -> RecordedAnswers:
        """The answers that stand in a table."""
        ...

    def version(self) -> Hashable:
        """What answers rest on beside model and features; when it changes, they are made anew."""
        ...

    def prepare(
        self, model: Model, features_ref: str, caveats: tuple[Note, ...]
    ) -> ReadyAnswers:
        """The answers of a model; whatever it raises keeps the model from answering.

        Args:
            features_ref: reference of the features that are online.
            caveats: of every answer.
        """
        ...


class Kind(Protocol):
    """A kind of use case, as a service needs it; light to import."""

    def outcome(self, about: Spec) -> OutcomeSchema:
        """What comes back as feedback."""
        ...

    def feedback(self, about: Spec) -> type[BaseModel]:
        """The body of feedback: `kind`, `comment` and the fields of `outcome`."""
        ...

    def router(self, about: Spec) -> APIRouter:
        """The kind's routes, below /v1/<use case>/."""
        ...

    def how_to_ask(self, about: Spec) -> Mapping[str, str]:
        """How to mend each field of a request; the empty name is for all others."""
        ...

    def preparation(self, settings: Settings, use_case: str) -> Preparation:
        """What makes answers ready."""
        ...

    def start(self, app: FastAPI, context: ServiceContext, preparation: Any) -> None:
        """Put into the application's state what the kind's routes use.

        Args:
            preparation: what `preparation` returned.
        """
        ...


@runtime_checkable
class WithFolders(Protocol):
    """A kind that also answers at addresses that are not below /v1/."""

    def folders(self, about: Spec) -> Mapping[str, str]:
        """By the beginning of such addresses, the action whose scope opens them."""
        ...


def folders(kind: Kind, about: Spec) -> dict[str, str]:
    """By the beginning of addresses that are not below /v1/, the scope that opens them."""
    if not isinstance(kind, WithFolders):
        return {}
    return {path: f"{about.name}:{action}" for path, action in kind.folders(about).items()}


def load(kind: str) -> Kind:
    """What a kind brings.

    Raises:
        UsageError: there is no such kind.
    """
    serving: Kind = usecase.task(kind).serving
    return serving
