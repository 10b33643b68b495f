"""A small ledger over some days, with a witness elsewhere, and ways to tamper with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.ledger import export, signing, writer
from yupana.ledger.entries import Entry
from yupana.ledger.verifier import Report, lines_of, verify

START = datetime(2026, 3, 1, 6, tzinfo=UTC)


def make(home: Path, days: int = 4, appends: int = 10, most: int = 6) -> Settings:
    """A ledger of `days` x `appends` groups of 1 to `most` events each; seeded by its size."""
    home.mkdir(parents=True, exist_ok=True)
    settings = Settings(home=home, ledger_witness=home / "elsewhere")
    rng = Random(f"{days} {appends} {most}")
    for day in range(days):
        for n in range(appends):
            now = START + timedelta(days=day, minutes=n)
            facts = {"n": n, "note": 'Iquitos, año \u2028 \U0001f99f "x"', "share": 0.25}
            many = rng.randint(1, most)
            entries = [Entry("access", f"raw:{rng.randrange(10**6)}", facts) for _ in range(many)]
            writer.append(settings, entries, now=now)
    return settings


def exported(settings: Settings, file: Path) -> list[bytes]:
    """The lines of an export."""
    export.write(settings, file, Silent(), datetime.now(UTC))
    return [*lines_of(file)]


def checked(settings: Settings, lines: Sequence[bytes], **more: Any) -> Report:
    return verify(iter(lines), signing.public_key(settings), **more)


def hash_of(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def again(line: bytes, **changes: Any) -> bytes:
    """An event with other members, in canonical form."""
    event = {**json.loads(line), **changes}
    text = json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def chained(lines: Sequence[bytes], start: int) -> list[bytes]:
    """Lines whose numbers and hashes fit from index `start` on: written anew without the key."""
    chain = list(lines[:start])
    for line in lines[start:]:
        chain.append(again(line, seq=len(chain) + 1, previous=hash_of(chain[-1])))
    return chain
