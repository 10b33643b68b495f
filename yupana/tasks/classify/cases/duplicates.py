"""Texts that came before: spelt alike, or nearly so, about the same place, and not answered yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from yupana.tasks.classify.cases.case import OPEN, Case
from yupana.tasks.classify.cases.phrases import plain
from yupana.tasks.classify.cases.rules import Duplicates
from yupana.tasks.classify.cases.tables import CASES

if TYPE_CHECKING:
    import numpy as np

PERMUTATIONS, SHINGLE = 128, 3
LEAST_WORDS = 6
"""Of a near-duplicate: fewer words are alike by chance."""

MOST = 5_000
"""Open cases that a text is compared with, the newest."""


class Print(NamedTuple):
    """What a text is known by: its SHA-256 without spelling, and its MinHash (little-endian
    unsigned 32-bit integers), None of a short one."""

    fingerprint: str
    shingles: bytes | None


def of(case: Case) -> Print:
    """The print of a case's title and text."""
    words = plain(f"{case.title}\n{case.text}").split()
    fingerprint = hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest()
    return Print(fingerprint, _minhash(words) if len(words) >= LEAST_WORDS else None)


class First(NamedTuple):
    """A case that others may be the same as."""

    id: str
    place: Mapping[str, Any]
    department: str


@dataclass
class Firsts:
    """The open cases of a use case that others may be the same as; grows as cases are routed."""

    rules: Duplicates
    cases: dict[str, First]
    fingerprints: dict[str, list[str]]
    signatures: dict[str, bytes]

    def same_as(self, case: Case, print_: Print) -> First | None:
        """The first case that it is the same as; None where there is none."""
        for name in self.fingerprints.get(print_.fingerprint, ()):
            first = self.cases[name]
            # Of texts of a few words ("no hay agua"), the place alone says which matter it is.
            tells = print_.shingles is not None or {*case.place} & {*first.place}
            if tells and _same_place(case.place, first.place):
                return first
        return self._near(case, print_) if print_.shingles else None

    def add(self, case: Case, print_: Print, department: str) -> None:
        """Let later ones be the same as this."""
        self.cases[case.id] = First(case.id, case.place, department)
        self.fingerprints.setdefault(print_.fingerprint, []).append(case.id)
        if print_.shingles:
            self.signatures[case.id] = print_.shingles

    def _near(self, case: Case, print_: Print) -> First | None:
        import numpy as np

        names = [n for n in self.signatures if _same_place(case.place, self.cases[n].place)]
        if not names:
            return None
        others = np.frombuffer(b"".join(self.signatures[n] for n in names), _number())
        assert print_.shingles is not None
        mine = np.frombuffer(print_.shingles, _number())
        alike = (others.reshape(len(names), -1) == mine).mean(axis=1)
        best = int(alike.argmax())
        return self.cases[names[best]] if alike[best] >= self.rules.similarity else None


def firsts(
    connection: sa.Connection, use_case: str, rules: Duplicates, now: datetime
) -> Firsts:  # fmt: skip
    """The open cases that were received within the days of the rules, oldest first."""
    c = CASES.c
    recent = (c.use_case == use_case) & c.state.in_(OPEN)
    recent = recent & (c.received >= now - timedelta(days=rules.days))
    columns = (c.id, c.place, c.department, c.fingerprint, c.shingles)
    query = sa.select(*columns).where(recent).order_by(c.received.desc(), c.id.desc()).limit(MOST)
    found = Firsts(rules, {}, {}, {})
    for row in reversed(connection.execute(query).all()):
        found.cases[row.id] = First(row.id, row.place, row.department)
        found.fingerprints.setdefault(row.fingerprint, []).append(row.id)
        if row.shingles:
            found.signatures[row.id] = bytes(row.shingles)
    return found


def _same_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two places may be one: nothing that both tell differs."""
    keys = {*one} & {*other}
    points = [p for p in (one, other) if {"lat", "long"} <= p.keys()]
    if len(points) == 2 and any(abs(one[k] - other[k]) > 0.002 for k in ("lat", "long")):
        return False
    return all(
        plain(str(one[k])) == plain(str(other[k])) for k in keys if k in ("address", "area")
    )


def _minhash(words: list[str]) -> bytes:
    from datasketch import MinHash

    shingles = [" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)]
    sketch = MinHash(num_perm=PERMUTATIONS)
    sketch.update_batch([shingle.encode("utf-8", "surrogatepass") for shingle in shingles])
    return bytes(sketch.hashvalues.astype(_number()).tobytes())


def _number() -> np.dtype[Any]:
    import numpy as np

    return np.dtype("<u4")
