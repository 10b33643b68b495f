"""A forecast as a spreadsheet: a line an entity and period, and a line an entity without answer."""

from __future__ import annotations

from typing import Any

from yupana.serving.notes import Note
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES
from yupana.tasks.forecast.serving import spreadsheet as sheet
from yupana.tasks.forecast.usecases import ForecastUseCase

_COLUMNS = (
    "as_of", "data_as_of", "model", "prediction_id", "caveats", "abstention", "es", "en",
)  # fmt: skip
"""After the quantiles: `caveats` and `abstention` are codes, `es` and `en` their words."""


def spreadsheet(answer: dict[str, Any], definition: ForecastUseCase) -> str:
    """CSV of an answer of the endpoint `forecast`.

    Args:
        answer: `as_of`, `predictions` and `abstentions`, as they are sent as JSON.
    """
    key, frequency = definition.spec.entity.key, definition.frequency
    levels = dict(zip(LEVELS, map(str, QUANTILES), strict=True))
    period = (frequency.ending, "median", "low_80", "high_80", "alert", "exceedance", *levels)
    columns = (key, "horizon", *period, *_COLUMNS)
    lines: list[list[Any]] = [list(columns)]
    for prediction in answer["predictions"]:
        codes = " ".join(caveat["code"] for caveat in prediction["caveats"])
        facts = {**prediction, "as_of": answer["as_of"], "caveats": codes}
        facts |= _words(prediction["caveats"])
        for step in prediction[frequency.listing]:
            low, high = step["interval_80"]
            quantiles = {name: step["quantiles"][level] for name, level in levels.items()}
            row = {**facts, **step, **quantiles, "low_80": low, "high_80": high}
            lines.append([row.get(column) for column in columns])
    for reason in answer["abstentions"]:
        row = {**reason, "as_of": answer["as_of"], "abstention": reason["code"]}
        lines.append([row.get(column) for column in columns])
    return sheet.text(lines)


def _words(caveats: list[Note]) -> dict[str, str]:
    return {language: " ".join(caveat[language] for caveat in caveats) for language in ("es", "en")}
