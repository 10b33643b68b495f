"""Publish the files that one location means: each by itself, or together as one release."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Progress
from yupana.core.types import RawObject, StepResult
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.locations import Release
from yupana.data.lake import history
from yupana.data.parsing import joined
from yupana.data.publication.withdrawn import WithdrawnError
from yupana.data.sources.http import RefusedError
from yupana.orchestration.file_memory import Memory, hold

Land = Callable[[str, bool], tuple[RawObject, ...]]
Publish = Callable[[RawObject, date | None, bool], StepResult]
_GONE = (404, 410)
_MOST_LISTED = 10


class SomeRefusedError(TerminalError):
    """Some files are refused; `result` is what became of all of them."""

    def __init__(self, result: StepResult, refusals: list[Refusal], count: int) -> None:
        listing = "\n         ".join(f"{r.source}: {r.error.what}" for r in refusals[:_MOST_LISTED])
        more = len(refusals) - _MOST_LISTED
        super().__init__(
            f"{len(refusals)} of {count} files or releases are refused; the others are published.",
            where=listing + (f"\n         and {more} more" if more > 0 else ""),
            fix=f"{refusals[0].error.fix} Run it again after: what is published is passed over.",
        )
        self.result = result


@dataclass(frozen=True)
class Refusal:
    """A file, or a release, and why it was refused."""

    source: str
    error: TerminalError


def together(contract: Contract) -> bool:
    """Whether the files of a release are one publication."""
    return contract.publication == "snapshot" and contract.format != "object"


def ingest_all(
    contract: Contract,
    releases: list[Release],
    land: Land,
    publish: Publish,
    progress: Progress,
    memory: Memory,
) -> StepResult:
    """Land and publish every release; one that is refused does not stop the others.

    Args:
        land: brings a location's file, told whether it is one of several; a zip may hold several.
        publish: publishes what landed, told its day and whether it is one of several.

    Returns:
        The newest publication's result; `files` in its metrics counts what became of all.

    Raises:
        SomeRefusedError: some were refused, and the others are published.
        TerminalError: the only one was refused.
        UsageError: no address has a file, and nothing was published before.
        TransientError: outside trouble; what was published before it stays.
    """
    run = _Run(contract, land, publish, progress, memory)
    for number, release in enumerate(releases, 1):
        if len(releases) > 1:
            label = release.day or release.locations[0]
            progress.say(f"{number} of {len(releases)}: {label}")
        if together(contract):
            run.one(release)
        else:
            run.each(release)
    return _combine(contract.name, releases, run)


@dataclass
class _Run:
    """Releases on their way, and what became of those before."""

    contract: Contract
    land: Land
    publish: Publish
    progress: Progress
    memory: Memory
    results: list[StepResult] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    absent: list[date] = field(default_factory=list)

    def one(self, release: Release) -> None:
        """Publish all files of a release in one commit."""
        parts: dict[str, RawObject] = {}
        faults: list[TerminalError] = []
        several = release.day is not None or len(release.locations) > 1
        where = _common_path(release.locations)
        try:
            for location in release.locations:
                try:
                    for raw in self.land(location, several):
                        content = self.memory.content_sha256(raw.sha256)
                        if same := parts.get(content):
                            again = f"{raw.source} is {same.source} again: it is taken once"
                            self.progress.say(again)
                        parts.setdefault(content, raw)
                except RefusedError as error:
                    if release.day and error.status in _GONE:
                        self.absent.append(release.day)
                        return
                    faults.append(error)
                except TerminalError as error:
                    faults.append(error)
            joined.refuse(faults, len(release.locations), where)
            raw = whole(self.contract.name, list(parts.values()))
            self.results.append(self.publish(raw, release.day, several or len(parts) > 1))
        except TerminalError as error:
            self.refusals.append(Refusal(where, error))

    def each(self, release: Release) -> None:
        """Publish each file of a release in a commit of its own."""
        count = len(release.locations)
        for number, location in enumerate(release.locations, 1):
            source = location
            try:
                raws = self.land(location, release.day is not None or count > 1)
                several = release.day is not None or count > 1 or len(raws) > 1
                for raw in raws:
                    source = raw.source
                    if several:
                        self.progress.say(f"file {number} of {count}: {source}")
                    file = hold(self.contract, self.memory, raw, several, self.progress)
                    self.results.append(self.publish(file, release.day, several))
            except TerminalError as error:
                if release.day and isinstance(error, RefusedError) and error.status in _GONE:
                    self.absent.append(release.day)
                else:
                    self.refusals.append(Refusal(source, error))


def of_the_past(memory: Memory, raw: RawObject, day: date) -> history.Publication | None:
    """The publication of this release on its day under an earlier contract, where a later day is
    published: it stays what was known then."""
    releases = [p for p in memory.publications() if p.is_release]
    if not any(p.known_on > day for p in releases):
        return None
    mine = [p for p in releases if (p.known_on, p.source_sha256) == (day, raw.sha256)]
    return mine[-1] if mine else None


def whole(name: str, files: list[RawObject]) -> RawObject:
    """Several files as one release; a single one is itself."""
    if len(files) == 1:
        return files[0]
    digest = hashlib.sha256("\n".join(sorted(f.sha256 for f in files)).encode()).hexdigest()
    return RawObject(
        dataset=name,
        path="",
        sha256=digest,
        size=sum(f.size for f in files),
        source=f"{_common_path([f.source for f in files])} ({len(files)} files)",
        parts=tuple(files),
    )


def _common_path(names: Sequence[str]) -> str:
    """What the names of files share: the only one, their zip, or their folder; else the first."""
    files = {name.partition("#")[0] for name in names}
    if len(files) == 1:
        return files.pop()
    if len({os.path.isabs(file) for file in files}) > 1:  # noqa: PTH117
        return f"{min(files)} and others"
    return os.path.commonpath(files) or "."


def _combine(name: str, releases: list[Release], run: _Run) -> StepResult:
    """What became of all releases, as one result."""
    results = run.results
    if not results and not run.refusals:
        if not (publications := run.memory.publications()):
            days = f"{releases[0].day} to {releases[-1].day}"
            raise UsageError(
                f"No file is there for {days}.",
                where=_common_path(releases[-1].locations),
                fix="Give the first day that has one by --since, or wait for the publisher.",
            )
        ref = f"delta:published/{name}@{publications[-1].version}"
        results = [
            StepResult(step="ingest", subject=name, status="unchanged", outputs=(ref,),
                       metrics={"rows": publications[-1].rows, "version": publications[-1].version})
        ]  # fmt: skip
    if not results and len(run.refusals) == 1 and len(releases) == 1:
        raise run.refusals[0].error
    # Among others, a file that a person took back is passed over, whenever the folder is read.
    retracted = [r for r in run.refusals if results and isinstance(r.error, WithdrawnError)]
    refusals = [r for r in run.refusals if r not in retracted]
    counts = {
        "published": sum(r.status == "done" for r in run.results),
        "already_published": sum(r.status == "unchanged" for r in run.results),
        "refused": len(refusals),
        "retracted": len(retracted),
        "absent_days": len(run.absent),
    }
    facts: dict[str, Any] = {"files": counts}
    facts["refusals"] = [{"source": r.source, "what": r.error.what} for r in refusals]
    result = _last(name, results)
    result = result.model_copy(
        update={
            "status": "done" if counts["published"] else "unchanged",
            "metrics": {**result.metrics, **facts},
            "seconds": round(sum(r.seconds for r in run.results), 2),
        }
    )
    if refusals:
        raise SomeRefusedError(result, refusals, len(run.results) + len(refusals))
    # One file alone is told as it always was.
    return result if len(results) + len(retracted) > 1 or run.absent else results[0]


def _last(name: str, results: list[StepResult]) -> StepResult:
    """The newest publication that came to be now, else the last that was there."""
    successes = [r for r in results if r.status == "done"] or results
    nothing = StepResult(step="ingest", subject=name, status="unchanged")
    return successes[-1] if successes else nothing
