"""Maintain: compact tables, remove files that nothing refers to, forget files and use in time.

What something refers to stays readable, whatever its age: every version that an event of the log
names among what went in or came out, and every publication. Every removal leaves an event. A data
set's lock is held meanwhile: ingestion waits.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.core.types import StepResult
from yupana.data.lake import delta, history, maintenance
from yupana.data.lake.maintenance import TidyResult
from yupana.lineage import contents, events
from yupana.orchestration import disk, retention
from yupana.orchestration.housekeeping import PartResult, sentence

PARTS = ("compact", "vacuum", "forget")


def maintain(
    settings: Settings,
    part: str,
    progress: Progress,
    *,
    dry_run: bool = False,
    now: datetime | None = None,
) -> StepResult:
    """Do one part of the housekeeping, or all of it.

    Args:
        part: compact, vacuum, forget or all.
        dry_run: only tell what would be done, and how much of the disk will be taken.
        now: the time that counts as now (UTC).

    Returns:
        `outputs` are the versions that came to be; metrics tell files and bytes a part.

    Raises:
        UsageError: there is no such part.
        TransientError: a table was written to at the same time.
    """
    if part not in (*PARTS, "all"):
        raise UsageError(
            f"There is no part '{part}'.", where="maintain", fix=f"Use all, {', '.join(PARTS)}."
        )
    start = time.monotonic()
    moment = now or datetime.now(UTC)
    results = {
        name: _PART[name](settings, progress, dry_run, moment)
        for name in PARTS
        if part in (name, "all")
    }
    if faults := [fault for result in results.values() for fault in result.faults]:
        raise TerminalError(
            f"{len(faults)} could not be tidied: {'; '.join(faults)}.",
            where=str(settings.home),
            fix="All others were. Mend these; `yupana maintain --dry-run` looks again.",
        )
    changed = any(result.is_change for result in results.values())
    if dry_run:
        disk.say(settings, moment, progress)
    else:
        disk.keep(settings, moment)
    return StepResult(
        step="maintain",
        subject=part,
        status="done" if changed and not dry_run else "unchanged",
        outputs=tuple(ref for result in results.values() for ref in result.outputs),
        metrics={"dry_run": dry_run} | {name: r.metrics() for name, r in results.items()},
        seconds=round(time.monotonic() - start, 2),
    )


def references(settings: Settings) -> dict[tuple[str, str], set[int]]:
    """Versions that must stay readable, by zone and table."""
    by_table: dict[tuple[str, str], set[int]] = defaultdict(set)
    for ref in events.references(settings.events, "delta:"):
        zone, name, version = delta.parts(ref)
        by_table[zone, name].add(version)
    for zone, name in maintenance.tables(settings):
        if zone == "published":
            versions = history.publications(settings.table(zone, name))
            by_table[zone, name].update(p.version for p in versions)
    return by_table


def _compact(settings: Settings, progress: Progress, dry_run: bool, now: datetime) -> PartResult:
    return _each_table(
        settings,
        progress,
        dry_run,
        "compact",
        lambda zone, name: maintenance.compact(settings.table(zone, name), dry_run=dry_run),
    )


def _vacuum(settings: Settings, progress: Progress, dry_run: bool, now: datetime) -> PartResult:
    keep = references(settings)
    return _each_table(
        settings,
        progress,
        dry_run,
        "vacuum",
        lambda zone, name: maintenance.vacuum(
            settings.table(zone, name),
            keep[zone, name],
            days=settings.keep_days,
            dry_run=dry_run,
        ),
    )


def _each_table(
    settings: Settings,
    progress: Progress,
    dry_run: bool,
    step: str,
    work: Callable[[str, str], TidyResult],
) -> PartResult:
    """Do `work` on every table; an event for each that it changed."""
    tables: dict[str, dict[str, int]] = {}
    result = PartResult(details={"tables": tables})
    for zone, name in maintenance.tables(settings):
        start = time.monotonic()
        try:
            with one_at_a_time(settings.lock(name), f"an ingest of {name}", progress):
                before = delta.version_of(settings.table(zone, name))
                # Its event vouches for what it leaves: so nothing else may have changed it.
                contents.demand_base(settings, f"delta:{zone}/{name}@{before}")
                change = work(zone, name)
        # Whatever is wrong with one table, the others are tidied first.
        except Exception as error:
            result.faults.append(f"{step} {zone}/{name}: {sentence(error)}")
            continue
        if change.nothing:
            continue
        subject = f"{zone}/{name}"
        count = len(change.files)
        progress.say(
            f"{step} {subject}: {'would touch' if dry_run else 'touched'} {count} files, "
            f"{change.bytes / 2**20:,.1f} MiB"
        )
        result.files += count
        result.bytes += change.bytes
        tables[subject] = {"files": count, "bytes": change.bytes}
        if dry_run:
            continue
        ref = f"delta:{subject}@{change.version}"
        result.outputs.append(ref)
        events.append(
            settings,
            step,
            subject,
            status="done",
            # The same rows under a new number: a trace must lead through it.
            inputs=(f"delta:{subject}@{before}",),
            outputs=(ref,),
            seconds=time.monotonic() - start,
            facts={"files": count, "bytes": change.bytes, "names": list(change.files)},
        )
    return result


_PART = {"compact": _compact, "vacuum": _vacuum, "forget": retention.forget}
