"""Ingest: fetch → land → stage → audit → publish, for any data set that has a contract."""

from __future__ import annotations

import shutil
import uuid
from datetime import date
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress, stage
from yupana.core.types import DatasetRef, RawObject, StepResult, ValidationResult
from yupana.data import contract as contracts
from yupana.data import corrections, delta, history, landing, releases
from yupana.data.contract import Contract
from yupana.governance import steps
from yupana.governance.ledger import access
from yupana.orchestration import compared, files, many
from yupana.orchestration.disk import outside_trouble


def ingest(
    settings: Settings,
    name: str,
    location: str | None,
    progress: Progress,
    *,
    as_of: date | None = None,
    since: date | None = None,
    today: date | None = None,
    accept: str | None = None,
) -> StepResult:
    """Publish what a location means of a data set; what is published already starts no engine.

    A location may mean several files (`yupana.data.sources.many`). Under `snapshot` those of a
    day are one release; else each is published by itself, in the order of names.

    Two ingests of one data set wait for each other. After a crash at any point, running it
    again completes it: no row twice, none lost.

    Args:
        location: path, URL or portal resource; None takes the contract's.
        as_of: the date on which this file was what was known, and after which no row of it may
            lie where the contract says so; default: when it first landed. Where the location
            has a `{date}`, the file of this date alone.
        since: the first day of a location with `{date}`; default of an address: the day after
            the newest that is published.
        today: the date that counts as today (UTC).
        accept: why a change over the contract's bounds, or a file that was retracted, is right.

    Raises:
        UsageError: no such data set or file, or `as_of` is before what is published in a table
            that holds the rows of several files.
        TerminalError: the file is damaged, fails its audit, changes more than the contract's
            bounds allow, or was retracted; the last good version stays.
        SomeRefusedError: of several files some are refused, and the others are published.
        TransientError: the network, the disk or another process stood in the way.
    """
    contract = contracts.load(settings.root, name)
    lock = settings.home / "locks" / f"{name}.lock"
    with one_at_a_time(lock, f"another ingest of {name}", progress), outside_trouble(settings):
        releases.settle(settings, name)
        where = location or contract.location
        wanted = files.releases(settings, contract, where, as_of, since, today)
        memory = many.Memory(settings, name)

        def land(place: str, several: bool) -> tuple[RawObject, ...]:
            return files.landed(settings, contract, place, progress, memory if several else None)

        def publish(raw: RawObject, day: date | None, several: bool) -> StepResult:
            known = memory if several else None
            return _published(settings, contract, raw, progress, day or as_of, known, accept)

        return many.ingest_all(contract, wanted, land, publish, progress, memory)


def _published(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    progress: Progress,
    as_of: date | None,
    memory: many.Memory | None,
    accept: str | None,
) -> StepResult:
    """Publish a file, or the files of a release; `memory` where it is one of several."""
    table = settings.table("published", contract.name)
    before = history.standing(
        table,
        source_sha256=raw.sha256,
        contract_sha256=contract.sha256,
        known_on=as_of,
        # Of several files that take each other's place in their order, each did so once.
        adds_up=contract.keeps and (memory is not None or contract.publication != "merge"),
        replaced=memory is None and contract.publication == "replace-period",
        known=memory.publications() if memory else None,
    )
    if memory and as_of and not before:
        before = many.of_the_past(memory, raw, as_of)
    if before and memory and set(raw.refs) <= memory.ingested:
        return _passed_over(contract.name, raw, before)

    def work() -> steps.Outcome:
        if before:
            return _recovered(contract.name, before)
        if accept:
            releases.note(settings, "accept", contract.name, raw.ref, accept)
        else:
            releases.must_not_be_retracted(settings, contract.name, raw.sha256)
        newest = max((p.known_on for p in history.published_versions(table)), default=None)
        seen = (landing.first_seen(settings, file) for file in raw.files)
        known_on = as_of or max(filter(None, [*seen, newest]))
        releases.must_follow(contract, newest, known_on)
        out = _publish(settings, contract.at(known_on), raw, known_on, progress, accept)
        for what in corrections.left_behind(settings, contract.name, raw):
            progress.say(what)
        return out

    result = steps.run(
        settings,
        "ingest",
        contract.name,
        work,
        inputs=raw.refs,
        depends_on=[contract.sha256, as_of],
        still_there=lambda _: before is not None,
        earlier=True,
    )
    if result.status == "done":
        # A release that came late is followed by the rows that are current.
        releases.settle(settings, contract.name)
        if memory:
            memory.forget()
    return result


def _recovered(name: str, before: history.Publication) -> steps.Outcome:
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


def _passed_over(name: str, raw: RawObject, before: history.Publication) -> StepResult:
    """A file among several that is published already: the log need not be read again."""
    told = _recovered(name, before)
    return StepResult(
        step="ingest",
        subject=name,
        status="unchanged",
        inputs=raw.refs,
        outputs=told.outputs,
        metrics=told.metrics,
    )


def _publish(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    known_on: date,
    progress: Progress,
    accept: str | None,
) -> steps.Outcome:
    if contract.format == "object":
        return _publish_object(settings, contract, raw, known_on, progress)
    from yupana.data import engine, publish, sql_rules, staging
    from yupana.data.parsing import joined
    from yupana.validation.audit import audit, require, warm_up

    warm_up()
    seconds: dict[str, float] = {}
    if personal := [c.name for c in contract.columns if c.treatment != "none"]:
        for ref in raw.refs:
            access.note(settings, "file", ref, data_set=contract.name, columns=personal)
    before = _kept(settings, contract)
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
            aside = publish.quarantine(session, settings, contract, staged, raw)
        require(validation, contract, rows, raw)
        sql_rules.require(session, contract.sql, rows, raw.source)
        with stage(progress, "compare with the release before", seconds):
            change = compared.with_the_one_before(
                settings, contract, raw, staged, known_on, accept
            )
        facts = _origin(contract, raw, validation, staged, aside, known_on)
        facts |= {"accepted": accept} if accept else {}
        with stage(progress, "publish", seconds):
            metadata = delta.commit_metadata(**facts)
            out = publish.publish(session, settings, contract, staged, raw, metadata)
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
    made = (out.ref, aside.ref, validation.ref)
    return steps.Outcome(made, inputs=(staged.ref, *before), metrics=told)


def _kept(settings: Settings, contract: Contract) -> tuple[str, ...]:
    """The version whose rows the next one keeps where the file does not name them."""
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
        "contract": contract.name,
        "contract_version": contract.version,
        "contract_sha256": contract.sha256,
    }
