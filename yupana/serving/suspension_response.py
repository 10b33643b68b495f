"""Why the models that are placed do not answer: suspended by a person, or without a gate pass."""

from __future__ import annotations

from dataclasses import dataclass

from yupana.gate.gate import Standing
from yupana.gate.suspension import Suspension
from yupana.serving.http.refusal import Problem, refusal
from yupana.serving.notes import Note, note


@dataclass(frozen=True)
class SuspensionResponse:
    """Why nothing is answered; `code` is `suspended` or `not_admitted`."""

    code: str
    es: str
    en: str

    def refusal(self) -> Problem:
        """What a caller receives, 503."""
        problem = refusal(
            503,
            f"{self.es}. / {self.en}.",
            where="yupana",
            fix="No se responde con otro modelo en su lugar. GET /v1/models dice cuándo vuelve. / "
            "No other model answers in its place. GET /v1/models tells when it is back.",
            code=self.code,
        )
        # Longer than a client waits by itself: a person decides when it goes on.
        problem.headers["Retry-After"] = "300"
        return problem

    def note(self) -> Note:
        """The reason, for a list."""
        return note(self.code, f"{self.es}.", f"{self.en}.")


GATE_AWAY = SuspensionResponse(
    "not_admitted",
    "No se puede preguntar a la compuerta si el modelo sigue permitido",
    "The gate cannot be asked whether the model may still answer",
)


def of_standing(standing: Standing) -> SuspensionResponse | None:
    """Why a model does not answer; None where it may."""
    if standing.allowed:
        return None
    if standing.suspended:
        return SuspensionResponse("suspended", *standing.suspended)
    return SuspensionResponse(
        "not_admitted", *(standing.why or ("No pasó la compuerta", "No gate pass"))
    )


def of_suspension(suspension: Suspension) -> SuspensionResponse:
    """The same of an answer that a suspended model gave before."""
    return SuspensionResponse("suspended", *suspension.sentences())
