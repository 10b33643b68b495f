"""What a forecast's prediction log holds: its payload, and what comes back as feedback."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, create_model

from yupana.predictions.entry import LogEntry
from yupana.predictions.feedback import OutcomeSchema
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.places import PERIODS

VERSION = 1
"""Of the payload `{"weeks": [...]}`, and of the outcome `{"week_ending", "cases"}`; of months,
`months` and `month_ending`."""

MOST_CASES = 1_000_000


def parameters(horizon: int, as_of: date) -> dict[str, Any]:
    """What a forecast is asked for beside its entity."""
    return {"as_of": str(as_of), "horizon": horizon}


def periods(entry: LogEntry, frequency: Frequency) -> list[dict[str, Any]]:
    """The periods that the caller received, of all that were forecast."""
    answered: list[dict[str, Any]] = entry.payload[frequency.listing][: entry.parameters["horizon"]]
    return answered


def outcome(frequency: Frequency) -> OutcomeSchema:
    """Cases of one period of a forecast, as they are known when they are sent."""
    ending, noun = frequency.ending, PERIODS[frequency.name]

    def endings(entry: LogEntry) -> list[str]:
        return [str(period[ending]) for period in periods(entry, frequency)]

    def is_forecast(day: date, info: ValidationInfo) -> date:
        if info.context and str(day) not in endings(info.context):
            raise ValueError(
                f"el pronóstico no tiene {noun.the} que termina el '{day}' / "
                f"the forecast has no {noun.en} that ends on '{day}'"
            )
        return day

    fields: dict[str, Any] = {
        ending: (Annotated[date, AfterValidator(is_forecast)], ...),
        "cases": (int, Field(ge=0, le=MOST_CASES)),
    }
    model = create_model("Outcome", __config__=ConfigDict(extra="forbid"), **fields)
    return OutcomeSchema(
        model,
        VERSION,
        lambda entry: f"{ending}: {', '.join(endings(entry))}; cases: 0-{MOST_CASES}",
    )
