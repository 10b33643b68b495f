"""What webhooks are told of a forecast: that it is there, and where alerts rose since the last."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from yupana.config.settings import Settings
from yupana.core.errors import ContentError
from yupana.data.lake import delta
from yupana.lineage import events, steps
from yupana.tasks.forecast import notices, usecases
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.predict import Forecast

ORIGIN = date(2022, 1, 1)
LEAD = WEEK.lead


def table(alerts: dict[str, str | None], origin: date = ORIGIN, model: str = "3") -> pd.DataFrame:
    """Rows of two periods ahead; the nearer one has another alert."""
    rows = [
        {"entity": entity, "origin": origin, "model": f"model:outbreak@{model}", "horizon": h,
         "alert": alert if h == LEAD else "epidemia"}
        for entity, alert in alerts.items() for h in (1, LEAD)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"alert": "string"})


def forecast(alerts: dict[str, str | None]) -> Forecast:
    none: Any = pd.DataFrame()
    return Forecast(
        "outbreak", table(alerts), none, none, (), "model:outbreak@3", none, (), ORIGIN, ORIGIN,
        False, WEEK,
    )  # fmt: skip


def record(lake: Settings, rows: pd.DataFrame) -> None:
    content = pa.Table.from_pandas(rows.rename(columns={"entity": "ubigeo"}), preserve_index=False)
    same = f"origin = DATE '{rows['origin'][0]}' AND model = '{rows['model'][0]}'"
    ref = delta.replace(lake.lake, "forecasts", "outbreak", content, same, ()).ref
    events.append(lake, "forecast", "outbreak", status="done", outputs=(ref,))


def test_alerts_that_rose_since_the_newest_forecast_are_told(lake: Settings) -> None:
    definition = usecases.load("outbreak")
    assert notices.levels(lake, definition) == {}
    record(lake, table({"160101": "epidemia", "160102": "exito"}, date(2021, 12, 18)))
    record(lake, table({"160101": "epidemia", "160102": "alerta"}, date(2021, 12, 25), "2"))
    newest = {"160101": "exito", "160102": "alerta", "160103": "alerta", "160104": None,
              "160105": "exito"}  # fmt: skip
    record(lake, table(newest, date(2021, 12, 25), "10"))
    before = notices.levels(lake, definition)
    assert before == {"160101": 0, "160102": 2, "160103": 2, "160105": 0}
    now = forecast({"160101": "alerta", "160102": "epidemia", "160103": "exito",
                    "160104": "epidemia", "160105": "seguridad", "160106": "epidemia"})  # fmt: skip
    news, alert = notices.notices(now, definition.spec, before)
    assert (news.topic, alert.topic) == ("outbreak.forecast", "outbreak.alert")
    assert news.data == {
        "use_case": "outbreak", "data_as_of": "2022-01-01", "model": "outbreak@3",
        "link": "/v1/outbreak/alerts?as_of=2022-01-01",
    }  # fmt: skip
    assert alert.data["rises"] == {"alerta": 1, "epidemia": 1}
    assert alert.data["week_ending"] == "2022-01-29"


def test_a_first_forecast_and_one_without_a_rise_are_no_alert(lake: Settings) -> None:
    spec = usecases.load("outbreak").spec
    now = forecast({"160101": "epidemia"})
    for before in ({}, {"160101": 3}):
        assert [n.kind for n in notices.notices(now, spec, before)] == ["forecast"]


def test_levels_of_a_table_that_was_changed_are_not_taken(lake: Settings) -> None:
    record(lake, table({"160101": "exito"}))
    for file in lake.table("forecasts", "outbreak").glob("*.parquet"):
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    # Who writes to the table compares it first.
    with pytest.raises(ContentError):
        steps.run(
            lake, "forecast", "outbreak",
            lambda: pytest.fail(str(notices.levels(lake, usecases.load("outbreak")))),
            tables=("forecasts/outbreak",),
        )  # fmt: skip
