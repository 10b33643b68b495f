"""Audit a staged table with a Great Expectations suite made from the contract's rules."""

from __future__ import annotations

import json
import threading
import uuid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError
from yupana.core.types import RawObject, RuleResult, ValidationResult
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import BROKEN, KEY_COUNT, MALFORMED, Rule

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def warm_up() -> None:
    """Import Great Expectations (5 s) beside the work that comes before the audit."""
    # Both import pyspark: two threads that do it at once meet half a module.
    import pyspark.sql.connect.session  # noqa: F401

    threading.Thread(target=_import_great_expectations, daemon=True).start()


def _import_great_expectations() -> None:
    import great_expectations  # noqa: F401


def audit(contract: Contract, staged: DataFrame, reports: Path) -> ValidationResult:
    """Run all rules in one validation; the result page and JSON are kept under `reports`.

    A rule passes while the share of rows that break it is within the contract's limit.
    """
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = (
        # All metrics come from one aggregate: filling a cache first costs more than it saves.
        context.data_sources.add_spark(contract.name, persist=False)
        .add_dataframe_asset(contract.name)
        .add_batch_definition_whole_dataframe("staged")
        .get_batch({"dataframe": staged})
    )
    suite = gx.ExpectationSuite(name=contract.name)
    for expectation in expectations(contract):
        suite.add_expectation(expectation)
    # No values in the result: a report must not repeat what a row says.
    result = batch.validate(
        suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 0}
    )
    identity = uuid.uuid4().hex[:12]
    page = _keep(result, reports / f"{contract.name}-{identity}")
    outcomes = tuple(
        RuleResult(
            rule=rule.name,
            broken=int(r.result.get("unexpected_count") or 0),
            rows=int(r.result.get("element_count") or 0),
        )
        for rule, r in zip(contract.rules, _in_order(result, contract), strict=True)
    )
    return ValidationResult(
        id=identity,
        success=bool(result.success),
        rows=max(o.rows for o in outcomes),
        rules=outcomes,
        report=str(page),
    )


def require(
    validation: ValidationResult, contract: Contract, staged: DataFrame, raw: RawObject
) -> None:
    """Stop the publication when a rule was broken by more rows than the contract allows.

    Args:
        raw: the file, or the files, that the rows came from.

    Raises:
        TerminalError: names the rule, how many rows broke it, and the first line that did.
    """
    if validation.success:
        return
    mend = f"mend the file, or expectations/{contract.name}/contract.yaml if the rule is wrong"
    low, high = contract.row_count
    if not low <= validation.rows <= (validation.rows if high is None else high):
        allowed = f"at least {low:,}" + (f" and at most {high:,}" if high is not None else "")
        raise TerminalError(
            f"The audit failed: the file has {validation.rows:,} rows, and the contract asks for "
            f"{allowed} (quality: rowCount).",
            where=raw.source,
            fix=f"Fetch it again, {mend}. The last good version stays published.",
        )
    # A rule that few of all rows break may be broken by too many of those that have a value.
    over = [r for r in validation.rules if r.broken > contract.limit * r.rows]
    worst = max(over or validation.rules, key=lambda r: r.broken)
    rule = next(r for r in contract.rules if r.name == worst.rule)
    others = ", ".join(f"{r.rule} {r.broken:,}" for r in over if r is not worst)
    late = "give the right day by --as-of, " if rule.kind == "not_after_release" else ""
    raise TerminalError(
        f"The audit failed: {worst.broken:,} of {worst.rows:,} rows break '{worst.rule}', and "
        f"the contract allows {100 * contract.limit:g}%." + (f" Also: {others}." if others else ""),
        where=_first(rule, staged, raw),
        fix=f"`yupana quarantine {contract.name}` shows lines, and {validation.report} counts; "
        f"{late}{mend}. The last good version stays published.",
    )


def _first(rule: Rule, staged: DataFrame, raw: RawObject) -> str:
    """File, line and column of the first row that breaks a rule."""
    broke = staged.where(f"array_contains(split({BROKEN}, ','), '{rule.name}')")
    sources = {file.sha256: file.source for file in raw.files}
    row = broke.orderBy("source_line", "source_sha256").select(
        "source_sha256", "source_line", MALFORMED
    ).first()  # fmt: skip
    source, line = (sources.get(row[0], raw.source), row[1]) if row else (raw.source, "?")
    if rule.kind == "parsed":
        # It says the columns and the shapes of their values.
        place = row[2] if row else "?"
    else:
        place = "the key" if rule.column == KEY_COUNT else f"column {rule.subject}"
    return f"{source}, first in line {line}, {place}"


def expectations(contract: Contract) -> list[Any]:
    """What Great Expectations is asked: one a rule, in their order, then the table's rows."""
    from great_expectations import expectations as gxe

    low, high = contract.row_count
    rows = gxe.ExpectTableRowCountToBeBetween(min_value=low, max_value=high)
    return [*(_expectation(rule, 1 - contract.limit) for rule in contract.rules), rows]


def _expectation(rule: Rule, mostly: float) -> Any:
    from great_expectations import expectations as gxe

    meta = {"column": rule.column, "mostly": mostly, "meta": {"rule": rule.name}}
    if rule.early:
        about = {"rule": rule.name, "column": rule.column}
        verdict = {**meta, "column": rule.verdict, "meta": about}
        return gxe.ExpectColumnValueLengthsToBeBetween(min_value=0, max_value=0, **verdict)
    if rule.kind == "parsed":
        return gxe.ExpectColumnValuesToBeNull(**meta)
    if rule.kind == "required":
        return gxe.ExpectColumnValuesToNotBeNull(**meta)
    if rule.kind == "codes":
        return gxe.ExpectColumnValuesToBeInSet(value_set=list(rule.values), **meta)
    if rule.kind in ("unique", "once", "names"):
        return gxe.ExpectColumnValuesToBeBetween(min_value=1, max_value=1, **meta)
    if rule.kind == "pattern":
        return gxe.ExpectColumnValuesToMatchRegex(regex=rule.values[0], **meta)
    low, high = rule.bounds
    if rule.kind == "length":
        return gxe.ExpectColumnValueLengthsToBeBetween(min_value=low, max_value=high, **meta)
    strict_low, strict_high = rule.strict
    return gxe.ExpectColumnValuesToBeBetween(
        min_value=low, max_value=high, strict_min=strict_low, strict_max=strict_high, **meta
    )


def _in_order(result: Any, contract: Contract) -> list[Any]:
    """Results in the order of the contract's rules: GX groups them by column."""
    by_rule = {
        r.expectation_config.meta.get("rule"): r
        for r in result.results
        if r.expectation_config.meta
    }
    return [by_rule[rule.name] for rule in contract.rules]


def _keep(result: Any, stem: Path) -> Path:
    """Write the result as JSON and as a page; returns the page's path."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer

    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".json").write_text(json.dumps(result.to_json_dict(), indent=1))
    page = stem.with_suffix(".html")
    page.write_text(_page_view().render(ValidationResultsPageRenderer().render(result)))
    return page


@cache
def _page_view() -> Any:
    """One for all pages: each compiles its own templates, which takes longer than a page."""
    from great_expectations.render.view import DefaultJinjaPageView

    return DefaultJinjaPageView()
