"""What was decided on a use case: signed events of the ledger, each naming the one before it.

There is no other table: who edits, forges or deletes one is found by its signature or by the chain.
A suspension counts whether or not its signature is good, so that spoiling it lifts nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Lines
from yupana.database.engine import engine
from yupana.identity import credentials
from yupana.ledger import entries, signing, witness, writer
from yupana.ledger import pseudonyms as people
from yupana.ledger.canonical import canonical
from yupana.ledger.entries import Entry, Sealed
from yupana.ledger.table import LEDGER

_CACHE: dict[tuple[str, str], _View] = {}
KINDS = ("gate", "assess", "approve", "suspend", "resume")


@dataclass(frozen=True)
class Record:
    """A decision as the ledger has it; `accounts` are pseudonyms of all that were acted by."""

    seq: int
    time: datetime
    kind: str
    subject: str
    actor: str
    facts: dict[str, Any]
    hash: str
    signed: bool

    @property
    def accounts(self) -> frozenset[str]:
        return frozenset(self.facts.get("accounts", ()))


@dataclass(frozen=True)
class Mark:
    """An event up to which the ledger had no gap, and its SHA-256; 0 where there was none yet."""

    seq: int = 0
    sha256: str = ""


START = Mark()


@dataclass(frozen=True)
class _View:
    """What a service read of the decisions on a use case.

    Attributes:
        state: what makes it read them again.
        wrong: what is not as it was written; empty: nothing.
        intact: the hashes of the decisions when nothing was wrong the last time, and `mark` how
            far the ledger was without a gap then: both must still be there.
    """

    state: Any
    records: list[Record]
    wrong: str
    intact: list[str]
    mark: Mark


def use_case_of(subject: str) -> str:
    """`NAME` of `NAME@3`."""
    return subject.partition("@")[0]


def pseudonyms(settings: Settings, accounts: Sequence[str]) -> list[str]:
    """Accounts as the ledger names them."""
    return [people.pseudonym(settings, credentials.canonical(settings, a)) for a in accounts]


def write(
    settings: Settings,
    kind: str,
    subject: str,
    facts: dict[str, Any],
    *,
    accounts: Sequence[str],
    now: datetime,
) -> Record:
    """Sign a decision and append it to the ledger."""
    names = pseudonyms(settings, accounts)
    lock = settings.lock(f"decisions-{use_case_of(subject)}")
    with one_at_a_time(lock, "another decision", Lines()):
        before = of(settings, use_case_of(subject))
        signed = {**facts, "accounts": names, "after": before[-1].hash if before else ""}
        signed["signature"] = signing.sign(settings, _payload(kind, subject, names[0], signed))
        sealed = writer.append(settings, [Entry(kind, subject, signed, names[0])], now=now)[0]
    return _record(settings, sealed)


def of(settings: Settings, use_case: str) -> list[Record]:
    """All decisions on a use case and its models, oldest first."""
    records = [
        _record(settings, sealed)
        for kind in KINDS
        for sealed in entries.read(settings.platform_db, kind=kind)
        if use_case_of(sealed.subject) == use_case
    ]
    return sorted(records, key=lambda record: record.seq)


def newest(records: Sequence[Record], kind: str, subject: str, sha256: str = "") -> Record | None:
    """The newest signed decision of a kind on a subject, of these files where they are given."""
    for one in reversed(records):
        same = one.signed and (one.kind, one.subject) == (kind, subject)
        if same and (not sha256 or one.facts.get("sha256") == sha256):
            return one
    return None


def trouble(records: Sequence[Record]) -> str:
    """What is wrong with a use case's decisions; empty where they are as they were written."""
    # Any earlier one: two machines that decide in the same instant name the same before them.
    before = {""}
    for one in records:
        if not one.signed:
            return f"event {one.seq} ({one.kind} {one.subject}) is not signed by this platform"
        if one.facts.get("after") not in before:
            return f"a decision before event {one.seq} ({one.kind} {one.subject}) is gone"
        before.add(one.hash)
    return ""


def gaps(settings: Settings, since: Mark = START) -> tuple[str, Mark]:
    """Whether events of the ledger are gone, by its numbers and its witness; empty where none are.

    `yupana audit verify` looks at every event; this is quick enough for each decision.

    Args:
        since: of an earlier look: later events alone are counted, however long the ledger is.

    Returns:
        What is gone, and the mark for the next look.
    """
    head = sa.select(LEDGER.c.seq, LEDGER.c.line).order_by(LEDGER.c.seq.desc()).limit(1)
    with engine(settings.platform_db).connect() as connection:
        # The witness first: what it saw was in the ledger by then.
        seen = [_last_checkpoint(settings, path) for path in witness.files(settings)]
        last = connection.execute(head).one_or_none()
        end = Mark(last.seq, hashlib.sha256(last.line.encode()).hexdigest()) if last else START
        later = (LEDGER.c.seq > since.seq) & (LEDGER.c.seq <= end.seq)
        count = connection.scalar(sa.select(sa.func.count()).select_from(LEDGER).where(later))
        if count != max(end.seq - since.seq, 0):
            after = f" after event {since.seq}" if since.seq else ""
            return f"the ledger has {count} of {end.seq - since.seq} events{after}", since
        for mark, who in [*((one, "the witness") for one in seen), (since, "this service")]:
            if not _is_there(connection, mark):
                return f"event {mark.seq}, which {who} saw, is gone or another", since
    return "", end


def _is_there(connection: sa.Connection, mark: Mark) -> bool:
    line = connection.scalar(sa.select(LEDGER.c.line).where(LEDGER.c.seq == mark.seq))
    if line is None:
        return mark == START
    return hashlib.sha256(line.encode()).hexdigest() == mark.sha256


def _last_checkpoint(settings: Settings, path: Path) -> Mark:
    """The newest checkpoint in a witness file; a forged one is none."""
    if not path.exists():
        return START
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - 2000, 0))
        lines = [line for line in stream.read().split(b"\n")[:-1] if line]
    try:
        checkpoint = dict(json.loads(lines[-1]))
        unsigned = {k: v for k, v in checkpoint.items() if k != "signature"}
        good = _checked(settings, canonical(unsigned).encode(), str(checkpoint["signature"]))
        mark = Mark(int(checkpoint["seq"]), str(checkpoint["head"]))
    except (IndexError, ValueError, KeyError):
        return START
    return mark if good and checkpoint.get("type") == "checkpoint" else START


def cached(settings: Settings, use_case: str) -> tuple[list[Record], str]:
    """`of` and what is wrong with it, read again only when the number of decisions changed, and
    each minute: for services.

    What was read once must still be there, and of the ledger only what came since is counted: all
    of it once in a process.
    """
    query = sa.select(sa.func.count(), sa.func.max(LEDGER.c.seq)).where(LEDGER.c.kind.in_(KINDS))
    with engine(settings.platform_db).connect() as connection:
        state = (*connection.execute(query).one(), time.monotonic() // 60)
    key = (settings.platform_db, use_case)
    view = _CACHE.get(key)
    if view is None or view.state != state:
        view = _CACHE[key] = _read(settings, use_case, state, view)
    return view.records, view.wrong


def _read(settings: Settings, use_case: str, state: Any, before: _View | None) -> _View:
    records = of(settings, use_case)
    hashes = [record.hash for record in records]
    intact, since = (before.intact, before.mark) if before else ([], START)
    gone, mark = gaps(settings, since)
    wrong = trouble(records) or gone
    if hashes[: len(intact)] != intact:
        wrong = wrong or "a decision that was there is gone or another"
    if wrong:
        return _View(state, records, wrong, intact, since)
    return _View(state, records, "", hashes, mark)


def latest(settings: Settings) -> datetime:
    """When the ledger's newest event was, of whichever kind; the epoch for an empty ledger."""
    newest = entries.newest(settings.platform_db)
    return moment(newest.time) if newest else datetime.fromtimestamp(0, UTC)


def moment(text: str) -> datetime:
    """A ledger's time."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _record(settings: Settings, sealed: Sealed) -> Record:
    payload = _payload(sealed.kind, sealed.subject, sealed.actor, sealed.facts)
    signature = str(sealed.facts.get("signature", ""))
    return Record(
        sealed.seq, moment(sealed.time), sealed.kind, sealed.subject, sealed.actor, sealed.facts,
        sealed.hash, _checked(settings, payload, signature),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _checked(settings: Settings, payload: bytes, signature: str) -> bool:
    return bool(signature) and signing.check_signature(settings, payload, signature)


def _payload(kind: str, subject: str, actor: str, facts: dict[str, Any]) -> bytes:
    unsigned = {k: v for k, v in facts.items() if k != "signature"}
    return canonical([kind, subject, actor, unsigned]).encode()
