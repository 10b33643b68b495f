"""Quality rules, derived from a contract's schema.

Each rule is known in two forms made from the same values: a Great Expectations expectation
(yupana.validation.audit) that decides, and a Spark SQL condition that finds the rows to
quarantine. A test holds the two to the same counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from open_data_contract_standard.model import SchemaObject, SchemaProperty

Kind = Literal["parsed", "required", "range", "codes", "pattern"]

# Staging puts the names of the columns whose text could not be read here; null when none.
MALFORMED = "_malformed"


@dataclass(frozen=True)
class Rule:
    """A row rule. `values` is (minimum, maximum), the allowed codes, or (pattern,)."""

    kind: Kind
    column: str
    values: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        return "row.parsed" if self.kind == "parsed" else f"{self.column}.{self.kind}"

    @property
    def good(self) -> str:
        """Spark SQL that is true for a row that keeps the rule; nulls keep all but `required`."""
        c = f"`{self.column}`"
        if self.kind == "parsed":
            return f"{c} IS NULL"
        if self.kind == "required":
            return f"{c} IS NOT NULL"
        if self.kind == "codes":
            test = f"{c} IN ({', '.join(_literal(v) for v in self.values)})"
        elif self.kind == "pattern":
            test = f"{c} RLIKE {_literal(self.values[0])}"
        else:
            low, high = self.values
            bounds = [f"{c} >= {low}"] * (low is not None) + [f"{c} <= {high}"] * (high is not None)
            test = " AND ".join(bounds)
        return f"({c} IS NULL OR ({test}))"


def rules_of(table: SchemaObject) -> tuple[Rule, ...]:
    """All row rules of a contract's table; personal columns are gone before the audit."""
    rules = [Rule("parsed", MALFORMED)]
    for p in table.properties or []:
        if p.classification != "personal":
            rules.extend(_of_column(p))
    return tuple(rules)


def _of_column(p: SchemaProperty) -> Iterator[Rule]:
    name, options = str(p.name), p.logicalTypeOptions or {}
    if p.required:
        yield Rule("required", name)
    if p.enum:
        yield Rule("codes", name, tuple(e.value for e in p.enum))
    if "minimum" in options or "maximum" in options:
        yield Rule("range", name, (options.get("minimum"), options.get("maximum")))
    if "pattern" in options:
        yield Rule("pattern", name, (options["pattern"],))


def _literal(value: Any) -> str:
    if isinstance(value, str):
        text = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{text}'"
    return str(value)
