"""One publication: stage → audit → quarantine → publish, of a landed file or batch."""

from __future__ import annotations

import shutil
import uuid
from datetime import date
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Progress, stage
from yupana.core.types import DatasetRef, RawObject, ValidationResult
from yupana.data import corrections, delta, history
from yupana.data.contract import Contract
from yupana.governance import steps
from yupana.governance.ledger import access
from yupana.orchestration import compared


def publish(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    known_on: date,
    progress: Progress,
    accept: str | None,
) -> steps.Outcome:
    """Parse, stage, audit and publish a landed file, or the files of a release.

    Args:
        contract: with its rules set for the release (`Contract.at`).
        accept: why a change over the contract's bounds is right.

    Raises:
        TerminalError: as `yupana.orchestration.ingest.ingest`; the last good version stays.
    """
    if contract.format == "object":
        return _publish_object(settings, contract, raw, known_on, progress)
    from yupana.data import engine, number_marks, sql_rules, staging
    from yupana.data import publish as tables
    from yupana.data.parsing import joined
    from yupana.validation.audit import audit, require, warm_up

    warm_up()
    seconds: dict[str, float] = {}
    if personal := [c.name for c in contract.columns if c.treatment != "none"]:
        for ref in raw.refs:
            access.note(settings, "file", ref, data_set=contract.name, columns=personal)
    before = _kept(settings, contract)
    change: dict[str, Any] = {}
    work = settings.home / "work" / contract.name
    shown = Path(raw.source).name
    try:
        with stage(progress, f"read {shown}", seconds):
            parsed = joined.parse(settings, contract, raw, work, progress)
        with stage(progress, f"start {engine.select(settings)}", seconds):
            session = engine.session(settings, progress, parsed.stat().st_size)
        with stage(progress, f"stage {shown}", seconds):
            staged = staging.stage(session, settings, contract, raw, parsed)
            rows = session.read.format("delta").load(staged.path)
        with stage(progress, f"audit {staged.rows:,} rows by Great Expectations", seconds):
            validation = audit(contract, rows, settings.reports / "validation")
        with stage(progress, "quarantine", seconds):
            aside = tables.quarantine(session, settings, contract, staged, raw)
        if not contract.stream:
            require(validation, contract, rows, raw)
            sql_rules.require(session, contract.sql, rows, raw.source)
            for doubt in number_marks.doubts(contract, rows) if aside.rows else ():
                progress.say(doubt)
            with stage(progress, "compare with the release before", seconds):
                change = compared.with_the_one_before(
                    settings, contract, raw, staged, known_on, accept
                )
        facts = _origin(contract, raw, validation, staged, aside, known_on)
        facts |= {"accepted": accept} if accept else {}
        with stage(progress, "publish", seconds):
            metadata = delta.commit_metadata(**facts)
            stale = _stale(settings, contract, raw)
            out = tables.publish(session, settings, contract, staged, raw, metadata, stale)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if staged.rows != out.rows + aside.rows:
        raise TerminalError(
            f"Row counts do not add up: read {staged.rows}, published {out.rows}, "
            f"quarantined {aside.rows}.",
            where=contract.name,
            fix="This is a fault of yupana: please report it with the event log.",
        )
    told = {
        **facts, **change, "version": out.version, "report": validation.report, "stages": seconds,
        "set_aside": compared.set_aside(aside, validation),
        "engine": engine.name(settings),
        "publisher": contract.publisher, "licence": contract.licence,
        "publication": contract.publication,
    }  # fmt: skip
    if contract.stream:
        told["broken"] = {r.rule: r.broken for r in validation.rules if r.broken}
    made = (out.ref, aside.ref, validation.ref)
    return steps.Outcome(made, inputs=(staged.ref, *before), metrics=told)


def _stale(settings: Settings, contract: Contract, raw: RawObject) -> dict[str, set[int]]:
    """Rows of corrections that the files bring again; a snapshot holds no earlier rows, and no
    batch of a stream comes again."""
    if not contract.keeps or contract.stream:
        return {}
    return corrections.judged_anew(settings, contract.name, raw)


def _kept(settings: Settings, contract: Contract) -> tuple[str, ...]:
    """The version whose rows the next one keeps where the file does not name them."""
    if contract.stream:
        # Its log may be long.
        table = settings.table("published", contract.name)
        there = delta.exists(table)
        return (delta.ref(settings.lake, "published", contract.name).ref,) if there else ()
    table = settings.table("published", contract.name)
    known = history.published_versions(table) if contract.keeps else []
    return (f"delta:published/{contract.name}@{known[-1].version}",) if known else ()


def _publish_object(
    settings: Settings, contract: Contract, raw: RawObject, known_on: date, progress: Progress
) -> steps.Outcome:
    from yupana.data import objects

    seconds: dict[str, float] = {}
    facts = release_facts(contract, raw, known_on, {"read": 1, "published": 1, "quarantined": 0})
    before = _kept(settings, contract)
    with stage(progress, f"publish {Path(raw.source).name}", seconds):
        out = objects.publish(settings, contract, raw, delta.commit_metadata(**facts))
    told = {**facts, "version": out.version, "stages": seconds}
    return steps.Outcome((out.ref,), inputs=before, metrics=told)


def _origin(
    contract: Contract,
    raw: RawObject,
    validation: ValidationResult,
    staged: DatasetRef,
    aside: DatasetRef,
    known_on: date,
) -> dict[str, Any]:
    """What the commit says of itself."""
    rows = {
        "read": staged.rows,
        "published": staged.rows - aside.rows,
        "quarantined": aside.rows,
    }
    return {**release_facts(contract, raw, known_on, rows), "validation": validation.id}


def release_facts(
    contract: Contract, raw: RawObject, known_on: date, rows: dict[str, int]
) -> dict[str, Any]:
    """What every commit to a published table says of itself."""
    return {
        "run": uuid.uuid4().hex,
        "rows": rows,
        "source": raw.source,
        "source_sha256": raw.sha256,
        **({"sources": raw.hashes} if raw.parts else {}),
        "known_on": str(known_on),
        "keeps": contract.keeps,
        "contract": contract.name,
        "contract_version": contract.version,
        "contract_sha256": contract.sha256,
    }


def recovered(name: str, before: history.Publication) -> steps.Outcome:
    """What a crash between the commit and its event left unsaid."""
    ref = f"delta:published/{name}@{before.version}"
    facts = {
        "rows": before.rows,
        "version": before.version,
        "source_sha256": before.source_sha256,
        "known_on": str(before.known_on),
        "contract_version": before.contract_version,
    }
    return steps.Outcome((ref, f"validation:{before.validation}"), metrics=facts)
