"""What webhooks are told of a forecast: that it is there, and where its alert levels rose."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.spec import Spec
from yupana.data.lake import delta, reading
from yupana.tasks.forecast import forecast_rows
from yupana.tasks.forecast.endemic_channel import ZONES
from yupana.tasks.forecast.entities import inward
from yupana.tasks.forecast.usecases import ForecastUseCase
from yupana.webhooks.notice import ALERT, FORECAST, Notice

if TYPE_CHECKING:
    from yupana.tasks.forecast.predict import Forecast

LOWEST = ZONES.index("alerta")
"""A level below is no alert, whatever it was before."""

Levels = dict[str, int]
"""By entity, the place in `ZONES` of its alert, in the period that alerts are of."""


def levels(settings: Settings, definition: ForecastUseCase) -> Levels:
    """Those of the newest forecast that was recorded; none before the first."""
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    name, key = definition.spec.name, definition.spec.entity.key
    path = settings.table("forecasts", name)
    if not delta.exists(path):
        return {}
    lead = definition.frequency.lead
    rows = reading.dataset(DeltaTable(str(path))).to_table(
        columns=[key, "origin", "model", "horizon", "alert"], filter=pc.field("horizon") == lead
    )
    table = inward(rows.to_pandas(), key)
    if table.empty:
        return {}
    table = table[table["origin"] == table["origin"].max()]
    versions = table["model"].str.rpartition("@")[2].astype(int)
    return forecast_rows.zone_numbers(table[versions == versions.max()], lead=lead)


def notices(forecast: Forecast, spec: Spec, before: Levels) -> tuple[Notice, ...]:
    """News of a forecast, and of entities that rose to `alerta` or higher since the last one.

    Args:
        before: `levels` before it was recorded.
    """
    action = "alerts" if "alerts" in spec.actions else "forecast"
    common = {
        "use_case": spec.name,
        "data_as_of": forecast.data_as_of.isoformat(),
        "model": forecast.model.removeprefix("model:"),
        "link": f"/v1/{spec.name}/{action}?as_of={forecast.data_as_of}",
    }
    lead = forecast.frequency.lead
    now = forecast_rows.zone_numbers(forecast.districts, lead=lead)
    rises = Counter(
        ZONES[level] for entity, level in now.items()
        if level >= LOWEST and level > before.get(entity, level)
    )  # fmt: skip
    news = (Notice(spec.name, FORECAST, common),)
    if not rises:
        return news
    end = forecast.frequency.ahead(forecast.data_as_of, lead)
    facts = {forecast.frequency.ending: end.isoformat(), "rises": dict(sorted(rises.items()))}
    return (*news, Notice(spec.name, ALERT, {**common, **facts}))
