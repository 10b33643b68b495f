"""What the outbreak service answered, carried into the lake every hour.

`yupana export-predictions outbreak` appends the new answers to the table `predictions/outbreak`,
each exactly once; monitoring reads them there. Answers older than 400 days are then removed from
the platform database.
"""

from __future__ import annotations

from yupana.orchestration.airflow import command, dag

with dag("outbreak_log", doc=__doc__, schedule="@hourly", tags=["outbreak"]) as outbreak_log:
    command("export", ["export-predictions", "outbreak", "--keep-days", "400"])
