"""Who may do what: roles, each the scopes that a key of it can ever have.

A scope is `<use case>:<action>`; which actions a use case has, and for which roles, its spec says.
A key opens an address when both its own scopes and its role do, so that a wide scope never widens
a role. An action that its spec opens to `public` needs no key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from yupana.core import spec, usecase
from yupana.core.errors import UsageError

_SCOPE = re.compile(r"(\*|[a-z][a-z0-9_-]*):(\*|[a-z][a-z0-9_-]*)")
# Short names of plain letters alone: the scope of a request is counted and logged.
_ADDRESS = re.compile(r"/v1/([a-z][a-z0-9_-]{0,30})(?:/([a-z][a-z0-9_-]{0,30}))?(?=/|$)")
# The bare address, or a receipt: capitals and digits, so that no action is ever called so.
_BARE = re.compile(r"/v1/([a-z][a-z0-9_-]{0,30})(?:/[A-Z0-9][A-Z0-9-]{0,39}(?:/[a-z]{1,30})?)?")
# Addresses below /v1/ that belong to no use case.
_SHARED = {
    "feedback": "feedback:write", "models": "models:read", "predictions": "predictions:read",
}  # fmt: skip
ADMINISTRATION = "platform:admin"
SANDBOX = "sandbox"
"""The role of keys for trying out: what they are answered is marked, and counted nowhere."""
PUBLIC = "public"
"""In a spec, whoever calls, with a key or without; no key has this role."""
READS_ALL = frozenset({"auditor", "ml-engineer", "administrator"})
"""Roles that read the predictions of every agency; what they may do to them, scopes say."""


@dataclass(frozen=True)
class Role:
    """What a role may do, for people, and the scopes that it may hold beside those of use cases."""

    may: str
    common: tuple[str, ...]


ROLES = {
    "agency": Role(
        "asks for predictions and what explains them, and answers with feedback",
        ("feedback:write", "models:read", "predictions:read"),
    ),
    SANDBOX: Role(
        "tries out what an agency may ask; its answers are marked and counted nowhere",
        ("feedback:write", "models:read", "predictions:read"),
    ),
    "auditor": Role("reads explanations and models, and asks nothing new", ("models:read",)),
    "data-engineer": Role("sees models beside the data that they publish", ("models:read",)),
    "ml-engineer": Role(
        "tries the endpoints of use cases", ("feedback:write", "models:read", "predictions:read")
    ),
    "clerk": Role("handles the cases of its department, which its agency names", ("models:read",)),
    "supervisor": Role("handles the cases of all departments", ("models:read",)),
    "administrator": Role("everything, addresses outside the API among it", ("*:*",)),
}


@lru_cache
def scopes_of(role: str) -> tuple[str, ...]:
    """All scopes that a role may hold: its shared ones, and the actions that specs give it."""
    # What an agency may, can be tried out.
    who = "agency" if role == SANDBOX else role
    own = (scope for scope, may in _actions().items() if who in may)
    return (*own, *ROLES[role].common)


def scope_of(path: str) -> str:
    """The scope that opens an address; what is not below /v1/ is for administrators."""
    match = _ADDRESS.match(path)
    if not match:
        return ADMINISTRATION
    first, action = match.groups()
    if first not in _SHARED and not action:
        return _scope_of_bare(path)
    return _SHARED.get(first) or f"{first}:{action}"


def _scope_of_bare(path: str) -> str:
    match = _BARE.fullmatch(path)
    submits = match and f"{match[1]}:{spec.SUBMIT}"
    return submits if submits and submits in _actions() else ADMINISTRATION


@lru_cache(maxsize=1)
def _actions() -> Mapping[str, tuple[str, ...]]:
    """By scope, the roles that specs give it to."""
    specs = (spec.load(name) for name in usecase.names())
    return {f"{s.name}:{action}": may for s in specs for action, may in s.actions.items()}


def is_public(target: str) -> bool:
    """Whether a scope is an action that needs no key."""
    return PUBLIC in _actions().get(target, ())


@lru_cache(maxsize=4096)
def opens(role: str, scopes: tuple[str, ...], target: str) -> bool:
    """Whether a key of this role with these scopes may use what `target` names."""
    mine = any(fnmatchcase(target, scope) for scope in scopes)
    return mine and any(fnmatchcase(target, scope) for scope in scopes_of(role))


def may_read(role: str, agency: str, owner: str) -> bool:
    """Whether a caller may explain, or give feedback on, what the agency `owner` was answered."""
    return role in READS_ALL or agency == owner


def may_see(role: str, scopes: tuple[str, ...], target: str) -> bool:
    """Whether a caller may read what the address of a scope shows to all whom it is open to."""
    return role in READS_ALL or opens(role, scopes, target)


def demand(role: str, scopes: Sequence[str]) -> None:
    """Refuse a role or a scope that a key cannot have.

    Raises:
        UsageError: no such role, a scope that is no scope, or one that the role may not hold.
    """
    if role not in ROLES:
        raise UsageError(
            f"There is no role '{role}'.", where="--role", fix=f"Use one of: {', '.join(ROLES)}."
        )
    if not scopes:
        raise UsageError(
            "A key needs a scope.",
            where="--scope",
            fix=f"Give one of: {', '.join(scopes_of(role))}.",
        )
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise UsageError(
                f"'{scope}' is not a scope.",
                where="--scope",
                fix=f"Give a use case and an action, such as {scopes_of(role)[0]}.",
            )
        if "*" not in scope and not opens(role, (scope,), scope):
            raise UsageError(
                f"A key of the role '{role}' cannot have the scope '{scope}'.",
                where="--scope",
                fix=f"Its scopes are: {', '.join(scopes_of(role))}.",
            )
