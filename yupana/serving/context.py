"""What the routes of a running service share: the models, and the log of what they answered."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from anyio import to_thread

from yupana.config.settings import Settings
from yupana.core import spec
from yupana.core.errors import YupanaError
from yupana.identity import roles
from yupana.ledger import unsigned
from yupana.predictions import feedback, prediction_log, service_log
from yupana.predictions.entry import LogEntry
from yupana.predictions.feedback import Author, OutcomeSchema
from yupana.predictions.prediction_log import PredictionRecord
from yupana.predictions.recorder import LogAwayError
from yupana.predictions.usage import Caller
from yupana.serving import sandbox
from yupana.serving.http import metrics, tracing
from yupana.serving.http.refusal import Problem, from_error, refusal
from yupana.serving.kind import Preparation
from yupana.serving.model_manager import ModelManager

SHADOW = "shadow"


def unknown(prediction_id: str) -> Problem:
    """The same words whether it does not exist, is another agency's or another use case's."""
    return refusal(
        404,
        f"No hay una predicción {prediction_id} suya. / "
        f"There is no prediction {prediction_id} of yours.",
        where="prediction_id",
        fix="Envíe el prediction_id de una respuesta que recibió. / Send the prediction_id of an "
        "answer that you were given.",
        code="unknown_prediction",
    )


def log_away() -> Problem:
    """An answer that the log does not take is not sent."""
    problem = refusal(
        503,
        "La respuesta no se puede registrar ahora, por eso no se da. / "
        "The answer cannot be recorded now, so it is not given.",
        where="yupana",
        fix="Intente de nuevo en unos segundos. / Try again in a few seconds.",
        code="log_away",
    )
    problem.headers["Retry-After"] = "5"
    return problem


class ServiceContext:
    """Models and log of one worker.

    Raises:
        TerminalError: no champion is placed, or it may not serve; see `ModelManager`.
    """

    def __init__(self, settings: Settings, use_case: str, preparation: Preparation) -> None:
        self.settings, self.use_case = settings, use_case
        self._recorded = preparation.recorded_answers
        self.models = ModelManager(settings, use_case, preparation)
        about = spec.load(use_case)
        self.recorder = service_log.recorder(settings, about, metrics.COMMIT.observe)
        metrics.look.append(self._look)

    def close(self) -> None:
        """Stop following the models and write what waits."""
        self.models.close()
        self.recorder.close()

    async def record(self, records: Sequence[PredictionRecord]) -> Problem | None:
        """Put answers into the log; the refusal to send when they cannot be recorded."""
        if records:
            try:
                with tracing.span("log"):
                    await self.recorder.record(list(records))
            except LogAwayError:
                return log_away()
        return None

    async def readable(self, prediction_id: str, caller: Caller) -> LogEntry | None:
        """An answer of this use case, of the log or of a table, if the caller may read it.

        Raises:
            ContentError: the table that has it is not as its run left it.
        """
        url = self.settings.platform_db
        entry = await to_thread.run_sync(prediction_log.by_id, url, prediction_id, self.use_case)
        if entry is not None:
            mine = roles.may_read(caller.role, caller.agency, entry.agency)
        elif entry := await to_thread.run_sync(self._recorded.entry, prediction_id):
            # No agency's own: who is shown the table may ask about what it was shown.
            action = f"{self.use_case}:{self._recorded.action}"
            mine = roles.may_see(caller.role, caller.scopes, action)
        if entry is None or entry.kind == SHADOW or (self.settings.require_keys and not mine):
            return None
        # Who tries out does so on nothing that counts, and what was tried out is nobody's answer.
        if sandbox.is_sandbox(caller) != (entry.kind == prediction_log.SANDBOX):
            return None
        caller.model = f"{entry.use_case}@{entry.basis.model_version}"
        return entry

    async def add_feedback(
        self, prediction_id: str, body: dict[str, object], schema: OutcomeSchema, caller: Caller
    ) -> str | Problem:
        """Keep what a caller says of an answer that it may read; its id, or the refusal.

        Args:
            body: `kind`, `comment` and the fields of the outcome.
        """
        outcome = {k: v for k, v in body.items() if k not in ("kind", "comment") and v is not None}
        try:
            if (entry := await self.readable(prediction_id, caller)) is None:
                return unknown(prediction_id)
            add = partial(
                feedback.add, self.settings.platform_db, entry, str(body["kind"]), outcome,
                str(body["comment"]), schema=schema,
                author=Author(caller.key_id, caller.agency), now=datetime.now(UTC),
            )  # fmt: skip
            return await to_thread.run_sync(add)
        except YupanaError as error:
            return from_error(error)

    def _look(self) -> None:
        """Set the numbers that are known by looking alone."""
        metrics.WAITING.set(self.recorder.waiting())
        metrics.LOG_UP.set(self.recorder.ready())
        self._look_at_signer()
        both = {"champion": self.models.champion, "challenger": self.models.challenger}
        for name, deployment in both.items():
            version = int(deployment.model.version) if deployment else 0
            metrics.MODEL.labels(self.use_case, name).set(version)
        if newest := self.models.champion.answers.newest():
            age = datetime.now(UTC).date() - newest
            metrics.DATA_AGE.labels(self.use_case).set(age.days)

    def _look_at_signer(self) -> None:
        # A database that is away is told by other numbers.
        with suppress(YupanaError):
            tail = unsigned.tail(self.settings, datetime.now(UTC))
            metrics.UNSIGNED.set(tail.overdue)
            metrics.SIGNER_LATE.set(tail.is_late)
