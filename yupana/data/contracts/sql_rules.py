"""Quality rules in SQL: one number asked of a file's good rows, and what it must be.

A query may read the staged rows and nothing else: it comes with a contract, and an engine's SQL
can open files and call programs. https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError
from yupana.data.contracts.rules import BROKEN

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


# An engine that is gone, or a full disk, is no fault of the query.
_OUTSIDE = ("No space left on device", "UNAVAILABLE", "failed to connect")
_WHY = (
    (r"divi\w+ by zero|divide_by_zero", "it divides by zero"),
    (r"overflow|out of range", "a number in it becomes too large"),
    (r"cast|malformed|parse|invalid_format", "a value cannot be read as the type that it wants"),
    (r"resolve|missing from|not found|no such", "it names what the table does not have"),
)


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
        number = _number(spark, rule, source)
        if not OPERATORS[rule.operator][1](number, rule.value):
            raise _failed(rule, f"gives {number:g}, and must {rule.says}", source)


def _number(spark: SparkSession, rule: SqlRule, source: str) -> float:
    """The one number that a query gives.

    Raises:
        TerminalError: it gives none, or the engine cannot run it; no value of a row is named.
    """
    from pyspark.errors import PySparkException

    try:
        rows = spark.sql(rule.query).limit(2).collect()
    except PySparkException as error:
        if any(sign in str(error) for sign in _OUTSIDE):
            raise
        # Not as its cause: an engine's message may hold what stood in a row.
        raise _failed(rule, f"cannot be asked: {_why(str(error))}", source) from None
    if len(rows) != 1 or len(rows[0]) != 1:
        many = "several rows" if rows else "no row"
        raise _failed(rule, f"gives {many}, and must give one number", source)
    value = rows[0][0]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        what = "nothing" if value is None else "something else"
        raise _failed(rule, f"gives {what}, and must give one number", source)
    number = float(value) if isinstance(value, Decimal) else value
    if not math.isfinite(number):
        raise _failed(rule, "gives no finite number", source)
    return number


def _why(message: str) -> str:
    """An engine's message in words, without what it quotes."""
    plain = message.lower()
    return next((why for sign, why in _WHY if re.search(sign, plain)), "the engine cannot run it")


def _failed(rule: SqlRule, what: str, source: str) -> TerminalError:
    return TerminalError(
        f"The audit failed: '{rule.name}' {what}.",
        where=source,
        fix=f"Look at the rows that it counts ({rule.query}); mend the file, or the "
        "contract's `quality` if the rule is wrong. The last good version stays published.",
    )
