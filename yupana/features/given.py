"""Which published tables a use case's features are computed from, and how complete they are.

A use case's room `feature_repo/<use case>_weekly.py` names them: `SOURCES`, `OPTIONAL`,
`REPORTED` (the one whose newest weeks come late) and `REPORTING` (the name of their shares).
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.data import delta

if TYPE_CHECKING:
    import polars as pl

Tables = dict[str, "pl.DataFrame"]


def sources(settings: Settings, room: ModuleType) -> tuple[str, ...]:
    """Names of the tables that the features read: the required, and the optional there are."""
    there = (n for n in room.OPTIONAL if delta.exists(settings.table("published", n)))
    return (*room.SOURCES, *there)


def at(settings: Settings, room: ModuleType, refs: Sequence[str]) -> Tables:
    """The tables of these references, with the shares known of the newest weeks."""
    found: Tables = {}
    for ref in refs:
        zone, name, version = delta.parts(ref)
        found[name] = delta.read(settings.table(zone, name), version)
        if name == room.REPORTED:
            found |= shares(settings, room, version)
    return found


def learned_from(settings: Settings, room: ModuleType, refs: Sequence[str]) -> tuple[str, ...]:
    """References of the earlier publications from which reporting delays are learned.

    Args:
        refs: of the tables that features are computed from, as `at` takes them.
    """
    from yupana.features import nowcast, reporting

    found: list[str] = []
    for _, name, version in map(delta.parts, refs):
        if name == room.REPORTED:
            looked_at = reporting.weekly(settings.table("published", name), version)
            enough = len(looked_at) > nowcast.LAST
            found += [f"delta:published/{name}@{p.version}" for p in looked_at if enough]
    return tuple(ref for ref in found if ref not in refs)


def shares(settings: Settings, room: ModuleType, version: int) -> Tables:
    """`REPORTING` where weeks of a version are known to be incomplete, else nothing."""
    from yupana.data import history
    from yupana.features import reporting

    table = settings.table("published", room.REPORTED)
    delays = reporting.learned(table, version)
    known_on = history.at_version(table, version).known_on
    found = reporting.shares(delays, known_on)
    return {} if found.is_empty() else {room.REPORTING: found}
