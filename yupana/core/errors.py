"""Errors that say what happened, where, and what to do."""

from __future__ import annotations


class YupanaError(Exception):
    """Base of every error that a user is meant to read.

    Args:
        what: what happened, one sentence.
        where: the file, row and column (or step) it happened in.
        fix: what the reader can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(what)

    def __str__(self) -> str:
        lines = [self.what]
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


def from_exit_code(code: int, what: str, where: str = "") -> YupanaError:
    """The error that a `yupana` command reported by its exit code."""
    kind = {2: UsageError, 3: TransientError}.get(code, TerminalError)
    return kind(what, where=where)
