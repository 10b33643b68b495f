"""By which account a person acts who shows a key or a token."""

from __future__ import annotations

import time
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.identity import local_key, oidc
from yupana.identity.keyring import Keyring


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


def _not_good(path: Path, reason: str) -> TerminalError:
    return TerminalError(
        f"The key is not good: {reason}.",
        where=str(path),
        fix="Write a key that `yupana keys list` shows as in use, or a fresh token, into the file.",
    )
