"""One publication: stage → audit → quarantine → publish, of a landed file or batch."""

from __future__ import annotations

import shutil
import uuid
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Progress, stage
from yupana.core.types import DatasetRef, RawObject, ValidationResult
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import BROKEN
from yupana.data.lake import delta, history, reading
from yupana.data.publication import corrections
from yupana.identity import activity
from yupana.lineage import events, steps
from yupana.orchestration import release_comparison


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
    from yupana.data import engine
    from yupana.data.parsing import joined
    from yupana.data.publication import publish as tables
    from yupana.data.staging import former, personal
    from yupana.validation.audit import audit, warm_up

    warm_up()
    note_access(settings, contract, raw)
    before = _version_before(settings, contract)
    seconds: dict[str, float] = {}
    change: dict[str, Any] = {}
    set_aside: tuple[str, ...] = ()
    work = settings.home / "work" / contract.name
    try:
        with stage(progress, f"read {Path(raw.source).name}", seconds):
            parsed = joined.parse(settings, contract, raw, work, progress)
        moved = former.sentences(contract, parsed)
        for what in moved:
            progress.say(what)
        session, staged, rows = staged_rows(settings, contract, raw, parsed, progress, seconds)
        if masked := personal.masked_by_kind(contract, staged):
            progress.say("masked: " + ", ".join(f"{n:,} {kind}" for kind, n in masked.items()))
        tables.require_types(session, settings, contract, staged)
        with stage(progress, f"audit {staged.rows:,} rows by Great Expectations", seconds):
            validation = audit(contract, rows, settings.reports / "validation")
            if contract.stream:
                validation = _as_set_aside(validation, staged)
        with stage(progress, "quarantine", seconds):
            aside = tables.quarantine(session, settings, contract, staged, raw)
            set_aside = (aside.ref,)
        if not contract.stream:
            _require(session, contract, raw, rows, validation, aside, progress)
            with stage(progress, "compare with the release before", seconds):
                change = release_comparison.with_the_one_before(
                    settings, contract, raw, staged, known_on, accept
                )
        facts = _origin(contract, raw, validation, staged, aside, known_on)
        facts |= {"accepted": accept} if accept else {}
        with stage(progress, "publish", seconds):
            metadata = delta.commit_metadata(**facts)
            stale = _stale(settings, contract, raw)
            out = tables.publish(session, settings, contract, staged, raw, metadata, stale)
    except Exception:
        if set_aside:
            # These rows stay for people to look at, though nothing is published.
            events.append(settings, "quarantine", contract.name, status="done", outputs=set_aside)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    _must_add_up(contract, staged, out, aside)
    metrics = {
        **facts, **change, "version": out.version, "report": validation.report, "stages": seconds,
        **({"moved": moved} if moved else {}),
        **({"masked": masked} if masked else {}),
        "set_aside": release_comparison.quarantine_summary(aside, validation),
        "engine": engine.name(settings), **terms_of_use(contract),
    }  # fmt: skip
    if contract.stream:
        metrics["broken"] = {r.rule: r.broken for r in validation.rules if r.broken}
    outputs = (out.ref, aside.ref, validation.ref)
    files = (page := Path(validation.report), page.with_suffix(".json"))
    return steps.Outcome(outputs, (staged.ref, *before), metrics, files)


def note_access(settings: Settings, contract: Contract, raw: RawObject) -> None:
    """Write into the ledger that files with personal columns are read."""
    if personal := [c.name for c in contract.columns if c.treatment != "none"]:
        for ref in raw.refs:
            activity.note_access(settings, "file", ref, data_set=contract.name, columns=personal)


def terms_of_use(contract: Contract) -> dict[str, str]:
    """Whose the data are, and how a new release takes the place of the one before."""
    return {
        "publisher": contract.publisher,
        "licence": contract.licence,
        "publication": contract.publication,
    }


class Staged(NamedTuple):
    """The engine's session, the staged table, and its rows (a data frame of that session)."""

    session: Any
    table: DatasetRef
    rows: Any


def staged_rows(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    parsed: Path,
    progress: Progress,
    seconds: dict[str, float],
) -> Staged:
    """Start the engine and stage a file's rows.

    Args:
        parsed: the rows as text (`yupana.data.parsing`).
    """
    from yupana.data import engine, staging

    with stage(progress, f"start {engine.select(settings)}", seconds):
        session = engine.session(settings, progress, parsed.stat().st_size)
    with stage(progress, f"stage {Path(raw.source).name}", seconds):
        staged = staging.stage(session, settings, contract, raw, parsed)
        rows = session.read.format("delta").load(staged.path)
    return Staged(session, staged, rows)


def _require(
    session: Any,
    contract: Contract,
    raw: RawObject,
    rows: Any,
    validation: ValidationResult,
    aside: DatasetRef,
    progress: Progress,
) -> None:
    """Stop a release that its contract refuses as a whole; say what is doubtful in another.

    Raises:
        TerminalError: names the rule, and rows that break it.
    """
    from yupana.data.contracts import sql_rules
    from yupana.data.staging import number_text
    from yupana.validation.audit import require

    require(validation, contract, rows, raw)
    sql_rules.require(session, contract.sql, rows, raw.source)
    for doubt in number_text.doubts(contract, rows) if aside.rows else ():
        progress.say(doubt)


def _must_add_up(
    contract: Contract, staged: DatasetRef, out: DatasetRef, aside: DatasetRef
) -> None:
    if staged.rows != out.rows + aside.rows:
        raise TerminalError(
            f"Row counts do not add up: read {staged.rows}, published {out.rows}, "
            f"quarantined {aside.rows}.",
            where=contract.name,
            fix="This is a fault of yupana: please report it with the event log.",
        )


def _as_set_aside(validation: ValidationResult, staged: DatasetRef) -> ValidationResult:
    """The audit with the rules that messages are set aside for: to it, all of a message that
    cannot be read is empty, and would break what is required as well."""
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    rows = reading.dataset(DeltaTable(staged.path, version=staged.version))
    names = rows.to_table(columns=[BROKEN], filter=pc.field(BROKEN).is_valid())[BROKEN]
    broken = Counter(rule for row in names.to_pylist() for rule in row.split(","))
    rules = tuple(r.model_copy(update={"broken": broken[r.rule]}) for r in validation.rules)
    return validation.model_copy(update={"rules": rules})


def _stale(settings: Settings, contract: Contract, raw: RawObject) -> dict[str, set[int]]:
    """Rows of corrections that the files bring again; a snapshot holds no earlier rows, and no
    batch of a stream comes again."""
    if not contract.keeps or contract.stream:
        return {}
    return corrections.superseded_lines(settings, contract.name, raw)


def _version_before(settings: Settings, contract: Contract) -> tuple[str, ...]:
    """The version whose rows the next one keeps where the file does not name them."""
    if contract.stream:
        # Its log may be long.
        table = settings.table("published", contract.name)
        there = delta.exists(table)
        return (delta.ref(settings.lake, "published", contract.name).ref,) if there else ()
    table = settings.table("published", contract.name)
    publications = history.published_versions(table) if contract.keeps else []
    return (f"delta:published/{contract.name}@{publications[-1].version}",) if publications else ()


def _publish_object(
    settings: Settings, contract: Contract, raw: RawObject, known_on: date, progress: Progress
) -> steps.Outcome:
    from yupana.data.publication import objects

    seconds: dict[str, float] = {}
    facts = release_facts(contract, raw, known_on, {"read": 1, "published": 1, "quarantined": 0})
    before = _version_before(settings, contract)
    with stage(progress, f"publish {Path(raw.source).name}", seconds):
        out = objects.publish(settings, contract, raw, delta.commit_metadata(**facts))
    metrics = {**facts, "version": out.version, "stages": seconds}
    return steps.Outcome((out.ref,), inputs=before, metrics=metrics)


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


def recovery(settings: Settings, name: str, before: history.Publication) -> steps.Outcome:
    """What a crash between the commit and its event left unsaid."""
    ref = f"delta:published/{name}@{before.version}"
    facts = {
        "rows": before.rows,
        "version": before.version,
        "source_sha256": before.source_sha256,
        "known_on": str(before.known_on),
        "contract_version": before.contract_version,
    }
    stem = settings.reports / "validation" / f"{name}-{before.validation}"
    files = tuple(filter(Path.exists, (stem.with_suffix(".html"), stem.with_suffix(".json"))))
    return steps.Outcome((ref, f"validation:{before.validation}"), metrics=facts, files=files)
