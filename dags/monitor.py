"""Whether the outbreak model still holds, once a week and after each new forecast.

Compares what was answered with the model's test weeks, checks the newest week of features and
forecasts, scores forecasts whose weeks are reported, keeps the history, and tells new alerts. What
a mail server or webhook did not take is sent again. `docs/monitoring.md` says what to do on an
alert; where one asks for training, the DAG `outbreak` trains on its next run.
"""

from __future__ import annotations

from yupana.orchestration.airflow import Asset, command, dag

with dag(
    "monitor",
    doc=__doc__,
    # Thursdays: the week that ended on Saturday is published by then.
    schedule="0 7 * * 4",
    tags=["outbreak", "monitoring"],
) as weekly:
    command("monitor", ["monitor", "outbreak"])

with dag(
    "monitor_forecast",
    doc=__doc__,
    schedule=[Asset("outbreak_forecast")],
    tags=["outbreak", "monitoring"],
) as after_forecast:
    command("monitor", ["monitor", "outbreak"])
