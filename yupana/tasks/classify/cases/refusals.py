"""What callers are told where something about a case cannot be done."""

from __future__ import annotations

from yupana.core.errors import TransientError, YupanaError
from yupana.identity.quotas import Standing
from yupana.serving.http import auth_errors
from yupana.serving.http.refusal import Problem, from_error, refusal
from yupana.tasks.classify.cases.following import UnknownReceiptError
from yupana.tasks.classify.cases.handling import ChangedCaseError, UnknownCaseError
from yupana.tasks.classify.cases.intake import ConflictError


def of(error: YupanaError) -> Problem:
    """The refusal of an error of this room."""
    if isinstance(error, TransientError):
        return away()
    if isinstance(error, UnknownReceiptError | UnknownCaseError):
        return refusal(404, error.what, where=error.where, fix=error.fix, code="unknown_case")
    if isinstance(error, ChangedCaseError | ConflictError):
        return refusal(409, error.what, where=error.where, fix=error.fix)
    return from_error(error)


def away() -> Problem:
    """Nothing was taken or changed: the platform database is away."""
    problem = refusal(
        503,
        "Ahora no se puede guardar ni leer; no se recibió nada. / Nothing can be kept or read now; "
        "nothing was taken.",
        where="yupana",
        fix="Intente de nuevo en unos segundos, con la misma Idempotency-Key. / Try again in a few "
        "seconds, with the same Idempotency-Key.",
    )
    problem.headers["Retry-After"] = "5"
    return problem


def too_many(standing: Standing) -> Problem:
    """Too many wrong secrets."""
    return auth_errors.too_many([standing._replace(rest=0)])
