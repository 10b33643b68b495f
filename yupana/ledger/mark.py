"""The mark: how far the ledger was checked and was good, so that the next check goes on from there.

`ledger/mark.json` in home is a signed checkpoint that also names the SHA-256 of `ledger/replay.db`
beside it: what the events up to there say of each row, day and group of answers. A ledger that
disagrees with the mark was rewritten or put back, as with a witness. What is missing, unsigned,
older than `LONGEST`, or does not fit together, leads to a check of everything, which says so.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core import private_file
from yupana.core.errors import TerminalError
from yupana.core.hashing import file_sha256, files_sha256
from yupana.ledger import signing, witness
from yupana.ledger.canonical import canonical
from yupana.ledger.fault import Begin
from yupana.ledger.table import LEDGER
from yupana.ledger.verifier import Position

LONGEST = timedelta(days=7)
"""After which everything is read again, whether asked for or not."""

MARK, REPLAY = "mark.json", "replay.db"
_LOG = logging.getLogger(__name__)
_TABLE = "CREATE TABLE IF NOT EXISTS place (body)"
_BLOCK = 1 << 20


class StaleError(Exception):
    """Why a check cannot go on from the mark."""


@dataclass(frozen=True)
class Mark:
    """That all was as the ledger says when it ended with an event.

    Attributes:
        seq: of the event; 0 where there is no mark.
        head: its SHA-256.
        time: of the check (ISO 8601, UTC).
        whole: of the last check that read everything.
        checks: SHA-256 of the code that looked.
        replay: SHA-256 of the replay.
        line: the signed text.
    """

    seq: int = 0
    head: str = ""
    time: str = ""
    whole: str = ""
    checks: str = ""
    replay: str = ""
    line: bytes = b""


@dataclass
class Replay:
    """A copy of the replay to work on, and where the events that it tells of end.

    Attributes:
        files: by path, size and SHA-256 of the witness files that were compared with them.
    """

    database: sqlite3.Connection
    path: Path
    position: Position = field(default_factory=Position)
    files: dict[str, tuple[int, str]] = field(default_factory=dict)


def read(settings: Settings) -> Mark:
    """The mark of a home; none where no key of this ledger signed it."""
    try:
        line = (settings.home / "ledger" / MARK).read_bytes()
        record = json.loads(line)
        signature = record.pop("signature")
        record_type = record.pop("type")
        mark = Mark(**record, line=line)
        payload = canonical({**record, "type": record_type}).encode()
        signed = signing.check_signature(settings, payload, str(signature))
    except (AttributeError, KeyError, OSError, TypeError, ValueError, TerminalError):
        return Mark()
    return mark if signed else Mark()


def of_code(checks: Sequence[Begin]) -> str:
    """SHA-256 of the rooms whose code checks: what an earlier release did not look at, it does
    not vouch for."""
    rooms = {Path(__file__).parent, *(Path(inspect.getfile(check)).parent for check in checks)}
    return files_sha256(path for room in rooms for path in room.glob("*.py"))


@contextmanager
def fresh() -> Iterator[Replay]:
    """An empty replay."""
    with tempfile.TemporaryDirectory(prefix="yupana-replay-") as folder:
        path = Path(folder) / REPLAY
        with closing(_opened(path)) as database:
            yield Replay(database, path)


@contextmanager
def resumed(settings: Settings, mark: Mark, checks: str, now: datetime) -> Iterator[Replay]:
    """The replay that a mark names.

    Args:
        checks: of the code that is about to check.

    Raises:
        StaleError: there is none that this check can go on from.
    """
    if not mark.seq:
        raise StaleError("there is no mark of an earlier check that the ledger's key signed")
    if mark.checks != checks:
        raise StaleError("the mark is of another release")
    age = now - datetime.fromisoformat(mark.whole)
    if not timedelta(0) <= age < LONGEST:
        raise StaleError(f"everything was read last on {mark.whole}")
    with tempfile.TemporaryDirectory(prefix="yupana-replay-") as folder:
        path = Path(folder) / REPLAY
        # What is used is what was hashed.
        if _copied(settings.home / "ledger" / REPLAY, path) != mark.replay:
            raise StaleError("the replay is not the one of the mark")
        with closing(_opened(path)) as database:
            place = json.loads(database.execute("SELECT body FROM place").fetchone()[0])
            files = {name: (size, sha256) for name, (size, sha256) in place["files"].items()}
            yield Replay(database, path, Position(**place["position"]), files)


def demand(mark: Mark, connection: sa.Connection) -> None:
    """Refuse a mark of which the database has not the event and as many before it.

    Raises:
        StaleError: it has not.
    """
    n = connection.scalar(sa.select(sa.func.count()).where(LEDGER.c.seq <= mark.seq))
    if n != mark.seq or head_of(connection, mark.seq) != mark.head:
        raise StaleError(f"the ledger does not hold the {mark.seq:,} events that the mark saw")


def beginning(path: Path, size: int) -> tuple[int, str]:
    """So many bytes of a file from its beginning, and their SHA-256."""
    if not path.exists():
        return 0, ""
    with path.open("rb") as stream:
        sha256 = hashlib.sha256()
        left = size
        while left and (block := stream.read(min(left, _BLOCK))):
            sha256.update(block)
            left -= len(block)
    return size - left, sha256.hexdigest()


def head_of(connection: sa.Connection, seq: int) -> str:
    """SHA-256 of an event as the database has it; empty where it has none."""
    line = connection.scalar(sa.select(LEDGER.c.line).where(LEDGER.c.seq == seq))
    return hashlib.sha256(line.encode()).hexdigest() if line else ""


def leave(settings: Settings, replay: Replay, whole: str, checks: str, now: datetime) -> None:
    """Put the mark where the next check finds it; a home that takes none stays as it is, and who
    does not sign leaves none.

    Args:
        whole: when everything was read last; empty: now.
    """
    if not settings.sign_ledger:
        return
    at, place = replay.position, {"position": asdict(replay.position), "files": replay.files}
    replay.database.execute(_TABLE)
    replay.database.execute("DELETE FROM place")
    replay.database.execute("INSERT INTO place VALUES (?)", [json.dumps(place)])
    replay.database.commit()
    checkpoint = witness.checkpoint(settings, at.seq, at.head, now)
    record: dict[str, Any] = {k: checkpoint[k] for k in ("head", "seq", "time", "type")}
    record |= {"whole": whole or record["time"], "checks": checks}
    record["replay"] = file_sha256(replay.path)
    folder = settings.home / "ledger"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f".{REPLAY}.{replay.path.parent.name}"
        try:
            shutil.copyfile(replay.path, aside)
            aside.replace(folder / REPLAY)
        finally:
            aside.unlink(missing_ok=True)
        private_file.replace(folder / MARK, canonical(witness.sealed(settings, record)))
    except OSError as error:
        _LOG.warning("the ledger's mark cannot be left, the next check reads all: %s", error)


def drop(settings: Settings) -> None:
    """Let no check go on from the mark; as a checkpoint it stays."""
    try:
        (settings.home / "ledger" / REPLAY).unlink(missing_ok=True)
    except OSError as error:
        _LOG.error("the ledger's replay cannot be removed, verify with --all: %s", error)


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    # A copy: it is whole when it is done, and lost otherwise.
    database.execute("PRAGMA journal_mode=OFF")
    database.execute("PRAGMA synchronous=OFF")
    return database


def _copied(source: Path, target: Path) -> str:
    """Copy a file; the SHA-256 of the bytes that were written, empty where there is none."""
    sha256 = hashlib.sha256()
    try:
        with source.open("rb") as stream, target.open("wb") as out:
            while block := stream.read(_BLOCK):
                sha256.update(block)
                out.write(block)
    except OSError:
        return ""
    return sha256.hexdigest()
