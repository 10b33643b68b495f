"""The command line in this process, or in one that serves all commands of a test.

A process for each command pays 2 to 4 s of imports each time. Run as a program, this file is an
`Interpreter`'s other end.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from yupana.cli import main
from yupana.config.settings import Settings, settings
from yupana.core.progress import Silent


class Notices(Silent):
    """What a run says of its progress, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


class CommandResult(NamedTuple):
    """What a command printed, and its exit code."""

    stdout: str
    stderr: str
    code: int

    def json(self, code: int = 0) -> Any:
        """What `--json` printed last.

        Raises:
            AssertionError: the command ended by another code; shows what it printed.
        """
        assert self.code == code, self.stderr[-4000:] + self.stdout[-4000:]
        return json.loads(self.stdout.splitlines()[-1])


def yupana(lake: Settings, *words: str) -> CommandResult:
    """Run `yupana words…` on a lake, through the same `main` as the installed program."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("YUPANA_HOME", str(lake.home))
        patch.setenv("YUPANA_ROOT", str(lake.root))
        if lake.platform_url:
            patch.setenv("YUPANA_PLATFORM_URL", lake.platform_url)
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
    return CommandResult(out.getvalue(), err.getvalue(), code)


class Interpreter:
    """A Python that takes commands one after the other, for a project of its own: this process
    holds the use cases of this one, and `models` is imported once."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def yupana(self, *words: str) -> CommandResult:
        """Run `yupana words…` there."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"it ended by {self._process.wait()} in {words}"
        return CommandResult(*json.loads(line))

    def json(self, *words: str, code: int = 0) -> Any:
        """What `yupana words… --json` printed last."""
        return self.yupana(*words, "--json").json(code)


@contextmanager
def interpreter(root: Path, environment: Mapping[str, str]) -> Iterator[Interpreter]:
    """Start one in a project's folder, whose packages it imports before all others."""
    process = subprocess.Popen(
        [sys.executable, __file__], cwd=root, env={**environment, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield Interpreter(process)
    finally:
        process.communicate()


def main_loop() -> None:
    """Answer each line of words by a line with what the command printed."""
    # What a library or a child prints must not stand between two answers.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            answers.write(json.dumps(yupana(settings(), *json.loads(line))) + "\n")
            answers.flush()


if __name__ == "__main__":
    main_loop()
