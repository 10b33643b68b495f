"""Check an exported ledger without the platform: `python verifier.py export.jsonl --key ledger.pub`

This file needs Python 3.11 and `cryptography`, and nothing else; copy it where you trust it.

An export has one event a line, in canonical JSON, and ends with a signed checkpoint. Checked are:
each line's form; that `seq` has no gaps and `previous` is the SHA-256 of the line before it; that
every day's Merkle root (RFC 6962, over the SHA-256 of the day's lines) is the signed one; and
that the ledger still holds what earlier checkpoints (--witness) and published roots (--roots)
saw. The first event that is not as it was is named. Reading is one pass in constant memory.

Exit codes: 0 nothing was changed, 1 something was, 2 wrong use.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

START = "0" * 64
_BLOCK = 500
_FIELDS = ["actor", "facts", "kind", "previous", "seq", "subject", "time"]
_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode
_sha256 = hashlib.sha256


class Found(Exception):  # noqa: N818 - it is a finding, not a fault of the program
    """What is wrong, and with which event first.

    Args:
        what: changed, deleted, inserted, reordered, truncated, rolled back or root forged.
    """

    def __init__(self, seq: int, what: str, told: str) -> None:
        self.seq, self.what, self.told = seq, what, told
        super().__init__(told)


@dataclass
class Report:
    """What a check came to; `first_bad` is the number of the first event that is not as it was."""

    ok: bool = True
    checked: int = 0
    head: str = START
    first_bad: int | None = None
    what: str = ""
    told: str = ""
    seconds: float = 0.0


class Tree:
    """A Merkle tree hash that grows leaf by leaf (RFC 6962, 2.1) in room for its height."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Add a leaf; here the 32 bytes of an event's SHA-256."""
        node, size = _sha256(b"\0" + leaf).digest(), self.size
        while size & 1:
            node = _sha256(b"\1" + self._peaks.pop() + node).digest()
            size >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> str:
        """The root of the leaves so far, in hexadecimal digits."""
        if not self._peaks:
            return _sha256(b"").hexdigest()
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = _sha256(b"\1" + peak + node).digest()
        return node.hex()


def payload(record: dict[str, Any]) -> bytes:
    """What is signed of a root or checkpoint: its canonical text without the signature."""
    return _encode({k: v for k, v in record.items() if k != "signature"}).encode()


def signed(key: Ed25519PublicKey, record: Any, kind: str) -> bool:
    """Whether a record is a `root` or `checkpoint` that the key signed."""
    if not isinstance(record, dict) or record.get("type") != kind:
        return False
    try:
        key.verify(bytes.fromhex(record["signature"]), payload(record))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


class _Event(NamedTuple):
    seq: int
    previous: str
    hash: str


def _event(line: bytes) -> _Event | None:
    """An event by itself; None when the line is none in canonical form."""
    try:
        record = json.loads(line)
        if list(record) != _FIELDS or _encode(record).encode() != line:
            return None
        int(record["seq"])
        return _Event(record["seq"], record["previous"], _sha256(line).hexdigest())
    except (AttributeError, TypeError, ValueError):
        return None


class Witness:
    """The checkpoints of one witness file, in their order, against a ledger that goes by.

    Args:
        until: checkpoints after this time (ISO 8601) may be of events after the export.
    """

    def __init__(self, lines: Iterable[bytes], key: Ed25519PublicKey, until: str = "") -> None:
        self._key, self._until = key, until
        self._lines = enumerate(lines, 1)
        self.matched = 0
        self.next: dict[str, Any] | None = None
        self._pull()

    @property
    def seq(self) -> int:
        return int(self.next["seq"]) if self.next else 0

    def agrees(self, head: str) -> bool:
        """Whether the checkpoints of the event that went by have its hash; then the next ones."""
        seq = self.seq
        while self.next and self.seq == seq:
            if self.next["head"] != head:
                return False
            self.matched = seq
            self._pull()
        return True

    def _pull(self) -> None:
        before = self.seq
        self.next = None
        for number, line in self._lines:
            record = _record(line)
            if record is None and not next(self._lines, None):
                return  # A crash tore the last line.
            # A checkpoint that agrees needs no signature; one that does not is worth nothing
            # without it, so it is looked at only then.
            if not record or not isinstance(record.get("seq"), int) or "head" not in record:
                raise Found(before + 1, "changed", f"the witness has no checkpoint in line {number}")
            self.next = record
            if record["seq"] < before:
                self.demand_signature()
                raise Found(
                    self.matched + 1,
                    "rolled back",
                    f"the witness saw event {before}, and later {record['seq']} as the last one",
                )
            return

    def demand_signature(self) -> None:
        """Raise when the checkpoint that is next was not signed by the ledger's key."""
        if self.next and not signed(self._key, self.next, "checkpoint"):
            raise Found(
                self.seq, "changed", f"the witness's checkpoint of event {self.seq} is forged"
            )

    def at_end(self, checked: int) -> None:
        """Raise when the witness saw events that the ledger does not have."""
        if self.next and not (self._until and self.next.get("time", "") > self._until):
            self.demand_signature()
            raise Found(
                checked + 1,
                "truncated",
                f"the ledger ends with event {checked}, and the witness saw event {self.seq}: "
                "it was cut off or rolled back",
            )


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


class _Walk:
    """One pass over the events; what is wrong is raised as `Found`."""

    def __init__(
        self, key: Ed25519PublicKey, witnesses: list[Witness], roots: dict[str, dict[str, Any]]
    ) -> None:
        self.key, self.witnesses, self.roots = key, witnesses, roots
        self.seq, self.head = 0, START
        self.time = ""
        self._day, self._first, self._tree = "", 1, Tree()
        self._days: dict[str, dict[str, Any]] = {}

    def block(self, lines: list[bytes], rest: Iterator[bytes]) -> None:
        """Take some events; `rest` are those after them."""
        try:
            text = b",".join(lines).decode()
            events = json.loads(f"[{text}]")
            whole = len(events) == len(lines) and _encode(events) == f"[{text}]"
        except ValueError:
            whole = False
        if not whole:
            good = next(i for i, line in enumerate([*lines, b""]) if not _event(line))
            if good == len(lines):
                raise Found(self.seq + 1, "changed", "events are not one a line")
            if good:
                self.block(lines[:good], itertools.chain(lines[good:], rest))
            raise self._diagnosed(itertools.chain(lines[good:], rest))
        awaited = self._awaited()
        seq, head, tree, day = self.seq, self.head, self._tree, self._day
        for i, (line, event) in enumerate(zip(lines, events, strict=True)):
            try:
                good = event["seq"] == seq + 1 and event["previous"] == head and len(event) == 7
                moment = event["time"]
            except (KeyError, TypeError):
                good, moment = False, ""
            if not good:
                self.seq, self.head = seq, head
                raise self._diagnosed(itertools.chain(lines[i:], rest))
            digest = _sha256(line)
            seq, head = seq + 1, digest.hexdigest()
            if moment[:10] != day:
                self.seq = seq
                self._new_day(moment[:10])
                tree, day = self._tree, self._day
            tree.add(digest.digest())
            if event["kind"] == "root":
                self._root(seq, event["facts"])
            if seq == awaited:
                self.seq, self.head = seq, head
                self._look(itertools.chain(lines[i + 1 :], rest))
                awaited = self._awaited()
        self.seq, self.head, self.time = seq, head, moment

    def finish(self, checkpoint: dict[str, Any] | None) -> None:
        """What only the end can tell; `checkpoint` is the export's own."""
        if checkpoint is not None:
            seq = checkpoint.get("seq")
            if not signed(self.key, checkpoint, "checkpoint") or not isinstance(seq, int):
                raise Found(self.seq, "changed", "the checkpoint at the end is forged")
            if seq > self.seq:
                raise Found(
                    self.seq + 1, "truncated", f"the export ends with {self.seq} of {seq} events"
                )
            if seq < self.seq:
                raise Found(seq + 1, "inserted", f"event {seq + 1} is after the checkpoint")
            if checkpoint["head"] != self.head:
                raise Found(seq, "changed", f"event {seq} is not the one of the checkpoint")
        for witness in self.witnesses:
            witness.at_end(self.seq)
        self._new_day("")
        for day, root in self.roots.items():
            if day not in self._days:
                raise Found(
                    self.seq + 1, "truncated",
                    f"the root of {day} is published, and the ledger has no event of that day",
                )  # fmt: skip
            self._compare(root["first"], root)

    def _awaited(self) -> int:
        return min((w.seq for w in self.witnesses if w.next), default=0)

    def _new_day(self, day: str) -> None:
        if day and day < self._day:
            raise Found(self.seq, "changed", f"the time of event {self.seq} goes back")
        if self._tree.size:
            told = {"events": self._tree.size, "first": self._first, "root": self._tree.root()}
            self._days[self._day] = told
        self._day, self._first, self._tree = day, self.seq, Tree()

    def _root(self, seq: int, facts: Any) -> None:
        if not signed(self.key, facts, "root"):
            raise Found(seq, "root forged", f"the root in event {seq} is not signed by the key")
        self._compare(seq, facts)

    def _compare(self, seq: int, root: dict[str, Any]) -> None:
        mine = self._days.get(root["day"])
        if mine is None:
            raise Found(seq, "root forged", f"there is no day {root['day']} before event {seq}")
        if any(mine[name] != root.get(name) for name in mine):
            raise Found(
                mine["first"], "rolled back",
                f"the events of {root['day']}, {mine['first']} and on, are not those that were "
                "signed",
            )  # fmt: skip

    def _look(self, rest: Iterator[bytes]) -> None:
        for witness in self.witnesses:
            if witness.seq != self.seq or witness.agrees(self.head):
                continue
            after = _event(next(rest, b""))
            if after and after.seq == self.seq:
                raise Found(self.seq, "inserted", f"an event was put in at {self.seq}")
            if after and after.previous != self.head:
                raise Found(self.seq, "changed", f"event {self.seq} was changed")
            witness.demand_signature()
            if not after and witness.matched == self.seq - 1:
                raise Found(self.seq, "changed", f"event {self.seq} is not the one witnessed")
            raise Found(
                witness.matched + 1, "rolled back",
                f"event {self.seq} is another than the witness saw: the ledger was rolled back to "
                f"{witness.matched} or a little later, or written anew",
            )  # fmt: skip

    def _diagnosed(self, rest: Iterator[bytes]) -> Found:
        """What happened where the next line does not continue the chain."""
        due = self.seq + 1
        line = next(rest)
        here, after = _event(line), _event(next(rest, b""))
        if here is None:
            return Found(due, "changed", f"event {due} is not in canonical form")
        if here.seq == due:
            # Whom the line after agrees with is as it was.
            if after and after.seq == due + 1 and after.previous == here.hash and self.seq:
                return Found(self.seq, "changed", f"event {self.seq} was changed")
            return Found(due, "changed", f"event {due} was changed")
        if here.seq < due:
            place = here.seq if here.seq == self.seq else due
            return Found(place, "inserted", f"an event was put in at {place}")
        again = elsewhere = False
        for other in ([after] if after else []) + [e for e in map(_event, rest) if e]:
            elsewhere |= other.seq == due
            again |= other.seq == here.seq
        if elsewhere and again:
            return Found(due, "inserted", f"an event was put in at {due}")
        if elsewhere:
            return Found(due, "reordered", f"event {due} stands further down")
        if after and after.seq == due + 1:
            return Found(due, "changed", f"event {due} was changed")
        gone = f"event {due}" if here.seq == due + 1 else f"events {due} to {here.seq - 1}"
        return Found(due, "deleted", f"{gone} {'is' if here.seq == due + 1 else 'are'} missing")


def verify(
    lines: Iterable[bytes],
    public_key: str,
    *,
    witnesses: Iterable[Iterable[bytes]] = (),
    roots: Iterable[bytes] = (),
    export: bool = True,
) -> Report:
    """Check a ledger.

    Args:
        lines: the events, one each, without line ends; with `export`, a checkpoint at the end.
        public_key: 64 hexadecimal digits.
        witnesses: the lines of witness files.
        roots: the lines of a file of published roots.
    """
    start = time.perf_counter()
    report = Report()
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key.strip()))
    walk = _Walk(key, [], {})
    stream, checkpoint = iter(lines), None
    try:
        walk.roots = _published(key, roots)
        walk.witnesses = [Witness(given, key) for given in witnesses]
        while block := list(itertools.islice(stream, _BLOCK)):
            if export and block[-1].startswith(b'{"head":'):
                checkpoint = _record(block.pop())
                for witness in walk.witnesses:
                    witness._until = str((checkpoint or {}).get("time", ""))
            if block:
                walk.block(block, stream)
        if export and checkpoint is None:
            raise Found(walk.seq + 1, "truncated", "the export has no checkpoint at its end")
        walk.finish(checkpoint)
    except Found as found:
        report.ok, report.first_bad = False, found.seq
        report.what, report.told = found.what, found.told
    report.checked, report.head = walk.seq, walk.head
    report.seconds = time.perf_counter() - start
    return report


def _published(key: Ed25519PublicKey, lines: Iterable[bytes]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(lines, 1):
        record = _record(line)
        if not record or not signed(key, record, "root"):
            first = record.get("first") if record else None
            seq = first if isinstance(first, int) else 1
            raise Found(seq, "root forged", f"line {number} of the roots is not signed by the key")
        found[record["day"]] = record
    return found


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file, without their ends."""
    with path.open("rb") as stream:
        for line in stream:
            yield line[:-1] if line.endswith(b"\n") else line


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("export", type=Path, help="what `yupana audit export` wrote")
    parser.add_argument("--key", type=Path, required=True, help="the ledger's public key")
    parser.add_argument("--witness", type=Path, action="append", default=[], help="witness.jsonl")
    parser.add_argument("--roots", type=Path, help="published roots, roots.jsonl")
    parser.add_argument("--json", action="store_true", help="tell the result as JSON")
    given = parser.parse_args()
    try:
        report = verify(
            lines_of(given.export),
            given.key.read_text(),
            witnesses=[lines_of(path) for path in given.witness],
            roots=lines_of(given.roots) if given.roots else (),
        )
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if given.json:
        print(json.dumps(asdict(report)))
    elif report.ok:
        print(f"ok: {report.checked:,} events, none was changed; head {report.head}")
    else:
        print(f"{report.what} at event {report.first_bad}: {report.told}")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
