"""Dengue outbreaks by district: from published cases to a served model.

Runs when a new version of the line list is published: features, training pipeline, deployment,
the forecast of all districts, and the share of table and model for other agencies.
"""

from __future__ import annotations

from datetime import timedelta

from yupana.orchestration.airflow import Asset, command, dag

with dag(
    "outbreak",
    doc=__doc__,
    schedule=[Asset("dengue_linelist")],
    tags=["outbreak"],
    within=timedelta(hours=4),
) as outbreak:
    (
        command("features", ["features", "outbreak"])
        >> command("train", ["train", "outbreak"])
        >> command("deploy", ["deploy", "outbreak"], outlets=[Asset("outbreak_model")])
        >> command("predict", ["predict", "outbreak"], outlets=[Asset("outbreak_forecast")])
        >> command("share", ["share", "outbreak"])
    )
