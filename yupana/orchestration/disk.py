"""A full disk, whoever meets it first, is outside trouble: nothing is published half."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from yupana.config.settings import Settings
from yupana.core.errors import TransientError


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
