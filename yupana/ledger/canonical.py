"""Canonical JSON: one text for one value, so that its hash means the value.

The subset of RFC 8785 (JCS) that the standard library writes by itself: members sorted by name,
no spaces, UTF-8, the shortest escapes. What the two would write differently is kept out: names
are ASCII, whole numbers stay below 2**53, and a fraction has at most `DECIMALS` decimals.
"""

from __future__ import annotations

import json
import math
from typing import Any

from yupana.core.errors import TerminalError

DECIMALS = 4
_MOST = 2**53
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def canonical(value: Any) -> str:
    """The canonical text of null, booleans, numbers, texts, and lists and dicts of them.

    Fractions are rounded to `DECIMALS` decimals, and 2.0 is written 2.

    Raises:
        TerminalError: a number that is not finite or too large, a name that is not ASCII text,
            half of a surrogate pair, or a value of another kind.
    """
    text = _ENCODER.encode(_plain(value, "event"))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _refused("a text that is not Unicode", "event", "Give whole characters.") from error
    return text


def _plain(value: Any, where: str) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refused(f"the number {value}", where, "Leave it out, or give null.")
        value = round(value, DECIMALS)
        value = int(value) if value.is_integer() else value
        if isinstance(value, float):
            return value
    if isinstance(value, int):
        if abs(value) >= _MOST:
            raise _refused(f"the number {value}", where, "Give it as text.")
        return value
    if isinstance(value, list | tuple):
        return [_plain(part, f"{where}[{i}]") for i, part in enumerate(value)]
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str) or not name.isascii():
                raise _refused(f"the name {name!r}", where, "Use an ASCII text.")
        return {name: _plain(part, f"{where}.{name}") for name, part in value.items()}
    raise _refused(f"a {type(value).__name__}", where, "Give text, numbers, lists and dicts.")


def _refused(what: str, where: str, fix: str) -> TerminalError:
    return TerminalError(f"The ledger does not take {what}.", where=where, fix=fix)
