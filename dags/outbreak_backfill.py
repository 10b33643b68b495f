"""Dengue forecasts of past weeks, exactly as they would have been made then.

For a date, in a run by hand (`as_of`) or for each week of a backfill: a model that knew nothing
later is trained where there is none, and forecasts from the versions that were known that day.

```
airflow backfill create --dag-id outbreak_backfill --from-date 2020-01-01 --to-date 2020-12-31 \\
  --max-active-runs 1
```

Runs by the clock only when switched on, on Sundays, and then for that day.
"""

from __future__ import annotations

from datetime import timedelta

from yupana.orchestration.airflow import AS_OF, command, dag, when

with dag(
    "outbreak_backfill",
    doc=__doc__,
    schedule="0 6 * * 0",
    tags=["outbreak"],
    within=timedelta(hours=4),
    params=AS_OF,
) as outbreak_backfill:
    (
        when("due", ["due", "outbreak"])
        >> command("train", ["train", "outbreak"])
        >> command("predict", ["predict", "outbreak"], after_skipped=True)
    )
