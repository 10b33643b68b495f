"""Errors that say what happened, where, and what to do."""

from __future__ import annotations

import traceback

_FRAMES = 4


class YupanaError(Exception):
    """Base of every error that a user is meant to read.

    Args:
        what: what happened, one sentence.
        where: the file, row and column (or step) it happened in.
        fix: what the reader can do about it.
        detail: what the data says there, or another program: it may hold a value of a row, or
            what somebody wrote. Who runs the command reads it; the event log does not have it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "", detail: str = "") -> None:
        self.what, self.where, self.fix, self.detail = what, where, fix, detail
        super().__init__(what)

    def __str__(self) -> str:
        return self._text(self.detail)

    def record_text(self) -> str:
        """The error without its detail: what may be kept for ever."""
        return self._text("")

    def _text(self, detail: str) -> str:
        lines = [self.what]
        if detail:
            lines.append(f"  says:  {detail}")
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  fix:   {self.fix}")
        return "\n".join(lines)


class TerminalError(YupanaError):
    """Trying again gives the same result: the data or the model is at fault. Exit code 1."""


class ContentError(TerminalError):
    """What is stored is not what its step left, or no step vouches for it: it is not used."""


class UsageError(TerminalError):
    """The command was called with something that does not exist. Exit code 2."""

    exit_code = 2


class TransientError(YupanaError):
    """Outside trouble that may pass: worth a retry. Exit code 3."""

    exit_code = 3


def from_exit_code(code: int, what: str) -> YupanaError:
    """The error that a `yupana` command reported by its exit code."""
    kind = {2: UsageError, 3: TransientError}.get(code, TerminalError)
    return kind(what)


def record_text(error: BaseException) -> str:
    """What may be kept for ever of an error.

    Of ours, which are written for it, the text; of another its kind and where it was raised, the
    innermost place first: its own words may quote a row, or what somebody wrote.
    """
    if isinstance(error, YupanaError):
        return error.record_text()
    frames = [*traceback.walk_tb(error.__traceback__)][: -_FRAMES - 1 : -1]
    places = [f"{frame.f_globals.get('__name__', '?')}:{line}" for frame, line in frames]
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return f"{name}, raised in {' < '.join(places)}"
