"""JSON (RFC 8259) whose numbers keep their digits, read and written: `json` itself knows binary
numbers alone, and would write 1.1 for 1.10. What its grammar allows and no table can hold stands as
a `Fault` in its place, so that a reader can name the record."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any

from yupana.core import foreign_json

# Python refuses longer whole numbers, and no engine reads them.
_MOST_DIGITS = 4000


@dataclass(frozen=True)
class Fault:
    """Why a value cannot be read."""

    reason: str


def parse(text: str) -> tuple[Any, list[Fault]]:
    """The text's value, and all faults in it.

    Raises:
        JSONDecodeError: it is no JSON.
        RecursionError: it is nested too deep.
    """
    faults: list[Fault] = []

    def fault(reason: str) -> Fault:
        faults.append(Fault(reason))
        return faults[-1]

    def whole(digits: str) -> Any:
        if len(digits) > _MOST_DIGITS:
            return fault(f"a number of {len(digits):,} digits")
        return int(digits)

    def number(digits: str) -> Any:
        try:
            return Decimal(digits)
        except InvalidOperation:
            return fault(f"a number of {len(digits)} characters is beyond all bounds")

    def object_(pairs: list[tuple[str, Any]]) -> Any:
        fields = dict(pairs)
        if len(fields) == len(pairs):
            return fields
        return fault(f"the field '{foreign_json.repeated(pairs)}' stands twice in one object")

    value = json.loads(
        text, parse_int=whole, parse_float=number, object_pairs_hook=object_,
        parse_constant=lambda name: fault(f"{name} is no number"),
    )  # fmt: skip
    return value, faults


def inside(value: Any) -> Iterator[Fault]:
    """Faults in a value, at any depth."""
    if isinstance(value, Fault):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from inside(member)


def text(value: Any) -> str:
    """The value as JSON; no number is null, and what JSON has no form for is a text."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(str(k), ensure_ascii=False)}: {text(v)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(text, value)) + "]"
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if isinstance(value, float) and math.isnan(value):
        return "null"
    return json.dumps(value, ensure_ascii=False, default=_other)


def _other(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | time) else str(value)
