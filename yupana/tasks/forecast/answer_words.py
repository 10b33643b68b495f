"""The numbers of one forecast in a line, for a trace; light to import: a person waits."""

from __future__ import annotations

from typing import Any

from yupana.predictions.entry import LogEntry
from yupana.tasks.forecast.frequency import Frequency


def words(entry: LogEntry, frequency: Frequency) -> str:
    """Median and 80 % interval of each period that the caller received, or that a run wrote.

    Empty where the log keeps no numbers; a word where a row of it is not as it was written.

    Example: 2022-01-08: 3 (1-10); 2022-01-15: 4 (1-12)
    """
    try:
        return _words(entry, frequency)
    except (KeyError, TypeError, ValueError):
        return "no se pueden leer / cannot be read"


def _words(entry: LogEntry, frequency: Frequency) -> str:
    if rows := entry.payload.get("rows"):
        return "; ".join(_of_row(row, frequency) for row in sorted(rows, key=_horizon))
    periods = entry.payload.get(frequency.listing, [])
    horizon = entry.parameters.get("horizon", len(periods))
    return "; ".join(_of_period(period, frequency) for period in periods[:horizon])


def _horizon(row: dict[str, Any]) -> int:
    return int(row["horizon"])


def _of_row(row: dict[str, Any], frequency: Frequency) -> str:
    end = frequency.ahead(row["origin"], _horizon(row))
    return _line(str(end), row["q0.5"], row["q0.1"], row["q0.9"])


def _of_period(period: dict[str, Any], frequency: Frequency) -> str:
    return _line(period[frequency.ending], period["median"], *period.get("interval_80", ()))


def _line(end: str, median: float, *interval: float) -> str:
    within = f" ({'-'.join(f'{one:g}' for one in interval)})" if interval else ""
    return f"{end}: {median:g}{within}"
