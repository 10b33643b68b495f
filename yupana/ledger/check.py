"""The ledger in use, verified with all that it vouches for."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.progress import Progress
from yupana.ledger import entries, mark, signing, unsigned, verifier, vouched_tables, witness
from yupana.ledger.event_check import EventRows
from yupana.ledger.export import counted
from yupana.ledger.fault import Begin, Check, Fault, Ground
from yupana.ledger.mark import Mark, Replay, StaleError
from yupana.ledger.table_check import TableCheck
from yupana.ledger.unsigned import Tail
from yupana.ledger.verifier import Report

_MOST_LINES = 20
_TIME = len('2026-01-01T00:00:00.000Z"}')
_HASH = 64 + len('","seq":')


@dataclass(frozen=True)
class Scope:
    """What a check read.

    Attributes:
        since: events up to this one were not read again; 0: everything was read.
        time: of the check that read the last of them (ISO 8601, UTC); empty where all was read.
        whole: of the last check that read everything.
        cause: why everything was read although less was asked for; else empty.
    """

    since: int = 0
    time: str = ""
    whole: str = ""
    cause: str = ""

    def __str__(self) -> str:
        if not self.since:
            return "everything" + (f": {self.cause}" if self.cause else "")
        return (
            f"the events after {self.since:,}, the event log, all tables, and what steps left. Not "
            f"read again: the texts of events 1 to {self.since:,} and the answers that they "
            f"sealed, which were counted; they were as they should be on {self.time}, and read "
            f"all at once on {self.whole}. --all reads everything"
        )


@dataclass
class Audit(Report):
    """What the check of the ledger in use came to.

    Attributes:
        faults: all that is not as the ledger says; the first is told as `first_bad`, too.
        witness: how much of it is seen elsewhere.
        unsigned: its end that another process should have signed, and has not.
        scope: what was read.
        outside: what is never looked at, and why.
    """

    faults: list[Fault] = field(default_factory=list)
    witness: witness.Coverage = field(default_factory=witness.Coverage)
    unsigned: Tail = field(default_factory=Tail)
    scope: Scope = field(default_factory=Scope)
    outside: dict[str, str] = field(
        default_factory=lambda: {name: reason.en for name, reason in vouched_tables.OUTSIDE.items()}
    )

    def __str__(self) -> str:
        first = super().__str__()
        if not self.ok and not self.first_bad:
            first = f"{self.what}: {self.message}"
        if self.ok and not self.witness.files:
            first = f"not witnessed elsewhere, otherwise {first}"
        lines = [first, *(str(fault) for fault in self.faults[:_MOST_LINES])]
        if len(self.faults) > _MOST_LINES:
            lines.append(f"… and {len(self.faults) - _MOST_LINES:,} more (--json has all)")
        lines += [f"unsigned: {self.unsigned}"] if self.unsigned.events else []
        lines += [f"read: {self.scope}", f"witness: {self.witness}"]
        lines += [f"outside: {name}: {reason}" for name, reason in self.outside.items()]
        return "\n".join(lines)


def live(
    settings: Settings, progress: Progress, *, also: Sequence[Path] = (),
    roots: Sequence[Path] = (), checks: Sequence[Begin] = (), incremental: bool = False,
    now: datetime | None = None,
) -> Audit:  # fmt: skip
    """Check the platform's ledger, while others may go on writing.

    Beside what `verifier.verify` checks: that each row's kind and subject are those of its event,
    that the event log has the rows that were recorded, and no others, and that the tables are as
    the ledger says (`vouched`). A check that finds nothing leaves a mark (`mark`).

    Args:
        also: more witness files than the platform's own.
        roots: more files of published roots.
        checks: what else is compared with the ledger's events.
        incremental: go on from the mark; where that cannot be, or finds something, everything is
            read all the same.
    """
    moment = now or datetime.now(UTC)
    audit = _checked(settings, progress, also, roots, checks, incremental, moment)
    audit.unsigned = unsigned.tail(settings, moment, also)
    return audit


def _checked(
    settings: Settings, progress: Progress, also: Sequence[Path], roots: Sequence[Path],
    checks: Sequence[Begin], incremental: bool, now: datetime,
) -> Audit:  # fmt: skip
    job = _Job(
        settings, progress, also, roots, (EventRows, TableCheck, *checks), now
    )
    cause = ""
    if incremental:
        try:
            audit = job.go_on()
            if audit.ok:
                return audit
            cause = f"less was read first, and this was found: {audit.what}, {audit.message}"
        except StaleError as stale:
            cause = str(stale)
    return job.whole(cause)


@dataclass(frozen=True)
class _Job:
    settings: Settings
    progress: Progress
    also: Sequence[Path]
    roots: Sequence[Path]
    checks: Sequence[Begin]
    now: datetime

    def whole(self, cause: str) -> Audit:
        """Read everything; who then finds nothing leaves a mark, who finds something no longer
        trusts the one before."""
        code, last = mark.of_code(self.checks), mark.read(self.settings)
        with mark.fresh() as replay:
            audit = self._run(replay, Mark(line=last.line))
            audit.scope = Scope(whole=f"{self.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", cause=cause)
            if not audit.ok:
                mark.drop(self.settings)
            elif audit.checked:
                mark.leave(self.settings, replay, "", code, self.now)
        return audit

    def go_on(self) -> Audit:
        """Read what came after the mark.

        Raises:
            StaleError: there is no mark to go on from.
        """
        if self.also or self.roots:
            # What they saw of earlier events was perhaps never compared.
            raise StaleError("a witness or roots were named")
        code, last = mark.of_code(self.checks), mark.read(self.settings)
        with mark.resumed(self.settings, last, code, self.now) as replay:
            audit = self._run(replay, last)
            audit.scope = Scope(last.seq, last.time, last.whole)
            if audit.ok and audit.checked > last.seq:
                mark.leave(self.settings, replay, last.whole, code, self.now)
        return audit

    def _run(self, replay: Replay, last: Mark) -> Audit:
        own, published = (witness.files(self.settings, n) for n in (witness.WITNESS, witness.ROOTS))
        # What is in a file now was in the database before.
        sizes = {path: path.stat().st_size for path in (*own, *published) if path.exists()}
        faults: list[Fault] = []
        with entries.snapshot(self.settings.platform_db) as connection:
            after = replay.position.seq
            ground = Ground(self.settings, connection, replay.database, whole=not after)
            if after:
                mark.demand(last, connection)
            begun = [begin(ground) for begin in self.checks]
            rows = entries.stored(connection, after=after or None)
            checkpoints = [_checkpoints(replay, last.seq, connection, p, sizes) for p in own]
            # Everything is compared with the mark, too: it is a checkpoint.
            also = [[last.line]] if last.line and not after else []
            report, replay.position = verifier.go_on(
                replay.position,
                counted(_agreeing(rows, begun, faults), self.progress),
                signing.public_key(self.settings),
                [*checkpoints, *also, *map(verifier.lines_of, self.also)],
                itertools.chain(
                    *(witness.until(p, sizes.get(p, 0)) for p in published),
                    *map(verifier.lines_of, self.roots),
                ),
            )
            for check in begun:
                faults += check.finish(report.checked) if report.ok or not check.kinds else []
        replay.files = {str(p): mark.beginning(p, sizes[p]) for p in own if p in sizes}
        coverage = witness.coverage([*own[1:], *self.also], report.checked)
        return _audit(report, faults, coverage)


def _audit(report: Report, faults: list[Fault], coverage: witness.Coverage) -> Audit:
    faults.sort(key=lambda fault: fault.event or report.checked + 1)
    audit = Audit(**vars(report), faults=faults, witness=coverage)
    if faults:
        first, place = faults[0], faults[0].event or report.checked + 1
        if report.ok or (first.event and place < (report.first_bad or 0)):
            audit.first_bad, audit.what = first.event or None, first.what
            audit.message = first.message if first.event else f"{first.place}: {first.message}"
        audit.ok = False
    return audit


def _checkpoints(
    replay: Replay, seq: int, connection: sa.Connection, path: Path, sizes: dict[Path, int]
) -> Iterator[bytes]:
    """The lines of a witness file that no earlier check compared.

    Raises:
        StaleError: the lines before them are not those that one compared, or a line of them is of
            an earlier event, and disagrees.
    """
    size, sha256 = replay.files.get(str(path), (0, ""))
    new_file = seq and str(path) not in replay.files and sizes.get(path)
    if new_file or (size and mark.beginning(path, size) != (size, sha256)):
        raise StaleError(f"{path} is not the witness file that was compared before")
    lines = witness.until(path, sizes.get(path, 0), size)
    return _newer(lines, seq, connection) if seq else lines


def _newer(lines: Iterator[bytes], seq: int, connection: sa.Connection) -> Iterator[bytes]:
    """Lines from the first one on that is of an event after `seq`."""
    for line in lines:
        try:
            checkpoint = json.loads(line)
            of, head = int(checkpoint["seq"]), checkpoint["head"]
        except (KeyError, TypeError, ValueError):
            of, head = seq + 1, ""  # The verifier judges it.
        if of > seq:
            yield line
            yield from lines
        elif mark.head_of(connection, of) != head:
            raise StaleError(f"a witness says otherwise of event {of}")


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
