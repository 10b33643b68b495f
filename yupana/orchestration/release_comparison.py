"""The comparison of a release with the one before it, made before it is published."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from yupana.config.settings import Settings
from yupana.core import whole_file
from yupana.core.types import DatasetRef, RawObject, ValidationResult
from yupana.data.contracts.contract import Contract
from yupana.data.lake import history


def with_the_one_before(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    staged: DatasetRef,
    known_on: date,
    accept: str | None,
) -> dict[str, Any]:
    """Compare a staged file with what was known before it, and hold it to the contract's bounds.

    Returns:
        `change` (`change_words.summary`), `change_report` (the whole of it, JSON) and `warnings`;
        nothing for a first version.

    Raises:
        TerminalError: it lies over a bound, and nobody accepted that; the report is written.
    """
    from yupana.validation import changes
    from yupana.validation.changes import bounds, text

    table = settings.table("published", contract.name)
    published = history.published_versions(table)
    earlier = published if contract.keeps else [p for p in published if p.stands_on <= known_on]
    if not earlier:
        return {}
    before = earlier[-1]
    old = changes.of_version(table, before.tidy_version)
    new = changes.once_published(contract, old, staged.path, raw)
    comparison = changes.comparison(contract, (old, new), before.version, None)
    change = comparison.change
    report = settings.reports / "changes" / f"{contract.name}-{raw.sha256[:12]}-{known_on}.json"
    source = {"source": raw.source, "source_sha256": raw.sha256}
    whole_file.write_json(report, {**asdict(change), **source})
    if not accept:
        bounds.require(contract, comparison, raw.source, report)
    return {
        "change": text.summary(change),
        "change_report": str(report),
        "warnings": [
            *bounds.breaches(contract.bounds, comparison),
            *bounds.warnings(contract.bounds, comparison),
        ],
    }


def quarantine_summary(aside: DatasetRef, validation: ValidationResult) -> dict[str, Any]:
    """How many rows went to quarantine, and the rules that they broke, most first."""
    broken = sorted((-r.broken, r.rule) for r in validation.rules if r.broken)
    return {"rows": aside.rows, "rules": {rule: -count for count, rule in broken}}
