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
from yupana.core.errors import TerminalError, TransientError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress, stage
from yupana.core.types import DatasetRef, RawObject, StepResult, ValidationResult
from yupana.data import contract as contracts
from yupana.data import delta, history, landing, releases, sources
from yupana.data.contract import Contract
from yupana.data.sources import Fetched
from yupana.governance import steps
from yupana.governance.ledger import access
from yupana.orchestration import compared


def ingest(
    settings: Settings,
    name: str,
    location: str | None,
    progress: Progress,
    *,
    as_of: date | None = None,
    today: date | None = None,
    accept: str | None = None,
) -> StepResult:
    """Publish one file of a data set; a file that is published already starts no engine.

    Two ingests of one data set wait for each other. After a crash at any point, running it
    again completes it: no row twice, none lost.

    Args:
        location: path, URL or portal resource; None takes the contract's.
        as_of: the date on which this file was what was known, and after which no row of it may
            lie where the contract says so; default: when it first landed.
        today: the date that counts as today (UTC).
        accept: why a change over the contract's bounds, or a file that was retracted, is right.

    Raises:
        UsageError: no such data set or file, or `as_of` is before what is published in a table
            that holds the rows of several files.
        TerminalError: the file is damaged, fails its audit, changes more than the contract's
            bounds allow, or was retracted; the last good version stays.
        TransientError: the network, the disk or another process stood in the way.
    """
    contract = contracts.load(settings.root, name)
    lock = settings.home / "locks" / f"{name}.lock"
    with one_at_a_time(lock, f"another ingest of {name}", progress), _outside_trouble(settings):
        fetched = sources.fetch(settings, name, location or contract.location, progress)
        raw = _landed(settings, contract, fetched)
        releases.settle(settings, name)
        return _published(settings, contract, raw, progress, as_of, today, accept)


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
    accept: str | None,
) -> StepResult:
    table = settings.table("published", contract.name)
    before = history.standing(
        table,
        source_sha256=raw.sha256,
        contract_sha256=contract.sha256,
        known_on=as_of,
        adds_up=contract.keeps and contract.publication != "merge",
    )

    def work() -> steps.Outcome:
        if before:
            return _recovered(contract.name, before)
        if accept:
            releases.note(settings, "accept", contract.name, raw.ref, accept)
        else:
            releases.must_not_be_retracted(settings, contract.name, raw.sha256)
        newest = max((p.known_on for p in history.published_versions(table)), default=None)
        known_on = as_of or max(filter(None, [landing.first_seen(settings, raw), newest]))
        releases.must_follow(contract, newest, known_on)
        return _publish(settings, contract.at(known_on), raw, known_on, progress, accept)

    result = steps.run(
        settings,
        "ingest",
        contract.name,
        work,
        inputs=(raw.ref,),
        depends_on=[contract.sha256, as_of],
        still_there=lambda _: before is not None,
        earlier=True,
    )
    # A release that came late is followed by the rows that are current.
    releases.settle(settings, contract.name)
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
        require(validation, contract, rows, raw.source)
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
