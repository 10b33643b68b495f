"""How many rows a contract asks of a file: its quality rules of the metric `rowCount`, together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from yupana.data.contracts.checks.columns import BOUNDS, Fault

_FIX = "Write one whole number of rows, or [least, most] for mustBeBetween."
_MOST = 10**15


def bounds(quality: list[dict[str, Any]]) -> tuple[int, int | None]:
    """Fewest and most rows; at least one, and no most: None."""
    low, high = 1, None
    for rule in _rules(quality):
        least, most = rule.get("mustBeBetween") or (rule.get("mustBe"),) * 2
        least = rule.get("mustBeGreaterOrEqualTo", least)
        most = rule.get("mustBeLessOrEqualTo", most)
        if "mustBeGreaterThan" in rule:
            least = math.floor(rule["mustBeGreaterThan"]) + 1
        if "mustBeLessThan" in rule:
            most = math.ceil(rule["mustBeLessThan"]) - 1
        low = max(low, math.ceil(least)) if least is not None else low
        if most is not None:
            high = math.floor(most) if high is None else min(high, math.floor(most))
    return low, high


def faults(quality: list[dict[str, Any]], field: tuple[str | int, ...]) -> Iterator[Fault]:
    """Numbers that no count of rows can be, and bounds that no file can keep."""
    wrong = False
    for number, rule in enumerate(quality):
        if rule.get("metric") != "rowCount":
            continue
        for bound in [b for b in BOUNDS if b in rule]:
            value = rule[bound]
            pair = bound == "mustBeBetween"
            listed = value if pair and isinstance(value, list) else [value]
            if len(listed) != 1 + pair or not all(map(_is_count, listed)):
                wrong = True
                yield Fault(f"a rowCount with {bound}: {value}", (*field, number, bound), _FIX)
    if wrong or not list(_rules(quality)):
        return
    low, high = bounds(quality)
    if high is not None and low > high:
        last = max(n for n, rule in enumerate(quality) if rule.get("metric") == "rowCount")
        what = f"rules of rowCount that ask for at least {low:,} rows and at most {high:,}"
        yield Fault(what, (*field, last), "No file could keep them: mend one of them.")


def _rules(quality: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (rule for rule in quality if rule.get("metric") == "rowCount")


def _is_count(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= _MOST
