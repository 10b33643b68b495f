"""Forget in time: landed files that no table was made of, statistics of use, webhooks' notices,
and members of models that were pooled."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import plain_files
from yupana.core.errors import TerminalError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.data.contracts import contract
from yupana.data.lake import history
from yupana.lineage import events
from yupana.orchestration.housekeeping import PartResult, sentence
from yupana.predictions import usage
from yupana.webhooks import outbox
from yupana.webhooks.tables import NOTICES

_SHA256 = re.compile(r"[0-9a-f]{64}")


def forget(settings: Settings, progress: Progress, dry_run: bool, now: datetime) -> PartResult:
    """Remove landed files past their contract's retention, use past `usage_days`, notices of
    webhooks past `notice_days`, and members of models past `keep_days`.

    Files that were published stay.
    """
    refs: list[str] = []
    result = PartResult(details={"raw": refs})
    for name in contract.names(settings.root):
        try:
            days = contract.load(settings.root, name).retention_days
        except TerminalError as error:
            result.faults.append(f"forget {name}: {sentence(error)}")
            continue
        if days is None:
            continue
        with one_at_a_time(settings.lock(name), f"an ingest of {name}", progress):
            for folder in _past(settings, name, now - timedelta(days=days)):
                size = plain_files.size(folder)
                result.files += 1
                result.bytes += size
                refs.append(f"raw:{folder.name}")
                does = "would remove" if dry_run else "remove"
                progress.say(f"forget {name}: {does} {folder.name[:12]}… ({size:,} bytes)")
                if not dry_run:
                    _remove(settings, name, folder, size, days)
    result.rows = _forget_usage(settings, progress, dry_run, now)
    result.rows |= _forget_notices(settings, progress, dry_run, now)
    _forget_members(settings, progress, dry_run, now, result)
    return result


def _forget_usage(
    settings: Settings, progress: Progress, dry_run: bool, now: datetime
) -> dict[str, int]:
    """Remove statistics of use that are older than `usage_days`; rows by table."""
    before = now.date() - timedelta(days=settings.usage_days)
    rows = usage.forget(settings.platform_db, before, dry_run=dry_run)
    if any(rows.values()):
        amounts = ", ".join(f"{count:,} of {table}" for table, count in rows.items())
        progress.say(
            f"forget use before {before}: {'would remove' if dry_run else 'removed'} {amounts}"
        )
        if not dry_run:
            events.append(
                settings, "forget", "usage", status="done",
                facts={"before": before.isoformat(), "rows": rows},
            )  # fmt: skip
    return rows


def _forget_notices(
    settings: Settings, progress: Progress, dry_run: bool, now: datetime
) -> dict[str, int]:
    """Remove notices that were delivered, given up or cancelled before `notice_days`; how many."""
    before = now - timedelta(days=settings.notice_days)
    count = outbox.forget(settings, before, now, dry_run=dry_run)
    rows = {NOTICES.name: count}
    if count:
        does = "would remove" if dry_run else "removed"
        progress.say(f"forget notices before {before:%Y-%m-%d}: {does} {count:,} of {NOTICES.name}")
        if not dry_run:
            facts = {"before": before.isoformat(), "rows": rows}
            events.append(settings, "forget", NOTICES.name, status="done", facts=facts)
    return rows


def _forget_members(
    settings: Settings, progress: Progress, dry_run: bool, now: datetime, result: PartResult
) -> None:
    """Remove members that were fitted before `keep_days`: what was pooled of them is a candidate's
    own, and `yupana fit` makes them again."""
    limit = now - timedelta(days=settings.keep_days)
    folders = [f for f in sorted((settings.home / "members").glob("*")) if f.is_dir()]
    old = [f for f in folders if _last_change(f) < limit]
    size = sum(plain_files.size(f) for f in old)
    if not old:
        return
    result.files += len(old)
    result.bytes += size
    does = "would remove" if dry_run else "removed"
    progress.say(
        f"forget members before {limit:%Y-%m-%d}: {does} {len(old)} folders ({size:,} bytes)"
    )
    if dry_run:
        return
    facts = {"before": limit.isoformat(), "folders": len(old), "bytes": size}
    events.append(settings, "forget", "members", status="done", facts=facts)
    for folder in old:
        shutil.rmtree(folder)


def _past(settings: Settings, name: str, limit: datetime) -> list[Path]:
    """Landing folders of files that last came before `limit` and were never published."""
    table = settings.table("published", name)
    published = {sha256 for p in history.publications(table) for sha256 in p.sources}
    folders = sorted((settings.home / "landing" / name).glob("*"))
    raw = [f for f in folders if _SHA256.fullmatch(f.name) and f.name not in published]
    return [f for f in raw if _last_change(f) < limit]


def _last_change(folder: Path) -> datetime:
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
        facts={"bytes": size, "landed": _last_change(folder).isoformat(), "retention_days": days},
    )
    shutil.rmtree(folder)
