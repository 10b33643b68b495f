"""A worker ends when who started it is gone: killed, with no time to stop what it had started.
One that is killed itself is started again within a second.

BentoML's parent restarts workers, and a command (`yupana serve`) starts that parent. Neither can
end its children when it is killed, and what goes on answering holds the port and an old model.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

import psutil

VARIABLE = "YUPANA_STARTED_BY"
"""In a service's environment: process number and time of start of the command that started it."""

EVERY_SECONDS = 1.0
DRAIN_SECONDS = 35.0
"""After which what was asked to end is killed."""

_LOG = logging.getLogger(__name__)


def mark() -> dict[str, str]:
    """Environment for a service that is to end with this process."""
    me = psutil.Process()
    return {VARIABLE: f"{me.pid}:{me.create_time()}"}


def follow() -> None:
    """Watch parent and starter from now on, in a thread of this worker."""
    threading.Thread(target=_watch, args=(os.getppid(),), name="starter", daemon=True).start()


def restart_soon() -> None:
    """In BentoML's parent: look each second for workers that were killed, to start them again.

    It looks each ten seconds, and offers no setting for it.
    """
    from bentoml._internal.utils import circus
    from circus.exc import ConflictError

    class Arbiter(circus.Arbiter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs | {"check_delay": EVERY_SECONDS})

        def manage_watchers(self) -> Any:
            # While it starts or stops its workers it refuses to look.
            with suppress(ConflictError):
                return super().manage_watchers()

    circus.Arbiter = Arbiter


def _watch(parent: int) -> None:
    starter = os.environ.get(VARIABLE, "")
    while os.getppid() == parent and (not starter or _lives(starter)):
        time.sleep(EVERY_SECONDS)
    # Without its parent a worker ends alone; else the parent ends all of them, and starts no more.
    target = parent if os.getppid() == parent else os.getpid()
    _LOG.error("what started this service is gone (%s): it ends", starter or f"process {parent}")
    os.kill(target, signal.SIGTERM)
    time.sleep(DRAIN_SECONDS)
    os.kill(target, signal.SIGKILL)
    os._exit(1)


def _lives(starter: str) -> bool:
    number, _, began = starter.partition(":")
    try:
        process = psutil.Process(int(number))
        # A number is given again: who has it must have begun when the starter did.
        same = abs(process.create_time() - float(began)) < 1.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
