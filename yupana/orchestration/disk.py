"""How much of the disk a home takes, by folder, and how much it will take at the pace so far.

Each `yupana maintain` keeps a measurement, once in `APART`; the pace is that since the oldest
measurement within `SPAN`. A file's own age would not tell it: databases and tables grow in place.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import plain_files
from yupana.core.errors import TransientError
from yupana.core.progress import Progress
from yupana.lineage import events

STEP, SUBJECT = "disk", "home"
APART, SPAN = timedelta(days=6), timedelta(days=182)
WEEK = timedelta(weeks=1)
TOTAL = "all"


@dataclass(frozen=True)
class Growth:
    """One folder of a home; `TOTAL` is all of it.

    Attributes:
        bytes: it takes now.
        a_week: bytes that it gained a week; None while no measurement is old enough.
    """

    folder: str
    bytes: int
    a_week: float | None

    @property
    def in_a_year(self) -> float | None:
        """Bytes that it will take in 52 weeks at this pace."""
        return None if self.a_week is None else max(0.0, self.bytes + 52 * self.a_week)


def keep(settings: Settings, now: datetime) -> None:
    """Keep a measurement, unless the newest is younger than `APART`."""
    newest = next(_measurements(settings), None)
    if newest is None or now - newest[0] >= APART:
        facts = {"measured": now.isoformat(), "bytes": sizes(settings.home)}
        events.append(settings, STEP, SUBJECT, status="done", facts=facts)


def forecast(settings: Settings, now: datetime) -> list[Growth]:
    """All of the home first, then its folders, the largest first."""
    current = sizes(settings.home)
    current = {TOTAL: sum(current.values()), **current}
    recent = list(takewhile(lambda pair: now - pair[0] <= SPAN, _measurements(settings)))
    before: dict[str, int] = {}
    weeks = 0.0
    if recent and now - recent[-1][0] >= APART:
        moment, oldest = recent[-1]
        before = {TOTAL: sum(oldest.values()), **oldest}
        weeks = (now - moment) / WEEK
    every = [
        Growth(folder, size, (size - before.get(folder, 0)) / weeks if weeks else None)
        for folder, size in current.items()
    ]
    return sorted(every, key=lambda g: (g.folder != TOTAL, -g.bytes))


def say(settings: Settings, now: datetime, progress: Progress) -> None:
    """Tell the forecast: a line a folder of a hundredth of the home or more, then the disk."""
    growths = forecast(settings, now)
    total = growths[0]
    for g in growths:
        if g.bytes * 100 < total.bytes:
            continue
        pace = "the pace is not known yet"
        if g.a_week is not None and g.in_a_year is not None:
            pace = f"{_text(g.a_week, '+')} a week, {_text(g.in_a_year)} in a year"
        progress.say(f"disk {g.folder}: {_text(g.bytes)}, {pace}")
    home = settings.home
    free = shutil.disk_usage(home if home.is_dir() else home.parent).free
    if total.a_week is None:
        progress.say(
            f"disk: {_text(free)} are free; `yupana maintain` measures what a home takes, and a "
            f"measurement {APART.days} days old or more gives the pace"
        )
    elif total.a_week > 0:
        weeks = free / total.a_week
        progress.say(f"disk: {_text(free)} are free, enough for {weeks:,.0f} weeks at this pace")
    else:
        progress.say(f"disk: {_text(free)} are free, and the home does not grow")


def sizes(home: Path) -> dict[str, int]:
    """Bytes of each folder of a home, those of the lake by zone, and of the files beside them."""
    if not home.is_dir():
        return {}
    folders = [f for f in home.iterdir() if f.is_dir() and not f.is_symlink()]
    lake = [f for f in folders if f.name == "lake"]
    parts = [f for f in folders if f not in lake]
    parts += [zone for f in lake for zone in f.iterdir() if zone.is_dir()]
    by_folder = {str(f.relative_to(home)): plain_files.size(f) for f in parts}
    beside = sum(f.stat().st_size for f in home.iterdir() if f.is_file() and not f.is_symlink())
    return {**by_folder, "files": beside}


def _measurements(settings: Settings) -> Iterator[tuple[datetime, dict[str, int]]]:
    """The measurements, the newest first."""
    for event in events.done(settings.events, STEP, SUBJECT):
        facts = event["facts"]
        yield datetime.fromisoformat(facts["measured"]), facts["bytes"]


def _text(size: float, sign: str = "") -> str:
    return f"{size / 2**20:{sign},.1f} MiB"


@contextmanager
def outside_trouble(settings: Settings) -> Iterator[None]:
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
