"""Ingest: fetch → land → stage → audit → publish, for any data set that has a contract."""

from __future__ import annotations

from datetime import UTC, date, datetime

from yupana.config.settings import Settings
from yupana.core import days
from yupana.core import reason as reasons
from yupana.core.errors import UsageError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.core.types import RawObject, StepResult
from yupana.data.contracts import contract as contracts
from yupana.data.contracts.checks import source
from yupana.data.contracts.contract import Contract
from yupana.data.files import landing
from yupana.data.lake import history
from yupana.data.publication import corrections, releases, withdrawn
from yupana.lineage import steps
from yupana.orchestration import files, many, publication
from yupana.orchestration.disk import outside_trouble
from yupana.orchestration.file_memory import Memory


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

    A location may mean several files (`yupana.data.contracts.locations`). Under `snapshot` those
    of a day are one release; else each is published by itself, in the order of names.

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
        UsageError: no such data set or file, a blank reason, `as_of` lies ahead, or is before what
            is published in a table that holds the rows of several files.
        TerminalError: the file is damaged, fails its audit, changes more than the contract's
            bounds allow, or was retracted; the last good version stays.
        SomeRefusedError: of several files some are refused, and the others are published.
        TransientError: the network, the disk or another process stood in the way.
    """
    contract = contracts.load(settings.root, name)
    reasons.in_words(accept)
    days.must_have_begun(as_of, today or datetime.now(UTC).date())
    if contract.stream:
        raise UsageError(
            f"'{name}' is a stream, not a file.",
            where=f"expectations/{name}/contract.yaml",
            fix=f"Run `yupana stream {name}`.",
        )
    alone = one_at_a_time(settings.lock(name), f"another ingest of {name}", progress)
    with alone, outside_trouble(settings):
        releases.settle(settings, name)
        where = location or contract.location
        if not location:
            source.refuse_link(where, settings.root)
        files.tell_left_out(settings, where, today, progress)
        pending = files.releases(settings, contract, where, as_of, since, today)
        memory = Memory(settings, name)

        def land(place: str, several: bool) -> tuple[RawObject, ...]:
            if not location:
                source.refuse_link(place, settings.root)
            return files.land_all(settings, contract, place, progress, memory if several else None)

        def publish(raw: RawObject, day: date | None, several: bool) -> StepResult:
            past = memory if several else None
            return _publish(settings, contract, raw, progress, day or as_of, past, accept)

        return many.ingest_all(contract, pending, land, publish, progress, memory)


def _publish(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    progress: Progress,
    as_of: date | None,
    memory: Memory | None,
    accept: str | None,
) -> StepResult:
    """Publish a file, or the files of a release; `memory` where it is one of several."""
    table = settings.table("published", contract.name)
    before = history.standing(
        table,
        source_sha256=raw.sha256,
        contract_sha256=contract.sha256,
        # Of several files that add up, one that comes late is known since it came.
        known_on=None if memory and contract.keeps else as_of,
        # Of several files that take each other's place in their order, each did so once.
        adds_up=contract.keeps and (memory is not None or contract.publication != "merge"),
        replaced=memory is None and contract.publication == "replace-period",
        publications=memory.publications() if memory else None,
    )
    if memory and as_of and not before:
        before = many.of_the_past(memory, raw, as_of)
    if before and memory and set(raw.refs) <= memory.ingested:
        return _pass_over(settings, contract.name, raw, before)

    def work() -> steps.Outcome:
        if before:
            return publication.recovery(settings, contract.name, before)
        if accept:
            releases.note(settings, "accept", contract.name, raw.ref, accept)
        committed = history.publications(table)
        if not accept or memory:
            withdrawn.must_not_be_withdrawn(contract.name, committed, raw)
        publications = history.in_order(committed)
        newest = max((p.known_on for p in publications if p.is_release), default=None)
        first_days = (landing.arrival_day(settings, file) for file in raw.files)
        known_on = as_of or max([*first_days, *(p.stands_on for p in publications)])
        if memory and contract.keeps and newest:
            known_on = max(known_on, newest)
        releases.must_follow(contract, newest, known_on)
        at = contract.at(known_on)
        out = publication.publish(settings, at, raw, known_on, progress, accept)
        for what in corrections.reminders(settings, contract.name, raw):
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


def _pass_over(
    settings: Settings, name: str, raw: RawObject, before: history.Publication
) -> StepResult:
    """A file among several that is published already: the log need not be read again."""
    outcome = publication.recovery(settings, name, before)
    return StepResult(
        step="ingest",
        subject=name,
        status="unchanged",
        inputs=raw.refs,
        outputs=outcome.outputs,
        metrics=outcome.metrics,
    )
