"""Which published tables a use case's features are computed from, and how complete they are.

A use case's room `feature_repo/<use case>_weekly.py` names them: `SOURCES`, `OPTIONAL`,
`REPORTED` (the one whose newest weeks come late) and `REPORTING` (the name of their shares).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from types import ModuleType
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.data import delta

if TYPE_CHECKING:
    import polars as pl

Tables = dict[str, "pl.DataFrame"]

WEEK = "week_start"


def sources(settings: Settings, room: ModuleType) -> tuple[str, ...]:
    """Names of the tables that the features read: the required, and the optional there are."""
    there = (n for n in room.OPTIONAL if delta.exists(settings.table("published", n)))
    return (*room.SOURCES, *there)


def current(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """References of the publications that are current, by the version that published them.

    A later commit with the same rows, by maintenance or after a release that came late, is the
    same reference: nothing has to be computed again.

    Raises:
        TerminalError: nothing of a table is published.
    """
    from yupana.data import history

    found = ((name, history.at_version(settings.table("published", name))) for name in names)
    return tuple(f"delta:published/{name}@{p.version}" for name, p in found)


def at(settings: Settings, room: ModuleType, refs: Sequence[str]) -> Tables:
    """The tables of these references, with the shares known of the newest weeks.

    A week that had not ended when the reported table was published is in none of them: what it
    would hold was not known, whenever it is asked for.
    """
    from yupana.data import history

    found: Tables = {}
    day = date.max
    for ref in refs:
        zone, name, version = delta.parts(ref)
        table = settings.table(zone, name)
        found[name] = delta.read(table, version)
        if name == room.REPORTED:
            day = history.at_version(table, version).known_on
            found |= shares(settings, room, version)
    return {name: until(table, day) for name, table in found.items()}


def until(table: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rows of weeks that had ended by a day; a table without weeks stays whole."""
    import polars as pl

    if WEEK not in table.columns:
        return table
    return table.filter(pl.col(WEEK) <= day - timedelta(days=6))


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
