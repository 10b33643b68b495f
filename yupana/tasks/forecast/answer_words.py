"""One forecast as a line, for a trace, and as a table, for a terminal; light to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from yupana.core.spec import Spec
from yupana.predictions.entry import LogEntry
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.places import PERIODS

if TYPE_CHECKING:
    from rich.table import Table


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


def table(spec: Spec, frequency: Frequency, answer: Mapping[str, Any]) -> Table:
    """One entity's periods with median and 80 % interval, in cases.

    Args:
        answer: one of the `predictions` of the endpoint `forecast`.
    """
    from rich.table import Table

    entity = answer[spec.entity.key]
    example = spec.example.title if entity == spec.example.entity else None
    place = f"{example.es} / {example.en}" if example else entity
    caveats = "\n".join(f"{c['es']} / {c['en']}" for c in answer.get("caveats", ()))
    result = Table(
        title=f"{spec.title.es} / {spec.title.en}: {place}, {answer['model']}, "
        f"data as of {answer['data_as_of']}",
        title_justify="left",
        caption=caveats,
        caption_justify="left",
    )
    period = PERIODS[frequency.name]
    ending = f"{period.es} que termina / {period.en} ending"
    for column in (ending, "mediana / median", "intervalo del 80 % / interval"):
        result.add_column(column, justify="right")
    for step in answer[frequency.listing]:
        low, high = step["interval_80"]
        result.add_row(step[frequency.ending], f"{step['median']:.0f}", f"{low:.0f} - {high:.0f}")
    return result
