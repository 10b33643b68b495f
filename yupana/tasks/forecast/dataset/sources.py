"""Which published tables a use case's features are computed from, and how complete they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.tasks.forecast.frequency import FREQUENCIES
from yupana.tasks.forecast.usecases import REPORTING, ForecastUseCase

if TYPE_CHECKING:
    import polars as pl

Tables = dict[str, "pl.DataFrame"]

def sources(settings: Settings, definition: ForecastUseCase) -> tuple[str, ...]:
    """Names of the tables that the features read: the required, and the optional there are."""
    data = definition.spec.data
    there = (n for n in data.optional if delta.exists(settings.table("published", n)))
    return (*data.required, *there)


def current(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """References of the publications that are current, by the version that published them.

    A later commit with the same rows, by maintenance or after a release that came late, is the
    same reference: nothing has to be computed again.

    Raises:
        TerminalError: nothing of a table is published.
    """
    from yupana.data.lake import history

    publications = ((name, history.at_version(settings.table("published", name))) for name in names)
    return tuple(f"delta:published/{name}@{p.version}" for name, p in publications)


def at(settings: Settings, definition: ForecastUseCase, refs: Sequence[str]) -> Tables:
    """The tables of these references, with the shares known of the newest periods.

    A period that had not ended when the table of counts was published is in none of them: what
    it would hold was not known, whenever it is asked for.
    """
    from yupana.data.lake import history

    tables: Tables = {}
    day = date.max
    for ref in refs:
        zone, name, version = delta.parts(ref)
        table = settings.table(zone, name)
        tables[name] = read(settings, definition, name, version)
        if name == definition.counted:
            day = history.at_version(table, version).known_on
        if name == definition.spec.data.late:
            tables |= shares(settings, definition, version)
    return {name: until(table, day) for name, table in tables.items()}


def read(settings: Settings, definition: ForecastUseCase, name: str, version: int) -> pl.DataFrame:
    """A published table; the one of counts as the use case counts it."""
    table = delta.read(settings.table("published", name), version)
    return definition.series(table) if name == definition.counted else table


def until(table: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rows of periods that had ended by a day; a table without periods stays whole."""
    import polars as pl

    for frequency in FREQUENCIES.values():
        if frequency.column in table.columns:
            last = day if day == date.max else frequency.ended(day)
            return table.filter(pl.col(frequency.column) <= last)
    return table


def learned_from(
    settings: Settings, definition: ForecastUseCase, refs: Sequence[str]
) -> tuple[str, ...]:
    """References of the earlier publications from which reporting delays are learned.

    Args:
        refs: of the tables that features are computed from, as `at` takes them.
    """
    from yupana.tasks.forecast.nowcast import delays as reporting
    from yupana.tasks.forecast.nowcast import nowcast

    earlier: list[str] = []
    for _, name, version in map(delta.parts, refs):
        if name == definition.spec.data.late:
            looked_at = reporting.regular(
                settings.table("published", name), version, definition.frequency
            )
            enough = len(looked_at) > nowcast.LAST
            earlier += [f"delta:published/{name}@{p.version}" for p in looked_at if enough]
    return tuple(ref for ref in earlier if ref not in refs)


def shares(settings: Settings, definition: ForecastUseCase, version: int) -> Tables:
    """`REPORTING` where periods of a version are known to be incomplete, else nothing."""
    from yupana.data.lake import history
    from yupana.tasks.forecast.nowcast import delays as reporting

    table = settings.table("published", definition.spec.data.late)
    delays = reporting.learned(table, version, definition)
    known_on = history.at_version(table, version).known_on
    table_of_shares = reporting.shares(delays, known_on, definition.frequency)
    return {} if table_of_shares.is_empty() else {REPORTING: table_of_shares}
