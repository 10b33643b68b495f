"""Maintain: compact tables, remove files that nothing refers to, forget files and use in time.

What something refers to stays readable, whatever its age: every version that the event log
mentions (`delta:<zone>/<table>@<version>`, anywhere in it) and every publication. Every removal
leaves an event. A data set's lock is held meanwhile: ingestion waits.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.core.types import StepResult
from yupana.data import contract as contracts
from yupana.data import delta, history, maintenance
from yupana.data.maintenance import Tidied
from yupana.governance import events, usage

PARTS = ("compact", "vacuum", "forget")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"delta:(\w+)/(\w+)@(\d+)")


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
        dry_run: only tell what would be done.
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
    outputs: list[str] = []
    faults: list[str] = []
    metrics: dict[str, Any] = {"dry_run": dry_run}
    for name in PARTS:
        if part in (name, "all"):
            done = _PART[name](settings, progress, dry_run, now or datetime.now(UTC))
            outputs += done.pop("outputs", [])
            faults += done.pop("faults", [])
            metrics[name] = done
    if faults:
        raise TerminalError(
            f"{len(faults)} could not be tidied: {'; '.join(faults)}.",
            where=str(settings.home),
            fix="All others were. Mend these; `yupana maintain --dry-run` looks again.",
        )
    made = [metrics[name] for name in PARTS if name in metrics]
    changed = any(m["files"] or any(m.get("rows", {}).values()) for m in made)
    return StepResult(
        step="maintain",
        subject=part,
        status="done" if changed and not dry_run else "unchanged",
        outputs=tuple(outputs),
        metrics=metrics,
        seconds=round(time.monotonic() - start, 2),
    )


def referred(settings: Settings) -> dict[tuple[str, str], set[int]]:
    """Versions that must stay readable, by zone and table."""
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for event in events.read(settings.events):
        for zone, name, version in _VERSION.findall(json.dumps(event)):
            found[zone, name].add(int(version))
    for zone, name in maintenance.tables(settings):
        if zone == "published":
            versions = history.publications(settings.table(zone, name))
            found[zone, name].update(p.version for p in versions)
    return found


def _alone(settings: Settings, name: str, progress: Progress) -> AbstractContextManager[None]:
    lock = settings.home / "locks" / f"{name}.lock"
    return one_at_a_time(lock, f"an ingest of {name}", progress)


def _compact(
    settings: Settings, progress: Progress, dry_run: bool, now: datetime
) -> dict[str, Any]:
    return _each_table(
        settings,
        progress,
        dry_run,
        "compact",
        lambda zone, name: maintenance.compact(settings.table(zone, name), dry_run=dry_run),
    )


def _vacuum(settings: Settings, progress: Progress, dry_run: bool, now: datetime) -> dict[str, Any]:
    keep = referred(settings)
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
    work: Callable[[str, str], Tidied],
) -> dict[str, Any]:
    """Do `work` on every table; an event for each that it changed."""
    told: dict[str, Any] = {"files": 0, "bytes": 0, "tables": {}, "outputs": [], "faults": []}
    for zone, name in maintenance.tables(settings):
        start = time.monotonic()
        try:
            with _alone(settings, name, progress):
                before = delta.version_of(settings.table(zone, name))
                done = work(zone, name)
        # Whatever is wrong with one table, the others are tidied first.
        except Exception as error:
            told["faults"].append(f"{step} {zone}/{name}: {_sentence(error)}")
            continue
        if done.nothing:
            continue
        subject = f"{zone}/{name}"
        count = len(done.files)
        progress.say(
            f"{step} {subject}: {'would touch' if dry_run else 'touched'} {count} files, "
            f"{done.bytes / 2**20:,.1f} MiB"
        )
        told["files"] += count
        told["bytes"] += done.bytes
        told["tables"][subject] = {"files": count, "bytes": done.bytes}
        if dry_run:
            continue
        made = f"delta:{subject}@{done.version}"
        told["outputs"].append(made)
        events.append(
            settings,
            step,
            subject,
            status="done",
            # The same rows under a new number: a trace must lead through it.
            inputs=(f"delta:{subject}@{before}",),
            outputs=(made,),
            seconds=time.monotonic() - start,
            facts={"files": count, "bytes": done.bytes, "names": list(done.files)},
        )
    return told


def _sentence(error: Exception) -> str:
    if isinstance(error, TerminalError):
        return f"{error.what.rstrip('.')} ({error.where})"
    return str(error).strip().splitlines()[0].rstrip(".") if str(error) else type(error).__name__


def _forget(settings: Settings, progress: Progress, dry_run: bool, now: datetime) -> dict[str, Any]:
    """Remove landed files that are past their contract's retention and were never published."""
    told: dict[str, Any] = {"files": 0, "bytes": 0, "raw": [], "faults": []}
    for name in contracts.names(settings.root):
        try:
            days = contracts.load(settings.root, name).retention_days
        except TerminalError as error:
            told["faults"].append(f"forget {name}: {_sentence(error)}")
            continue
        if days is None:
            continue
        with _alone(settings, name, progress):
            for folder in _past(settings, name, now - timedelta(days=days)):
                size = sum(p.stat().st_size for p in folder.rglob("*"))
                told["files"] += 1
                told["bytes"] += size
                told["raw"].append(f"raw:{folder.name}")
                does = "would remove" if dry_run else "remove"
                progress.say(f"forget {name}: {does} {folder.name[:12]}… ({size:,} bytes)")
                if not dry_run:
                    _remove(settings, name, folder, size, days)
    told["rows"] = _forget_usage(settings, progress, dry_run, now)
    return told


def _forget_usage(
    settings: Settings, progress: Progress, dry_run: bool, now: datetime
) -> dict[str, int]:
    """Remove statistics of use that are older than `usage_days`; rows by table."""
    before = now.date() - timedelta(days=settings.usage_days)
    rows = usage.forget(settings.platform_db, before, dry_run=dry_run)
    if any(rows.values()):
        told = ", ".join(f"{count:,} of {table}" for table, count in rows.items())
        progress.say(
            f"forget use before {before}: {'would remove' if dry_run else 'removed'} {told}"
        )
        if not dry_run:
            events.append(
                settings, "forget", "usage", status="done",
                facts={"before": before.isoformat(), "rows": rows},
            )  # fmt: skip
    return rows


def _past(settings: Settings, name: str, limit: datetime) -> list[Path]:
    """Landing folders of files that last came before `limit` and were never published."""
    table = settings.table("published", name)
    published = {sha256 for p in history.publications(table) for sha256 in p.sources}
    folders = sorted((settings.home / "landing" / name).glob("*"))
    raw = [f for f in folders if _SHA256.fullmatch(f.name) and f.name not in published]
    return [f for f in raw if _landed(f) < limit]


def _landed(folder: Path) -> datetime:
    """When a landing folder last changed: its record is written each time the file comes."""
    times = [p.stat().st_mtime for p in folder.iterdir()]
    return datetime.fromtimestamp(max(times, default=folder.stat().st_mtime), UTC)


def _remove(settings: Settings, name: str, folder: Path, size: int, days: int) -> None:
    # The event comes first: a crash may leave a file that is told as gone, and the next run
    # removes it, but never a file that is gone and not told.
    events.append(
        settings,
        "forget",
        name,
        status="done",
        inputs=(f"raw:{folder.name}",),
        facts={"bytes": size, "landed": _landed(folder).isoformat(), "retention_days": days},
    )
    shutil.rmtree(folder)


_PART = {"compact": _compact, "vacuum": _vacuum, "forget": _forget}
