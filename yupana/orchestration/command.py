"""Run a `yupana` command as a child process: how tasks and components do their work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from yupana.config.settings import settings
from yupana.core.errors import TransientError, from_exit_code


def run_command(args: list[str]) -> dict[str, Any]:
    """Run `yupana <args> --json`; its log goes to this process's stderr as it comes.

    Returns:
        The command's StepResult, from the last line of its standard output.

    Raises:
        TerminalError, UsageError or TransientError: by the command's exit code.
    """
    with running(args) as result:
        return result()


@contextmanager
def running(args: list[str]) -> Iterator[Callable[[], dict[str, Any]]]:
    """`run_command` beside what the block does: call what it yields to wait for the result.

    The command is stopped where the block is left before it ended.
    """
    command = [sys.executable, "-m", "yupana.cli.main", *args, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=settings().environment()
    ) as child:
        try:
            yield lambda: _result(child, args)
        finally:
            if child.poll() is None:
                child.terminate()


def _result(child: subprocess.Popen[str], args: list[str]) -> dict[str, Any]:
    output, _ = child.communicate()
    if child.returncode:
        raise from_exit_code(child.returncode, f"`yupana {' '.join(args)}` failed; see its log.")
    lines = output.strip().splitlines()
    if not lines:
        raise TransientError(f"`yupana {' '.join(args)}` answered nothing.", fix="Run it again.")
    result: dict[str, Any] = json.loads(lines[-1])
    return result
