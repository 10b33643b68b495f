"""What of a contract will be enforced at an ingest, by which expectation, and what is only told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from yupana.data.contracts.contract import Contract
from yupana.data.contracts.file import ContractFile
from yupana.data.lake import catalogue
from yupana.validation import audit

_QUERY = "one SELECT of the good rows"


@dataclass(frozen=True)
class Enforcement:
    """A rule, what it asks of a row, the expectation that audits it, and the share (0 to 1) of rows
    that may break it before nothing is published."""

    rule: str
    says: str
    expectation: str
    limit: float


@dataclass(frozen=True)
class Remark:
    """A field that changes or refuses no row, and what it is for."""

    column: str
    field: str
    why: str


def enforcements(contract: Contract, day: date) -> list[Enforcement]:
    """The suite of a release of that day, as the audit runs it; none for files kept whole."""
    if contract.format == "object":
        return []
    dated = contract.at(day)
    *of_rules, rows = audit.expectations(dated)
    low, high = dated.row_count
    most = f" and at most {high:,}" if high is not None else ""
    return [
        *(
            Enforcement(rule.name, catalogue.says(rule), e.expectation_type, contract.limit)
            for rule, e in zip(dated.rules, of_rules, strict=True)
        ),
        Enforcement("rowCount", f"at least {low:,} rows{most}", rows.expectation_type, 0.0),
        *(Enforcement(q.name, f"{q.query} must {q.says}", _QUERY, 0.0) for q in dated.sql),
        *_of_change(dated),
    ]


def _of_change(contract: Contract) -> Iterator[Enforcement]:
    """The bounds against the release before, over which a person must accept."""
    bounds, by = contract.bounds, "the comparison with the release before"
    if bounds.rows is not None:
        says = f"between {bounds.rows:g} and {1 / bounds.rows:g} times the rows before"
        yield Enforcement("change.rows", says, by, 0.0)
    if bounds.past is not None:
        yield Enforcement("change.past", "rows of the past stay as they are", by, bounds.past)
    if bounds.periods:
        yield Enforcement("change.periods", "no period is gone", by, 0.0)


def remarks(contract: Contract, file: ContractFile) -> list[Remark]:
    """What the contract states and no rule enforces."""
    of_table = _of_table(file.content)
    table = file.content["schema"][0]
    return [*of_table, *(t for p in table.get("properties") or [] for t in _of(p, contract))]


def _of_table(content: dict[str, Any]) -> Iterator[Remark]:
    for entry in content.get("slaProperties") or []:
        acts = {"latency": "how late a period is complete", "frequency": "the DAG's schedule",
                "retention": "how long `yupana maintain` keeps raw files"}  # fmt: skip
        name = str(entry.get("property"))
        yield Remark("", name, acts.get(name, "for readers alone"))
    for rule in content["schema"][0].get("quality") or []:
        if rule.get("type") == "text":
            yield Remark("", f"quality: {rule.get('name') or 'text'}", "prose, for people")


def _of(column: dict[str, Any], contract: Contract) -> Iterator[Remark]:
    name = str(column["name"])
    own = next(c for c in contract.columns if c.name == name)
    rules = {rule.kind for rule in contract.rules if rule.column == name}
    if own.treatment == "drop":
        yield Remark(name, "classification: personal", "dropped at staging, so no rule looks at it")
    elif own.treatment == "pseudonymise":
        yield Remark(name, "treatment: pseudonymise", "kept under a keyed one-way name")
    elif own.treatment == "mask":
        yield Remark(name, "treatment: mask", "personal data in it becomes a word for its kind")
    elif column.get("classification"):
        yield Remark(name, f"classification: {column['classification']}", "told, changes nothing")
    if own.relation and "codes" not in rules:
        yield Remark(name, f"relation to {own.relation}", "told in the catalogue, not looked up")
    if own.outlier and own.flag:
        yield Remark(name, f"outlier: {own.outlier.action}", f"leaves {own.flag}, refuses no row")
    if own.unit:
        yield Remark(name, f"unit: {own.unit}", "shown; it may stand beside the numbers")
    for rule in column.get("quality") or []:
        if rule.get("type") == "text":
            yield Remark(name, f"quality: {rule.get('name') or 'text'}", "prose, for people")
