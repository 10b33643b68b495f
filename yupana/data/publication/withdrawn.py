"""Files that a person took back: neither a schedule nor a slip brings them in again."""

from __future__ import annotations

from yupana.core.errors import TerminalError
from yupana.core.types import RawObject
from yupana.data.lake.history import Publication


class WithdrawnError(TerminalError):
    """The file was published, and a person took it back."""


def must_not_be_withdrawn(name: str, past: list[Publication], raw: RawObject) -> None:
    """Refuse a file that a person took back, by retracting it or by restoring another version.

    Of a release of several files, those that it added to the one before are meant.

    Args:
        past: as `history.publications`.

    Raises:
        WithdrawnError: says which version of it was withdrawn, and why.
    """
    for at, p in reversed(list(enumerate(past))):
        if p.mends or p.restores is not None:
            continue
        before = [q for q in past[:at] if not q.retracted]
        added = set(p.sources) - set(before[-1].sources if before else ())
        if p.source_sha256 != raw.sha256 and not (p.retracted and added and added <= {*raw.hashes}):
            continue
        passed = [r for r in past if r.restores is not None and r.restores < p.version < r.version]
        if p.retracted:
            why = f"and retracted: {p.retracted}"
        elif passed:
            why = f"and version {passed[-1].restores} was restored in its place"
        elif p.source_sha256 == raw.sha256:
            return
        else:
            continue
        raise WithdrawnError(
            f"This file was published as version {p.version} {why}",
            where=f"published/{name}",
            fix="Ingest the right file; or, if it is right after all, this file alone with "
            '--accept-change "why".',
        )


def correction_must_not_be_retracted(name: str, past: list[Publication], raw: RawObject) -> None:
    """Refuse a correction whose newest publication a person retracted.

    One that a restoration passed over is not refused: no schedule brings a correction.

    Args:
        past: as `history.publications`.

    Raises:
        WithdrawnError: says which version of it was retracted, and why.
    """
    mine = [p for p in past if p.mends and p.source_sha256 == raw.sha256]
    if mine and mine[-1].retracted:
        raise WithdrawnError(
            f"This correction was published as version {mine[-1].version} and retracted: "
            f"{mine[-1].retracted}",
            where=f"published/{name}",
            fix="Mend the rows anew; or, if it is right after all, give it with "
            '--accept-change "why".',
        )
