"""What a caller who is not let in reads: Spanish first, what is wrong and how to mend it.

The same words for a key that does not exist, a key with a wrong secret and a forged token.
"""

from __future__ import annotations

from yupana.identity.keyring import Grant
from yupana.identity.quotas import Standing
from yupana.identity.roles import ROLES
from yupana.serving.http.refusal import Problem, refusal

ASK = (
    "Pida una clave a quien administra la plataforma. / Ask the platform's administrator for a key."
)
_WHERE = "Authorization"
# By reason of the check: code, what is wrong, the mend.
_REASONS = {
    "none": (
        "no_key",
        "Falta la clave. / The key is missing.",
        f"Envíe 'Authorization: Bearer yup_…' o 'X-API-Key: yup_…'. / Send one of these. {ASK}",
    ),
    "two": (
        "two_keys",
        "Hay más de una clave. / There is more than one key.",
        "Envíe una. / Send one.",
    ),
    "revoked": ("revoked_key", "La clave fue revocada. / The key was revoked.", ASK),
    "expired": ("expired_key", "La clave venció. / The key has expired.", ASK),
}
_NOT_VALID = (
    "invalid_key",
    "La clave no es válida. / The key is not valid.",
    f"Mire que esté completa. / See that it is complete. {ASK}",
)
# A token that the issuer signed, for someone of whom it does not say enough.
_UNFIT = {
    "role": (
        "no_role",
        "El token no dice un único rol. / The token does not tell exactly one role.",
        "Pida a quien administra las identidades uno de estos roles / Ask the administrator of "
        f"identities for one of these roles: {', '.join(ROLES)}.",
    ),
    "agency": (
        "no_agency",
        "El token no dice la entidad. / The token does not tell the agency.",
        "Pida a quien administra las identidades que la agregue. / Ask the administrator of "
        "identities to add it.",
    ),
}


def unauthorised(reason: str) -> Problem:
    """The key or token is missing or not good (401), or tells too little of its holder (403)."""
    unfit = reason in _UNFIT
    code, what, fix = _UNFIT.get(reason) or _REASONS.get(reason, _NOT_VALID)
    problem = refusal(403 if unfit else 401, what, where=_WHERE, fix=fix, code=code)
    error = "" if reason == "none" else "insufficient_scope" if unfit else "invalid_token"
    more = f', error="{error}"' if error else ""
    problem.headers["WWW-Authenticate"] = f'Bearer realm="yupana"{more}'
    return problem


def forbidden(grant: Grant, permission: str) -> Problem:
    """The key is good and does not open this address."""
    has = ", ".join(grant.scopes)
    problem = refusal(
        403,
        f"La clave no abre esta dirección: requiere '{permission}'. / "
        f"The key does not open this address: it needs '{permission}'.",
        where=_WHERE,
        fix=f"Use una de / Use one of: {has} (rol / role: {grant.role}). {ASK}",
    )
    problem.headers["WWW-Authenticate"] = 'Bearer realm="yupana", error="insufficient_scope"'
    return problem


def too_many(standing: list[Standing]) -> Problem:
    """A limit is reached."""
    spent = max((s for s in standing if s.rest == 0), key=lambda s: s.reset)
    problem = refusal(
        429,
        f"Se alcanzó el límite de {spent.policy.limit} solicitudes en {spent.policy.seconds} s. / "
        f"The limit of {spent.policy.limit} requests in {spent.policy.seconds} s is reached.",
        where=spent.policy.name,
        fix=f"Intente de nuevo en {spent.reset} s; varias entidades caben en una solicitud. / "
        f"Try again in {spent.reset} s; several entities fit in one request.",
    )
    problem.headers["Retry-After"] = str(spent.reset)
    return problem


def away() -> Problem:
    """The database, or the issuer of tokens, has been away for too long."""
    problem = refusal(
        503,
        "No se puede comprobar la clave ahora. / The key cannot be checked now.",
        where="yupana",
        fix="Intente de nuevo en unos segundos. / Try again in a few seconds.",
    )
    problem.headers["Retry-After"] = "5"
    return problem
