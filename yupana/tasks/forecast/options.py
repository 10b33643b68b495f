"""What this kind asks of a spec: its own section, a key that no other field has, groups that are
areas, its metric; and of the counts: rows enough to train on."""

from __future__ import annotations

from math import ceil
from typing import Literal

from pydantic import Field, ValidationError

from yupana.core.errors import UsageError
from yupana.core.spec import Spec
from yupana.core.types import Frozen
from yupana.data.national import areas
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


MIN_ROWS = 200
"""Fewer training or validation rows than this cannot choose between two sets of weights."""


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


def demand_groups(spec: Spec) -> None:
    """Demand that the groups are areas, which the entities' codes begin with, the widest first.

    Raises:
        UsageError: a group is no area, or stands out of order: results would not be told by it.
    """
    groups = spec.entity.groups
    ordered = tuple(level for level in areas.DIGITS if level in groups)
    if groups != ordered:
        strange = next((group for group in groups if group not in areas.DIGITS), "")
        raise UsageError(
            f"Results cannot be compared by '{strange}': it is no area that a code begins with."
            if strange else "The groups do not stand once each, the widest first.",
            where=f"models/{spec.name}/usecase.yaml, entity.groups",
            fix=f"Write `groups: [{', '.join(ordered)}]`; it takes {', '.join(areas.DIGITS)}, in "
            "this order.",
        )  # fmt: skip


def fewest_entities(spec: Spec) -> int:
    """How many entities give `MIN_ROWS` in the part `validation`, which is a year of each."""
    return ceil(MIN_ROWS / FREQUENCIES[of(spec).frequency].year)


def demand_entities(spec: Spec, entities: int) -> None:
    """Demand that the published counts are of entities enough to train on.

    Raises:
        UsageError: they are not; names field and mend.
    """
    if entities < (fewest := fewest_entities(spec)):
        raise UsageError(
            f"The counts are of {entities} entities by {of(spec).frequency}: a year of them is "
            f"less than the {MIN_ROWS} rows that each part needs to train on.",
            where=f"models/{spec.name}/usecase.yaml, entity.key",
            fix=f"Publish the counts of {fewest} entities or more in {spec.data.required[0]}, or "
            "choose a key that tells more apart, or a shorter period in "
            f"{spec.task}.frequency.",
        )


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
