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
from yupana.ledger import verifier, witness
from yupana.ledger.canonical import canonical
from yupana.ledger.verifier import lines_of

CHANGES = 1000


@dataclass
class CleanLedger:
    """A clean ledger: its export, and what others kept of it."""

    settings: Settings
    events: list[bytes]
    mark: bytes
    checkpoints: list[bytes]
    roots: list[bytes]

    @property
    def witnessed(self) -> list[int]:
        return [json.loads(line)["seq"] for line in self.checkpoints]


@dataclass
class Forgery:
    """What a verifier gets, and between which events the first bad one lies."""

    lines: list[bytes]
    first: int
    last: int
    checkpoints: list[bytes] | None = None
    roots: list[bytes] | None = None


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> CleanLedger:
    home = tmp_path_factory.mktemp("ledger")
    settings = small_ledger.make(home)
    *events, mark = small_ledger.exported(settings, home / "export.jsonl")
    elsewhere = home / "elsewhere"
    checkpoints, roots = (
        [*lines_of(elsewhere / name)] for name in (witness.WITNESS, witness.ROOTS)
    )  # fmt: skip
    assert len(roots) == 3 and len(checkpoints) >= 40 and len(events) > 120
    return CleanLedger(settings, events, mark, checkpoints, roots)


def edit(ledger: CleanLedger, rng: Random) -> Forgery:
    k = rng.randrange(len(ledger.events))
    line = bytearray(ledger.events[k])
    at = rng.randrange(len(line))
    line[at] = rng.choice([b for b in b'07aZ" {},' if b != line[at]])
    return at_one(ledger, [*ledger.events[:k], bytes(line), *ledger.events[k + 1 :]], k)


def edit_well(ledger: CleanLedger, rng: Random) -> Forgery:
    k = rng.randrange(len(ledger.events))
    line = again(ledger.events[k], subject="raw:other")
    return at_one(ledger, [*ledger.events[:k], line, *ledger.events[k + 1 :]], k)


def delete(ledger: CleanLedger, rng: Random) -> Forgery:
    k = rng.randrange(len(ledger.events))
    many = rng.randint(1, 3)
    return at_one(ledger, [*ledger.events[:k], *ledger.events[k + many :]], k)


def insert(ledger: CleanLedger, rng: Random) -> Forgery:
    k = rng.randrange(1, len(ledger.events) + 1)
    line = again(ledger.events[k - 1], subject="raw:other", seq=k + 1, previous="f" * 64)
    if rng.random() < 0.6:
        line = again(line, previous=hash_of(ledger.events[k - 1]))
    return at_one(ledger, [*ledger.events[:k], line, *ledger.events[k:]], k)


def repeat(ledger: CleanLedger, rng: Random) -> Forgery:
    j = rng.randrange(len(ledger.events) - 1)
    k = rng.randrange(j + 2, len(ledger.events) + 1)
    return at_one(ledger, [*ledger.events[:k], ledger.events[j], *ledger.events[k:]], k)


def swap(ledger: CleanLedger, rng: Random) -> Forgery:
    i, j = sorted(rng.sample(range(len(ledger.events)), 2))
    lines = list(ledger.events)
    lines[i], lines[j] = lines[j], lines[i]
    return at_one(ledger, lines, i)


def truncate(ledger: CleanLedger, rng: Random) -> Forgery:
    """The end is gone, and with it the checkpoint; or the platform made another one."""
    k = rng.randrange(len(ledger.events) - 1)
    forgery = Forgery(ledger.events[:k], k + 1, k + 1)
    if rng.random() < 0.7:
        forgery.lines += [_mark(ledger, forgery.lines)]
        forgery.checkpoints = ledger.checkpoints
        # The witness saw no more than this of the events that are left.
        forgery.first = max([w for w in ledger.witnessed if w <= k], default=0) + 1
    return forgery


def rewrite(ledger: CleanLedger, rng: Random) -> Forgery:
    """One event changed and all after it chained anew, as far as that goes without the key."""
    k = rng.randrange(len(ledger.events))
    lines = list(ledger.events)
    lines[k] = again(lines[k], subject="raw:other")
    lines = chained(lines, k) if k else [lines[0], *chained(lines, 1)[1:]]
    return _written_anew(ledger, lines, k)


def roll_back(ledger: CleanLedger, rng: Random) -> Forgery:
    """An old copy of the database was put back, and the platform went on with it."""
    k = rng.randrange(len(ledger.events) - 1)
    lines = ledger.events[:k]
    for n in range(rng.randint(1, 40)):
        facts = {"n": n, "after": "the roll-back"}
        head = hash_of(lines[-1]) if lines else verifier.START
        lines.append(
            again(ledger.events[k], seq=k + 1 + n, previous=head, facts=facts, kind="step")
        )
    return _written_anew(ledger, lines, k)


def forge_root(ledger: CleanLedger, rng: Random) -> Forgery:
    """A root of the thief's own key: in the ledger, or in the file of published ones."""
    at = rng.randrange(len(ledger.roots))
    root = json.loads(ledger.roots[at])
    root["root"] = hash_of(b"another")
    if rng.random() < 0.7:
        forged = {k: v for k, v in root.items() if k != "signature"}
        thief = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        root["signature"] = thief.sign(canonical(forged).encode()).hex()
    if rng.random() < 0.5:
        roots = [*ledger.roots[:at], canonical(root).encode(), *ledger.roots[at + 1 :]]
        whole = [*ledger.events, ledger.mark]
        return Forgery(whole, root["first"], root["first"], roots=roots)
    day = root["day"].encode()
    places = (i for i, e in enumerate(ledger.events) if b'"kind":"root"' in e)
    k = next(i for i in places if day in json.loads(ledger.events[i])["subject"].encode())
    lines = list(ledger.events)
    lines[k] = again(lines[k], facts=root)
    return at_one(ledger, chained(lines, k + 1), k)


def forge_witness(ledger: CleanLedger, rng: Random) -> Forgery:
    """A checkpoint of another head, which nobody signed."""
    at = rng.randrange(len(ledger.checkpoints))
    checkpoint = json.loads(ledger.checkpoints[at])
    checkpoint["head"] = hash_of(rng.randbytes(4))
    checkpoints = [
        *ledger.checkpoints[:at],
        canonical(checkpoint).encode(),
        *ledger.checkpoints[at + 1 :],
    ]
    return Forgery(
        [*ledger.events, ledger.mark], checkpoint["seq"], checkpoint["seq"], checkpoints=checkpoints
    )


def at_one(ledger: CleanLedger, events: list[bytes], k: int) -> Forgery:
    return Forgery([*events, ledger.mark], k + 1, k + 1)


def _written_anew(ledger: CleanLedger, lines: list[bytes], k: int) -> Forgery:
    """The platform signs a checkpoint of what it has; the witness elsewhere has the old ones."""
    before = max([w for w in ledger.witnessed if w <= k], default=0) + 1
    forgery = Forgery(
        [*lines, _mark(ledger, lines)],
        before,
        k + 1,
        checkpoints=ledger.checkpoints,
        roots=ledger.roots,
    )
    days = [json.loads(root)["first"] for root in ledger.roots]
    forgery.first = min(before, max([d for d in days if d <= k + 1], default=1))
    # Cut off before the next checkpoint: no one saw where between.
    forgery.last = max(k + 1, len(lines) + 1)
    return forgery


def _mark(ledger: CleanLedger, lines: list[bytes]) -> bytes:
    from datetime import UTC, datetime

    head = hash_of(lines[-1]) if lines else verifier.START
    mark = witness.checkpoint(ledger.settings, len(lines), head, datetime.now(UTC))
    return canonical(mark).encode()


WAYS: list[Callable[[CleanLedger, Random], Forgery]] = [
    edit, edit_well, delete, insert, repeat, swap, truncate, rewrite, roll_back, forge_root,
    forge_witness,
]  # fmt: skip


def test_a_thousand_changes_are_found_where_they_are(
    ledger: CleanLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed, detections = [], Counter[str]()
    for n in range(CHANGES):
        way, rng = WAYS[n % len(WAYS)], Random(n)
        forgery = way(ledger, rng)
        # Blocks end elsewhere each time.
        monkeypatch.setattr(verifier, "_BLOCK", rng.choice([1, 7, 64, 500]))
        report = checked(
            ledger.settings,
            forgery.lines,
            witnesses=[forgery.checkpoints or []],
            roots=forgery.roots or [],
        )
        detections[way.__name__] += not report.ok
        if report.ok or not forgery.first <= (report.first_bad or 0) <= forgery.last:
            missed.append((n, way.__name__, forgery.first, forgery.last, str(report)))
    assert not missed, missed[:5]
    assert sum(detections.values()) == CHANGES and len(detections) == len(WAYS)


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
            checkpoints = [lines_of(path) for path in files[0] if own]
            kept_roots = [line for p in files[1] if roots and p.exists() for line in lines_of(p)]
            report = checked(settings, lines, witnesses=checkpoints, roots=kept_roots)
            assert report.ok, report
            assert report.checked == len(lines) - 1


def test_an_old_export_holds_against_a_witness_that_saw_more(ledger: CleanLedger) -> None:
    """Each prefix that was ever exported is clean, whatever came after it."""
    for n in range(1, len(ledger.events), 7):
        checkpoint = json.loads(_mark(ledger, ledger.events[:n]))
        old = {k: v for k, v in checkpoint.items() if k != "signature"} | {
            "time": "2026-03-01T00:00:00Z"
        }
        mark = canonical(witness.sealed(ledger.settings, old)).encode()
        report = checked(
            ledger.settings, [*ledger.events[:n], mark], witnesses=[ledger.checkpoints]
        )
        assert report.ok, (n, report)
