"""The Merkle root of each UTC day: signed, an event of the ledger itself, and published."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.ledger import entries, witness
from yupana.ledger.table import LEDGER
from yupana.ledger.verifier import Tree

_TIME = b'"time":"'


def listing(url: str) -> list[dict[str, Any]]:
    """All roots, oldest first: {day, events, first, root, signature, type}."""
    return [event.facts for event in entries.read(url, kind="root")]


def close(settings: Settings, now: datetime) -> list[dict[str, Any]]:
    """Sign the days that are over, which is when an event of a later day is there.

    Returns:
        The new roots; none when all was done, or where another process signs.
    """
    if not settings.sign_ledger:
        return []
    url = settings.platform_db
    head = entries.newest(url)
    if head is None or not _due(url, head.time[:10]):
        return []
    lock = settings.home / "ledger" / "roots.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        records = [witness.sealed(settings, day) for day in _days(url, _after(url), head.time[:10])]
        if records:
            events = [entries.Entry("root", root["day"], root) for root in records]
            entries.record(settings, events, now)
            witness.publish(settings, records)
        return records


def _after(url: str) -> int:
    """The first event that is in no root."""
    last = entries.newest(url, "root")
    return last.facts["first"] + last.facts["events"] if last else 1


def _due(url: str, today: str) -> bool:
    first = sa.select(LEDGER.c.line).where(LEDGER.c.seq == _after(url))
    with entries.reached(url) as connection:
        line = connection.scalar(first)
    return line is not None and _day(line.encode()) < today


def _days(url: str, since: int, today: str) -> Iterator[dict[str, Any]]:
    tree, day, first = Tree(), "", since
    for line in entries.lines(url, since):
        line_day = _day(line)
        if line_day != day:
            if tree.size:
                yield _record(day, first, tree)
            if line_day >= today:
                return
            first, tree, day = first + tree.size, Tree(), line_day
        tree.add(hashlib.sha256(line).digest())


def _record(day: str, first: int, tree: Tree) -> dict[str, Any]:
    facts = {"day": day, "events": tree.size, "first": first, "root": tree.root()}
    return {**facts, "type": "root"}


def _day(line: bytes) -> str:
    # The time is the last member of an event's text.
    start = line.rindex(_TIME) + len(_TIME)
    return line[start : start + 10].decode()
