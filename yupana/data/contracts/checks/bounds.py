"""Bounds of a column that no value can be compared with: days that are none, endless numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from yupana.data.contracts.checks.columns import Fault

_ENDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_LENGTHS = ("minLength", "maxLength")
_LONGEST = 2**31 - 1
_DAY = re.compile(r"[1-9]\d{3}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    r"[1-9]\d{3}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)


def faults(column: dict[str, Any], field: tuple[str | int, ...]) -> Iterator[Fault]:
    """Bounds in `logicalTypeOptions` that cannot be enforced."""
    options = column.get("logicalTypeOptions") or {}
    kind, name = column.get("logicalType", "string"), column["name"]
    for end in [e for e in (*_ENDS, *_LENGTHS) if e in options]:
        value = options[end]
        if fix := _wrong_length(value) if end in _LENGTHS else _wrong(value, kind):
            what = f"the {end} '{value}' on the column '{name}', which is of type {kind}"
            yield Fault(what, (*field, "logicalTypeOptions", end), fix)


def _wrong(value: Any, kind: str) -> str | None:
    if kind == "date":
        return None if _is_day(value) else "Write a day that is, as 2021-12-31."
    if kind == "timestamp":
        right = _is_day(value) or _is_instant(value)
        return None if right else "Write a day or an instant that is: 2021-12-31T23:59:00Z."
    if kind in ("integer", "number"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if number and math.isfinite(value) else "Write a number, or leave it out."
    return None


def _wrong_length(value: Any) -> str | None:
    right = type(value) is int and 0 <= value <= _LONGEST
    return None if right else "Write a whole number of characters."


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and bool(_DAY.fullmatch(value)) and _read(value)


def _is_instant(value: Any) -> bool:
    return isinstance(value, str) and bool(_INSTANT.fullmatch(value)) and _read(value)


def _read(value: str) -> bool:
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True
