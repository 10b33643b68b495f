"""The contract's rules as SQL and as expectations, for the ways that yupana is held against.

They come from the same contract; yupana's own translation is not used.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import Rule

Engine = Literal["spark", "duckdb"]
QUOTE = {"spark": "`", "duckdb": '"'}
MATCH = {"spark": "regexp_like", "duckdb": "regexp_matches"}


def rules_of(contract: Contract) -> tuple[Rule, ...]:
    """Those that the other ways check: none of them looks for a period that came twice."""
    return tuple(rule for rule in contract.rules if rule.kind != "once")


def broken(rule: Rule, engine: Engine) -> str:
    """SQL that is true for a row that breaks the rule."""
    c = f"{QUOTE[engine]}{rule.column}{QUOTE[engine]}"
    if rule.kind == "parsed":
        return f"{c} IS NOT NULL"
    if rule.kind == "required":
        return f"{c} IS NULL"
    if rule.kind == "codes":
        return f"{c} NOT IN ({', '.join(map(_literal, rule.values))})"
    if rule.kind == "pattern":
        return f"NOT {MATCH[engine]}({c}, {_literal(rule.values[0])})"
    if rule.kind in ("range", "not_after_release"):
        low, high = rule.bounds
        bounds = [f"{c} < {_literal(low)}"] * (low is not None)
        bounds += [f"{c} > {_literal(high)}"] * (high is not None)
        return f"({' OR '.join(bounds)})"
    raise NotImplementedError(f"the benchmark has no rule '{rule.name}' of its own")


def expectation(rule: Rule, limit: float) -> Any:
    """The rule in Great Expectations' gallery; `limit` is the share that may break it."""
    from great_expectations import expectations as gxe

    common = {"column": rule.column, "mostly": 1 - limit, "meta": {"rule": rule.name}}
    if rule.kind == "parsed":
        return gxe.ExpectColumnValuesToBeNull(**common)
    if rule.kind == "required":
        return gxe.ExpectColumnValuesToNotBeNull(**common)
    if rule.kind == "codes":
        return gxe.ExpectColumnValuesToBeInSet(value_set=list(rule.values), **common)
    if rule.kind == "pattern":
        return gxe.ExpectColumnValuesToMatchRegex(regex=rule.values[0], **common)
    if rule.kind in ("range", "not_after_release"):
        low, high = rule.bounds
        return gxe.ExpectColumnValuesToBeBetween(min_value=low, max_value=high, **common)
    raise NotImplementedError(f"the benchmark has no rule '{rule.name}' of its own")


def _literal(value: Any) -> str:
    if isinstance(value, date):
        return f"DATE '{value}'"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
