"""By which accounts a person acts: the operating system's word, a key, or a token.

An environment variable is nobody's word: `USER=other` makes no other person. Where the machine
audits logins, who logged in counts beside whom they became by `sudo`.
"""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.governance import local_key, oidc, people
from yupana.governance.keyring import Keyring

_NO_LOGIN = 4294967295


def here() -> tuple[str, ...]:
    """The accounts of this process: the one who logged in, where that is known, and its user."""
    numbers = [os.getuid()]
    login = Path("/proc/self/loginuid")
    if login.exists() and (number := int(login.read_text() or _NO_LOGIN)) != _NO_LOGIN:
        numbers.insert(0, number)
    return tuple(dict.fromkeys(f"os:{_name(number)}" for number in numbers))


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"


def by_file(settings: Settings, path: Path) -> str:
    """The account of the key or token in a file.

    Raises:
        UsageError: the file cannot be read.
        TerminalError: the key or token is not good.
    """
    presented = local_key.read(path)
    if presented.startswith("yup_"):
        ring = Keyring(settings.platform_db)
        ring.refresh()
        grant, reason = ring.check(presented, time.time())
        if reason or grant is None:
            raise _not_good(path, reason)
        return f"key:{grant.id}"
    issuer = oidc.configured(settings)
    if issuer is None:
        raise _not_good(path, "no issuer of tokens is set")
    issuer.refresh()
    token, reason = issuer.check(presented)
    if reason or token is None:
        raise _not_good(path, reason)
    return f"oidc:{token.grant.id}"


def canonical(settings: Settings, account: str) -> str:
    """An account as decisions name it: a token's subject by the hash that keys and logs use."""
    kind, _, name = account.partition(":")
    if kind == "oidc" and not name.startswith("@"):
        return f"oidc:{oidc.subject_id(settings.oidc_issuer, name)}"
    return account


def actor(connection: sa.Connection) -> str:
    """The pseudonym of who runs this process, in the caller's transaction."""
    return people.known(connection, here()[0])


def is_administrator(settings: Settings, accounts: tuple[str, ...]) -> bool:
    """Whether one of the accounts owns this installation's home."""
    return f"os:{_name(settings.home.stat().st_uid)}" in accounts


def _not_good(path: Path, reason: str) -> TerminalError:
    return TerminalError(
        f"The key is not good: {reason}.",
        where=str(path),
        fix="Write a key that `yupana keys list` shows as in use, or a fresh token, into the file.",
    )
