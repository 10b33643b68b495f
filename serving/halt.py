"""Why the models that are placed do not answer: suspended by a person, or without a gate pass."""

from __future__ import annotations

from dataclasses import dataclass

from serving.http.refusal import Problem, refusal
from serving.notes import Note, note
from yupana.governance.gate import Standing
from yupana.governance.suspension import Suspension


@dataclass(frozen=True)
class Halt:
    """Why nothing is answered; `code` is `suspended` or `not_admitted`."""

    code: str
    es: str
    en: str

    def refusal(self) -> Problem:
        """What a caller is told, 503."""
        told = refusal(
            503,
            f"{self.es}. / {self.en}.",
            where="yupana",
            fix="No se responde con otro modelo en su lugar. GET /v1/models dice cuándo vuelve. / "
            "No other model answers in its place. GET /v1/models tells when it is back.",
            code=self.code,
        )
        # Longer than a client waits by itself: a person decides when it goes on.
        told.headers["Retry-After"] = "300"
        return told

    def note(self) -> Note:
        """The reason, for a list."""
        return note(self.code, f"{self.es}.", f"{self.en}.")


NOT_ASKED = Halt(
    "not_admitted",
    "No se puede preguntar a la compuerta si el modelo sigue permitido",
    "The gate cannot be asked whether the model may still answer",
)


def of_standing(standing: Standing) -> Halt | None:
    """Why a model does not answer; None where it may."""
    if standing.allowed:
        return None
    if standing.suspended:
        return Halt("suspended", *standing.suspended)
    return Halt("not_admitted", *(standing.why or ("No pasó la compuerta", "No gate pass")))


def of_suspension(held: Suspension) -> Halt:
    """The same of an answer that a suspended model gave before."""
    return Halt("suspended", *held.told())
