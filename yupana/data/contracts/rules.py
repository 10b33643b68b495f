"""Quality rules, derived from a contract's schema.

Each rule is known in two forms made from the same values: a Great Expectations expectation
(yupana.validation.audit) that decides, and a Spark SQL condition that finds the rows to
quarantine. A test holds the two to the same counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from open_data_contract_standard.model import SchemaObject, SchemaProperty

from yupana.core import patterns
from yupana.data.contracts import code_lists
from yupana.data.national import calendar
from yupana.data.national.changes import PLACE_CODES
from yupana.data.national.columns import PLACE_NAMES

Kind = Literal[
    "parsed", "required", "range", "length", "codes", "pattern", "unique", "once",
    "names", "not_after_release",
]  # fmt: skip

# Staging puts the names of the columns whose text could not be read here; null when none.
MALFORMED = "_malformed"
# How often a row's key occurs in its file; only where the contract has a key. Columns that are
# unique by themselves have such a count each.
KEY_COUNT, COUNT = "_key_count", "_count_"
# 2 where a row is one too many of a period whose rows all came twice; else 1.
REPEATED = "_repeated"
# 2 where the code of a place is not that of its names; else 1. One a column of codes.
NAMED = "_named_"
# Names of the rules that a staged row breaks, joined by commas; null when none.
BROKEN = "_broken"
_ENDS = ("minimum", "maximum")
# Kinds that are asked of a value, and not of what stands for it in the published table.
_OF_VALUES = ("range", "length", "codes", "pattern", "not_after_release")


@dataclass(frozen=True)
class Rule:
    """A row rule.

    Attributes:
        values: (minimum, maximum[, whether each is excluded]), the allowed codes, (pattern,), the
            columns of a place's names, or for `not_after_release` (type of the column, bound), the
            latter None until `at` sets it.
        early: staging changes the value afterwards (pseudonym, clip), so it asks the rule first and
            keeps the answer in `verdict`.
    """

    kind: Kind
    column: str
    values: tuple[Any, ...] = ()
    early: bool = False

    @property
    def name(self) -> str:
        return f"{self.subject}.{self.kind}"

    @property
    def subject(self) -> str:
        """The column that it is about, `key` or `row`."""
        special = {MALFORMED: "row", KEY_COUNT: "key", REPEATED: "period"}
        return special.get(self.column, self.column.removeprefix(COUNT).removeprefix(NAMED))

    def at(self, day: date) -> Rule:
        """The rule for a release of that day; only `not_after_release` depends on it. A stream's
        batch is of an instant (UTC): no instant in it may lie after that one."""
        if self.kind != "not_after_release":
            return self
        return replace(self, values=(self.values[0], _bound(self.values[0], day)))

    @property
    def bounds(self) -> tuple[Any, Any]:
        """Minimum and maximum of a range, a length or `not_after_release`; None: no bound.

        Raises:
            ValueError: the rule depends on the day of the release and was not set `at` one.
        """
        if self.kind != "not_after_release":
            return self.values[0], self.values[1]
        if self.values[1] is None:
            raise ValueError(f"{self.name} depends on the release: use Contract.at(day)")
        return None, self.values[1]

    @property
    def strict(self) -> tuple[bool, bool]:
        """Whether minimum and maximum are excluded: an instant lies before the day after the
        release."""
        if self.kind == "not_after_release":
            return False, self.values[0] == "timestamp"
        low, high = self.values[2:] or (False, False)
        return low, high

    @property
    def verdict(self) -> str:
        """The staged column that holds what an early rule found: empty where the value keeps it,
        else the value's shape; null where there is no value."""
        return f"_verdict_{self.column}_{self.kind}"

    @property
    def good(self) -> str:
        """Spark SQL that is true for a staged row that keeps the rule."""
        return f"(`{self.verdict}` IS NULL OR `{self.verdict}` = '')" if self.early else self.keeps

    @property
    def keeps(self) -> str:
        """Spark SQL that is true for a value that keeps the rule; nulls keep all but `required`."""
        c = f"`{self.column}`"
        if self.kind == "parsed":
            return f"{c} IS NULL"
        if self.kind == "required":
            return f"{c} IS NOT NULL"
        if self.kind == "codes":
            test = f"{c} IN ({', '.join(_literal(v) for v in self.values)})"
        elif self.kind == "pattern":
            test = f"{c} RLIKE {_literal(self.values[0])}"
        elif self.kind in ("unique", "once", "names"):
            test = f"{c} = 1"
        else:
            low, high = map(_literal, self.bounds)
            above, below = (sign + "=" * (not s) for sign, s in zip("><", self.strict, strict=True))
            value = f"length({c})" if self.kind == "length" else c
            bounds = [f"{value} {above} {low}"] * (low != "NULL")
            bounds += [f"{value} {below} {high}"] * (high != "NULL")
            test = " AND ".join(bounds)
        return f"({c} IS NULL OR ({test}))"


def rules_of(root: Path, table: SchemaObject) -> tuple[Rule, ...]:
    """All row rules of a contract's table; dropped columns are gone before the audit."""
    rules = [Rule("parsed", MALFORMED)]
    for p in table.properties or []:
        custom = {c.property: c.value for c in p.customProperties or []}
        treated = custom.get("treatment") in ("pseudonymise", "mask")
        if p.classification != "personal" or treated:
            outlier = custom.get("outlier")
            changed = isinstance(outlier, dict) and outlier.get("action") in ("null", "clip")
            rules.extend(
                replace(rule, early=(treated or changed) and rule.kind in _OF_VALUES)
                for rule in _of_column(root, p)
            )
    if any(p.primaryKey for p in table.properties or []):
        rules.append(Rule("unique", KEY_COUNT))
    names = {p.name for p in table.properties or [] if not p.transformLogic}
    rules += [
        Rule("names", f"{NAMED}{p.name}", PLACE_NAMES)
        for p in table.properties or []
        if p.relationships
        and p.relationships[0].to == PLACE_CODES
        and not p.transformLogic
        and names.issuperset(PLACE_NAMES)
    ]
    return tuple(rules)


def _of_column(root: Path, p: SchemaProperty) -> Iterator[Rule]:
    name, options = str(p.name), p.logicalTypeOptions or {}
    metrics: dict[str, dict[str, Any]] = {}
    for q in p.quality or []:
        if q.metric:
            metrics.setdefault(q.metric, {}).update(q.arguments or {})
    if p.required or p.primaryKey or {"nullValues", "missingValues"} & set(metrics):
        yield Rule("required", name)
    valid = metrics.get("invalidValues", {})
    if p.enum or "validValues" in valid:
        allowed = [e.value for e in p.enum or []] or valid["validValues"]
        yield Rule("codes", name, tuple(allowed))
    # A code that a derivation looked up in its list cannot be another one.
    elif (
        p.relationships
        and not p.transformLogic
        and code_lists.is_code_list(root, str(p.relationships[0].to))
    ):
        yield Rule("codes", name, code_lists.values(root, str(p.relationships[0].to)))
    if set(options) & {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}:
        low, high = (options.get(end, options.get(f"exclusive{end.title()}")) for end in _ENDS)
        if p.logicalType == "timestamp":
            low, high = map(_instant, (low, high))
        strict = (f"exclusive{end.title()}" in options for end in _ENDS)
        yield Rule("range", name, (low, high, *strict))
    if set(options) & {"minLength", "maxLength"}:
        yield Rule("length", name, (options.get("minLength"), options.get("maxLength")))
    custom = {c.property: c.value for c in p.customProperties or []}
    if "notAfter" in custom:
        yield Rule("not_after_release", name, (p.logicalType, None))
    if pattern := options.get("pattern", valid.get("pattern")):
        yield Rule("pattern", name, (patterns.portable(str(pattern)),))
    outlier = custom.get("outlier")
    if isinstance(outlier, dict) and outlier.get("action") == "quarantine":
        yield Rule("range", name, (outlier.get("minimum"), outlier.get("maximum")))
    if p.unique or "duplicateValues" in metrics:
        yield Rule("unique", f"{COUNT}{name}")


def _bound(type: str, day: date) -> int | date:
    """The last year or day that a release may tell of; for instants the day after, or a batch's."""
    if isinstance(day, datetime):
        return day if type == "timestamp" else _bound(type, day.date())
    if type == "integer":
        return calendar.latest_year(day)
    return day + timedelta(days=1) if type == "timestamp" else day


def _instant(text: str | None) -> datetime | None:
    """The instant of a bound, in UTC; a day is its first."""
    if text is None:
        return None
    instant = datetime.fromisoformat(text)
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def _literal(value: Any) -> str:
    """A value as Spark SQL; a date compares as one with the text `2020-12-31`."""
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return f"TIMESTAMP'{value:%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(value, date):
        return f"DATE'{value}'"
    if isinstance(value, str):
        text = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{text}'"
    return str(value)
