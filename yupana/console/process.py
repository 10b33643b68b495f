"""What a process owes to those who started it: a polite end, and an error in plain words."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from yupana.core import private_file
from yupana.core.errors import TerminalError, TransientError, UsageError, YupanaError

# What a folder answers that is not there to be written to.
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)

if TYPE_CHECKING:
    from yupana.core.types import StepResult


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Meanwhile an error of ours is printed without a stack, and ends the process by its code."""
    # A polite stop must pass through `finally`, as Ctrl-C does: children are ended there.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    mask = private_file.by_default()
    try:
        yield
    except YupanaError as error:
        notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
        print(f"yupana: {error}{notes}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in _CLOSED or not error.filename:
            raise
        closed = UsageError(
            f"A file or folder may not be used: {error.strerror}.",
            where=str(error.filename),
            fix="Give the user who runs yupana the right to it; where it lies in YUPANA_HOME, or "
            "that is a disk to be read alone, name another folder by it.",
        )
        print(f"yupana: {closed}", file=sys.stderr)
        sys.exit(closed.exit_code)
    except Exception as error:
        fault = _of_database(getattr(error, "orig", error))
        if fault is None:
            raise
        print(f"yupana: {fault}", file=sys.stderr)
        sys.exit(fault.exit_code)
    except KeyboardInterrupt:
        print("yupana: stopped", file=sys.stderr)
        sys.exit(130)
    finally:
        signal.signal(signal.SIGTERM, before)
        os.umask(mask)


def _of_database(error: object) -> YupanaError | None:
    """What a database refused, in plain words (SQLAlchemy's errors have the driver's in `orig`)."""
    first = str(error).partition("\n")[0]
    what, where = f"The platform database cannot be used: {first}.", "YUPANA_PLATFORM_URL"
    # By its name: who uses SQLite has no need to import the driver.
    if (type(error).__module__, type(error).__name__) == ("psycopg", "OperationalError"):
        return TransientError(
            what, where=where,
            fix="See that the server runs and takes this user; then run it again.",
        )  # fmt: skip
    if not isinstance(error, sqlite3.DatabaseError):
        return None
    if isinstance(error, sqlite3.OperationalError):
        return TransientError(
            what, where=where,
            fix="Make room on its disk, give the user who runs yupana the right to write there, "
            "or wait until nobody else writes; then run it again.",
        )  # fmt: skip
    return TerminalError(
        what, where=where,
        fix="Its file is broken: put it back from a back-up, and run `yupana audit verify`.",
    )  # fmt: skip


def component(step: Callable[[], StepResult]) -> str:
    """Do a step as the work of a pipeline's component, in its process; returns its reference."""
    with errors_for_people():
        return str(step().outputs[0])
