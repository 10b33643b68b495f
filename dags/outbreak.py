"""Dengue outbreaks by district: from published cases to a served model and a weekly forecast.

Runs when a new version of the line list is published: features, training pipeline when it is due,
deployment, the forecast of all districts, and the share of table and model for other agencies.
Training is due without a champion, when the published weeks are `YUPANA_RETRAIN_WEEKS` ahead of
the champion's, and when monitoring found drift; `yupana due outbreak` says which.
"""

from __future__ import annotations

from datetime import timedelta

from yupana.orchestration.airflow import Asset, command, dag, when

with dag(
    "outbreak",
    doc=__doc__,
    schedule=[Asset("dengue_linelist")],
    tags=["outbreak"],
    within=timedelta(hours=4),
) as outbreak:
    (
        command("features", ["features", "outbreak"])
        >> when("due", ["due", "outbreak"])
        >> command("train", ["train", "outbreak"])
        >> command(
            "deploy", ["deploy", "outbreak"], outlets=[Asset("outbreak_model")], after_skipped=True
        )
        >> command("predict", ["predict", "outbreak"], outlets=[Asset("outbreak_forecast")])
        >> command("share", ["share", "outbreak"])
    )
