"""The ledger in use, verified with all that it vouches for; and exported."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.ledger import entries, signing, verifier, vouched, witness
from yupana.ledger.canonical import canonical
from yupana.ledger.event_check import EventRows
from yupana.ledger.fault import Begin, Check, Fault
from yupana.ledger.table_check import TableCheck
from yupana.ledger.verifier import Report

_TELL = 200_000
_MOST_LINES = 20
_TIME = len('2026-01-01T00:00:00.000Z"}')
_HASH = 64 + len('","seq":')


@dataclass
class Audit(Report):
    """What the check of the ledger in use came to.

    Attributes:
        faults: all that is not as the ledger says; the first is told as `first_bad`, too.
        witness: how much of it is seen elsewhere.
        outside: what was not looked at, and why.
    """

    faults: list[Fault] = field(default_factory=list)
    witness: witness.Coverage = field(default_factory=witness.Coverage)
    outside: dict[str, str] = field(
        default_factory=lambda: {name: reason.en for name, reason in vouched.OUTSIDE.items()}
    )

    def __str__(self) -> str:
        lines = [super().__str__()]
        if self.ok and not self.witness.files:
            lines = [f"not witnessed elsewhere, otherwise {lines[0]}"]
        lines += [str(fault) for fault in self.faults[:_MOST_LINES]]
        if len(self.faults) > _MOST_LINES:
            lines.append(f"… and {len(self.faults) - _MOST_LINES:,} more (--json has all)")
        lines += [f"witness: {self.witness}"]
        lines += [f"outside: {name}: {reason}" for name, reason in self.outside.items()]
        return "\n".join(lines)


def live(
    settings: Settings, progress: Progress, *, also: Iterable[Path] = (),
    roots: Iterable[Path] = (), checks: Sequence[Begin] = (),
) -> Audit:  # fmt: skip
    """Check the platform's ledger, while others may go on writing.

    Beside what `verifier.verify` checks: that each row's kind and subject are those of its event,
    that the event log has the rows that were recorded, and no others, and that the tables are as
    the ledger says (`vouched`).

    Args:
        also: more witness files than the platform's own.
        roots: more files of published roots.
        checks: what else is compared with the ledger's events.
    """
    own, published = witness.files(settings), witness.files(settings, witness.ROOTS)
    # What is in a file now was in the database before.
    sizes = {path: path.stat().st_size for path in (*own, *published) if path.exists()}
    elsewhere = [*own[1:], *also]
    faults: list[Fault] = []
    with entries.snapshot(settings.platform_db) as connection:
        every: tuple[Begin, ...] = (EventRows, TableCheck, *checks)
        begun = [begin(connection) for begin in every]
        report = verifier.verify(
            _counted(_agreeing(entries.stored(connection), begun, faults), progress, 0),
            signing.public_key(settings),
            witnesses=[*(witness.until(p, sizes.get(p, 0)) for p in own), *_all(also)],
            roots=itertools.chain(
                *(witness.until(p, sizes.get(p, 0)) for p in published), *_all(roots)
            ),
            export=False,
        )
        if report.ok:
            faults += [fault for check in begun for fault in check.finish(report.checked)]
    coverage = witness.coverage(elsewhere, report.checked)
    return _whole(report, faults, coverage)


def _whole(report: Report, faults: list[Fault], coverage: witness.Coverage) -> Audit:
    faults.sort(key=lambda fault: fault.event or report.checked + 1)
    audit = Audit(**vars(report), faults=faults, witness=coverage)
    if faults:
        first, place = faults[0], faults[0].event or report.checked + 1
        if report.ok or place < (report.first_bad or 0):
            audit.first_bad, audit.what, audit.told = place, first.what, first.message
        audit.ok = False
    return audit


def _all(paths: Iterable[Path]) -> list[Iterator[bytes]]:
    return [verifier.lines_of(path) for path in paths]


def exported(
    path: Path, key: str, progress: Progress, *, also: Iterable[Path] = (),
    roots: Iterable[Path] = (),
) -> Report:  # fmt: skip
    """Check an export as the stand-alone verifier does.

    Args:
        key: the public key, 64 hexadecimal digits.
    """
    try:
        return verifier.verify(
            _counted(verifier.lines_of(path), progress, 0),
            key,
            witnesses=_all(also),
            roots=itertools.chain(*_all(roots)),
        )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The export cannot be checked: {error}.",
            where=str(path),
            fix="Name the files that `yupana audit export` and `yupana audit key` wrote.",
        ) from error


def export(settings: Settings, path: Path, progress: Progress, now: datetime) -> int:
    """Write all events and a signed checkpoint; the number of events.

    Raises:
        UsageError: nothing was recorded yet, or the file cannot be written.
    """
    head = entries.newest(settings.platform_db)
    if head is None:
        raise UsageError(
            "Nothing was recorded yet.",
            where="the ledger",
            fix="Run a step first, for example `yupana ingest DATASET`.",
        )
    mark = canonical(witness.checkpoint(settings, head.seq, head.hash, now))
    lines = (line for *_, line in entries.rows(settings.platform_db, head.seq))
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as out:
            for line in _counted(lines, progress, head.seq):
                out.write(line + b"\n")
            out.write(f"{mark}\n".encode())
        fresh.replace(path)
    except OSError as error:
        raise UsageError(
            f"The export cannot be written: {error.strerror}.",
            where=str(path),
            fix="Name a file in a folder that you may write to.",
        ) from error
    finally:
        fresh.unlink(missing_ok=True)
    return head.seq


def _agreeing(
    rows: Iterable[entries.Row], checks: Sequence[Check], faults: list[Fault]
) -> Iterator[bytes]:
    """The events' texts, each after a look at its row and at what it tells of."""
    of_kind = {kind: [c for c in checks if kind in c.kinds] for c in checks for kind in c.kinds}
    for seq, kind, subject, line in rows:
        try:
            faults += _disagreement(seq, kind, subject, line)
            for check in of_kind.get(kind, ()):
                faults += check.event(seq, kind, line)
        except (AttributeError, KeyError, TypeError, ValueError):
            # What is no event any more is told by the chain.
            pass
        yield line


@lru_cache(maxsize=4096)
def _around(kind: str, subject: str) -> tuple[bytes, bytes]:
    """What stands before an event's hash of the one before it, and after its number."""
    text = json.dumps(subject, ensure_ascii=False)
    return f'"kind":"{kind}","previous":"'.encode(), f',"subject":{text},"time":"'.encode()


def _disagreement(seq: int, kind: str, subject: str, line: bytes) -> list[Fault]:
    # Kind, number and subject stand at the end, around texts of known length.
    before, after = _around(kind, subject)
    tail = b"%d%b" % (seq, after)
    start = len(line) - _TIME - len(tail)
    if line[start:-_TIME] == tail and line[: start - _HASH].endswith(before):
        return []
    message = f"row {seq} has another number, kind or subject than its event"
    return [Fault(seq, "changed", "ledger", str(seq), message)]


def _counted(lines: Iterable[bytes], progress: Progress, total: int) -> Iterator[bytes]:
    for number, line in enumerate(lines, 1):
        if number % _TELL == 0:
            progress.say(f"{number:,} events" + (f" of {total:,}" if total else ""))
        yield line
