"""Ingest: fetch → land → stage → audit → publish, for any data set that has a contract."""

from __future__ import annotations

import errno
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress, stage
from yupana.core.types import DatasetRef, RawObject, StepResult, ValidationResult
from yupana.data import contract as contracts
from yupana.data import delta, history, landing, sources
from yupana.data.contract import Contract
from yupana.data.sources import Fetched
from yupana.data.streams import commit
from yupana.data.streams import spool as streams
from yupana.governance import steps
from yupana.governance.ledger import access


def ingest(
    settings: Settings,
    name: str,
    location: str | None,
    progress: Progress,
    *,
    as_of: date | None = None,
    today: date | None = None,
) -> StepResult:
    """Publish one file of a data set; a file that is published already starts no engine.

    Two ingests of one data set wait for each other. After a crash at any point, running it
    again completes it: no row twice, none lost.

    Args:
        location: path, URL or portal resource; None takes the contract's.
        as_of: the date on which this file was what was known, and after which no row of it may
            lie where the contract says so; default: when it first landed.
        today: the date that counts as today (UTC).

    Raises:
        UsageError: no such data set or file, or `as_of` is before what is published.
        TerminalError: the file is damaged or fails its audit; the last good version stays.
        TransientError: the network, the disk or another process stood in the way.
    """
    contract = contracts.load(settings.root, name)
    lock = settings.home / "locks" / f"{name}.lock"
    with one_at_a_time(lock, f"another ingest of {name}", progress), _outside_trouble(settings):
        if contract.stream:
            raise UsageError(
                f"'{name}' is a stream, not a file.",
                where=f"expectations/{name}/contract.yaml",
                fix=f"Run `yupana stream {name}`.",
            )
        fetched = sources.fetch(settings, name, location or contract.location, progress)
        raw = _landed(settings, contract, fetched)
        return _published(settings, contract, raw, progress, as_of, today)


def ingest_batch(
    settings: Settings, contract: Contract, batch: Fetched, progress: Progress
) -> StepResult:
    """Publish one batch of a stream, as `ingest` a file; raises as it does."""
    lock = settings.home / "locks" / f"{contract.name}.lock"
    waiting = f"another ingest of {contract.name}"
    with one_at_a_time(lock, waiting, progress), _outside_trouble(settings):
        raw = _landed(settings, contract, batch)
        return _published(settings, contract, raw, progress, None, None)


def _landed(settings: Settings, contract: Contract, fetched: Fetched) -> RawObject:
    def work() -> steps.Outcome:
        raw = landing.land(settings, contract.name, fetched, format=contract.format)
        facts = {
            "raw": raw.model_dump(),
            "publisher": contract.publisher,
            "licence": contract.licence,
            "contract_version": contract.version,
        }
        return steps.Outcome((raw.ref,), metrics=facts)

    found = steps.run(
        settings,
        "land",
        contract.name,
        work,
        depends_on=[fetched.shown, fetched.unchanged_sha256 or _stamp(fetched.path)],
        still_there=lambda refs: (
            landing.find(settings, contract.name, refs[0].removeprefix("raw:")) is not None
        ),
        anew=contract.stream,
    )
    return RawObject.model_validate(found.metrics["raw"])


def _stamp(path: Path) -> list[int]:
    """Size and time of change: whether the file must be hashed again."""
    return [path.stat().st_size, path.stat().st_mtime_ns]


def _published(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    progress: Progress,
    as_of: date | None,
    today: date | None,
) -> StepResult:
    table = settings.table("published", contract.name)
    # A table of many batches has a long history: its last transaction says whether to look.
    new = contract.stream and streams.number(settings, raw) > commit.last(table, contract.name)
    before = None if new else history.standing(
        table,
        source_sha256=raw.sha256,
        contract_sha256=contract.sha256,
        known_on=as_of,
        adds_up=contract.publication == "append" or contract.format == "object",
    )

    def work() -> steps.Outcome:
        if before:
            return _recovered(contract.name, before)
        if contract.stream:
            known_on = landing.first_seen(settings, raw)
            at = contract.at(streams.latest(settings, raw))
            return _publish(settings, at, raw, known_on, progress)
        newest = max((p.known_on for p in history.published_versions(table)), default=None)
        known_on = as_of or max(filter(None, [landing.first_seen(settings, raw), newest]))
        if newest and known_on < newest:
            raise UsageError(
                f"A file known on {known_on} cannot follow one known on {newest}.",
                where=f"published/{contract.name}",
                fix="Ingest files in the order in which they were known.",
            )
        return _publish(settings, contract.at(known_on), raw, known_on, progress)

    return steps.run(
        settings,
        "ingest",
        contract.name,
        work,
        inputs=(raw.ref,),
        depends_on=[contract.sha256, as_of],
        still_there=lambda _: before is not None,
        earlier=True,
        anew=new,
    )


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


def _publish(
    settings: Settings, contract: Contract, raw: RawObject, known_on: date, progress: Progress
) -> steps.Outcome:
    if contract.format == "object":
        return _publish_object(settings, contract, raw, known_on, progress)
    from yupana.data import engine, parsing, publish, staging
    from yupana.validation.audit import audit, require, warm_up

    warm_up()
    seconds: dict[str, float] = {}
    if personal := [c.name for c in contract.columns if c.treatment != "none"]:
        access.note(settings, "file", raw.ref, data_set=contract.name, columns=personal)
    before = _kept(settings, contract)
    work = settings.home / "work" / contract.name
    shown = Path(raw.source).name
    try:
        with stage(progress, f"read {shown}", seconds):
            parsed = parsing.parse(settings, contract, raw, work, progress)
        with stage(progress, f"start {engine.select(settings)}", seconds):
            session = engine.session(settings, progress, parsed.stat().st_size)
        with stage(progress, f"stage {shown}", seconds):
            staged = staging.stage(session, settings, contract, raw, parsed)
            rows = session.read.format("delta").load(staged.path)
        with stage(progress, f"audit {staged.rows:,} rows by Great Expectations", seconds):
            validation = audit(contract, rows, settings.reports / "validation")
        with stage(progress, "quarantine", seconds):
            aside = publish.quarantine(session, settings, contract, staged, raw)
        if not contract.stream:
            require(validation, contract, rows, raw.source)
        facts = _origin(contract, raw, validation, staged, aside, known_on)
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
        **facts, "version": out.version, "report": validation.report, "stages": seconds,
        "engine": engine.name(settings),
        "publisher": contract.publisher, "licence": contract.licence,
        "publication": contract.publication,
    }  # fmt: skip
    if contract.stream:
        told["broken"] = {r.rule: r.broken for r in validation.rules if r.broken}
    made = (out.ref, aside.ref, validation.ref)
    return steps.Outcome(made, inputs=(staged.ref, *before), metrics=told)


def _kept(settings: Settings, contract: Contract) -> tuple[str, ...]:
    """The version whose rows the next one keeps where the file does not name them."""
    if contract.stream:
        table = settings.table("published", contract.name)
        there = delta.exists(table)
        return (delta.ref(settings.lake, "published", contract.name).ref,) if there else ()
    keeps = contract.format == "object" or contract.publication in ("merge", "append")
    known = history.published_versions(settings.table("published", contract.name)) if keeps else []
    return (f"delta:published/{contract.name}@{known[-1].version}",) if known else ()


def _publish_object(
    settings: Settings, contract: Contract, raw: RawObject, known_on: date, progress: Progress
) -> steps.Outcome:
    from yupana.data import objects

    seconds: dict[str, float] = {}
    facts = _facts(contract, raw, known_on, {"read": 1, "published": 1, "quarantined": 0})
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
    return {**_facts(contract, raw, known_on, rows), "validation": validation.id}


def _facts(
    contract: Contract, raw: RawObject, known_on: date, rows: dict[str, int]
) -> dict[str, Any]:
    return {
        "run": uuid.uuid4().hex,
        "rows": rows,
        "source": raw.source,
        "source_sha256": raw.sha256,
        "known_on": str(known_on),
        "contract": contract.name,
        "contract_version": contract.version,
        "contract_sha256": contract.sha256,
    }


@contextmanager
def _outside_trouble(settings: Settings) -> Iterator[None]:
    """A full disk, met by Python or by the engine, is worth a retry once there is room.

    Raises:
        TransientError: names the folder and what to do.
    """
    try:
        yield
    except Exception as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        if full or "No space left on device" in str(error):
            free = shutil.disk_usage(settings.home).free / 2**20
            raise TransientError(
                "The disk is full; nothing was published.",
                where=f"{settings.home} ({free:,.0f} MiB free)",
                fix="Make room (`yupana maintain`), or move YUPANA_HOME, and run it again.",
            ) from error
        raise
