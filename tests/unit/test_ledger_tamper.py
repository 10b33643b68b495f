"""A thousand random changes to a ledger: each is found, and the place is named; no false alarm."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests import small_ledger
from tests.small_ledger import again, chained, checked, hash_of
from yupana.config.settings import Settings
from yupana.governance.ledger import verifier, witness
from yupana.governance.ledger.canonical import canonical
from yupana.governance.ledger.verifier import lines_of

CHANGES = 1000


@dataclass
class Kept:
    """A clean ledger: its export, and what others kept of it."""

    settings: Settings
    events: list[bytes]
    mark: bytes
    seen: list[bytes]
    roots: list[bytes]

    @property
    def witnessed(self) -> list[int]:
        return [json.loads(line)["seq"] for line in self.seen]


@dataclass
class Tampered:
    """What a verifier gets, and between which events the first bad one lies."""

    lines: list[bytes]
    first: int
    last: int
    seen: list[bytes] | None = None
    roots: list[bytes] | None = None


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    home = tmp_path_factory.mktemp("ledger")
    settings = small_ledger.make(home)
    *events, mark = small_ledger.exported(settings, home / "export.jsonl")
    elsewhere = home / "elsewhere"
    seen, roots = (
        [*lines_of(elsewhere / name)] for name in (witness.WITNESS, witness.ROOTS)
    )  # fmt: skip
    assert len(roots) == 3 and len(seen) >= 40 and len(events) > 120
    return Kept(settings, events, mark, seen, roots)


def edit(kept: Kept, rng: Random) -> Tampered:
    k = rng.randrange(len(kept.events))
    line = bytearray(kept.events[k])
    at = rng.randrange(len(line))
    line[at] = rng.choice([b for b in b'07aZ" {},' if b != line[at]])
    return at_one(kept, [*kept.events[:k], bytes(line), *kept.events[k + 1 :]], k)


def edit_well(kept: Kept, rng: Random) -> Tampered:
    k = rng.randrange(len(kept.events))
    line = again(kept.events[k], subject="raw:other")
    return at_one(kept, [*kept.events[:k], line, *kept.events[k + 1 :]], k)


def delete(kept: Kept, rng: Random) -> Tampered:
    k = rng.randrange(len(kept.events))
    many = rng.randint(1, 3)
    return at_one(kept, [*kept.events[:k], *kept.events[k + many :]], k)


def insert(kept: Kept, rng: Random) -> Tampered:
    k = rng.randrange(1, len(kept.events) + 1)
    line = again(kept.events[k - 1], subject="raw:other", seq=k + 1, previous="f" * 64)
    if rng.random() < 0.6:
        line = again(line, previous=hash_of(kept.events[k - 1]))
    return at_one(kept, [*kept.events[:k], line, *kept.events[k:]], k)


def repeat(kept: Kept, rng: Random) -> Tampered:
    j = rng.randrange(len(kept.events) - 1)
    k = rng.randrange(j + 2, len(kept.events) + 1)
    return at_one(kept, [*kept.events[:k], kept.events[j], *kept.events[k:]], k)


def swap(kept: Kept, rng: Random) -> Tampered:
    i, j = sorted(rng.sample(range(len(kept.events)), 2))
    lines = list(kept.events)
    lines[i], lines[j] = lines[j], lines[i]
    return at_one(kept, lines, i)


def truncate(kept: Kept, rng: Random) -> Tampered:
    """The end is gone, and with it the checkpoint; or the platform made another one."""
    k = rng.randrange(len(kept.events) - 1)
    made = Tampered(kept.events[:k], k + 1, k + 1)
    if rng.random() < 0.7:
        made.lines += [_mark(kept, made.lines)]
        made.seen = kept.seen
        # The witness saw no more than this of the events that are left.
        made.first = max([w for w in kept.witnessed if w <= k], default=0) + 1
    return made


def rewrite(kept: Kept, rng: Random) -> Tampered:
    """One event changed and all after it chained anew, as far as that goes without the key."""
    k = rng.randrange(len(kept.events))
    lines = list(kept.events)
    lines[k] = again(lines[k], subject="raw:other")
    lines = chained(lines, k) if k else [lines[0], *chained(lines, 1)[1:]]
    return _written_anew(kept, lines, k)


def roll_back(kept: Kept, rng: Random) -> Tampered:
    """An old copy of the database was put back, and the platform went on with it."""
    k = rng.randrange(len(kept.events) - 1)
    lines = kept.events[:k]
    for n in range(rng.randint(1, 40)):
        facts = {"n": n, "after": "the roll-back"}
        head = hash_of(lines[-1]) if lines else verifier.START
        lines.append(again(kept.events[k], seq=k + 1 + n, previous=head, facts=facts, kind="step"))
    return _written_anew(kept, lines, k)


def forge_root(kept: Kept, rng: Random) -> Tampered:
    """A root of the thief's own key: in the ledger, or in the file of published ones."""
    at = rng.randrange(len(kept.roots))
    root = json.loads(kept.roots[at])
    root["root"] = hash_of(b"another")
    if rng.random() < 0.7:
        forged = {k: v for k, v in root.items() if k != "signature"}
        thief = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        root["signature"] = thief.sign(canonical(forged).encode()).hex()
    if rng.random() < 0.5:
        roots = [*kept.roots[:at], canonical(root).encode(), *kept.roots[at + 1 :]]
        whole = [*kept.events, kept.mark]
        return Tampered(whole, root["first"], root["first"], roots=roots)
    k = next(i for i, e in enumerate(kept.events) if b'"kind":"root"' in e and root["day"].encode()
             in json.loads(e)["subject"].encode())  # fmt: skip
    lines = list(kept.events)
    lines[k] = again(lines[k], facts=root)
    return at_one(kept, chained(lines, k + 1), k)


def forge_witness(kept: Kept, rng: Random) -> Tampered:
    """A checkpoint of another head, which nobody signed."""
    at = rng.randrange(len(kept.seen))
    told = json.loads(kept.seen[at])
    told["head"] = hash_of(rng.randbytes(4))
    seen = [*kept.seen[:at], canonical(told).encode(), *kept.seen[at + 1 :]]
    return Tampered([*kept.events, kept.mark], told["seq"], told["seq"], seen=seen)


def at_one(kept: Kept, events: list[bytes], k: int) -> Tampered:
    return Tampered([*events, kept.mark], k + 1, k + 1)


def _written_anew(kept: Kept, lines: list[bytes], k: int) -> Tampered:
    """The platform signs a checkpoint of what it has; the witness elsewhere has the old ones."""
    before = max([w for w in kept.witnessed if w <= k], default=0) + 1
    made = Tampered([*lines, _mark(kept, lines)], before, k + 1, seen=kept.seen, roots=kept.roots)
    days = [json.loads(root)["first"] for root in kept.roots]
    made.first = min(before, max([d for d in days if d <= k + 1], default=1))
    # Cut off before the next checkpoint: no one saw where between.
    made.last = max(k + 1, len(lines) + 1)
    return made


def _mark(kept: Kept, lines: list[bytes]) -> bytes:
    from datetime import UTC, datetime

    head = hash_of(lines[-1]) if lines else verifier.START
    mark = witness.checkpoint(kept.settings, len(lines), head, datetime.now(UTC))
    return canonical(mark).encode()


WAYS: list[Callable[[Kept, Random], Tampered]] = [
    edit, edit_well, delete, insert, repeat, swap, truncate, rewrite, roll_back, forge_root,
    forge_witness,
]  # fmt: skip


def test_a_thousand_changes_are_found_where_they_are(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed, found = [], Counter[str]()
    for n in range(CHANGES):
        way, rng = WAYS[n % len(WAYS)], Random(n)
        given = way(kept, rng)
        # Blocks end elsewhere each time.
        monkeypatch.setattr(verifier, "_BLOCK", rng.choice([1, 7, 64, 500]))
        report = checked(
            kept.settings, given.lines, witnesses=[given.seen or []], roots=given.roots or []
        )
        found[way.__name__] += not report.ok
        if report.ok or not given.first <= (report.first_bad or 0) <= given.last:
            missed.append((n, way.__name__, given.first, given.last, str(report)))
    assert not missed, missed[:5]
    assert sum(found.values()) == CHANGES and len(found) == len(WAYS)


@pytest.mark.parametrize(("days", "appends", "most"), [(1, 1, 1), (1, 7, 3), (2, 1, 1), (9, 2, 2)])
def test_a_clean_ledger_raises_no_alarm(
    tmp_path: Path, days: int, appends: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small_ledger.make(tmp_path, days, appends, most)
    lines = small_ledger.exported(settings, tmp_path / "export.jsonl")
    files: list[Any] = [witness.files(settings, n) for n in (witness.WITNESS, witness.ROOTS)]
    for block in (1, 2, 3, 500):
        monkeypatch.setattr(verifier, "_BLOCK", block)
        for own, roots in ((False, False), (True, False), (True, True)):
            seen = [lines_of(path) for path in files[0] if own]
            kept_roots = [line for p in files[1] if roots and p.exists() for line in lines_of(p)]
            report = checked(settings, lines, witnesses=seen, roots=kept_roots)
            assert report.ok, report
            assert report.checked == len(lines) - 1


def test_an_old_export_holds_against_a_witness_that_saw_more(kept: Kept) -> None:
    """Each prefix that was ever exported is clean, whatever came after it."""
    for n in range(1, len(kept.events), 7):
        told = json.loads(_mark(kept, kept.events[:n]))
        old = {k: v for k, v in told.items() if k != "signature"} | {"time": "2026-03-01T00:00:00Z"}
        mark = canonical(witness.sealed(kept.settings, old)).encode()
        report = checked(kept.settings, [*kept.events[:n], mark], witnesses=[kept.seen])
        assert report.ok, (n, report)
