"""An object or a list inside of a field, written as JSON (RFC 8259) whose numbers keep their
digits: `json` itself knows binary numbers alone, and would write 1.1 for 1.10."""

from __future__ import annotations

import json
import math
from datetime import date, time
from decimal import Decimal
from typing import Any


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
