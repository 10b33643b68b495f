"""Quality rules in SQL: one number asked of a file's good rows, and what it must be.

A query may read the staged rows and nothing else: it comes with a contract, and an engine's SQL
can open files and call programs. https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError
from yupana.data.rules import BROKEN

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TABLE = "staged_rows"
OPERATORS: dict[str, tuple[str, Callable[[float, Any], bool]]] = {
    "mustBe": ("be", lambda n, v: n == v),
    "mustNotBe": ("not be", lambda n, v: n != v),
    "mustBeGreaterThan": ("be greater than", lambda n, v: n > v),
    "mustBeGreaterOrEqualTo": ("be at least", lambda n, v: n >= v),
    "mustBeLessThan": ("be less than", lambda n, v: n < v),
    "mustBeLessOrEqualTo": ("be at most", lambda n, v: n <= v),
    "mustBeBetween": ("be between", lambda n, v: v[0] <= n <= v[1]),
    "mustNotBeBetween": ("not be between", lambda n, v: not v[0] <= n <= v[1]),
}


@dataclass(frozen=True)
class SqlRule:
    """A query that gives one number, and the operator (ODCS) with the value that bounds it."""

    name: str
    query: str
    operator: str
    value: Any

    @property
    def says(self) -> str:
        """What its number must be, in words."""
        value = " and ".join(map(str, self.value)) if isinstance(self.value, list) else self.value
        return f"{OPERATORS[self.operator][0]} {value}"


def rule_of(rule: dict[str, Any]) -> SqlRule:
    """A rule of `type: sql`, with its table put in place of `${table}` or `{object}`."""
    query = str(rule["query"]).strip().rstrip(";")
    for place in ("${table}", "${object}", "{table}", "{object}"):
        query = query.replace(place, TABLE)
    operator = next(o for o in OPERATORS if o in rule)
    return SqlRule(str(rule.get("name") or query), query, operator, rule[operator])


def fault(rule: dict[str, Any]) -> str | None:
    """Why a rule of `type: sql` cannot be asked; None where it can."""
    import sqlglot
    from sqlglot import expressions as exp

    try:
        parsed = sqlglot.parse(rule_of(rule).query, read="spark")
    except sqlglot.errors.SqlglotError as error:
        return f"it is no SQL: {str(error).splitlines()[0]}"
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        return "it is not one SELECT"
    query = parsed[0]
    if len(query.selects) != 1:
        return "it does not select one number"
    ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if table.name not in {TABLE, *ctes} or table.db:
            return f"it reads {table.sql()}, and may read ${{table}} alone"
    if unknown := query.find(exp.Anonymous):
        return f"it calls {unknown.name}, which is no function of SQL"
    return None


def require(
    spark: SparkSession, rules: tuple[SqlRule, ...], staged: DataFrame, source: str
) -> None:
    """Ask each rule of the rows that would be published.

    Raises:
        TerminalError: a number is not what the contract asks for; names the rule.
    """
    if not rules:
        return
    staged.where(f"{BROKEN} IS NULL").createOrReplaceTempView(TABLE)
    for rule in rules:
        row = spark.sql(rule.query).first()
        number = row[0] if row else None
        if number is None or not OPERATORS[rule.operator][1](number, rule.value):
            raise TerminalError(
                f"The audit failed: '{rule.name}' gives {number}, and must {rule.says}.",
                where=source,
                fix=f"Look at the rows that it counts ({rule.query}); mend the file, or the "
                "contract's `quality` if the rule is wrong. The last good version stays published.",
            )
