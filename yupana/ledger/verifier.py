"""Check an exported ledger without the platform: `python verifier.py export.jsonl --key ledger.pub`

This file needs Python 3.11 and `cryptography`, and nothing else; copy it where you trust it. Where
`orjson` is there too, it takes half the time.
An export has one event a line, in canonical JSON, and ends with a signed checkpoint. Checked are:
each line's form; that `seq` has no gaps and `previous` is the SHA-256 of the line before it; that
every day's Merkle root (RFC 6962, over the SHA-256 of the day's lines) is the signed one; that
the ledger still holds what earlier checkpoints (--witness) and published roots (--roots) saw; and
that events agree with earlier ones on what a changed row was, and on how many answers moved.
Whether tables, answers and files are as the events say, no export can tell. The first event that
is not as it was is named. Reading is one pass in constant memory.
Exit codes: 0 nothing was changed, 1 something was, 2 wrong use.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import secrets
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

START = "0" * 64
LONGEST_LINE = 1 << 20
"""Bytes that an event may have; a longer line is none, and is not read into memory."""

_BLOCK = 100  # Larger ones do not fit into a core's cache.
_FIELDS = ("actor", "facts", "kind", "previous", "seq", "subject", "time")
_TYPES = [{str}, {dict}, {str}, {str}, {int}, {str}, {str}]
_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, sort_keys=True,
    separators=(",", ":"),
).encode  # fmt: skip
_CODECS: list[Any] = [(lambda text: json.loads(text.decode()), lambda v: _encode(v).encode())]
try:  # What it writes in another way (1e16 for 1e+16), no event has.
    import orjson

    _CODECS[:0] = [(orjson.loads, partial(orjson.dumps, option=orjson.OPT_SORT_KEYS))]
except ImportError:
    pass
_sha256 = hashlib.sha256
_OF_ROWS = {"rows", "predictions", "archive"}
_TABLES = """
CREATE TABLE digests (source, key, digest, PRIMARY KEY (source, key)) WITHOUT ROWID;
CREATE TABLE answers (use_case, first, last, n);
CREATE INDEX answers_by ON answers (use_case, last);
"""
# Between lines that are read together stands a number that no line can know of: so none can end
# in the middle of an event, and the next one complete it.
_MARK = secrets.randbits(62)
_BETWEEN = f",{_MARK},".encode()


class Finding(Exception):  # noqa: N818 - it is a finding, not a fault of the program
    """What is wrong: changed, deleted, inserted, reordered, truncated, rolled back, root forged."""

    def __init__(self, seq: int, what: str, message: str) -> None:
        super().__init__(message)
        self.facts: dict[str, Any] = {"first_bad": seq, "what": what, "message": message}


@dataclass
class Report:
    """What a check came to; `time` is of the last event, `first_bad` the first not as it was."""

    ok: bool
    checked: int
    head: str
    time: str
    first_bad: int | None = None
    what: str = ""
    message: str = ""

    def __str__(self) -> str:
        if not self.ok:
            return f"{self.what} at event {self.first_bad}: {self.message}"
        return f"ok: {self.checked:,} events; the last is of {self.time}, head {self.head}"


class Tree:
    """A Merkle tree hash that grows leaf by leaf (RFC 6962, 2.1) in room for its height."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self.peaks = size, [*peaks]

    def add(self, leaf: bytes) -> None:
        """Add a leaf; here the 32 bytes of an event's SHA-256."""
        node, size = _sha256(b"\0" + leaf).digest(), self.size
        while size & 1:
            node = _sha256(b"\1" + self.peaks.pop() + node).digest()
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> str:
        """The root of the leaves so far, at least one, in hexadecimal digits."""
        *peaks, node = self.peaks
        for peak in reversed(peaks):
            node = _sha256(b"\1" + peak + node).digest()
        return node.hex()


@dataclass(frozen=True)
class Position:
    """Where a check ended, so that another goes on from there: the last event; the day that it is
    of, with the first event, size and peaks (hexadecimal) of its tree; and the days before."""

    seq: int = 0
    head: str = START
    time: str = ""
    day: str = ""
    first: int = 1
    size: int = 0
    peaks: tuple[str, ...] = ()
    days: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def signed(key: Ed25519PublicKey, record: Any, kind: str) -> bool:
    """Whether a record is a `root` or `checkpoint` that the key signed."""
    if not isinstance(record, dict) or record.get("type") != kind:
        return False
    with suppress(InvalidSignature, KeyError, TypeError, ValueError):
        payload = _encode({k: v for k, v in record.items() if k != "signature"}).encode()
        key.verify(bytes.fromhex(record["signature"]), payload)
        return True
    return False


def _record(line: bytes) -> dict[str, Any] | None:
    with suppress(ValueError, RecursionError):
        value = json.loads(line)
        return value if isinstance(value, dict) else None
    return None


class _Block(NamedTuple):
    """Lines, and their events if these follow each other; `seq` is 0 if they do not."""

    lines: list[bytes]
    seq: int = 0
    previous: str = ""
    head: str = ""
    time: str = ""
    days: Sequence[str] = ()
    digests: Sequence[bytes] = ()
    roots: Mapping[int, Any] | None = None
    of_rows: Sequence[tuple[int, str, str, Any]] = ()


def _canonical(text: bytes) -> Any:
    """The values of a list in canonical JSON; none where it is not in that form."""
    for loads, dumps in _CODECS:
        with suppress(TypeError, ValueError):
            if dumps(values := loads(text)) == text:
                return values
    return []


def _block(lines: list[bytes]) -> _Block:
    """Look whether each line is an event in canonical form that follows the one before it."""
    try:
        values = _canonical(b"[" + _BETWEEN.join(lines) + b"]")
        events = values[::2]
        good = len(events) == len(lines)
        good &= {*values[1::2]} <= {_MARK} and {*map(tuple, events)} == {_FIELDS}
        columns = [*zip(*map(dict.values, events), strict=True)]
    except (TypeError, ValueError, RecursionError):
        return _Block(lines)
    if not good or [{*map(type, column)} for column in columns] != _TYPES:
        return _Block(lines)
    _, facts, kinds, previous, seqs, subjects, times = columns
    digests = [_sha256(line).digest() for line in lines]
    follow = [*previous[1:]] == [*map(bytes.hex, digests[:-1])]
    if not follow or [*seqs] != [*range(seqs[0], seqs[0] + len(seqs))]:
        return _Block(lines)
    roots = {i: facts[i] for i, kind in enumerate(kinds) if kind == "root"}
    of_rows = [*zip(seqs, kinds, subjects, facts, strict=True)] if _OF_ROWS & {*kinds} else []
    days = [moment[:10] for moment in times]
    head = digests[-1].hex()
    return _Block(lines, seqs[0], previous[0], head, times[-1], days, digests, roots, of_rows)


def _stands(line: bytes) -> _Block:
    """Where an event says that it stands; a checkpoint stands after the last one."""
    record = _record(line) or {}
    if record.get("type") == "checkpoint" and type(record.get("seq")) is int:
        return _Block([line], record["seq"] + 1, str(record.get("head")))
    return _block([line])


class _Witness:
    """The checkpoints of one witness file, in their order, against a ledger that goes by."""

    def __init__(self, lines: Iterable[bytes], key: Ed25519PublicKey) -> None:
        self._key, self._lines = key, enumerate(lines, 1)
        self.matched, self.seq, self.head = 0, 0, ""
        self.record: dict[str, Any] | None = None
        self._pull()

    def agrees(self, head: str) -> bool:
        """Whether the checkpoints of the event that went by have its hash; then the next ones."""
        seq = self.seq
        while self.seq == seq:
            if self.head != head:
                return False
            self.matched = seq
            self._pull()
        return True

    def _pull(self) -> None:
        least, self.seq, self.record = self.seq or 1, 0, None
        for number, line in self._lines:
            record = _record(line)
            if record is None and not next(self._lines, None):
                return  # A crash tore the last line.
            if not record or type(record.get("seq")) is not int or record["seq"] < least:
                message = f"line {number} of the witness is no checkpoint, or out of order"
                raise Finding(self.matched + 1, "changed", message)
            self.record, self.seq, self.head = record, record["seq"], str(record.get("head"))
            return

    def demand_signature(self) -> None:
        """Raise when the next checkpoint was not signed: then it is worth nothing against us."""
        if not signed(self._key, self.record, "checkpoint"):
            raise Finding(self.seq, "changed", f"the witness's checkpoint of {self.seq} is forged")


class _Rows:
    """What events say of rows and of answers; in a database that grows on the disk."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.executescript(_TABLES)

    def take(self, seq: int, kind: str, subject: str, facts: Any) -> None:
        """Raise where an event says otherwise than those before it."""
        # What has another form tells nothing of rows.
        with suppress(AttributeError, KeyError, TypeError, ValueError, sqlite3.Error):
            if kind == "rows":
                self._change(seq, subject, facts)
            elif kind == "predictions":
                group = (subject, *facts["rows"], facts["n"])
                self._database.execute("INSERT INTO answers VALUES (?, ?, ?, ?)", group)
            elif kind == "archive" and not facts.get("before"):
                self._move(seq, (subject, *facts["rows"]), facts["n"])

    def _change(self, seq: int, subject: str, facts: Any) -> None:
        # The first is believed; another one must say what the events before it left.
        has_rows = self._database.execute("SELECT 1 FROM digests LIMIT 1").fetchone()
        again = subject == "baseline" and has_rows
        last = "SELECT digest FROM digests WHERE source = ? AND key = ?"
        for source, rows in facts.items():
            for key, digest, *old in rows:
                old = [digest] if again else old
                if old and self._database.execute(last, (source, key)).fetchone() != (*old,):
                    change = "vouched for it anew" if again else "changed it"
                    message = f"{source} {key} was not as recorded when event {seq} {change}"
                    raise Finding(seq, "changed", message)
                row = source, key, digest
                self._database.execute("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", row)

    def _move(self, seq: int, rows: tuple[str, int, int], n: int) -> None:
        where = "FROM answers WHERE use_case = ? AND first >= ? AND last <= ?"
        query = f"SELECT coalesce(sum(n), 0) {where}"
        (sealed,) = self._database.execute(query, rows).fetchone()
        self._database.execute(f"DELETE {where}", rows)
        if sealed != n:
            message = f"{n} answers moved to the lake by event {seq}, and {sealed} were sealed"
            raise Finding(seq, "changed", message)


class _Walk:
    """One pass over the events; what is wrong is raised as `Finding`."""

    def __init__(self, key: Ed25519PublicKey, export: bool, at: Position) -> None:
        self.key, self.export, self.checkpoint = key, export, b""
        self.witnesses: list[_Witness] = []
        self.seq, self.head, self.time = at.seq, at.head, at.time
        self._day, self._first = at.day, at.first
        self._tree = Tree(at.size, map(bytes.fromhex, at.peaks))
        self._days: dict[str, Mapping[str, Any]] = dict(at.days)
        # In the ledger in use, more is compared with them.
        self._rows = _Rows() if export else None

    def position(self) -> Position:
        size, peaks = self._tree.size, tuple(peak.hex() for peak in self._tree.peaks)
        last = self.seq, self.head, self.time
        return Position(*last, self._day, self._first, size, peaks, dict(self._days))

    def take(self, block: _Block, rest: Iterator[bytes]) -> None:
        """Take some lines; `rest` are those after them."""
        lines = block.lines
        if (block.seq, block.previous) != (self.seq + 1, self.head):
            if len(lines) > 1:
                for i, line in enumerate(lines):
                    self.take(_block([line]), itertools.chain(lines[i + 1 :], rest))
            elif not (self.export and lines[0].startswith(b'{"head":')):
                raise self._break(itertools.chain(lines, rest))
            else:
                self.checkpoint = lines[0]
            return
        end = block.seq + len(lines)
        waited = any(0 < w.seq < end for w in self.witnesses)
        plain = not block.roots and not waited and {*block.days} == {self._day}
        for digest in block.digests if plain else ():
            self._tree.add(digest)
        each = zip(block.days, block.digests, strict=True)
        for i, (day, digest) in enumerate(() if plain else each):
            if day != self._day:
                self._new_day(day, block.seq + i)
            self._tree.add(digest)
            if block.roots and i in block.roots:
                self._compare(block.seq + i, block.roots[i])
            for witness in self.witnesses:
                if witness.seq == block.seq + i:
                    self._look(witness, digest.hex(), itertools.chain(lines[i + 1 :], rest))
        if self._rows:
            for event in block.of_rows:
                self._rows.take(*event)
        self.seq, self.head, self.time = end - 1, block.head, block.time

    def finish(self, roots: dict[str, dict[str, Any]]) -> None:
        until, mark = "", _record(self.checkpoint)
        if self.export:
            if not mark:
                raise Finding(self.seq + 1, "truncated", "the export has no checkpoint at its end")
            if not signed(self.key, mark, "checkpoint"):
                raise Finding(self.seq, "changed", "the checkpoint at the end is forged")
            seq, until = mark["seq"], mark["time"]
            cut = f"{self.seq} events, and the checkpoint is of {seq}"
            if seq != self.seq:
                what = "truncated" if seq > self.seq else "inserted"
                raise Finding(min(seq, self.seq) + 1, what, cut)
            if mark["head"] != self.head:
                raise Finding(seq, "changed", f"event {seq} is not the one of the checkpoint")
        for witness in self.witnesses:
            if witness.record and not (until and str(witness.record.get("time")) > until):
                witness.demand_signature()
                end = f"the ledger ends with {self.seq}, and the witness saw event {witness.seq}"
                raise Finding(self.seq + 1, "truncated", f"{end}: it was cut off or rolled back")
        self._new_day("z", 0)
        for day, root in roots.items():
            if root["first"] + root["events"] - 1 > self.seq:
                message = f"{day} had more events when it was signed"
                raise Finding(self.seq + 1, "truncated", message)
            self._compare(root["first"], root)

    def _new_day(self, day: str, first: int) -> None:
        if day < self._day:
            raise Finding(first, "changed", f"the time of event {first} goes back")
        if self._tree.size:
            facts = {"events": self._tree.size, "first": self._first, "root": self._tree.root()}
            self._days[self._day] = facts
        self._day, self._first, self._tree = day, first, Tree()

    def _compare(self, seq: int, root: Any) -> None:
        if not signed(self.key, root, "root"):
            raise Finding(seq, "root forged", f"the root in event {seq} is not signed by the key")
        mine = self._days.get(root["day"], {"first": seq, "events": 0})
        if any(told != root.get(name) for name, told in mine.items()):
            told = f"the events of {root['day']}, {mine['first']} and on, are not those signed"
            raise Finding(mine["first"], "rolled back", told)

    def _look(self, witness: _Witness, head: str, rest: Iterator[bytes]) -> None:
        """Compare an event with the checkpoint of it."""
        seq = witness.seq
        if witness.agrees(head):
            return
        after = _stands(next(rest, b""))
        if after.seq == seq:
            raise Finding(seq, "inserted", f"an event was put in at {seq}")
        if after.seq and after.previous != head:
            raise Finding(seq, "changed", f"event {seq} was changed")
        witness.demand_signature()
        if not after.seq and witness.matched == seq - 1:
            raise Finding(seq, "changed", f"event {seq} is not the one witnessed")
        message = f"event {seq} is another than the witness saw after {witness.matched}"
        raise Finding(witness.matched + 1, "rolled back", message)

    def _break(self, rest: Iterator[bytes]) -> Finding:
        """What happened where the next line does not continue the chain."""
        due = self.seq + 1
        here, after = _stands(next(rest)), _stands(next(rest, b""))
        if (after.seq, after.previous) == (due, self.head) and here.seq != due + 1:
            return Finding(due, "inserted", f"something was put in at {due}")
        if not here.seq or (here.seq < due and after.seq == due + 1):
            return Finding(due, "changed", f"event {due} is not in its form, or has another number")
        if here.seq == due:
            # Whom the line after it, or a witness, agrees with is as it was.
            good = (after.seq, after.previous) == (due + 1, here.head)
            good |= any((w.seq, w.head) == (due, here.head) for w in self.witnesses)
            seq = self.seq if good and self.seq else due
            return Finding(seq, "changed", f"event {seq} was changed")
        if here.seq < due:
            seq = self.seq if here.seq == self.seq else due
            return Finding(seq, "inserted", f"another event {here.seq} was put in at {seq}")
        if after.seq == due or any(_stands(line).seq == due for line in rest):
            return Finding(due, "reordered", f"event {due} stands further down")
        if after.seq == due + 1:
            return Finding(due, "changed", f"event {due} was changed")
        return Finding(due, "deleted", f"{here.seq - due} events are missing, {due} and on")


def verify(
    lines: Iterable[bytes], public_key: str, *, witnesses: Iterable[Iterable[bytes]] = (),
    roots: Iterable[bytes] = (), export: bool = True,
) -> Report:  # fmt: skip
    """Check a ledger.

    Args:
        lines: the events, one each, without line ends; with `export`, a checkpoint at the end.
        public_key: 64 hexadecimal digits.
        witnesses, roots: the lines of witness files, and of files of published roots.
    """
    return go_on(Position(), lines, public_key, witnesses, roots, export)[0]


def go_on(
    at: Position, lines: Iterable[bytes], public_key: str,
    witnesses: Iterable[Iterable[bytes]] = (), roots: Iterable[bytes] = (), export: bool = False,
) -> tuple[Report, Position]:  # fmt: skip
    """As `verify`, of the events after a position; and where it ended, if nothing was wrong."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key.strip()))
    walk = _Walk(key, export, at)
    stream, bad = iter(lines), dict[str, Any]()
    try:
        published = _published(walk.key, roots)
        walk.witnesses = [_Witness(witness, walk.key) for witness in witnesses]
        while some := [*itertools.islice(stream, _BLOCK)]:
            walk.take(_block(some), stream)
        at = walk.position()
        walk.finish(published)
    except Finding as finding:
        bad = finding.facts
    return Report(not bad, walk.seq, walk.head, walk.time, **bad), at


def _published(key: Ed25519PublicKey, lines: Iterable[bytes]) -> dict[str, dict[str, Any]]:
    by_day: dict[str, dict[str, Any]] = {}
    for n, line in enumerate(lines, 1):
        root = _record(line)
        if root is None or not signed(key, root, "root"):
            seq = root["first"] if root and type(root.get("first")) is int else 1
            raise Finding(seq, "root forged", f"line {n} of the roots is not signed by the key")
        if by_day.setdefault(root["day"], root) != root:
            raise Finding(root["first"], "rolled back", f"{root['day']} has two roots that differ")
    return by_day


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file, without their ends; one that is too long comes in pieces."""
    with path.open("rb") as stream:
        while line := stream.readline(LONGEST_LINE):
            yield line[:-1] if line.endswith(b"\n") else line


def main() -> int:
    """The command line."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("export", type=Path, help="what `yupana audit export` wrote")
    parser.add_argument("--key", type=Path, required=True, help="the ledger's public key")
    parser.add_argument("--witness", type=Path, action="append", default=[], help="witness.jsonl")
    parser.add_argument("--roots", type=Path, help="published roots, roots.jsonl")
    arguments = parser.parse_args()
    try:
        report = verify(
            lines_of(arguments.export), arguments.key.read_text(),
            witnesses=[lines_of(path) for path in arguments.witness],
            roots=lines_of(arguments.roots) if arguments.roots else (),
        )  # fmt: skip
    except (OSError, ValueError) as error:
        parser.error(f"{error} (name files as `yupana audit export`, `key` and `roots` write them)")
    if report.ok and not arguments.witness and not arguments.roots:
        print("not witnessed elsewhere: one that was cut off or written anew looks like this too")
    print(report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
