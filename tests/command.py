"""The command line in this process: a test of what a command does needs no process of its own."""

from __future__ import annotations

import io
import signal
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

import pytest

from yupana.cli import main
from yupana.config.settings import Settings, settings


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    stdout: str
    stderr: str
    code: int


def yupana(lake: Settings, *words: str) -> Said:
    """Run `yupana words…` on a lake, through the same `main` as the installed program."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("YUPANA_HOME", str(lake.home))
        patch.setenv("YUPANA_ROOT", str(lake.root))
        patch.setenv("COLUMNS", "200")
        patch.setattr("sys.argv", ["yupana", *words])
        settings.cache_clear()
        polite = signal.getsignal(signal.SIGTERM)
        try:
            main.main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            signal.signal(signal.SIGTERM, polite)
    settings.cache_clear()
    return Said(out.getvalue(), err.getvalue(), code)
