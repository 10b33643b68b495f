"""An entity's forecast as a table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from yupana.core.spec import Spec
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.places import PERIODS


def table(spec: Spec, frequency: Frequency, answer: Mapping[str, Any]) -> Table:
    """One entity's periods with median and 80 % interval, in cases.

    Args:
        answer: one of the `predictions` of the endpoint `forecast`.
    """
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
