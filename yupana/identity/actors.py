"""By which accounts a person acts on this machine: the operating system's word.

An environment variable is nobody's word: `USER=other` makes no other person. Where the machine
audits logins, who logged in counts beside whom they became by `sudo`.
"""

from __future__ import annotations

import os
import pwd
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.ledger import pseudonyms

_NO_LOGIN = 4294967295


def here() -> tuple[str, ...]:
    """The accounts of this process: the one who logged in, where that is known, and its user."""
    numbers = [os.getuid()]
    login = Path("/proc/self/loginuid")
    if login.exists() and (number := int(login.read_text() or _NO_LOGIN)) != _NO_LOGIN:
        numbers.insert(0, number)
    return tuple(dict.fromkeys(f"os:{_name(number)}" for number in numbers))


def user() -> str:
    """The name of the account that this process runs by, as the operating system has it."""
    return _name(os.getuid())


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"


def actor(connection: sa.Connection, now: datetime) -> str:
    """The pseudonym of who runs this process, in the caller's transaction."""
    return pseudonyms.of(connection, here()[0], now)


def is_administrator(settings: Settings, accounts: tuple[str, ...]) -> bool:
    """Whether one of the accounts owns this installation's home."""
    return f"os:{_name(settings.home.stat().st_uid)}" in accounts
