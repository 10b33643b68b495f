"""Names that become part of a path: of data sets, use cases and zones of the lake.

A name that is taken as a path would reach the same table by another way, with another lock and
other pseudonyms (`cases/`, and `Cases` where the disk does not tell capitals apart), or another
place altogether (`../cases`).
"""

from __future__ import annotations

import re

from yupana.core.errors import UsageError

LONGEST = 63
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*([.-][a-z0-9_]+)*")
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def right(name: str) -> bool:
    """Whether a name can be part of a path: small ASCII letters, digits and _, points and hyphens
    between them, `LONGEST` characters at most."""
    return len(name) <= LONGEST and _NAME.fullmatch(name) is not None


def is_snake_case(name: str) -> bool:
    """Whether it is a name as the conventions want it."""
    return right(name) and _SNAKE_CASE.fullmatch(name) is not None


def must_be(name: str, of: str, example: str, where: str = "") -> str:
    """The name, if it is one.

    Args:
        of: what it names, for the message.

    Raises:
        UsageError: it is no name.
    """
    if not right(name):
        raise UsageError(
            f"'{name}' is no name for a {of}.",
            where=where,
            fix=f"Write it like {example}: small letters, digits and _, at most {LONGEST} of them.",
        )
    return name
