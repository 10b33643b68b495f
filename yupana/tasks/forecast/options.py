"""What this kind asks of a spec: its own section, and a key that no other field has."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError

from yupana.core.errors import UsageError
from yupana.core.spec import Spec
from yupana.core.types import Frozen
from yupana.tasks.forecast.frequency import FREQUENCIES

MOST = 26
_FIX = (
    "Mend that field: `forecast: {frequency: week, horizons: 8}`; the frequency is "
    f"{' or '.join(FREQUENCIES)}, the horizons are a whole number from 1 to {MOST}."
)
_TAKEN = {
    "alert", "caveats", "cases", "data_as_of", "event_timestamp", "horizon", "model", "notice",
    "origin", "prediction_id", *(f.column for f in FREQUENCIES.values()),
    *(f.listing for f in FREQUENCIES.values()), *(f.ending for f in FREQUENCIES.values()),
}  # fmt: skip
"""Fields of answers, and columns of counts, that stand beside the key."""


METRIC, BASELINES = "wis", ("last_value", "seasonal", "ar")
"""What forecasts are scored by, and the models beside which they are."""


class Options(Frozen):
    """The section `forecast` of a spec.

    Attributes:
        frequency: the period of a count.
        horizons: how many periods ahead are forecast.
    """

    frequency: Literal["week", "month"] = "week"
    horizons: int = Field(gt=0, le=MOST)


def of(spec: Spec) -> Options:
    """The section of a spec.

    Raises:
        UsageError: it breaks a rule; names file, field and mend.
    """
    file = f"models/{spec.name}/usecase.yaml"
    if spec.entity.key in _TAKEN:
        raise UsageError(
            f"The key '{spec.entity.key}' is the name of another field of answers.",
            where=f"{file}, entity.key",
            fix="Give the key another name, and rename the column in the use case's `counts`.",
        )
    try:
        section = Options.model_validate(spec.options)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, (spec.task, *first["loc"])))
        raise UsageError(
            f"The spec is not right: {first['msg']}.", where=f"{file}, {field}", fix=_FIX
        ) from error
    if section.horizons < (lead := FREQUENCIES[section.frequency].lead):
        raise UsageError(
            f"Alerts and pages are of the {section.frequency} {lead} ahead, and "
            f"{section.horizons} are forecast.",
            where=f"{file}, {spec.task}.horizons",
            fix=f"Forecast {lead} {section.frequency}s or more.",
        )
    return section


def demand_scores(spec: Spec) -> None:
    """Demand that what decides between models is what the kit scores.

    Raises:
        UsageError: another metric or baseline is named, or the model is called like a baseline.
    """
    file, metric = f"models/{spec.name}/usecase.yaml", spec.metric
    if (metric.name, metric.better) != (METRIC, "lower"):
        raise UsageError(
            f"Forecasts are not scored by '{metric.name}', {metric.better} being better.",
            where=f"{file}, metric",
            fix=f"Write name: {METRIC}, better: lower.",
        )
    if strange := sorted({*metric.baselines} - {*BASELINES}):
        raise UsageError(
            f"There is no baseline '{strange[0]}'.",
            where=f"{file}, metric.baselines",
            fix=f"Use some of: {', '.join(BASELINES)}.",
        )
    if spec.model.final in BASELINES:
        raise UsageError(
            f"The model is called '{spec.model.final}', as a baseline is.",
            where=f"{file}, model.final",
            fix="Give it a name of its own, such as pool.",
        )
