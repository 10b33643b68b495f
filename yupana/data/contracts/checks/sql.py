"""What can be told of a quality rule in SQL before there is a row: that it reads the table alone,
names columns that are there, and gives one number."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from yupana.data.contracts.sql_rules import OPERATORS, TABLE, rule_of

if TYPE_CHECKING:
    from sqlglot.expressions import Select

_TYPES = {
    "string": "string", "integer": "bigint", "number": "double", "date": "date",
    "timestamp": "timestamp", "boolean": "boolean",
}  # fmt: skip
_OWN = {"source_line": "bigint", "source_sha256": "string", "quality_flags": "array<string>"}
_NO_NUMBERS = ("TEXT", "VARCHAR", "CHAR", "DATE", "TIMESTAMP", "BOOLEAN", "ARRAY", "MAP", "STRUCT")


def fault(rule: dict[str, Any], table: dict[str, Any]) -> str | None:
    """Why a rule of `type: sql` cannot be asked of a contract's table; None where it can."""
    import sqlglot
    from sqlglot import expressions as exp

    if wrong := _wrong_bound(rule):
        return wrong
    try:
        parsed = sqlglot.parse(rule_of(rule).query, read="spark")
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        return f"it is no SQL: {(str(error) or 'nested too deep').splitlines()[0]}"
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        return "it is not one SELECT"
    query = parsed[0].unnest()
    if not isinstance(query, exp.Select):
        return "it is not one SELECT"
    if len(query.selects) != 1:
        return "it does not select one number"
    ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    for source in query.find_all(exp.Table):
        if source.name not in {TABLE, *ctes} or source.db:
            return f"it reads {source.sql()}, and may read ${{table}} alone"
    if unknown := query.find(exp.Anonymous):
        return f"it calls {unknown.name}, which is no function of SQL"
    return _several_rows(query) or _no_number(query, _columns(table))


def _wrong_bound(rule: dict[str, Any]) -> str | None:
    stated = [o for o in OPERATORS if o in rule]
    if len(stated) != 1:
        return "it needs one bound, such as mustBe: 0"
    value, pair = rule[stated[0]], "Between" in stated[0]
    ends = value if pair and isinstance(value, list) else [value]
    numbers = [n for n in ends if isinstance(n, int | float) and not isinstance(n, bool)]
    if len(numbers) != len(ends) or len(ends) != 1 + pair or not all(map(math.isfinite, numbers)):
        return f"{stated[0]}: {value} is not {'two numbers' if pair else 'a number'}"
    if numbers != sorted(numbers):
        return f"{stated[0]}: {value}, the larger number first, keeps nothing or all"
    return None


def _several_rows(query: Select) -> str | None:
    """Why a query may give more rows than one, where it reads the table itself."""
    from sqlglot import expressions as exp

    if query.args.get("group"):
        return "it gives a number for each group"
    sources = [query.args.get("from_") or query.args.get("from"), *query.args.get("joins", [])]
    direct = any(isinstance(s.this, exp.Table) and s.this.name == TABLE for s in sources if s)
    own = (a for a in query.selects[0].find_all(exp.AggFunc) if a.parent_select is query)
    if direct and not any(a.find_ancestor(exp.Window, exp.Select) is query for a in own):
        return "it gives a number for each row: count or sum them"
    return None


def _no_number(query: Select, columns: dict[str, str]) -> str | None:
    """An unknown column, a division by zero, or a result of another type."""
    from sqlglot import expressions as exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify

    schema: dict[str, object] = {TABLE: columns}
    for division in query.find_all(exp.Div, exp.Mod):
        by = division.expression
        if isinstance(by, exp.Literal) and by.is_number and float(by.name) == 0:
            return "it divides by zero"
    try:
        whole = qualify(query.copy(), schema=schema, dialect="spark")
        whole = annotate_types(whole, schema=schema, dialect="spark")
    except RecursionError:
        return "it is nested too deep"
    except SqlglotError as error:
        match = re.search(r"Column '([^']+)'", str(error))
        return f"no column '{match[1]}' is published" if match else "a name in it leads nowhere"
    if not isinstance(whole, exp.Query) or len(whole.selects) != 1:
        return "it does not select one number"
    kind = whole.selects[0].type
    if kind is not None and str(kind).split("<")[0].split("(")[0] in _NO_NUMBERS:
        return f"it gives a {str(kind).lower()}, not a number"
    return None


def _columns(table: dict[str, Any]) -> dict[str, str]:
    """The published columns with their types: no dropped ones, and pseudonyms as texts."""
    types = dict(_OWN)
    for column in table.get("properties") or []:
        options = {o.get("property"): o.get("value") for o in column.get("customProperties") or []}
        kind = _TYPES.get(column.get("logicalType", "string"), "string")
        if column.get("classification") == "personal":
            if options.get("treatment", "drop") == "drop":
                continue
            kind = "string"
        types[str(column.get("name")).lower()] = kind
    return types
