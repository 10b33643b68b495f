"""What a contract says of its releases: rows, the column of the period, bounds of change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from yupana.data.contracts.checks.columns import BOUNDS, Fault, Slip

PERIOD = "period"
_TYPES = ("integer", "date", "timestamp", "string")


@dataclass(frozen=True)
class Bounds:
    """How far a release may lie from the one before it; None: told, and not a bound.

    Attributes:
        rows: share (0-1): more rows than that share of those before, and fewer than its inverse;
            with 0.5 they may neither halve nor double.
        past: share (0-1) of the rows before that may be changed, gone, or new in past periods.
        periods: whether every period stays (`keep`).
    """

    rows: float | None = None
    past: float | None = None
    periods: bool = False


TELLING = Bounds(rows=0.5, past=0.2, periods=True)
"""What is worth a warning where the contract states no bound."""


def bounds_of(value: dict[str, Any] | None) -> Bounds:
    """The bounds of a contract's `change`, which `faults` found to be right."""
    value = value or {}
    return Bounds(value.get("rows"), value.get("past"), value.get("periods") == "keep")


def wrong_change(value: Any) -> Slip | None:
    """What is wrong with the option `change`, and the mend."""
    fix = "Write it as {rows: 0.5, past: 0.05, periods: keep}; each may be left out."
    if not isinstance(value, dict) or not value or set(value) - {"rows", "past", "periods"}:
        return Slip(f"the change '{value}'", fix)
    for name, zero in (("rows", False), ("past", True)):
        share = value.get(name)
        if name not in value:
            continue
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            fix = "It is a share from 0 to 1: 5 % is 0.05."
            return Slip(f"the change of {name} '{share}'", fix)
        if not share and not zero:
            return Slip("the change of rows 0", "It is above 0: 0.5 allows half to double.")
    if value.get("periods", "keep") != "keep":
        return Slip(f"the change of periods '{value['periods']}'", "It is keep, or left out.")
    return None


def faults(content: dict[str, Any]) -> list[Fault]:
    """What is wrong with the column of the period, which needs the table's columns."""
    options = content.get("customProperties") or []
    values = {str(o.get("property")): (n, o.get("value")) for n, o in enumerate(options)}
    columns = {p.get("name"): p for p in content["schema"][0].get("properties") or []}
    if PERIOD not in values:
        if values.get("publication", (0, ""))[1] != "replace-period":
            return []
        field = ("customProperties", values["publication"][0], "value")
        what = "publication: replace-period and no period"
        return [Fault(what, field, "Add {property: period, value: <column>}.")]
    number, name = values[PERIOD]
    field = ("customProperties", number, "value")
    column = columns.get(name)
    if column is None:
        return [Fault(f"the period '{name}', which is no column", field, "Name one of its own.")]
    if column.get("logicalType", "string") not in _TYPES:
        fix = "Name a date, a whole number or a text."
        return [Fault(f"the period '{name}', which orders nothing", field, fix)]
    if not column.get("required") and not column.get("primaryKey"):
        what = f"the period '{name}', which may be empty"
        return [Fault(what, field, "Mark that column `required: true`.")]
    if column.get("classification") == "personal":
        return [Fault(f"the period '{name}', which is personal", field, "Name another column.")]
    return []


_COUNT_FIX = "Write one whole number of rows, or [least, most] for mustBeBetween."
_MOST = 10**15


def row_bounds(quality: list[dict[str, Any]]) -> tuple[int, int | None]:
    """Fewest and most rows by all rules of the metric `rowCount`; at least one; no most: None."""
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


def row_faults(quality: list[dict[str, Any]], field: tuple[str | int, ...]) -> Iterator[Fault]:
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
                what = f"a rowCount with {bound}: {value}"
                yield Fault(what, (*field, number, bound), _COUNT_FIX)
    if wrong or not list(_rules(quality)):
        return
    low, high = row_bounds(quality)
    if high is not None and low > high:
        last = max(n for n, rule in enumerate(quality) if rule.get("metric") == "rowCount")
        what = f"rules of rowCount that ask for at least {low:,} rows and at most {high:,}"
        yield Fault(what, (*field, last), "No file could keep them: mend one of them.")


def _rules(quality: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (rule for rule in quality if rule.get("metric") == "rowCount")


def _is_count(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= _MOST
