"""Releases out of order, taken back and made current again: new commits, never another history.

Delta's newest version always holds the rows that are current, because that is what readers take.
So a commit that leaves other rows there (a release that came late) is followed by one that puts
the current ones back, and whoever comes next makes up for a crash between the two (`settle`).
"""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core import reason as reasons
from yupana.core.errors import TerminalError, UsageError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.core.types import StepResult
from yupana.data.contracts import contract as contracts
from yupana.data.contracts.contract import Contract
from yupana.data.lake import delta, history
from yupana.data.lake.history import Publication
from yupana.data.publication import mended_rows
from yupana.identity import actors
from yupana.ledger import entries, pseudonyms, writer
from yupana.lineage import events

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable


def settle(settings: Settings, name: str) -> None:
    """Put the rows of the current publication back where a crash left a late release's.

    The caller holds the data set's lock.

    Raises:
        TerminalError: files of the current version are gone.
    """
    table = settings.table("published", name)
    versions = history.published_versions(table)
    if not versions:
        return
    current, newest = versions[-1], delta.version_of(table)
    if current.tidy_version != newest:
        _put_back(table, current, {"stands": current.version})
        newest = delta.version_of(table)
    facts = delta.commit_facts(table, newest)
    if "stands" in facts and "retracts" not in facts:
        _tell(settings, "settle", name, (_ref(name, current.version),), newest, {})


def must_follow(contract: Contract, newest: date | None, known_on: date) -> None:
    """Refuse a file older than what is published, where its table holds the rows of several.

    Raises:
        UsageError: what later files left there cannot be told apart from what was there before.
    """
    if not contract.keeps:
        return
    if newest is not None and known_on < newest:
        raise UsageError(
            f"A file known on {known_on} cannot come before one known on {newest}: under "
            f"`publication: {contract.publication}` a version holds the rows of several files.",
            where=f"published/{contract.name}",
            fix=f"Leave --as-of out, or give {newest} or later: known since then is what it is.",
        )


def retract(
    settings: Settings, name: str, version: int, reason: str, progress: Progress
) -> StepResult:
    """Take a version back: it answers for no day any more, and the one before it does.

    Its rows stay in the log, and are read where its version is named. Where nothing is left, the
    table is empty. Running it again completes what a crash left undone.

    Raises:
        UsageError: no such version or reason, or later ones hold its rows (append, merge, periods,
            corrections).
        TerminalError: files of the version before it are gone.
    """
    reasons.in_words(reason)
    contract = contracts.load(settings.root, name)
    table = settings.table("published", name)
    with one_at_a_time(settings.lock(name), f"an ingest of {name}", progress):
        settle(settings, name)
        target = history.at_version(table, version)
        if target.retracted:
            mended_rows.settle_quarantine(settings, name)
            return _again(settings, name, target)
        standing = [p for p in history.published_versions(table) if p.version != target.version]
        _must_be_last(contract, target, standing)
        current = standing[-1] if standing else None
        facts = {"retracts": target.version, "reason": reason}
        facts |= {"stands": current.version if current else None, "known_on": str(target.known_on)}
        _put_back(table, current, facts)
        mended_rows.settle_quarantine(settings, name)
        return _retracted(settings, name, facts, delta.version_of(table))


def restore(
    settings: Settings, name: str, version: int, reason: str, progress: Progress, today: date
) -> StepResult:
    """Make the rows of an earlier version current again: a publication known from today on.

    Raises:
        UsageError: no such version; it was retracted, and there is no reason; or that is blank.
        TerminalError: its files are gone.
    """
    reasons.in_words(reason or None)
    contracts.load(settings.root, name)
    table = settings.table("published", name)
    with one_at_a_time(settings.lock(name), f"an ingest of {name}", progress):
        settle(settings, name)
        target = history.at_version(table, version)
        if target.retracted and not reason:
            raise UsageError(
                f"Version {target.version} was retracted: {target.retracted}",
                where=f"published/{name}",
                fix="Say why it is right after all: --reason TEXT.",
            )
        standing = history.published_versions(table)
        current = standing[-1] if standing else None
        if current is None or target.version not in (current.version, current.restores):
            since = max(today, current.known_on) if current else today
            stands_on = current.stands_on if current else today
            facts = {
                **delta.commit_facts(table, target.version), "known_on": str(since),
                "stands_on": str(max(stands_on, target.stands_on)),
                "restores": target.version, "reason": reason, "run": uuid.uuid4().hex,
            }  # fmt: skip
            facts.pop("accepted", None)
            _put_back(table, target, facts)
            current = history.at_version(table)
        mended_rows.settle_quarantine(settings, name)
        facts = {**delta.commit_facts(table, current.version), "version": current.version}
        if current.restores is None:
            return _unchanged("restore", name, current.version, facts)
        inputs = (_ref(name, current.restores),)
        return _tell(settings, "restore", name, inputs, current.version, facts)


def _must_be_last(contract: Contract, target: Publication, others: list[Publication]) -> None:
    later = [
        str(p.version)
        for p in others
        if p.restores == target.version
        or (p.version > target.version and (p.keeps or _holds(p, target)))
    ]
    if later:
        raise UsageError(
            f"Later versions hold rows of version {target.version}: {', '.join(later)}.",
            where=f"published/{contract.name}, publication: {contract.publication}",
            fix="Retract them first, the newest first, and ingest their files again with "
            "--accept-change; or publish the right file for these rows.",
        )


def _holds(p: Publication, target: Publication) -> bool:
    """Whether a later snapshot holds rows of a release that it mends, or of an earlier
    correction."""
    own = target.mends and target.source_sha256 in p.sources
    return p.mends == target.source_sha256 or bool(own)


def _put_back(table: Path, source: Publication | None, facts: dict[str, Any]) -> None:
    """A commit with the rows of a publication, or with none, and what it says of itself."""
    from deltalake import CommitProperties, DeltaTable
    from deltalake.exceptions import DeltaError

    loaded = DeltaTable(table)
    before = loaded.version()
    properties = CommitProperties(custom_metadata={"userMetadata": delta.commit_metadata(**facts)})
    if source is None:
        loaded.delete(commit_properties=properties)
        if loaded.version() == before:
            # Without a row there is nothing to delete, and no commit.
            _say(loaded, properties)
    elif source.tidy_version == loaded.version():
        # delta-rs restores no version that is the newest.
        _say(loaded, properties)
    else:
        try:
            loaded.restore(source.tidy_version, commit_properties=properties)
        except (DeltaError, FileNotFoundError) as error:
            raise TerminalError(
                f"The files of version {source.version} are gone.",
                where=str(table),
                detail=str(error),
                fix=f"Ingest its file again: {source.source} (SHA-256 {source.source_sha256}).",
            ) from error


def _say(loaded: DeltaTable, properties: CommitProperties) -> None:
    """A commit without rows, for what it says of itself."""
    import pyarrow as pa
    from deltalake import write_deltalake

    none = pa.schema(loaded.schema().to_arrow()).empty_table()
    write_deltalake(loaded, none, mode="append", commit_properties=properties)


def _again(settings: Settings, name: str, target: Publication) -> StepResult:
    """The retraction that was made already, and its event where a crash left it out."""
    table = settings.table("published", name)
    upto = delta.version_of(table)
    for version in range(target.version + 1, upto + 1):
        facts = delta.commit_facts(table, version)
        if facts.get("retracts") == target.version:
            return _retracted(settings, name, facts, version)
    raise TerminalError(
        f"The log of '{name}' does not say when version {target.version} was retracted.",
        where=str(table),
        fix="This is a fault of yupana: please report it with the event log.",
    )


def _retracted(settings: Settings, name: str, facts: dict[str, Any], version: int) -> StepResult:
    # The retracted version is no input: what stands now does not rest on it.
    stands = facts.get("stands")
    inputs = (f"delta:published/{name}@{stands}",) if stands is not None else ()
    return _tell(settings, "retract", name, inputs, version, {**facts, "version": version})


def _tell(
    settings: Settings,
    step: str,
    name: str,
    inputs: tuple[str, ...],
    version: int,
    facts: dict[str, Any],
) -> StepResult:
    """The event of a commit, in the log and the ledger, unless it is there."""
    output = _ref(name, version)
    if events.last_done(settings.events, step, name, lambda e: output in e["outputs"]):
        return _unchanged(step, name, version, facts)
    if step != "settle":
        note(settings, step, name, output, str(facts.get("reason", "")))
    event = events.append(
        settings, step, name, status="done", inputs=inputs, outputs=(output,), facts=facts
    )
    return StepResult(step=step, subject=name, status="done", inputs=inputs, outputs=(output,),
                      metrics=facts, event=event)  # fmt: skip


def note(settings: Settings, what: str, name: str, ref: str, reason: str) -> None:
    """Record in the ledger that a person decided on a file or a version, and why."""
    actor = pseudonyms.pseudonym(settings, actors.here()[0])
    facts = {"what": what, "ref": ref, "reason": reason}
    writer.append(settings, [entries.Entry("release", name, facts, actor)])


def _unchanged(step: str, name: str, version: int, facts: dict[str, Any]) -> StepResult:
    output = (_ref(name, version),)
    return StepResult(step=step, subject=name, status="unchanged", outputs=output, metrics=facts)


def _ref(name: str, version: int) -> str:
    return f"delta:published/{name}@{version}"
