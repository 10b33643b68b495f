"""Wake the sender of lineage events, in a process of its own: no step waits for a lineage server.

Nothing is handed over. The sender reads the event log from where it stopped
(`yupana.trace.openlineage.sending`), so a bell that nobody hears loses nothing.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.locks import is_locked

REST = 60.0
"""Seconds after a failure in which steps do not wake the sender again."""


def ring(settings: Settings) -> None:
    """Start `yupana lineage send` unless one is about to start, or the server was away just now."""
    if not settings.openlineage_url and not settings.openlineage_file:
        return
    if is_locked(waiting(settings)) or _resting(settings):
        return
    folder(settings).mkdir(parents=True, exist_ok=True)
    try:
        with (folder(settings) / "send.log").open("wb") as log:
            subprocess.Popen(
                [sys.executable, "-m", "yupana.cli.main", "lineage", "send"],
                env=settings.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
    except OSError:
        # No process or no disk left: the step is done all the same, and the next one rings.
        return


def folder(settings: Settings) -> Path:
    """Where the sender keeps how far it came."""
    return settings.home / "lineage"


def waiting(settings: Settings) -> Path:
    """Lock of the one that is about to send: it will read what is in the log by then."""
    return folder(settings) / "waiting.lock"


def away(settings: Settings) -> Path:
    """Touched when a server did not take an event."""
    return folder(settings) / "away"


def _resting(settings: Settings) -> bool:
    try:
        return time.time() - away(settings).stat().st_mtime < REST
    except FileNotFoundError:
        return False
