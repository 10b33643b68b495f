"""The ledger in use: verified with its witnesses, its roots and the event log; and exported."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.governance.ledger import answers, book, signing, step_events, verifier, witness
from yupana.governance.ledger.canonical import canonical
from yupana.governance.ledger.verifier import Found, Report

_TELL = 200_000
Look = Callable[[int, str, bytes], list[Found]]
_TIME = len('2026-01-01T00:00:00.000Z"}')
_HASH = 64 + len('","seq":')


def live(
    settings: Settings, progress: Progress, *, also: Iterable[Path] = (),
    roots: Iterable[Path] = (), with_answers: bool = False,
) -> Report:  # fmt: skip
    """Check the platform's ledger, while others may go on writing.

    Beside what `verifier.verify` checks: that each row's kind and subject are those of its event,
    and that `events.jsonl` has the lines that were recorded, and no others.

    Args:
        also: more witness files than the platform's own.
        roots: more files of published roots.
        with_answers: compare the prediction log, too: each answer that is still in the database.
    """
    url = settings.platform_db
    own, published = witness.files(settings), witness.files(settings, witness.ROOTS)
    with _standing(settings.events):
        # What is in a file now was in the database before.
        there = [path for path in (settings.events, *own, *published) if path.exists()]
        sizes = {path: path.stat().st_size for path in there}
        head = book.newest(url)
        log = _Log(settings.events, sizes.get(settings.events, 0))
    last = head.seq if head else 0
    beside: list[Found] = []
    looks = _looks(url, log, last, with_answers)
    report = verifier.verify(
        _counted(_agreeing(book.rows(url), looks, log, beside), progress, last),
        signing.public_key(settings),
        witnesses=[*(witness.until(p, sizes.get(p, 0)) for p in own), *_all(also)],
        roots=itertools.chain(
            *(witness.until(p, sizes.get(p, 0)) for p in published), *_all(roots)
        ),
        export=False,
    )
    if beside and (report.ok or beside[0].facts["first_bad"] < (report.first_bad or 0)):
        return replace(report, ok=False, **beside[0].facts)
    return report


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
    head = book.newest(settings.platform_db)
    if head is None:
        raise UsageError(
            "Nothing was recorded yet.",
            where="the ledger",
            fix="Run a step first, for example `yupana ingest dengue_linelist`.",
        )
    mark = canonical(witness.checkpoint(settings, head.seq, head.hash, now))
    lines = (line for *_, line in book.rows(settings.platform_db, head.seq))
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


@contextmanager
def _standing(log: Path) -> Iterator[None]:
    """While no step is half way between ledger and log."""
    if not log.exists():
        yield
        return
    with log.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)
        yield


class _Log:
    """The lines of the event log, one after the other, against the events of steps.

    Args:
        size: bytes that the log had when no one was writing to it.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._lines = witness.until(path, size)
        self._number = 0
        self._began = False
        waiting = path.with_suffix(".pending")
        # What a killed process put aside is recorded, and not in the log yet.
        self._waiting = waiting.read_bytes().rstrip(b"\n") if waiting.exists() else None

    def match(self, seq: int, event: dict[str, Any]) -> None:
        """Compare the next line, or what was there before the ledger, with an event."""
        self._began = True
        if event["subject"] == step_events.LOG and "before" in event["facts"]:
            before = event["facts"]["before"]
            lines = [*itertools.islice(self._lines, before["lines"])]
            self._number += len(lines)
            if step_events.whole(lines) != before["sha256"]:
                raise Found(seq, "changed", f"the first {before['lines']} lines of events.jsonl")
            return
        line = next(self._lines, None)
        self._number += 1
        if self._waiting is not None and (line is None or self._waiting.startswith(line)):
            line, self._waiting = self._waiting, None
        if line is None:
            raise Found(seq, "truncated", f"events.jsonl ends before line {self._number}")
        if step_events.digest(line) != event["facts"]["sha256"]:
            raise Found(seq, "changed", f"line {self._number} of events.jsonl is not as recorded")

    def surplus(self, seq: int) -> list[Found]:
        """A line that no event knows, if there is one; `seq` is the last event."""
        if not self._began or next(self._lines, None) is None:
            return []
        told = f"line {self._number + 1} of events.jsonl was never recorded"
        return [Found(seq + 1, "inserted", told)]


def _looks(url: str, log: _Log, last: int, with_answers: bool) -> Look:
    """What is compared with an event beside the chain.

    Args:
        last: the event up to which the log must have its lines.
    """

    def look(seq: int, kind: str, line: bytes) -> list[Found]:
        if kind == "step" and seq <= last:
            log.match(seq, json.loads(line))
        if kind == "predictions" and with_answers:
            return answers.changed(url, seq, json.loads(line)["facts"])
        return []

    return look


def _agreeing(
    rows: Iterable[tuple[int, str, str, bytes]], look: Look, log: _Log, wrong: list[Found]
) -> Iterator[bytes]:
    """The events' texts, each after a look at its row and at what it tells of.

    Args:
        wrong: gets the first event for which they do not agree, after which no one looks.
    """
    seq = 0
    for seq, kind, subject, line in rows:
        if not wrong:
            try:
                _agree(seq, kind, subject, line)
                wrong += look(seq, kind, line)
            except (Found, KeyError, TypeError, ValueError) as error:
                # What is no event any more is told by the chain.
                wrong += [error] if isinstance(error, Found) else []
        yield line
    if not wrong:
        wrong += log.surplus(seq)


def _agree(seq: int, kind: str, subject: str, line: bytes) -> None:
    # Kind, number and subject stand at the end, around texts of known length.
    tail = f'{seq},"subject":{json.dumps(subject, ensure_ascii=False)},"time":"'.encode()
    before = f'"kind":"{kind}","previous":"'.encode()
    start = len(line) - _TIME - len(tail)
    if line[start:-_TIME] != tail or not line[: start - _HASH].endswith(before):
        told = f"row {seq} has another number, kind or subject than its event"
        raise Found(seq, "changed", told)


def _counted(lines: Iterable[bytes], progress: Progress, total: int) -> Iterator[bytes]:
    for number, line in enumerate(lines, 1):
        if number % _TELL == 0:
            progress.say(f"{number:,} events" + (f" of {total:,}" if total else ""))
        yield line
